"""What variants answer: the confusion matrix and the samples that they get wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.details import entries, fields, items, number, text
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, chooser, section, table

#: Up to so many classes the counts are written into the cells.
_WRITTEN = 20
_MOST_CLASSES = 100
_PAIRS = 10
#: Shades of a cell; style.css has as many.
_SHADES = 8
_LONGEST_URI = 200_000


def confusion(reading: Reading) -> Markup:
    """Return the section."""
    panels = []
    for item in reading.variants:
        found = fields(reading.section("confusion").get(str(item["id"])))
        if found:
            panels.append((str(item["id"]), _matrix(reading, found, str(item["id"]))))
    if not panels:
        return section(
            "confusion",
            "Confusion matrix",
            wording.missing("There is none: the metric is not about classes, or no labels were given."),
        )
    return section(
        "confusion",
        "Confusion matrix",
        tag(
            "p", "Rows are labels, columns are what the variant answered; the share of a row gives the shade."
        ),
        chooser("confusion", "Variant", panels, first=reading.picks),
        reading.trace("confusion", "build"),
    )


def _matrix(reading: Reading, found: Mapping[str, Any], name: str) -> Markup:
    counts = _counts(found)
    pairs = [
        [
            reading.label(pair.get("label")) or "?",
            reading.label(pair.get("predicted")) or "?",
            wording.NONE if (many := number(pair.get("count"))) is None else f"{many:,.0f}",
        ]
        for pair in entries(found.get("pairs"))[:_PAIRS]
    ]
    size = len(counts)
    drawn: Markup | None = None
    if 0 < size <= _WRITTEN:
        drawn = _written(reading, counts, name)
    elif size:
        drawn = _drawn(reading, counts, name)
    most = table(
        ["label", "answered", "samples"], pairs, name=f"Classes that {name} confuses most", right=(2,)
    )
    classes = number(found.get("classes"))
    return tag(
        "div",
        drawn
        or wording.missing(
            "There is no matrix"
            + ("" if classes is None else f" for {classes:,.0f} classes")
            + "; the pairs tell most."
        ),
        tag("div", tag("h4", "Confused most"), most if pairs else tag("p", "No two classes were confused.")),
        class_="beside" if size else None,
    )


def _counts(found: Mapping[str, Any]) -> list[list[int]]:
    rows = [[int(number(cell) or 0) for cell in items(row)] for row in items(found.get("counts"))]
    square = 0 < len(rows) <= _MOST_CLASSES and all(len(row) == len(rows) for row in rows)
    return rows if square else []


def _shade(cell: int, total: int) -> int:
    return 0 if cell <= 0 or total <= 0 else max(1, min(_SHADES, round(_SHADES * cell / total)))


def _written(reading: Reading, counts: list[list[int]], name: str) -> Markup:
    titles = [reading.label(index) or str(index) for index in range(len(counts))]
    rows = []
    for index, row in enumerate(counts):
        total = sum(row)
        cells = [
            tag(
                "td",
                str(cell) if cell else tag("span", "0", class_="quiet"),
                class_=f"{'right' if index == column else 'wrong'} shade-{_shade(cell, total)}",
            )
            for column, cell in enumerate(row)
        ]
        rows.append(tag("tr", tag("th", titles[index], scope="row"), cells))
    head = [tag("th", str(index), scope="col", title=title) for index, title in enumerate(titles)]
    corner = tag("td", tag("span", "label / answer", class_="quiet"))
    return tag(
        "div",
        tag(
            "table",
            tag("caption", f"Confusion of {name}", class_="heard"),
            tag("thead", tag("tr", corner, head)),
            tag("tbody", rows),
            class_="matrix",
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=f"Confusion matrix of {name}",
    )


def _drawn(reading: Reading, counts: list[list[int]], name: str) -> Markup:
    size, cells = len(counts), []
    for index, row in enumerate(counts):
        total = sum(row)
        for column, cell in enumerate(row):
            if cell > 0:
                told = (
                    f"{reading.label(index) or index} answered as {reading.label(column) or column}: {cell}"
                )
                kind = "right" if index == column else "wrong"
                cells.append(
                    tag(
                        "rect",
                        tag("title", told),
                        x=column,
                        y=index,
                        width=1,
                        height=1,
                        class_=f"{kind} shade-{_shade(cell, total)}",
                    )
                )
    right = sum(counts[index][index] for index in range(size))
    total = sum(map(sum, counts))
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=size, height=size, class_="rail"),
        cells,
        viewBox=f"0 0 {size} {size}",
        class_="matrix",
        role="img",
        aria_label=f"Confusion matrix of {name}: {size} classes, {right} of {total} samples on the diagonal",
    )


def worst(reading: Reading) -> Markup:
    """Return the section with the worst samples."""
    panels = []
    for item in reading.variants:
        found = entries(reading.section("worst").get(str(item["id"])))
        if found:
            cards = [_card(reading, sample) for sample in found]
            panels.append((str(item["id"]), tag("ul", cards, class_="samples")))
    if not panels:
        return section(
            "worst", "Worst samples", wording.missing("No sample is answered badly, or none could be judged.")
        )
    return section(
        "worst",
        "Worst samples",
        tag(
            "p",
            "The samples that a variant answers worst, worst first. Numbers count from 0, in the data's "
            "order.",
        ),
        chooser("worst", "Variant", panels, first=reading.picks),
        reading.trace("worst", "build"),
    )


def _card(reading: Reading, sample: Mapping[str, Any]) -> Markup:
    index = text(sample.get("index")) or "?"
    uri = text(reading.section("thumbnails").get(index))
    shown: Content = tag("span", "no picture", class_="blank")
    if uri is not None and is_picture(uri):
        shown = tag("img", src=uri, alt=f"sample {index}")
    rows: list[Content] = []
    for title, key in (("label", "label"), ("source", "reference"), ("variant", "given")):
        rows.append(tag("div", tag("dt", title), tag("dd", reading.label(sample.get(key)) or wording.NONE)))
    error = number(sample.get("error"))
    rows.append(tag("div", tag("dt", "error"), tag("dd", wording.plain(error))))
    return tag("li", shown, tag("p", f"sample {index}", class_="quiet"), tag("dl", rows))


def is_picture(uri: str) -> bool:
    """Return whether a text is a PNG or JPEG that is carried along, and nothing else."""
    import re

    if len(uri) > _LONGEST_URI:
        return False
    return re.fullmatch(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/]+={0,2}", uri) is not None

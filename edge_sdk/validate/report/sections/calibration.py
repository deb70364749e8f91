"""What the calibration data is like, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.charts import bar, histogram
from edge_sdk.validate.report.details import entries, fields, number, numbers, text, texts
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, section, table

_KINDS = {"error": "bad", "warning": "mixed", "note": "plain"}
_LAYERS = 12


def calibration(reading: Reading) -> Markup:
    """Return the section."""
    found = reading.section("calibration")
    if not found:
        return section(
            "calibration",
            "Calibration",
            wording.missing("No calibration data was examined: no recipe of this build used any."),
        )
    samples, evaluation = number(found.get("samples")), number(found.get("evaluation_samples"))
    findings = entries(found.get("findings"))
    unseen = texts(found.get("not_checked"))
    return section(
        "calibration",
        "Calibration",
        tag(
            "p",
            None if samples is None else f"{wording.count(int(samples), 'calibration sample')} looked at",
            None if evaluation is None else f", beside {wording.count(int(evaluation), 'evaluation sample')}",
            None if samples is None else ".",
        ),
        tag("ul", [_finding(item) for item in findings], class_="findings")
        if findings
        else tag("p", "Nothing was found that speaks against the data."),
        [_input(item) for item in entries(found.get("inputs"))],
        _ranges(entries(found.get("layers"))),
        tag("div", tag("h3", "Not checked"), tag("ul", [tag("li", item) for item in unseen]))
        if unseen
        else None,
        reading.trace("calibration", "calibration", "build"),
    )


def _finding(item: Mapping[str, Any]) -> Markup:
    level = text(item.get("level")) or "note"
    named = fields(item.get("numbers"))
    about = text(item.get("input"))
    facts: list[Content] = []
    for name, value in named.items():
        amount = number(value)
        shown = f"{amount:.4g}" if amount is not None else text(value)
        if shown is not None:
            facts.append(tag("li", tag("span", name.replace("_", " ")), " ", tag("b", shown)))
    return tag(
        "li",
        tag("strong", level, class_=f"badge {_KINDS.get(level, 'plain')}"),
        " ",
        tag("code", text(item.get("code")) or "?"),
        tag("p", text(item.get("what")) or "", f" (input {about})" if about else None),
        tag("ul", facts, class_="measured") if facts else None,
        tag("p", "Try: ", hint, class_="quiet") if (hint := text(item.get("hint"))) else None,
    )


def _input(item: Mapping[str, Any]) -> Markup:
    name = text(item.get("name")) or "input"
    chart = fields(item.get("histogram"))
    edges, main, other = (numbers(chart.get(key)) for key in ("edges", "calibration", "evaluation"))
    drawn: Content = wording.missing("No histogram.")
    if len(edges) >= 2 and len(main) == len(edges) - 1 and edges == sorted(edges):
        both = len(other) == len(main)
        drawn = (
            histogram(
                edges,
                main,
                other if both else [],
                name=f"Values of input {name}: calibration{' and evaluation' if both else ''}, "
                f"{edges[0]:.4g} to {edges[-1]:.4g}",
            ),
            tag(
                "p",
                tag("span", class_="swatch bin"),
                " calibration ",
                (tag("span", class_="swatch outline"), " evaluation") if both else None,
                class_="legend",
            ),
        )
    rows: list[list[Content]] = []
    for title, key in (("calibration", "calibration"), ("evaluation", "evaluation")):
        numbers_of = fields(item.get(key))
        if numbers_of:
            shown = ("samples", "distinct", "not_finite", "minimum", "maximum", "mean", "std")
            cells: list[Content] = [title, *(wording.plain(number(numbers_of.get(field))) for field in shown)]
            # A count at its default is left out where the document is written.
            cells[3] = wording.plain(number(numbers_of.get("not_finite", 0)))
            rows.append([*cells, wording.percent(number(numbers_of.get("zeros")))])
    return tag(
        "div",
        tag(
            "h3",
            "Input ",
            tag("code", name),
            tag("span", f" {text(item.get('dtype')) or ''}", class_="quiet"),
        ),
        drawn,
        table(
            ["data", "samples", "distinct", "with NaN or inf", "minimum", "maximum", "mean", "std", "zeros"],
            rows,
            name=f"Numbers of input {name}",
            right=range(1, 9),
        )
        if rows
        else None,
    )


def _ranges(found: list[dict[str, Any]]) -> Markup | None:
    known = [item for item in found if text(item.get("name"))][:_LAYERS]
    if not known:
        return None
    rows: list[list[Content]] = []
    for item in known:
        clipped = number(item.get("clipped"))
        rows.append(
            [
                tag("span", str(item["name"]), class_="path"),
                text(item.get("op")) or "?",
                _pair(item.get("low"), item.get("high")),
                _pair(item.get("evaluation_low"), item.get("evaluation_high")),
                wording.NONE if clipped is None else bar(clipped, wording.percent(clipped), "bad"),
                wording.plain(number(item.get("lost_db"))),
            ]
        )
    return tag(
        "div",
        tag("h3", "Activation ranges"),
        table(
            [
                "tensor",
                "operator",
                "calibrated range",
                "on evaluation data",
                "values outside",
                "SNR lost, dB",
            ],
            rows,
            name="Activation ranges, the one that suffers most first",
            right=(2, 3, 5),
        ),
        tag(
            "p",
            f"{len(known)} of {wording.count(len(found), 'tensor')}, the one that suffers most first.",
            class_="quiet",
        ),
    )


def _pair(low: Any, high: Any) -> Content:
    one, other = number(low), number(high)
    return wording.NONE if one is None or other is None else f"{one:.4g} to {other:.4g}"

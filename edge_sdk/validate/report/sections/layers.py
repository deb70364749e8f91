"""Where a variant loses its accuracy: error by layer, and what a repair kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.charts import bar, profile
from edge_sdk.validate.report.details import entries, fields, number, text, texts
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, chooser, section, table

#: Layers that are drawn; all of them are in the JSON twin.
SHOWN = 15
_FLOOR_DB = -100.0


def layers(reading: Reading) -> Markup:
    """Return the section."""
    maps = {name: fields(found) for name, found in reading.section("error_maps").items()}
    panels = [
        (name, panel)
        for name, found in sorted(maps.items(), key=lambda item: _order(reading, item[0]))
        if (panel := _panel(found, name)) is not None
    ]
    if not panels:
        return section(
            "layers",
            "Error by layer",
            wording.missing("No error map was made: it needs samples and a variant made from a float model."),
        )
    return section(
        "layers",
        "Error by layer",
        tag(
            "p",
            "Each layer of a variant beside the same layer of the float model. Error travels forward; the "
            "ranking is by the error that a layer adds itself.",
        ),
        chooser("layers", "Variant", panels, first=reading.picks),
        reading.trace("error_maps", "build"),
    )


def _order(reading: Reading, name: str) -> int:
    ids = [item["id"] for item in reading.variants]
    return ids.index(name) if name in ids else len(ids)


def _panel(found: Mapping[str, Any], name: str) -> Markup | None:
    known = [layer for layer in entries(found.get("layers")) if text(layer.get("name"))]
    if not known:
        return None
    ranked = sorted(
        (layer for layer in known if number(layer.get("added_noise_db")) is not None),
        key=lambda layer: -(number(layer.get("added_noise_db")) or 0.0),
    )[:SHOWN]
    samples = number(found.get("samples"))
    unmatched = texts(found.get("unmatched"))
    snr = [number(layer.get("snr_db")) for layer in known]
    worst = min((value for value in snr if value is not None), default=None)
    curve = None
    if worst is not None and len(known) > 1:
        curve = profile(
            snr,
            name=f"SNR of {name} over {len(known)} layers in the order of execution; lowest {worst:.4g} dB",
            unit="SNR at the layer's output, dB (higher is better)",
        )
    rows: list[list[Content]] = []
    for layer in ranked:
        added = number(layer.get("added_noise_db")) or 0.0
        rows.append(
            [
                tag("span", str(layer["name"]), class_="path"),
                bar(
                    1 - added / _FLOOR_DB if added < 0 else 1.0, f"{added:.1f}", "bad" if added > -20 else ""
                ),
                text(layer.get("op")) or "?",
                wording.plain(number(layer.get("snr_db"))),
                wording.NONE if (cosine := number(layer.get("cosine"))) is None else f"{cosine:.5f}",
                wording.plain(number(layer.get("max_abs_error"))),
            ]
        )
    return tag(
        "div",
        curve,
        table(
            ["layer", "error added here, dB", "operator", "SNR, dB", "cosine", "max error"],
            rows,
            name=f"Layers of {name} that add the most error",
            right=(3, 4, 5),
        )
        if rows
        else wording.missing("No layer adds error of its own."),
        tag(
            "p",
            f"{len(ranked)} of {wording.count(len(known), 'layer')}, worst first",
            None if samples is None else f", over {wording.count(int(samples), 'sample')}",
            f"; {len(unmatched)} without a counterpart in the variant" if unmatched else None,
            ". 0 dB: the error added here is as strong as the signal.",
            class_="quiet",
        ),
    )


def repair(reading: Reading) -> Markup | None:
    """Return the section, where there was a repair."""
    found = reading.section("repair")
    if not found:
        return None
    word = (
        ("good", "reached the budget")
        if found.get("success") is True
        else ("bad", "did not reach the budget")
    )
    kept, recipe = texts(found.get("kept")), text(found.get("recipe")) or "the recipe"
    possible = number(found.get("layers"))
    rows = [_numbers(recipe, found.get("before"))]
    if fields(found.get("after")):
        rows.append(_numbers(text(found.get("variant")) or "repaired", found.get("after")))
    tries: list[list[Content]] = []
    for index, item in enumerate(entries(found.get("attempts")), start=1):
        amount = len(texts(item.get("kept")))
        met = item.get("met") is True
        tries.append(
            [
                str(index),
                tag("span", "met" if met else "missed", class_=f"badge {'good' if met else 'bad'}"),
                f"{amount:,}",
                *_numbers("", item.get("numbers"))[1:],
                "; ".join(texts(item.get("reasons"))),
            ]
        )
    head = ["size", "metric drop", "agreement", "p50 / p99, ms"]
    of = "" if possible is None else f" of {possible:,.0f}"
    return section(
        "repair",
        "Repair",
        tag("p", tag("strong", word[1], class_=f"badge {word[0]}"), " ", text(found.get("reason"))),
        table(["variant", *head], rows, name="Before and after the repair", right=range(1, 5)),
        tag("h3", f"Kept in higher precision: {len(kept):,}{of} layers"),
        tag("ul", [tag("li", tag("span", name, class_="path")) for name in kept])
        if kept
        else tag("p", "None.", class_="quiet"),
        tag(
            "details",
            tag("summary", wording.count(len(tries), "evaluation")),
            table(
                ["number", "budget", "layers kept", *head, "why"],
                tries,
                name="What was tried, in order",
                right=range(2, 7),
            ),
        )
        if tries
        else None,
        reading.trace("repair", "build"),
    )


def _numbers(name: str, value: Any) -> list[Content]:
    """Return a row: what a variant is for the first target (`Numbers`)."""
    found = fields(value)
    times = [number(found.get(key)) for key in ("p50_ms", "p99_ms")]
    return [
        name,
        wording.size(number(found.get("size_bytes"))),
        wording.plain(number(found.get("metric_drop"))),
        wording.percent(number(found.get("agreement"))),
        " / ".join("?" if time is None else wording.milliseconds_text(time) for time in times)
        if any(time is not None for time in times)
        else wording.NONE,
    ]

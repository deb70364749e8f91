"""Where a variant loses its accuracy: error by layer, and what a repair kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.charts import bar, profile
from edge_sdk.validate.report.details import entries, fields, items, number, text, texts
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
    success = found.get("success")
    kept = texts(found.get("kept")) or texts(found.get("layers"))
    rows: list[list[Content]] = []
    for name, value in found.items():
        if name in ("kept", "layers", "success", "reason"):
            continue
        if isinstance(value, (list, tuple, Mapping)):
            continue
        amount = number(value)
        shown: Content = text(value) if amount is None else wording.plain(amount)
        if amount is not None and name.endswith("bytes"):
            shown = wording.size_text(amount)
        elif amount is not None and isinstance(value, int):
            shown = f"{value:,}"
        rows.append([name.replace("_", " "), wording.NONE if shown is None else shown])
    word = ("good", "reached the budget") if success is True else ("bad", "did not reach the budget")
    tried = items(found.get("attempts")) or items(found.get("tried"))
    return section(
        "repair",
        "Repair",
        tag("p", tag("strong", word[1], class_=f"badge {word[0]}"), " ", text(found.get("reason"))),
        tag("h3", f"Kept in higher precision: {wording.count(len(kept), 'layer')}"),
        tag("ul", [tag("li", tag("code", name, class_="path")) for name in kept]) if kept else None,
        table(["number", "value"], rows, name="What the repair cost", right=(1,)) if rows else None,
        tag("p", f"{wording.count(len(tried), 'attempt')} in the JSON twin.", class_="quiet")
        if tried
        else None,
        reading.trace("repair", "build"),
    )

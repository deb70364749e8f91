"""What `edge inspect` shows of a Core ML package beside what it shows of every model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edge_sdk.cli.tables import amount, draw, line

if TYPE_CHECKING:
    from rich.console import Console

    from edge_sdk.model.report import ModelReport

#: Metadata that is shown before everything else that the package says.
_FIRST = ("description", "author", "license", "version")


def package_facts(report: ModelReport) -> Iterator[str]:
    """Yield one line for each thing that decides where the package runs and how it was made."""
    details = report.details
    computes = ", ".join(f"{count} operators in {dtype}" for dtype, count in details["computes_in"].items())
    yield (
        f"needs {details['minimum_deployment']} or newer (specification version "
        f"{details['specification_version']}, operators of {details['operator_set']})"
    )
    if computes:
        yield f"computes {computes}"
    forms = [
        f"{form}: {found['weights']} weights, {amount(found['bytes'])}"
        for form, found in details["compression"].items()
        if not form.startswith("fp")
    ]
    yield "compression " + ("; ".join(forms) if forms else "none")


def show_functions(console: Console, report: ModelReport) -> None:
    """Draw inputs, outputs and states of every function."""
    functions: Mapping[str, Any] = report.details["functions"]
    for name in sorted(functions, key=lambda name: name != report.default_signature):
        default = " (default)" if name == report.default_signature and len(functions) > 1 else ""
        console.print()
        line(console, f"function {name}", default)
        rows = [
            [side, feature["name"], _type(feature), _flexible(feature), feature["description"]]
            for side, key in (("in", "inputs"), ("out", "outputs"), ("state", "states"))
            for feature in functions[name][key]
        ]
        draw(console, ["", "name", "type and shape", "also", "description"], rows)


def show_metadata(console: Console, report: ModelReport) -> None:
    """Draw what the package says about itself."""
    metadata: Mapping[str, str] = report.details["metadata"]
    rows = [[key, metadata[key]] for key in _FIRST if metadata.get(key)]
    rows += [[key, text] for key, text in sorted(metadata.items()) if key not in _FIRST and text]
    if rows:
        console.print()
        draw(console, ["metadata", "value"], rows)


def _type(feature: Mapping[str, Any]) -> str:
    if feature["kind"] == "image":
        return f"image {feature['color']} {feature['width']} x {feature['height']}"
    if feature["dtype"] is None:
        return str(feature["kind"])
    shape = ",".join(map(str, feature["shape"]))
    return f"{'state ' if feature['kind'] == 'state' else ''}{feature['dtype']}[{shape}]"


def _flexible(feature: Mapping[str, Any]) -> str:
    shapes = feature["shapes"] or feature["sizes"]
    if shapes:
        return " ".join("[" + ",".join(map(str, shape)) + "]" for shape in shapes)
    return " x ".join(
        str(low) if low == high else f"{low}..{'' if high is None else high}"
        for low, high in feature["ranges"]
    )

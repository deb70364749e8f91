"""`edge inspect`: what is in this model?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb

if TYPE_CHECKING:
    from rich.console import Console

    from edge_sdk.contract.spec import Quantization, Signature, TensorSpec
    from edge_sdk.model.report import LayerReport, ModelReport

#: Tables are drawn to fit this many columns, or the terminal where it is narrower.
WIDTH = 100
_ROWS = 16
_TITLES = {
    "saved_model": "SavedModel",
    "keras": "Keras file (.keras)",
    "h5": "Keras file (HDF5)",
    "tflite": "TFLite file",
    "bundle": "bundle",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("inspect", epilog="Example: [bold]edge inspect exported/model[/bold]")(inspect)


@verb
def inspect(
    model: Annotated[
        str, typer.Argument(help="SavedModel directory, .keras, .h5 or .tflite file, or .edge bundle.")
    ],
    *,
    all_rows: Annotated[bool, typer.Option("--all", help="Show every layer and operator.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show a model's signatures, sizes, costs and operators. Nothing of it is executed."""
    from edge_sdk.errors import ModelError
    from edge_sdk.model.inspect import inspect_model
    from edge_sdk.model.load import open_model

    report = inspect_model(open_model(model, check=False))
    if json:
        print_json(report.to_dict())
        if report.problems:
            raise typer.Exit(ModelError.exit_code)
        return
    _show(report, None if all_rows else _ROWS)
    if report.problems:
        first, *others = report.problems
        also = "".join(f"; also: {problem.what}" for problem in others)
        raise ModelError(first.what + also, why=first.why, hint=first.hint)


def _show(report: ModelReport, limit: int | None) -> None:
    console = stdout()
    _line(console, report.location)
    _line(console, "", f"{_TITLES[report.kind]}, {_bytes(report.size_bytes)}{_producer(report)}")
    for text in _facts(report):
        _line(console, "", text)
    for signature in sorted(report.signatures, key=lambda item: item.name != report.default_signature):
        _signature(console, report, signature)
    if report.kind == "bundle":
        _bundle(console, report)
        for variant in report.variants:
            console.print()
            _line(console, f"variant {variant.location}", f"  {_bytes(variant.size_bytes)}")
            for text in _facts(variant):
                _line(console, "", text)
            _cost(console, variant, limit)
    else:
        _cost(console, report, limit)
    if report.kind == "saved_model":
        _callables(console, report)


def _producer(report: ModelReport) -> str:
    return f", written by {report.producer.rstrip('.')}" if report.producer else ""


def _facts(report: ModelReport) -> Iterable[str]:
    """Yield one line for each fact that only some models have."""
    details = report.details
    if report.kind == "tflite":
        if not details["has_signatures"]:
            yield "no signature; inputs and outputs go by tensor names"
        if details["minimum_runtime"]:
            yield f"needs TFLite runtime {details['minimum_runtime']} or newer"
        if details["custom_operators"]:
            yield "custom operators, need a library: " + ", ".join(details["custom_operators"])
        if details["flex_operators"]:
            yield "TensorFlow operators, need the Flex delegate: " + ", ".join(details["flex_operators"])
        if "measurements" in details:
            values = {key: value for key, value in details["measurements"].items() if value is not None}
            shown = ", ".join(f"{key} {_real(value)}" for key, value in values.items() if key != "size_bytes")
            yield f"recipe {details['recipe']}, {details['golden_cases']} golden cases" + (
                f"; {shown}" if shown else ""
            )
    if report.kind == "saved_model":
        tags = [",".join(graph["tags"]) for graph in details["meta_graphs"]]
        yield (
            f"tags {' | '.join(tags)}; operator definitions {details['meta_graphs'][0]['producer']}; "
            f"{details['variables']} variables ({_bytes(details['variables_bytes'])} on disk)"
        )
        if details["assets"]:
            yield "assets " + ", ".join(details["assets"])
    if report.kind in ("keras", "h5"):
        yield f"{details['class_name']} model {details['name']!r}"
    if report.kind == "bundle":
        yield f"{details['name']} {details['version']}, format {details['format_version']}"


def _signature(console: Console, report: ModelReport, signature: Signature) -> None:
    method = tensors = None
    if report.kind == "saved_model":
        entry = report.details["meta_graphs"][0]["signatures"].get(signature.name, {})
        method, tensors = entry.get("method"), entry.get("tensors", {})
    default = (
        " (default)" if signature.name == report.default_signature and len(report.signatures) > 1 else ""
    )
    console.print()
    _line(console, f"signature {signature.name or '(none)'}", default, f"  {method}" if method else "")
    rows = [
        [side, spec.name, str(spec), _quantization(spec), tensors.get(spec.name, "") if tensors else ""]
        for side, specs in (("in", signature.inputs), ("out", signature.outputs))
        for spec in specs
    ]
    _draw(console, ["", "name", "type and shape", "quantization", "tensor"], rows)


def _quantization(spec: TensorSpec) -> str:
    quantization: Quantization | None = spec.quantization
    if quantization is None:
        return ""
    if len(quantization.scales) > 1:
        return f"{len(quantization.scales)} scales along axis {quantization.axis}"
    return f"scale {quantization.scales[0]:.6g}, zero point {quantization.zero_points[0]}"


def _cost(console: Console, report: ModelReport, limit: int | None) -> None:
    console.print()
    weights = ", ".join(f"{_bytes(size)} {dtype}" for dtype, size in report.weight_bytes.items())
    macs = "MACs unknown" if report.macs is None else f"{_count(report.macs)} MACs a call"
    _line(console, f"{report.parameters or 0:,} parameters", f" ({weights or 'no weights'}), {macs}")
    if report.macs_not_counted:
        _line(console, "", "not counted in the MACs: " + ", ".join(report.macs_not_counted))
    if report.layers:
        _layers(console, report.layers, limit)
    if report.operators:
        console.print()
        _operators(console, report, limit)


def _layers(console: Console, layers: Sequence[LayerReport], limit: int | None) -> None:
    total = sum(layer.bytes for layer in layers) or 1
    places = list(range(len(layers)))
    if limit is not None and len(layers) > limit:
        # The largest ones, in the order in which they run.
        places = sorted(sorted(places, key=lambda place: (-layers[place].bytes, place))[:limit])
    shown = [layers[place] for place in places]
    rows = [
        [
            layer.name,
            layer.operator,
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{layer.bytes:,}" if layer.bytes else "",
            f"{layer.bytes / total:.1%}" if layer.bytes else "",
            "?" if layer.macs is None else _count(layer.macs) if layer.macs else "",
        ]
        for layer in shown
    ]
    if len(shown) < len(layers):
        hidden = set(range(len(layers))) - set(places)
        size = sum(layers[place].bytes for place in hidden)
        rows.append(
            [
                f"({len(hidden)} smaller ones; --all shows them)",
                "",
                f"{sum(layers[place].parameters for place in hidden):,}",
                f"{size:,}",
                f"{size / total:.1%}",
                _count(sum(layers[place].macs or 0 for place in hidden)),
            ]
        )
    headings = ["layer", "operator", ">parameters", ">bytes", ">share", ">MACs"]
    _draw(console, headings, rows, dim_last=len(shown) < len(layers))


def _operators(console: Console, report: ModelReport, limit: int | None) -> None:
    shown = report.operators if limit is None else report.operators[:limit]
    rows = [
        [use.name, use.kind, f"{use.count:,}", "" if use.version is None else str(use.version)]
        for use in shown
    ]
    rest = report.operators[len(shown) :]
    if rest:
        uses = f"{sum(use.count for use in rest):,}"
        rows.append([f"({len(rest)} more kinds; --all shows them)", "", uses, ""])
    _draw(console, ["operator", "kind", ">uses", ">version"], rows, dim_last=bool(rest))


def _callables(console: Console, report: ModelReport) -> None:
    functions: dict[str, Any] = report.details["meta_graphs"][0]["functions"]
    if not functions:
        return
    console.print()
    rows = [
        [name, str(len(variants)), "; ".join(variants[0]) if variants else ""]
        for name, variants in functions.items()
    ]
    _draw(console, ["callable", ">traces", "takes"], rows)


def _bundle(console: Console, report: ModelReport) -> None:
    contract: Mapping[str, Any] = report.details["contract"]
    for side in ("preprocess", "postprocess"):
        for name, value in contract.get(side, {}).items():
            settings = value.get("image", value) if isinstance(value, Mapping) else value
            shown = ", ".join(f"{key} {item}" for key, item in settings.items())
            _line(console, f"{side} {name}", f"  {shown}")
    labels = contract.get("labels", ())
    if labels:
        more = f", ... ({len(labels)})" if len(labels) > 5 else ""
        _line(console, "labels", "  " + ", ".join(labels[:5]) + more)
    console.print()
    rows = []
    for name, plan in report.details["targets"].items():
        runtime = " >= ".join(filter(None, [plan["runtime"]["name"], plan["runtime"].get("minimum_version")]))
        delegates = [delegate["name"] for delegate in plan.get("delegates", ())]
        rows.append([name, runtime, ", ".join(plan.get("variants", ())), " > ".join(delegates) or "cpu"])
    _draw(console, ["target", "runtime", "variants, best first", "delegates"], rows)


def printable(text: str) -> str:
    """Return text out of a file without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _line(console: Console, bold: str, *rest: str) -> None:
    from rich.text import Text

    parts: list[Any] = [(printable(bold), "bold")] if bold else []
    console.print(Text.assemble(*parts, *(printable(text) for text in rest)), soft_wrap=True)


def _draw(
    console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]], *, dim_last: bool = False
) -> None:
    """Draw a plain table that fits.

    Args:
        console: Where to.
        headings: Of the columns; ">" before one aligns right. A column without any text is left out.
        rows: Cells; one that is too long loses its middle.
        dim_last: The last row sums up what is not shown.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    used = [place for place in range(len(headings)) if any(row[place] for row in rows)]
    texts = [[printable(row[place]) for place in used] for row in rows]
    names = [headings[place].removeprefix(">") for place in used]
    widths = [max(len(text) for text in column) for column in zip(names, *texts, strict=True)]
    room = (min(console.width, WIDTH) if console.is_terminal else WIDTH) - 3 * (len(used) - 1)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for place, name, width in zip(used, names, widths, strict=True):
        right = headings[place].startswith(">")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, width=width)
    for number, row in enumerate(texts):
        cells = [Text(_shorten(text, width)) for text, width in zip(row, widths, strict=True)]
        table.add_row(*cells, style="dim" if dim_last and number == len(texts) - 1 else None)
    console.print(table, width=max(room + 3 * (len(used) - 1), sum(widths) + 3 * (len(used) - 1)))


def _shorten(text: str, width: int) -> str:
    """Cut out the middle: both ends of a layer's name tell more."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - tail :]}"


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    for unit in ("kB", "MB", "GB"):
        size_in_unit = size / {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
        if size_in_unit < 999.5 or unit == "GB":
            break
    return f"{size_in_unit:.3g} {unit}" if size_in_unit < 100 else f"{size_in_unit:.0f} {unit}"


def _count(number: int) -> str:
    for limit, factor, unit in ((10**4, 1, ""), (10**6, 1e3, " k"), (10**9, 1e6, " M")):
        if number < limit:
            return f"{number:,}" if factor == 1 else f"{number / factor:.1f}{unit}"
    return f"{number / 1e9:.2f} G"


def _real(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

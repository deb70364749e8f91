"""`edge inspect`: what is in this model?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb
from edge_sdk.cli.inspect_package import package_facts, show_functions, show_metadata
from edge_sdk.cli.tables import amount, count, draw, line, real

if TYPE_CHECKING:
    from rich.console import Console

    from edge_sdk.contract.spec import Quantization, Signature, TensorSpec
    from edge_sdk.model.report import LayerReport, ModelReport

_ROWS = 16
_TITLES = {
    "saved_model": "SavedModel",
    "keras": "Keras file (.keras)",
    "h5": "Keras file (HDF5)",
    "tflite": "TFLite file",
    "mlpackage": "Core ML package",
    "bundle": "bundle",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("inspect", epilog="Example: [bold]edge inspect exported/model[/bold]")(inspect)


@verb
def inspect(
    model: Annotated[
        str, typer.Argument(help="SavedModel, .keras, .h5, .tflite, .mlpackage, or .edge bundle.")
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
    line(console, report.location)
    line(console, "", f"{_TITLES[report.kind]}, {amount(report.size_bytes)}{_producer(report)}")
    for text in _facts(report):
        line(console, "", text)
    if report.kind == "mlpackage":
        show_functions(console, report)
        _cost(console, report, limit)
        show_metadata(console, report)
        return
    for signature in sorted(report.signatures, key=lambda item: item.name != report.default_signature):
        _signature(console, report, signature)
    if report.kind == "bundle":
        _bundle(console, report)
        for variant in report.variants:
            console.print()
            line(console, f"variant {variant.location}", f"  {amount(variant.size_bytes)}")
            for text in _facts(variant):
                line(console, "", text)
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
            shown = ", ".join(f"{key} {real(value)}" for key, value in values.items() if key != "size_bytes")
            yield f"recipe {details['recipe']}, {details['golden_cases']} golden cases" + (
                f"; {shown}" if shown else ""
            )
    if report.kind == "saved_model":
        tags = [",".join(graph["tags"]) for graph in details["meta_graphs"]]
        yield (
            f"tags {' | '.join(tags)}; operator definitions {details['meta_graphs'][0]['producer']}; "
            f"{details['variables']} variables ({amount(details['variables_bytes'])} on disk)"
        )
        if details["assets"]:
            yield "assets " + ", ".join(details["assets"])
    if report.kind in ("keras", "h5"):
        yield f"{details['class_name']} model {details['name']!r}"
    if report.kind == "mlpackage":
        yield from package_facts(report)
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
    line(console, f"signature {signature.name or '(none)'}", default, f"  {method}" if method else "")
    rows = [
        [side, spec.name, str(spec), _quantization(spec), tensors.get(spec.name, "") if tensors else ""]
        for side, specs in (("in", signature.inputs), ("out", signature.outputs))
        for spec in specs
    ]
    draw(console, ["", "name", "type and shape", "quantization", "tensor"], rows)


def _quantization(spec: TensorSpec) -> str:
    quantization: Quantization | None = spec.quantization
    if quantization is None:
        return ""
    if len(quantization.scales) > 1:
        return f"{len(quantization.scales)} scales along axis {quantization.axis}"
    return f"scale {quantization.scales[0]:.6g}, zero point {quantization.zero_points[0]}"


def _cost(console: Console, report: ModelReport, limit: int | None) -> None:
    console.print()
    weights = ", ".join(f"{amount(size)} {dtype}" for dtype, size in report.weight_bytes.items())
    macs = "MACs unknown" if report.macs is None else f"{count(report.macs)} MACs a call"
    line(console, f"{report.parameters or 0:,} parameters", f" ({weights or 'no weights'}), {macs}")
    if report.macs_not_counted:
        line(console, "", "not counted in the MACs: " + ", ".join(report.macs_not_counted))
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
            "?" if layer.macs is None else count(layer.macs) if layer.macs else "",
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
                count(sum(layers[place].macs or 0 for place in hidden)),
            ]
        )
    headings = ["layer", "operator", ">parameters", ">bytes", ">share", ">MACs"]
    draw(console, headings, rows, dim_last=len(shown) < len(layers))


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
    draw(console, ["operator", "kind", ">uses", ">version"], rows, dim_last=bool(rest))


def _callables(console: Console, report: ModelReport) -> None:
    functions: dict[str, Any] = report.details["meta_graphs"][0]["functions"]
    if not functions:
        return
    console.print()
    rows = [
        [name, str(len(variants)), "; ".join(variants[0]) if variants else ""]
        for name, variants in functions.items()
    ]
    draw(console, ["callable", ">traces", "takes"], rows)


def _bundle(console: Console, report: ModelReport) -> None:
    contract: Mapping[str, Any] = report.details["contract"]
    for side in ("preprocess", "postprocess"):
        for name, value in contract.get(side, {}).items():
            settings = value.get("image", value) if isinstance(value, Mapping) else value
            shown = ", ".join(f"{key} {item}" for key, item in settings.items())
            line(console, f"{side} {name}", f"  {shown}")
    if detections := contract.get("detections"):
        settings = ", ".join(
            f"{key} {len(item) if key == 'anchors' else item}" for key, item in detections.items()
        )
        line(console, "detections", f"  {settings}")
    labels = contract.get("labels", ())
    if labels:
        more = f", ... ({len(labels)})" if len(labels) > 5 else ""
        line(console, "labels", "  " + ", ".join(labels[:5]) + more)
    console.print()
    rows = []
    for name, plan in report.details["targets"].items():
        runtime = " >= ".join(filter(None, [plan["runtime"]["name"], plan["runtime"].get("minimum_version")]))
        delegates = [delegate["name"] for delegate in plan.get("delegates", ())]
        rows.append([name, runtime, ", ".join(plan.get("variants", ())), " > ".join(delegates) or "cpu"])
    draw(console, ["target", "runtime", "variants, best first", "delegates"], rows)

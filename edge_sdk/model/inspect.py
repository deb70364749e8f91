"""Makes the report of a model, by the reader of its kind. No TensorFlow, nothing executed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import ModelError
from edge_sdk.model.keras_file import KerasFile, read_keras
from edge_sdk.model.load import Model, saved_model_problems, tflite_problems
from edge_sdk.model.report import LayerReport, ModelReport, OperatorReport, ProblemReport
from edge_sdk.model.saved_model import MetaGraph, SavedModelInfo, read_saved_model
from edge_sdk.model.saved_model_graph import Cost
from edge_sdk.model.saved_model_schema import BITS
from edge_sdk.model.tflite_file import TFLiteFile, default_signature, read_tflite

if TYPE_CHECKING:
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.bundle.manifest import Variant


def inspect_model(model: Model) -> ModelReport:
    """Return all that can be told about a model without running it.

    A model that can be read but never converted is reported too, with its `problems`.

    Args:
        model: From `open_model(..., check=False)`.

    Raises:
        ModelError: It cannot be read, or is a function, which would have to be run.
        BundleError: The bundle is damaged.
    """
    if model.kind == "function" or model.path is None:
        raise ModelError(
            f"{model.location} is a function",
            why="edge inspect reads files and runs nothing",
            hint="edge build runs the function; inspect the result",
        )
    if model.kind == "tflite":
        return _tflite(read_tflite(model.path), model.location)
    if model.kind == "saved_model":
        return _saved_model(read_saved_model(model.path), model.location)
    if model.kind == "mlpackage":
        from edge_sdk.model.coreml.report import report_package

        return report_package(model.path, model.location)
    if model.kind == "bundle":
        return _bundle(model.path, model.location)
    return _keras(read_keras(model.path), model.location)


def _tflite(file: TFLiteFile, location: str) -> ModelReport:
    details: dict[str, Any] = {
        "has_signatures": file.has_signatures,
        "subgraphs": len(file.graphs),
        "tensors": len(file.tensors),
        "is_float": file.is_float,
        "minimum_runtime": file.minimum_runtime,
        "metadata": list(file.metadata),
        "custom_operators": list(file.custom_ops),
        "flex_operators": list(file.flex_ops),
    }
    return ModelReport(
        kind="tflite",
        location=location,
        size_bytes=file.size_bytes,
        producer=file.description,
        default_signature=default_signature(file.signatures),
        signatures=file.signatures,
        parameters=file.parameters,
        weight_bytes=file.weight_bytes,
        macs=file.macs,
        macs_not_counted=file.macs_not_counted,
        layers=tuple(
            LayerReport(
                name=layer.name,
                operator=layer.op,
                parameters=layer.parameters,
                bytes=layer.bytes,
                macs=layer.macs,
            )
            for layer in file.layers
        ),
        operators=tuple(
            OperatorReport(name=use.name, kind=use.kind, version=use.version, count=use.count)
            for use in file.ops
        ),
        details=details,
        problems=_problems(tflite_problems(file, location)),
    )


def _saved_model(info: SavedModelInfo, location: str) -> ModelReport:
    graph = info.serving
    name = default_signature(graph.signatures) if graph.signatures else None
    cost = graph.cost[name] if name is not None else Cost()
    weight_bytes: dict[str, int] = {}
    for weight in cost.weights.values():
        size = _bytes(weight.dtype, weight.elements)
        weight_bytes[weight.dtype] = weight_bytes.get(weight.dtype, 0) + size
    details: dict[str, Any] = {
        "schema_version": info.schema_version,
        "has_serve_attribute": info.has_serve_attribute,
        "variables": len(graph.variables),
        "variable_parameters": sum(variable.elements for variable in graph.variables),
        "variables_bytes": info.variables_bytes,
        "constants": sum(weight.elements for weight in cost.weights.values() if weight.constant),
        "assets": list(info.assets),
        "meta_graphs": [_meta_graph(item) for item in info.meta_graphs],
    }
    return ModelReport(
        kind="saved_model",
        location=location,
        size_bytes=info.size_bytes,
        producer=f"TensorFlow {graph.tensorflow_version}" if graph.tensorflow_version else "",
        default_signature=name,
        signatures=graph.signatures,
        parameters=sum(weight.elements for weight in cost.weights.values()),
        weight_bytes=dict(sorted(weight_bytes.items(), key=lambda item: -item[1])),
        macs=cost.macs if name is not None else None,
        macs_not_counted=tuple(sorted(cost.uncounted)),
        layers=_saved_model_layers(cost),
        operators=tuple(
            OperatorReport(name=operator, kind="tensorflow", version=None, count=count)
            for operator, count in sorted(cost.operators.items(), key=lambda item: (-item[1], item[0]))
        ),
        details=details,
        problems=_problems(saved_model_problems(info)),
    )


def _saved_model_layers(cost: Cost) -> tuple[LayerReport, ...]:
    """Group weights by their name up to the last slash, and add what multiplies with them."""
    rows: dict[str, list[Any]] = {}  # name: [operators, parameters, bytes, macs]

    def row(name: str) -> list[Any]:
        return rows.setdefault(name, [[], 0, 0, 0])

    for operation in cost.operations:
        known = cost.weights.get(operation.weight)
        name = operation.name if known is None or known.constant else operation.weight.rpartition("/")[0]
        entry = row(name or operation.weight or operation.name)
        if operation.op not in entry[0]:
            entry[0].append(operation.op)
        if operation.macs is None or entry[3] is None:
            entry[3] = None
        else:
            entry[3] += operation.macs
    for weight in cost.weights.values():
        # The names of constants (Const_7) say nothing: one row for all.
        entry = row("(constants)" if weight.constant else weight.name.rpartition("/")[0] or weight.name)
        entry[1] += weight.elements
        entry[2] += _bytes(weight.dtype, weight.elements)
    return tuple(
        LayerReport(name=name, operator=" ".join(operators), parameters=parameters, bytes=size, macs=macs)
        for name, (operators, parameters, size, macs) in rows.items()
    )


def _meta_graph(graph: MetaGraph) -> dict[str, Any]:
    return {
        "tags": list(graph.tags),
        "tensorflow_version": graph.tensorflow_version,
        "producer": graph.producer,
        "signatures": {
            signature.name: {
                "method": graph.methods[signature.name],
                "tensors": dict(graph.tensor_names[signature.name]),
            }
            for signature in graph.signatures
        },
        "functions": {
            function.name: [[f"{spec.name}: {spec}" for spec in variant] for variant in function.variants]
            for function in graph.functions
        },
    }


def _keras(file: KerasFile, location: str) -> ModelReport:
    return ModelReport(
        kind=file.kind,
        location=location,
        size_bytes=file.size_bytes,
        producer=f"Keras {file.keras_version}" if file.keras_version else "Keras",
        default_signature=file.signature.name,
        signatures=(file.signature,),
        parameters=file.parameters,
        weight_bytes=file.weight_bytes,
        macs=file.macs,
        macs_not_counted=file.macs_not_counted,
        layers=tuple(
            LayerReport(
                name="/".join((*layer.parents, layer.name)),
                operator=layer.class_name,
                parameters=layer.parameters,
                bytes=layer.bytes,
                macs=layer.macs,
            )
            for layer in file.layers
            if layer.parameters or layer.macs != 0
        ),
        operators=tuple(
            OperatorReport(name=name, kind="keras", version=None, count=count)
            for name, count in file.class_counts.items()
        ),
        details={"class_name": file.class_name, "name": file.name},
        problems=_problems(list(file.problems)),
    )


def _bundle(path: Path, location: str) -> ModelReport:
    from edge_sdk.bundle.archive import Bundle

    with Bundle.open(path) as bundle, tempfile.TemporaryDirectory(prefix="edge-inspect-") as scratch:
        manifest = bundle.manifest
        variants = []
        for variant in manifest.variants:
            report = _variant(bundle, variant, Path(scratch))
            if report is not None:
                extra = {
                    "recipe": variant.recipe,
                    "sha256": manifest.model_sha256(variant.id),
                    "measurements": dict(variant.measurements),
                    "golden_cases": variant.golden.cases if variant.golden else 0,
                }
                variants.append(_with_details(report, extra))
        details = {
            "name": manifest.name,
            "version": manifest.version,
            "format_version": manifest.format_version,
            "contract": {
                key: value
                for key, value in manifest.contract.to_dict().items()
                if key in ("preprocess", "postprocess", "detections", "labels")
            },
            "targets": {name: plan.to_dict() for name, plan in manifest.targets.items()},
            "budgets": dict(manifest.budgets),
            "provenance": dict(manifest.provenance),
            "files": {name: entry.to_dict() for name, entry in manifest.files.items()},
        }
    size = path.stat().st_size if path.is_file() else sum(entry.size for entry in manifest.files.values())
    return ModelReport(
        kind="bundle",
        location=location,
        size_bytes=size,
        producer="",
        default_signature=manifest.contract.default_signature,
        signatures=manifest.contract.signatures,
        parameters=None,
        weight_bytes={},
        macs=None,
        macs_not_counted=(),
        layers=(),
        operators=(),
        details=details,
        problems=(),
        variants=tuple(variants),
    )


def _variant(bundle: Bundle, variant: Variant, scratch: Path) -> ModelReport | None:
    if variant.format == "tflite":
        return _tflite(read_tflite(bundle.read(variant.file)), variant.id)
    if variant.format == "mlpackage":
        from edge_sdk.bundle.extraction import extract_variant
        from edge_sdk.model.coreml.report import report_package

        return report_package(
            extract_variant(bundle, variant.id, scratch / f"{variant.id}.mlpackage"), variant.id
        )
    return None  # of a newer edge_sdk


def _with_details(report: ModelReport, extra: dict[str, Any]) -> ModelReport:
    return replace(report, details={**report.details, **extra})


def _problems(errors: list[ModelError]) -> tuple[ProblemReport, ...]:
    return tuple(ProblemReport(what=error.what, why=error.why, hint=error.hint) for error in errors)


def _bytes(dtype: str, elements: int) -> int:
    return (elements * BITS.get(dtype, 0) + 7) // 8

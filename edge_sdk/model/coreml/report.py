"""The report of a Core ML package for `edge inspect`: sizes by layer, costs, and how weights are stored."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.model.coreml.description import Feature, FunctionDescription
from edge_sdk.model.coreml.package import Package, open_package
from edge_sdk.model.coreml.program import Blob, Constant, Function, Operation, ValueType
from edge_sdk.model.coreml.weights import bits_of, stored_bytes
from edge_sdk.model.report import LayerReport, ModelReport, OperatorReport

_DTYPES = {"fp16": "float16", "fp32": "float32", "fp64": "float64", "int32": "int32", "int8": "int8"}
#: Operators that multiply more than is counted here.
NOT_COUNTED = ("gru", "lstm", "rnn", "einsum", "scaled_dot_product_attention", "while_loop")


@dataclass(frozen=True)
class Stored:
    """A constant as it lies in the package.

    Attributes:
        elements: Values that it stands for.
        size: Bytes that it takes, tables, scales and masks included.
        form: "fp16", "palette 4 bits", "int8 linear"...
    """

    elements: int
    size: int
    form: str


def report_package(path: Path, location: str) -> ModelReport:
    """Return the report of a package.

    Raises:
        ModelError: It is damaged.
    """
    with open_package(path) as package:
        function = package.program.functions[package.default_function]
        layers, weights = _layers(package, function)
        kinds = Counter(
            operation.kind
            for operation in function.block.walk()
            if operation.kind != "const" and not operation.kind.startswith("constexpr_")
        )
        return ModelReport(
            kind="mlpackage",
            location=location,
            size_bytes=package.size_bytes,
            producer=_producer(package),
            default_signature=package.default_function,
            signatures=tuple(_signature(name, found) for name, found in package.functions.items()),
            parameters=sum(item.elements for item in weights.values()),
            weight_bytes=_by_form(weights),
            macs=sum(layer.macs or 0 for layer in layers),
            macs_not_counted=tuple(sorted(kind for kind in kinds if kind in NOT_COUNTED)),
            layers=tuple(layers),
            operators=tuple(
                OperatorReport(name=kind, kind="coreml", version=None, count=count)
                for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
            ),
            details=_details(package, function, weights),
            problems=(),
        )


def _producer(package: Package) -> str:
    version = package.metadata.user_defined.get("com.github.apple.coremltools.version", "")
    return f"coremltools {version}" if version else ""


def _details(package: Package, function: Function, weights: Mapping[str, Stored]) -> dict[str, Any]:
    return {
        "specification_version": package.specification_version,
        "minimum_deployment": package.minimum_deployment,
        "operator_set": function.opset,
        "computes_in": dict(_computes_in(function)),
        "functions": {
            name: {
                "inputs": [_feature(item) for item in found.inputs],
                "outputs": [_feature(item) for item in found.outputs],
                "states": [_feature(item) for item in found.states],
                "class_label": found.class_label,
                "class_probabilities": found.class_probabilities,
            }
            for name, found in package.functions.items()
        },
        "compression": {
            form: {"weights": sum(1 for item in weights.values() if item.form == form), "bytes": size}
            for form, size in _by_form(weights).items()
        },
        "metadata": {
            "author": package.metadata.author,
            "license": package.metadata.license,
            "version": package.metadata.version,
            "description": package.metadata.short_description,
            **dict(package.metadata.user_defined),
        },
        "files": list(package.files),
    }


def _computes_in(function: Function) -> list[tuple[str, int]]:
    """Return how many operators give each type of real number."""
    kinds = Counter(
        operation.outputs[0].type.dtype
        for operation in function.block.walk()
        if operation.outputs and operation.kind != "const" and not operation.kind.startswith("constexpr_")
    )
    return sorted(((kind, count) for kind, count in kinds.items() if kind.startswith("fp")))


def _feature(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "kind": feature.kind,
        "dtype": feature.dtype,
        "shape": list(feature.shape),
        "shapes": [list(shape) for shape in feature.shapes],
        "ranges": [list(pair) for pair in feature.ranges],
        "width": feature.width,
        "height": feature.height,
        "color": feature.color,
        "sizes": [list(size) for size in feature.sizes],
        "optional": feature.optional,
        "description": feature.description,
    }


def _signature(name: str, function: FunctionDescription) -> Signature:
    """Return the arrays of a function; pictures as bytes, labels and dictionaries are in the details."""
    return Signature(
        name=name,
        inputs=tuple(spec for item in function.inputs if (spec := _spec(item))),
        outputs=tuple(spec for item in function.outputs if (spec := _spec(item))),
    )


def _spec(feature: Feature) -> TensorSpec | None:
    if feature.kind == "image" and feature.height and feature.width:
        channels = 1 if (feature.color or "").startswith("GRAY") else 3
        return TensorSpec(
            name=feature.name, dtype="uint8", shape=(1, feature.height, feature.width, channels)
        )
    if feature.dtype not in _DTYPES:
        return None
    return TensorSpec(name=feature.name, dtype=_DTYPES[feature.dtype], shape=feature.shape or None)


def _layers(package: Package, function: Function) -> tuple[list[LayerReport], dict[str, Stored]]:
    """Return the operations that hold weights or multiply, and every stored constant by value name."""
    types: dict[str, ValueType] = {item.name: item.type for item in function.inputs}
    stored: dict[str, Stored] = {}
    taken: set[str] = set()
    layers = []
    for operation in function.block.walk():
        types.update({output.name: output.type for output in operation.outputs})
        if operation.kind == "const" or operation.kind.startswith("constexpr_"):
            found = _stored(package, operation, stored)
            if found is not None and operation.outputs:
                stored[operation.outputs[-1].name] = found
            continue
        names = [item for items in operation.inputs.values() for item in items if isinstance(item, str)]
        mine = [stored[name] for name in names if name in stored and name not in taken]
        taken.update(name for name in names if name in stored)
        macs = _macs(operation, types)
        if mine or macs:
            layers.append(
                LayerReport(
                    name=operation.name,
                    operator=operation.kind,
                    parameters=sum(item.elements for item in mine),
                    bytes=sum(item.size for item in mine),
                    macs=macs,
                )
            )
    return layers, {name: item for name, item in stored.items() if name in taken}


def _stored(package: Package, operation: Operation, known: Mapping[str, Stored]) -> Stored | None:
    arguments = [item for items in operation.inputs.values() for item in items]
    constants = [*arguments, *(value for name, value in operation.attributes.items() if name != "name")]
    blobs = [item for item in constants if isinstance(item, Blob)]
    before = [known[item] for item in arguments if isinstance(item, str) and item in known]
    if not blobs and not before:
        return None
    kind = operation.outputs[-1].type
    size = sum(package.size_of(item) for item in blobs) + sum(item.size for item in before)
    size += sum(
        stored_bytes(item.type)
        for item in constants
        if isinstance(item, Constant)
        and item.type.dtype not in ("string", "bool", "dictionary", "list", "tuple")
    )
    form = _form(operation)
    inner = [item.form for item in before if not item.form.startswith("fp")]
    return Stored(
        math.prod(size or 0 for size in kind.shape), size, " + ".join(dict.fromkeys([*inner, form]))
    )


def _form(operation: Operation) -> str:
    """Return how a constant is stored, in words."""
    kinds = {name: _type_of(items[0]) for name, items in operation.inputs.items() if items}
    kinds.update({name: value.type for name, value in operation.attributes.items() if name != "name"})

    def bits(name: str) -> int:
        found = kinds.get(name)
        return bits_of(found.dtype) if found is not None else 0

    kind = operation.kind
    if kind == "const":
        return operation.outputs[0].type.dtype
    if kind in ("constexpr_lut_to_dense", "constexpr_lut_to_sparse"):
        table = kinds.get("lut")
        entries = 0 if table is None else (table.shape[0] if len(table.shape) == 1 else table.shape[-2]) or 0
        return f"palette {max(1, math.ceil(math.log2(max(entries, 2))))} bits"
    if kind == "constexpr_affine_dequantize":
        return f"int{bits('quantized_data')} linear"
    if kind in ("constexpr_blockwise_shift_scale", "constexpr_sparse_blockwise_shift_scale"):
        name = "data" if "data" in kinds else "nonzero_data"
        scale = kinds.get("scale")
        blocks = scale is not None and sum(size not in (1, None) for size in scale.shape) > 1
        return f"int{bits(name)} linear{' by block' if blocks else ''}"
    if kind == "constexpr_sparse_to_dense":
        return "sparse"
    return kind.removeprefix("constexpr_").replace("_", " ")


def _type_of(item: Any) -> ValueType | None:
    return item.type if isinstance(item, (Blob, Constant)) else None


def _by_form(weights: Mapping[str, Stored]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for item in weights.values():
        sizes[item.form] = sizes.get(item.form, 0) + item.size
    return dict(sorted(sizes.items(), key=lambda pair: -pair[1]))


def _macs(operation: Operation, types: Mapping[str, ValueType]) -> int | None:
    """Return multiply-accumulates of one call, free sizes counted as 1; None where they are not counted."""
    if operation.kind in NOT_COUNTED:
        return None

    def shape(name: str) -> tuple[int, ...]:
        items = operation.inputs.get(name, ())
        kind = (
            types.get(items[0])
            if items and isinstance(items[0], str)
            else _type_of(items[0])
            if items
            else None
        )
        return tuple(size or 1 for size in kind.shape) if kind is not None else ()

    if not operation.outputs:
        return 0
    made = math.prod(size or 1 for size in operation.outputs[0].type.shape)
    if operation.kind == "conv":
        return made * math.prod(shape("weight")[1:])
    if operation.kind == "conv_transpose":
        return math.prod(shape("x")) * math.prod(shape("weight")[1:])
    if operation.kind == "linear":
        return made * (shape("weight") or (0,))[-1]
    if operation.kind == "matmul":
        x, transposed = shape("x"), operation.inputs.get("transpose_x", ())
        flipped = bool(transposed) and isinstance(transposed[0], Constant) and bool(transposed[0].value)
        return made * ((x[-2] if flipped and len(x) > 1 else x[-1]) if x else 0)
    return 0

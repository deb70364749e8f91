"""Has coremltools make a package of one frozen graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.convert.coreml.failures import explain
from edge_sdk.convert.coreml.graph import Graph
from edge_sdk.convert.coreml.images import Image
from edge_sdk.convert.coreml.request import Request
from edge_sdk.convert.coreml.shapes import Shapes
from edge_sdk.errors import ModelError

_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


def write_package(
    graph: Graph,
    signature: Signature,
    shapes: Mapping[str, Shapes],
    images: Mapping[str, Image],
    request: Request,
    package: Path,
) -> Any:
    """Convert one graph into a new package; return its specification, with the graph's own names.

    Args:
        graph: Of the signature.
        signature: Of the source.
        shapes: Of the inputs.
        images: The inputs that are images.
        request: Precision and deployment target.
        package: Folder to make, `*.mlpackage`.

    Raises:
        UnsupportedOpError: Core ML has no such operator, or not at this deployment target.
        ConversionError: coremltools refused for another reason.
        ModelError: An input or output has a type that Core ML has not.
    """
    import coremltools as ct

    refuse_types(signature)
    _fill_gaps()
    inputs = [
        _input_type(spec, graph.inputs[spec.name], shapes[spec.name], images.get(spec.name), request)
        for spec in signature.inputs
        if spec.name in graph.inputs
    ]
    outputs = [
        ct.TensorType(
            name=graph.outputs[spec.name],
            dtype=np.float32 if spec.dtype in _FLOATS and request.float32_io else None,
        )
        for spec in signature.outputs
    ]
    if graph.activated is not None:
        outputs.append(ct.TensorType(name=graph.activated, dtype=np.float32))
    try:
        model = ct.convert(
            graph.definition,
            source="tensorflow",
            convert_to="mlprogram",
            inputs=inputs,
            outputs=outputs,
            minimum_deployment_target=getattr(ct.target, request.deployment_target),
            compute_precision=getattr(ct.precision, request.precision.upper()),
            compute_units=ct.ComputeUnit.CPU_ONLY,
            skip_model_load=True,
            package_dir=str(package),
        )
    except (MemoryError, ImportError):
        raise  # the worker explains these
    except Exception as failure:
        raise explain(failure, request.deployment_target) from failure
    return model.get_spec()


def refuse_types(signature: Signature) -> None:
    """Refuse inputs and outputs of types for which Core ML has no array.

    Raises:
        ModelError: There is one.
    """
    for kind, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for spec in specs:
            if spec.dtype not in (*_FLOATS, *_INTEGERS, "bool"):
                raise ModelError(
                    f"{kind} {spec.name!r} of signature {signature.name!r} is {spec.dtype}",
                    why="Core ML's arrays hold float16, float32 and int32",
                    hint="save a signature that casts it, or that ends before it",
                )


def note_types(signature: Signature, images: Mapping[str, Image]) -> list[str]:
    """Return a sentence for every input and output that Core ML holds in another type."""
    notes = []
    for kind, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for spec in specs:
            if spec.name in images and kind == "input":
                continue
            if spec.dtype in _INTEGERS and spec.dtype != "int32":
                notes.append(f"{kind} {spec.name!r} is {spec.dtype} in the model and int32 in Core ML")
            elif spec.dtype in ("float64", "float16", "bool"):
                notes.append(f"{kind} {spec.name!r} is {spec.dtype} in the model and float32 in Core ML")
    return notes


def _input_type(spec: TensorSpec, node: str, shapes: Shapes, image: Image | None, request: Request) -> Any:
    import coremltools as ct

    shape: Any = (
        ct.EnumeratedShapes(shapes=[list(item) for item in shapes.all], default=list(shapes.default))
        if len(shapes.all) > 1
        else ct.Shape(list(shapes.default))
    )
    if image is not None:
        colors = {
            "RGB": ct.colorlayout.RGB,
            "BGR": ct.colorlayout.BGR,
            "GRAY": ct.colorlayout.GRAYSCALE,
        }
        return ct.ImageType(
            name=node,
            shape=shape,
            scale=image.scale,
            bias=image.bias[0] if image.color == "GRAY" else list(image.bias),
            color_layout=colors[image.color],
            channel_first=image.channels_first,
        )
    dtype: Any = None
    if spec.dtype in _FLOATS and request.float32_io:
        dtype = np.float32
    elif spec.dtype in _INTEGERS:
        dtype = np.int32
    return ct.TensorType(name=node, shape=shape, dtype=dtype)


def _fill_gaps() -> None:
    """Teach coremltools the operators that Core ML can express and its TensorFlow reader lacks.

    Casts to small integers and bool become int32 and bool, and erfc, of Keras' exact GELU, becomes 1 - erf.

    coremltools holds every integer of a TensorFlow graph as int32 and refuses a cast to a narrower one.
    Within the narrow type's range the two are the same; outside of it TensorFlow's own result depends on
    the device.
    """
    from coremltools.converters.mil.frontend.tensorflow import ops
    from coremltools.converters.mil.frontend.tensorflow.tf_op_registry import _TF_OPS_REGISTRY
    from coremltools.converters.mil.mil import Builder, types

    original = ops.Cast
    integers = {types.int8, types.uint8, types.int16, types.uint16, types.uint32}

    def cast(context: Any, node: Any) -> None:
        wanted = node.attr["DstT"]
        if wanted in integers or wanted == types.bool:
            kind = "bool" if wanted == types.bool else "int32"
            value = Builder.cast(x=context[node.inputs[0]], dtype=kind, name=node.name)
            context.add(node.name, value)
        else:
            original(context, node)

    def erfc(context: Any, node: Any) -> None:
        value = Builder.erf(x=context[node.inputs[0]])
        context.add(node.name, Builder.sub(x=np.float32(1.0), y=value, name=node.name))

    _TF_OPS_REGISTRY["Cast"] = cast
    _TF_OPS_REGISTRY["Erfc"] = erfc

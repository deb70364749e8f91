"""Options are read by field number; the numbers are compared with the schema inside ai-edge-litert."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import flatbuffers
import pytest

from edge_sdk.model.flatbuffer import FlatBuffer
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.validate.delegates.details import OPTIONS, read_details

CLASSES = {
    "CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions", "AVERAGE_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions", "SOFTMAX": "SoftmaxOptions",
    "CONCATENATION": "ConcatenationOptions", "ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions",
    "DIV": "DivOptions", "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions", "MEAN": "ReducerOptions",
    "STRIDED_SLICE": "StridedSliceOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions", "LEAKY_RELU": "LeakyReluOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
}  # fmt: skip
#: Our names where they are not the schema's in snake case.
SCHEMA_NAMES = {
    "activation": "fusedActivationFunction", "dilation_w": "dilationWFactor", "dilation_h": "dilationHFactor",
    "kernel_w": "filterWidth", "kernel_h": "filterHeight", "adjoint_x": "adjX", "adjoint_y": "adjY",
}  # fmt: skip


def schema_name(op: str, name: str) -> str:
    if op == "FULLY_CONNECTED" and name == "keep_dims":
        return "keepNumDims"
    return SCHEMA_NAMES.get(name) or re.sub(r"_(\w)", lambda match: match[1].upper(), name)


@pytest.mark.parametrize("op", OPTIONS)
def test_field_numbers_are_the_schemas(op: str) -> None:
    from ai_edge_litert import schema_py_generated as schema

    for name, (number, kind, default) in OPTIONS[op].items():
        options: Any = getattr(schema, f"{CLASSES[op]}T")()
        assert getattr(options, schema_name(op, name)) == default, name
        setattr(options, schema_name(op, name), 1.0 if kind == "f" else 3 if kind == "i" else 1)
        builder = flatbuffers.Builder(0)
        builder.Finish(options.Pack(builder))
        table = FlatBuffer(bytes(builder.Output())).root()
        expected = 0x3F800000 if kind == "f" else 3 if kind == "i" else 1
        assert table.number(number, "I" if kind == "f" else kind, 0) == expected, name


def test_facts_of_a_real_convolution(models: Path) -> None:
    path = models / "conv_float.tflite"
    file = read_tflite(path)
    facts = dict(
        zip((node.op for node in file.graphs[0].nodes), read_details(path, file.graphs)[0], strict=True)
    )
    convolution = facts["CONV_2D"]
    assert {"stride_h", "stride_w", "kernel_h", "kernel_w", "padding", "rank"} <= set(convolution)
    assert convolution["dilation_w"] == 1
    assert convolution["kernel_area"] == int(convolution["kernel_h"]) * int(convolution["kernel_w"])
    assert facts["SOFTMAX"]["beta"] == 1.0

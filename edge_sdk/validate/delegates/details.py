"""What rules look at in a node: options, kernel sizes, ranks and small constants, as names and plain values.

`read_tflite` keeps what every reader needs; rules about delegates also ask for strides and fused activations.
They are read here from the same checked tables. A value that the file does not tell is left out.

Of the options: activation, padding, stride_h, stride_w, dilation_h, dilation_w, depth_multiplier,
block_size, beta, alpha, align_corners, half_pixel_centers, keep_dims, begin_mask, end_mask, ellipsis_mask,
new_axis_mask, shrink_axis_mask, adjoint_x, adjoint_y. Of shapes: kernel_h, kernel_w, kernel_area, rank,
out_rank, batch, inputs, outputs, in_channels, out_channels, elements, outer_elements (of all but the last
three dimensions). Of constants: axes "1,2", permutation "0,3,1,2", steps, padded_axes "1,2".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from edge_sdk.errors import ModelError
from edge_sdk.model import tflite_schema as schema
from edge_sdk.model.flatbuffer import DamagedError, FlatBuffer, Table
from edge_sdk.model.tflite_graph import Graph, Node

Value: TypeAlias = int | float | str
Facts: TypeAlias = Mapping[str, Value]

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
PADDINGS = ("SAME", "VALID")

#: By operator: option name -> (number of the field, `struct` letter, default). Field numbers never change.
OPTIONS: Mapping[str, Mapping[str, tuple[int, str, int]]] = {
    "CONV_2D": {
        "padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0), "activation": (3, "b", 0),
        "dilation_w": (4, "i", 1), "dilation_h": (5, "i", 1),
    },
    "DEPTHWISE_CONV_2D": {
        "padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0),
        "depth_multiplier": (3, "i", 0), "activation": (4, "b", 0), "dilation_w": (5, "i", 1),
        "dilation_h": (6, "i", 1),
    },
    "TRANSPOSE_CONV": {
        "padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0), "activation": (3, "b", 0),
    },
    "AVERAGE_POOL_2D": {
        "padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0), "kernel_w": (3, "i", 0),
        "kernel_h": (4, "i", 0), "activation": (5, "b", 0),
    },
    "FULLY_CONNECTED": {"activation": (0, "b", 0), "keep_dims": (2, "B", 0)},
    "SOFTMAX": {"beta": (0, "f", 0)},
    "CONCATENATION": {"activation": (1, "b", 0)},
    "ADD": {"activation": (0, "b", 0)},
    "SUB": {"activation": (0, "b", 0)},
    "MUL": {"activation": (0, "b", 0)},
    "DIV": {"activation": (0, "b", 0)},
    "RESIZE_BILINEAR": {"align_corners": (2, "B", 0), "half_pixel_centers": (3, "B", 0)},
    "RESIZE_NEAREST_NEIGHBOR": {"align_corners": (0, "B", 0), "half_pixel_centers": (1, "B", 0)},
    "MEAN": {"keep_dims": (0, "B", 0)},
    "STRIDED_SLICE": {
        "begin_mask": (0, "i", 0), "end_mask": (1, "i", 0), "ellipsis_mask": (2, "i", 0),
        "new_axis_mask": (3, "i", 0), "shrink_axis_mask": (4, "i", 0),
    },
    "SPACE_TO_DEPTH": {"block_size": (0, "i", 0)},
    "DEPTH_TO_SPACE": {"block_size": (0, "i", 0)},
    "LEAKY_RELU": {"alpha": (0, "f", 0)},
    "BATCH_MATMUL": {"adjoint_x": (0, "B", 0), "adjoint_y": (1, "B", 0)},
}  # fmt: skip
_SAME_OPTIONS = {
    "MAX_POOL_2D": "AVERAGE_POOL_2D", "L2_POOL_2D": "AVERAGE_POOL_2D", "SUM": "MEAN", "REDUCE_MAX": "MEAN",
    "REDUCE_MIN": "MEAN", "REDUCE_PROD": "MEAN",
}  # fmt: skip

_REDUCTIONS = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
#: Input that carries the data, where it is not the first.
DATA_INPUT = {"TRANSPOSE_CONV": 2, "SPLIT": 1, "SELECT": 1, "SELECT_V2": 1, "SCATTER_ND": 1}
#: Longest constant that is read: axes, paddings, permutations and the like.
_LONGEST = 64


def data_input(node: Node) -> int:
    """Return the number of the tensor that carries a node's data, -1 where it has none."""
    position = DATA_INPUT.get(node.op, 0)
    return node.inputs[position] if position < len(node.inputs) else -1


def read_details(path: Path, graphs: Sequence[Graph]) -> tuple[tuple[Facts, ...], ...]:
    """Return the facts of every node, by graph and in order of execution.

    Args:
        path: The .tflite.
        graphs: What `read_tflite` said about it.

    Raises:
        ModelError: The file is damaged.
    """
    data = path.read_bytes()
    try:
        root = FlatBuffer(data).root()
        buffers = [table.extent(schema.Buffer.DATA) for table in root.tables(schema.Model.BUFFERS)]
        found = []
        for table, graph in zip(root.tables(schema.Model.SUBGRAPHS), graphs, strict=True):
            reader = _Reader(data, buffers, graph)
            operators = table.tables(schema.SubGraph.OPERATORS)
            found.append(
                tuple(reader.facts(node, item) for node, item in zip(graph.nodes, operators, strict=True))
            )
        return tuple(found)
    except DamagedError as failure:
        raise ModelError(f"{path} is damaged", why=str(failure)) from failure


class _Reader:
    """Reads one graph."""

    def __init__(self, data: bytes, buffers: Sequence[tuple[int, int]], graph: Graph) -> None:
        self._data = data
        self._buffers = buffers
        self._graph = graph

    def facts(self, node: Node, table: Table) -> Facts:
        found: dict[str, Value] = {"inputs": sum(number >= 0 for number in node.inputs)}
        found["outputs"] = len(node.outputs)
        self._shapes(node, found)
        fields = OPTIONS.get(_SAME_OPTIONS.get(node.op, node.op))
        options = table.table(schema.Operator.OPTIONS) if fields else None
        for name, (number, kind, default) in (fields or {}).items():
            value: Value = default
            if options is not None:
                value = _real(options, number) if kind == "f" else options.number(number, kind, default)
            if name in ("activation", "padding"):
                names = ACTIVATIONS if name == "activation" else PADDINGS
                value = names[int(value)] if 0 <= int(value) < len(names) else f"unknown ({value})"
            found[name] = value
        height, width = found.get("kernel_h"), found.get("kernel_w")
        if isinstance(height, int) and isinstance(width, int):
            found["kernel_area"] = height * width
        self._constants(node, found)
        return found

    def _shapes(self, node: Node, found: dict[str, Value]) -> None:
        tensors = self._graph.tensors
        number = data_input(node)
        if number >= 0 and tensors[number].shape is not None:
            shape = tensors[number].fixed_shape
            found["rank"] = len(shape)
            found["elements"] = tensors[number].elements
            if shape:
                found["batch"], found["in_channels"] = shape[0], shape[-1]
            found["outer_elements"] = math.prod(shape[:-3])
        if node.outputs and node.outputs[0] >= 0 and tensors[node.outputs[0]].shape is not None:
            shape = tensors[node.outputs[0]].fixed_shape
            found["out_rank"] = len(shape)
            if shape:
                found["out_channels"] = shape[-1]
        if node.op in _CONVOLUTIONS and len(node.inputs) > 1 and node.inputs[1] >= 0:
            kernel = tensors[node.inputs[1]].fixed_shape
            if len(kernel) == 4:
                found["kernel_h"], found["kernel_w"] = kernel[1], kernel[2]

    def _constants(self, node: Node, found: dict[str, Value]) -> None:
        if node.op in _REDUCTIONS and len(node.inputs) > 1:
            axes, rank = self.values(node.inputs[1]), found.get("rank")
            if axes is not None and isinstance(rank, int):
                found["axes"] = ",".join(str(axis) for axis in sorted({axis % rank for axis in axes if rank}))
        elif node.op == "TRANSPOSE" and len(node.inputs) > 1:
            order = self.values(node.inputs[1])
            if order is not None:
                found["permutation"] = ",".join(map(str, order))
        elif node.op == "STRIDED_SLICE" and len(node.inputs) > 3:
            steps = self.values(node.inputs[3])
            if steps:
                found["steps"] = max(steps) if min(steps) > 0 else min(steps)
        elif node.op in ("PAD", "PADV2", "MIRROR_PAD") and len(node.inputs) > 1:
            widths = self.values(node.inputs[1])
            if widths is not None:
                pairs = zip(widths[::2], widths[1::2], strict=False)
                found["padded_axes"] = ",".join(str(axis) for axis, pair in enumerate(pairs) if any(pair))

    def values(self, number: int) -> tuple[int, ...] | None:
        """Return a short constant of integers; None for anything else."""
        if number < 0:
            return None
        tensor = self._graph.tensors[number]
        kind = {"int32": "i", "int64": "q"}.get(tensor.dtype)
        if kind is None or not tensor.constant_bytes or tensor.elements > _LONGEST:
            return None
        start, length = self._buffers[tensor.buffer]
        size = struct.calcsize(f"<{kind}")
        count = min(tensor.elements, length // size)
        return struct.unpack_from(f"<{count}{kind}", self._data, start)


def _real(options: Table, number: int) -> float:
    # A float32 scalar; tables read integers only, so the four bytes are taken as one and reinterpreted.
    bits = options.number(number, "I", 0)
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])

"""What single kernels need beside their inputs and outputs: packed weights, scratch space, address tables.

Formulas follow XNNPACK's and TensorFlow Lite's own kernels; docs/reference/memory.md lists them. Rounding to
the width of a CPU's registers is left out: it is a few percent of small layers.
"""

from __future__ import annotations

import math

from edge_sdk.model.tflite_graph import Node, TensorInfo
from edge_sdk.validate.delegates.details import data_input
from edge_sdk.validate.delegates.judge import WEIGHTED, kind_of
from edge_sdk.validate.delegates.plan import Prepared

#: Bytes of one element; four bits count as half.
_BITS = {
    "float32": 32, "float16": 16, "bfloat16": 16, "float64": 64, "int8": 8, "uint8": 8, "bool": 8,
    "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64, "int4": 4,
    "uint4": 4, "int2": 2,
    "complex64": 64, "complex128": 128,
}  # fmt: skip
_POINTER = 8


def tensor_bytes(tensor: TensorInfo) -> int:
    """Return the bytes of a tensor's value, free sizes counted as 1; 0 for strings and handles."""
    return -(-tensor.elements * _BITS.get(tensor.dtype, 0) // 8)


def packed_bytes(prepared: Prepared, position: int, *, xnnpack: bool, threads: int) -> int:
    """Return the bytes of a node's weights in the layout of its kernel, where it makes a copy.

    Args:
        prepared: The model.
        position: Of the node.
        xnnpack: Whether XNNPACK runs it, else the runtime's own kernel.
        threads: CPU threads.
    """
    node = prepared.graph.nodes[position]
    weights = _weights(prepared, node)
    if weights is None:
        return 0
    kind = kind_of(node, prepared.graph, prepared.origin)
    if xnnpack:
        channels = (
            weights.fixed_shape[-1 if node.op == "DEPTHWISE_CONV_2D" else 0] if weights.fixed_shape else 1
        )
        # Beside each channel's weights lie its bias and, for integers, its scale.
        return tensor_bytes(weights) + channels * (4 if kind == "float32" else 12)
    if node.op == "CONV_2D" and kind == "float32" and threads > 1:
        # The kernel for several threads keeps the weights a second time, transposed.
        return tensor_bytes(weights)
    return 0


def scratch_bytes(prepared: Prepared, position: int, *, xnnpack: bool, threads: int) -> int:
    """Return the bytes of scratch space that a node needs while it runs; arguments as for `packed_bytes`."""
    node = prepared.graph.nodes[position]
    number = data_input(node)
    if number < 0:
        return 0
    given = prepared.graph.tensors[number]
    kind = kind_of(node, prepared.graph, prepared.origin)
    hybrid = kind.startswith("float32*")
    if xnnpack:
        # Activations are quantized on the way in, with a scale and a zero point a row.
        return given.elements + 8 * math.prod(given.fixed_shape[:1]) if hybrid else 0
    scratch = 0
    if hybrid and node.op in WEIGHTED:
        scratch += given.elements
        if node.op == "CONV_2D":
            # Sums of products are gathered as int32 before they are scaled.
            scratch += 4 * prepared.graph.tensors[node.outputs[0]].elements
    # The float kernel for several threads reads pixels where they lie; the others copy each window first.
    in_place = kind == "float32" and threads > 1
    if node.op == "CONV_2D" and _unfolds(prepared, position) and not in_place:
        result = prepared.graph.tensors[node.outputs[0]]
        weights = prepared.graph.tensors[node.inputs[1]]
        pixels = math.prod(result.fixed_shape[:-1])
        size = 1 if hybrid else _BITS.get(given.dtype, 32) // 8
        scratch += pixels * math.prod(weights.fixed_shape[1:]) * size
    return scratch


def unpacked_bytes(prepared: Prepared, *, halves: bool) -> int:
    """Return the bytes of all constants that DEQUANTIZE or DENSIFY unpacks once and the runtime keeps.

    Args:
        prepared: The model.
        halves: Whether what is stored as float16 is kept unpacked, too.
    """
    tensors = prepared.graph.tensors
    return sum(
        tensor_bytes(tensors[number])
        for number, source in prepared.origin.items()
        if halves or tensors[source].dtype != "float16"
    )


def multiplier_bytes(prepared: Prepared, position: int) -> int:
    """Return what the runtime's own matrix multiplication allocates for one node: both sides, repacked."""
    node = prepared.graph.nodes[position]
    if node.op != "CONV_2D" or not node.outputs:
        return 0
    weights = prepared.graph.tensors[node.inputs[1]]
    pixels = math.prod(prepared.graph.tensors[node.outputs[0]].fixed_shape[:-1])
    size = _BITS.get(weights.dtype, 32) // 8
    return (weights.elements + pixels * math.prod(weights.fixed_shape[1:])) * size


def table_bytes(prepared: Prepared, position: int, *, xnnpack: bool) -> int:
    """Return the bytes of a node's address table: XNNPACK finds input pixels through pointers."""
    node = prepared.graph.nodes[position]
    if not xnnpack or not node.outputs:
        return 0
    facts = prepared.facts[position]
    height, width = int(facts.get("kernel_h", 0)), int(facts.get("kernel_w", 0))
    shape = prepared.graph.tensors[node.outputs[0]].fixed_shape
    if len(shape) != 4 or not height or not width:
        return 0
    _, rows, columns, _ = shape
    if node.op == "CONV_2D" and _unfolds(prepared, position):
        return rows * columns * height * width * _POINTER
    if node.op in ("DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"):
        stride, dilation = int(facts.get("stride_w", 1)), int(facts.get("dilation_w", 1))
        step = min(stride, width) if dilation == 1 else width
        return rows * (height * width + (columns - 1) * step * height) * _POINTER
    return 0


def _unfolds(prepared: Prepared, position: int) -> bool:
    facts = prepared.facts[position]
    return any(facts.get(name, 1) != 1 for name in ("kernel_h", "kernel_w", "stride_h", "stride_w"))


def _weights(prepared: Prepared, node: Node) -> TensorInfo | None:
    if (node.op not in WEIGHTED and node.op != "BATCH_MATMUL") or len(node.inputs) < 2 or node.inputs[1] < 0:
        return None
    tensor = prepared.graph.tensors[node.inputs[1]]
    return tensor if tensor.constant_bytes or node.inputs[1] in prepared.origin else None

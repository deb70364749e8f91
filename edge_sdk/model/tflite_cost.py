"""Multiply-accumulates of TFLite operators, from shapes alone.

Counted: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, CONV_3D, CONV_3D_TRANSPOSE, FULLY_CONNECTED, BATCH_MATMUL
and the recurrent operators (LSTM, RNN and SVDF kinds, all steps of their sequence). One MAC = one
multiplication and one addition of the textbook algorithm; biases, activations, elementwise and pooling
operators count as zero, sparse weights as dense, free sizes as 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from edge_sdk.model.tflite_graph import Node, TensorInfo

#: Builtin operators that multiply but have no formula here.
NOT_COUNTED = frozenset(
    {"STABLEHLO_CONVOLUTION", "STABLEHLO_DOT_GENERAL", "STABLEHLO_CUSTOM_CALL", "RFFT2D", "DELEGATE"}
)

Shape = tuple[int, ...]


def multiply_accumulates(node: Node, tensors: Sequence[TensorInfo], origin: Mapping[int, int]) -> int | None:
    """Return the MACs of one operator; 0 where it has none, None where its shapes do not tell.

    Args:
        node: The operator.
        tensors: All tensors of its graph.
        origin: Number of the stored constant behind a tensor that was unpacked from one.
    """
    formula = _FORMULAS.get(node.op)
    if formula is None:
        return 0
    operands = [tensors[number] if number >= 0 else None for number in node.inputs]
    stored = [tensors[origin.get(number, number)] if number >= 0 else None for number in node.inputs]
    result = tensors[node.outputs[0]] if node.outputs and node.outputs[0] >= 0 else None
    if result is None or result.shape is None:
        return None
    try:
        return formula(_Call(operands, stored, result, node.adjoint_x))
    except (IndexError, _UnknownError):
        return None


class _UnknownError(Exception):
    """An operand is absent or has no known shape."""


class _Call:
    """The shapes around one operator."""

    def __init__(
        self,
        operands: list[TensorInfo | None],
        stored: list[TensorInfo | None],
        result: TensorInfo,
        adjoint_x: bool,
    ) -> None:
        self._operands = operands
        self._stored = stored
        self.outputs = result.elements
        self.adjoint_x = adjoint_x

    def shape(self, position: int) -> Shape:
        tensor = self._operands[position]
        if tensor is None or tensor.shape is None:
            raise _UnknownError
        return tensor.fixed_shape

    def matrices(self) -> int:
        """Elements of all constant matrices among the operands; a recurrent state is not constant."""
        return sum(
            tensor.elements
            for tensor in self._stored[1:]
            if tensor is not None and tensor.constant_bytes and len(tensor.fixed_shape) == 2
        )


def _convolution(call: _Call) -> int:
    return call.outputs * math.prod(call.shape(1)[1:])  # filter [out, height, width, in per group]


def _depthwise(call: _Call) -> int:
    _, height, width, _ = _rank(call.shape(1), 4)  # filter [1, height, width, out]
    return call.outputs * height * width


def _transposed(call: _Call) -> int:
    out, height, width, _ = _rank(call.shape(1), 4)  # inputs: output shape, filter [out, h, w, in], x
    return math.prod(call.shape(2)) * out * height * width


def _convolution_3d(call: _Call) -> int:
    return call.outputs * math.prod(_rank(call.shape(1), 5)[:4])  # filter [depth, height, width, in, out]


def _transposed_3d(call: _Call) -> int:
    return math.prod(call.shape(2)) * math.prod(_rank(call.shape(1), 5)[:4])  # filter [d, h, w, out, in]


def _dense(call: _Call) -> int:
    return call.outputs * call.shape(1)[-1]  # weights [out, in]


def _batch_matmul(call: _Call) -> int:
    x = call.shape(0)
    return call.outputs * (x[-2] if call.adjoint_x else x[-1])


def _recurrent(call: _Call) -> int:
    return math.prod(call.shape(0)[:-1]) * call.matrices()  # input [batch and time, features]


def _rank(shape: Shape, rank: int) -> Shape:
    if len(shape) != rank:
        raise _UnknownError
    return shape


_FORMULAS: Mapping[str, Callable[[_Call], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "CONV_3D": _convolution_3d,
    "CONV_3D_TRANSPOSE": _transposed_3d,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _batch_matmul,
    "LSTM": _recurrent,
    "RNN": _recurrent,
    "SVDF": _recurrent,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _recurrent,
    "BIDIRECTIONAL_SEQUENCE_RNN": _recurrent,
}

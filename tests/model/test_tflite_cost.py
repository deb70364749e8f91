"""MACs of every counted operator, worked out by hand."""

from __future__ import annotations

from edge_sdk.model.tflite_cost import multiply_accumulates
from edge_sdk.model.tflite_graph import Node, TensorInfo


def tensor(*shape: int, constant: bool = False) -> TensorInfo:
    size = 1
    for item in shape:
        size *= item
    return TensorInfo("", "float32", shape, shape, 1, 4 * size if constant else 0, 0)


def macs(op: str, *operands: TensorInfo, result: TensorInfo, adjoint_x: bool = False) -> int | None:
    tensors = [*operands, result]
    node = Node(op, tuple(range(len(operands))), (len(operands),), (), adjoint_x)
    return multiply_accumulates(node, tensors, {})


def test_convolutions() -> None:
    x, kernel, bias = tensor(1, 8, 8, 4), tensor(6, 3, 3, 4, constant=True), tensor(6, constant=True)
    assert macs("CONV_2D", x, kernel, bias, result=tensor(1, 8, 8, 6)) == 8 * 8 * 6 * 3 * 3 * 4
    grouped = tensor(6, 3, 3, 2, constant=True)
    assert macs("CONV_2D", x, grouped, bias, result=tensor(1, 8, 8, 6)) == 8 * 8 * 6 * 3 * 3 * 2
    depthwise = tensor(1, 5, 3, 8, constant=True)
    assert macs("DEPTHWISE_CONV_2D", x, depthwise, bias, result=tensor(1, 4, 4, 8)) == 4 * 4 * 8 * 5 * 3
    sizes = tensor(4, constant=True)
    assert macs("TRANSPOSE_CONV", sizes, kernel, x, result=tensor(1, 16, 16, 6)) == 8 * 8 * 4 * 3 * 3 * 6
    volume, cube = tensor(1, 4, 4, 4, 2), tensor(3, 3, 3, 2, 5, constant=True)
    assert macs("CONV_3D", volume, cube, result=tensor(1, 2, 2, 2, 5)) == 8 * 5 * 27 * 2
    back = tensor(3, 3, 3, 5, 2, constant=True)
    assert macs("CONV_3D_TRANSPOSE", sizes, back, volume, result=tensor(1, 8, 8, 8, 5)) == 64 * 2 * 27 * 5


def test_matrices() -> None:
    weights = tensor(10, 7, constant=True)
    assert macs("FULLY_CONNECTED", tensor(3, 7), weights, result=tensor(3, 10)) == 3 * 10 * 7
    assert macs("BATCH_MATMUL", tensor(2, 3, 4), tensor(2, 4, 5), result=tensor(2, 3, 5)) == 2 * 3 * 4 * 5
    turned = macs("BATCH_MATMUL", tensor(2, 4, 3), tensor(2, 4, 5), result=tensor(2, 3, 5), adjoint_x=True)
    assert turned == 2 * 3 * 4 * 5


def test_recurrent_operators_count_every_step_and_no_state() -> None:
    gates = [tensor(6, 5, constant=True)] * 4 + [tensor(6, 6, constant=True)] * 4
    bias, state = tensor(6, constant=True), tensor(1, 6)
    found = macs("UNIDIRECTIONAL_SEQUENCE_LSTM", tensor(1, 7, 5), *gates, bias, state, result=tensor(1, 7, 6))
    assert found == 7 * 4 * 6 * (5 + 6)


def test_what_cannot_be_told_is_none_and_what_does_not_multiply_is_zero() -> None:
    unknown = TensorInfo("", "float32", None, (), 0, 0, 0)
    assert macs("CONV_2D", tensor(1, 8, 8, 4), unknown, result=tensor(1, 8, 8, 6)) is None
    assert macs("CONV_2D", tensor(1, 8, 8, 4), result=tensor(1, 8, 8, 6)) is None
    assert macs("DEPTHWISE_CONV_2D", tensor(1, 8), tensor(3, 3), result=tensor(1, 8)) is None
    assert macs("ADD", tensor(4), tensor(4), result=tensor(4)) == 0

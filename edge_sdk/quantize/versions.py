"""Sets operator versions after quantization, so that a runtime that is too old refuses instead of guessing.

`litert_quantizer` changes the types that an operator works on and leaves its version number alone. An old
runtime then finds a kernel of that number, loads the file, and may compute nonsense: tflite-runtime 2.14 does
so for dense layers with a scale per channel. The numbers below are those that TensorFlow's converter
writes for the same types; a version is only ever raised.

Where TensorFlow has no number for what the quantizer makes, it is one that every runtime that cannot compute
it refuses (measured on tflite-runtime 2.14.0, whose process dies of a 4-bit convolution on float activations,
and which answers nonsense to 4-bit weights with a scale per block, and per channel in some shapes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Operator: (version for int8 activations, version for int16 activations).
_BY_ACTIVATION: dict[str, tuple[int, int]] = {
    "ABS": (2, 3),
    "ADD": (2, 3),
    "AVERAGE_POOL_2D": (2, 3),
    "BATCH_MATMUL": (2, 3),
    "BROADCAST_TO": (3, 3),
    "CONCATENATION": (2, 3),
    "DEQUANTIZE": (2, 3),
    "EQUAL": (2, 5),
    "GATHER": (2, 4),
    "GATHER_ND": (1, 3),
    "GELU": (2, 2),
    "LOGISTIC": (2, 3),
    "MAXIMUM": (2, 4),
    "MAX_POOL_2D": (2, 3),
    "MEAN": (2, 3),
    "MINIMUM": (2, 4),
    "MIRROR_PAD": (2, 3),
    "MUL": (2, 4),
    "NOT_EQUAL": (2, 4),
    "PACK": (2, 3),
    "PAD": (2, 3),
    "PADV2": (2, 3),
    "REDUCE_MAX": (2, 3),
    "REDUCE_MIN": (2, 3),
    "RELU": (2, 3),
    "RELU6": (2, 3),
    "RESIZE_BILINEAR": (2, 4),
    "RESIZE_NEAREST_NEIGHBOR": (2, 4),
    "RSQRT": (2, 3),
    "SELECT": (2, 2),
    "SLICE": (2, 4),
    "SOFTMAX": (2, 3),
    "SPACE_TO_DEPTH": (2, 2),
    "SPLIT": (2, 4),
    "SQRT": (2, 2),
    "SQUARED_DIFFERENCE": (2, 2),
    "STRIDED_SLICE": (2, 2),
    "SUB": (2, 5),
    "SUM": (2, 2),
    "TANH": (2, 3),
    "TRANSPOSE": (2, 5),
    "UNPACK": (2, 4),
}
#: Operator: (int8 activations; float activations with int8 weights, one scale; the same, scale per channel).
_BY_WEIGHTS: dict[str, tuple[int, int, int]] = {
    "CONV_2D": (3, 2, 5),
    "DEPTHWISE_CONV_2D": (3, 4, 6),
    "FULLY_CONNECTED": (4, 3, 12),
    "TRANSPOSE_CONV": (2, 2, 2),
    "EMBEDDING_LOOKUP": (1, 1, 4),
}
#: Operator: (int8 activations with int4 weights, int16 activations, float activations).
_BY_INT4_WEIGHTS: dict[str, tuple[int, int, int]] = {
    "CONV_2D": (7, 8, 8),
    "DEPTHWISE_CONV_2D": (7, 7, 7),
    "FULLY_CONNECTED": (10, 13, 10),
    "EMBEDDING_LOOKUP": (4, 4, 4),
}
#: Runtimes that know this version of FULLY_CONNECTED know scales per block.
_BLOCKWISE_VERSION = 14
#: The first that needs a scale per channel to be honoured by every kernel for dense layers.
_HYBRID_PER_CHANNEL_VERSION = 12
#: Fewer units or inputs are left to a kernel that knows one scale, in tflite-runtime 2.14.
_INT4_UNITS, _INT4_INPUTS = 4, 32
#: Which input holds the activations, where it is not the first.
_ACTIVATION_INPUT = {"SPLIT": 1, "TRANSPOSE_CONV": 2, "SELECT": 1, "SELECT_V2": 1}


def suits_int4(shape: Sequence[int]) -> bool:
    """Return whether runtimes compute a 4-bit dense layer of this shape with a scale per row.

    Args:
        shape: Of the weights, [units, inputs].
    """
    units, inputs = int(shape[0]), int(shape[-1])
    return units >= _INT4_UNITS and inputs >= _INT4_INPUTS and inputs % 2 == 0


def raise_versions(model: Any) -> None:
    """Raise the version of every operator code of a `ModelT` to what its uses need."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if not key.startswith("_")}
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            name = names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")
            code.version = max(code.version, _needed(name, operator, graph.tensors, schema.TensorType))


def _needed(name: str, operator: Any, tensors: list[Any], types: Any) -> int:
    def input_at(index: int) -> Any:
        if index >= len(operator.inputs) or operator.inputs[index] < 0:
            return None
        return tensors[operator.inputs[index]]

    data = input_at(_ACTIVATION_INPUT.get(name, 0))
    if data is None:
        return 1
    if name in _BY_WEIGHTS:
        return _needed_for_weights(name, data, input_at(1), types)
    if name == "QUANTIZE":
        return 2 if tensors[operator.outputs[0]].type == types.INT16 else 1
    if name == "DEQUANTIZE" and data.type == types.INT4:
        return 6
    if name == "DEQUANTIZE" and data.type == types.FLOAT16:
        return 3
    if name == "DEQUANTIZE" and data.type == types.INT8 and _scales(data) > 1:
        return 5
    int8, int16 = _BY_ACTIVATION.get(name, (1, 1))
    return {types.INT8: int8, types.INT16: int16}.get(data.type, 1)


def _needed_for_weights(name: str, data: Any, weights: Any, types: Any) -> int:
    if weights is not None and weights.type == types.INT4 and name in _BY_INT4_WEIGHTS:
        if _is_blockwise(weights):
            return _BLOCKWISE_VERSION
        if name == "FULLY_CONNECTED" and _scales(weights) > 1 and not suits_int4(weights.shape):
            return _HYBRID_PER_CHANNEL_VERSION
        static, static_int16, hybrid = _BY_INT4_WEIGHTS[name]
        return {types.INT8: static, types.INT16: static_int16}.get(data.type, hybrid)
    static, hybrid, hybrid_per_channel = _BY_WEIGHTS[name]
    if data.type == types.INT8:
        return static
    if weights is not None and weights.type == types.INT8 and data.type in (types.FLOAT32, types.INT32):
        return hybrid_per_channel if _scales(weights) > 1 else hybrid
    return 1


def _is_blockwise(tensor: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    details = schema.QuantizationDetails.BlockwiseQuantization
    return tensor.quantization is not None and tensor.quantization.detailsType == details


def _scales(tensor: Any) -> int:
    scale = tensor.quantization.scale if tensor.quantization is not None else None
    return 0 if scale is None else len(scale)

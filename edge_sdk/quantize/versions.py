"""Sets operator versions after quantization, so that a runtime that is too old refuses instead of guessing.

`litert_quantizer` changes the types that an operator works on and leaves its version number alone. An old
runtime then finds a kernel of that number, loads the file, and may compute nonsense: tflite-runtime 2.14 does
so for dense layers with a scale per channel. The numbers below are those that TensorFlow's converter
writes for the same types; a version is only ever raised.
"""

from __future__ import annotations

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
#: Which input holds the activations, where it is not the first.
_ACTIVATION_INPUT = {"SPLIT": 1, "TRANSPOSE_CONV": 2, "SELECT": 1, "SELECT_V2": 1}


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
    if name == "DEQUANTIZE" and data.type == types.FLOAT16:
        return 3
    if name == "DEQUANTIZE" and data.type == types.INT8 and _scales(data) > 1:
        return 5
    int8, int16 = _BY_ACTIVATION.get(name, (1, 1))
    return {types.INT8: int8, types.INT16: int16}.get(data.type, 1)


def _needed_for_weights(name: str, data: Any, weights: Any, types: Any) -> int:
    static, hybrid, hybrid_per_channel = _BY_WEIGHTS[name]
    if data.type == types.INT8:
        return static
    if weights is not None and weights.type == types.INT8 and data.type in (types.FLOAT32, types.INT32):
        return hybrid_per_channel if _scales(weights) > 1 else hybrid
    return 1


def _scales(tensor: Any) -> int:
    scale = tensor.quantization.scale if tensor.quantization is not None else None
    return 0 if scale is None else len(scale)

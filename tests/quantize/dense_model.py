"""A float .tflite of two dense layers, built from the schema: any size, no TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_sdk.quantize.flatfile import write_flatfile


def write_dense_model(path: Path, *, inputs: int = 128, hidden: int = 64, outputs: int = 16) -> Path:
    """Write x[1,inputs] -> dense, ReLU -> dense -> y[1,outputs], both float32.

    The rows of the weights differ by a factor of up to 100, so that a runtime which takes the scale of one
    channel for all of them is seen at once.
    """
    from ai_edge_litert import schema_py_generated as schema

    random = np.random.default_rng(11)
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []

    def tensor(name: str, values: np.ndarray | None, shape: tuple[int, ...]) -> int:
        item = schema.TensorT()
        item.name, item.shape = name.encode(), np.asarray(shape, np.int32)
        item.type = schema.TensorType.FLOAT32
        item.buffer = len(model.buffers)
        buffer = schema.BufferT()
        if values is not None:
            buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors.append(item)
        return len(graph.tensors) - 1

    def dense(name: str, source: int, size: int, units: int, activation: int) -> int:
        spread = 10 ** random.uniform(-1, 1, (units, 1))
        weights = tensor(f"{name}/weights", random.normal(size=(units, size)) * spread, (units, size))
        bias = tensor(f"{name}/bias", random.normal(size=units), (units,))
        result = tensor(name, None, (1, units))
        operator = schema.OperatorT()
        operator.opcodeIndex = 0
        operator.inputs = np.asarray([source, weights, bias], np.int32)
        operator.outputs = np.asarray([result], np.int32)
        operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = schema.FullyConnectedOptionsT()
        operator.builtinOptions.fusedActivationFunction = activation
        graph.operators.append(operator)
        return result

    functions = schema.ActivationFunctionType
    first = tensor("x", None, (1, inputs))
    middle = dense("hidden", first, inputs, hidden, functions.RELU)
    last = dense("y", middle, hidden, outputs, functions.NONE)
    graph.inputs, graph.outputs = np.asarray([first], np.int32), np.asarray([last], np.int32)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    model.operatorCodes, model.subgraphs = [code], [graph]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = [_named(b"x", first)], [_named(b"y", last)]
    model.signatureDefs = [signature]
    path.write_bytes(write_flatfile(model))
    return path


def _named(name: bytes, index: int) -> object:
    from ai_edge_litert import schema_py_generated as schema

    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry

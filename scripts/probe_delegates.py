"""Ask a TFLite runtime which operators its XNNPACK takes, kind of arithmetic by kind of arithmetic.

    .venv/bin/python scripts/probe_delegates.py PYTHON            a table: operator, kinds taken, kinds left
    .venv/bin/python scripts/probe_delegates.py PYTHON MODEL...   nodes and stretches of whole models, as JSON

PYTHON is the interpreter of an environment that holds the runtime and NumPy. For every operator and kind one
tiny model is made and opened; the runtime then lists its nodes, and a node of the kind DELEGATE means that
XNNPACK has taken it. The rules in edge_sdk/validate/delegates/rules/xnnpack-*.toml say what this finds.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_sdk.model.tflite_schema import BUILTIN_OPERATORS

#: Runs inside the probed environment, on stdin: {name: base64 of the model}. Which nodes a delegate has taken
#: follows from what its node reads and writes.
PROBE = """
import base64, json, sys
try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter

def taken(content):
    interpreter = Interpreter(model_content=content, num_threads=1)
    try:
        interpreter.allocate_tensors()
        failed = None
    except (RuntimeError, ValueError) as failure:
        failed = str(failure).strip()
    native = interpreter._interpreter
    nodes = range(native.NumNodes())
    names = [native.NodeName(i) for i in nodes]
    reads = [[int(n) for n in native.NodeInputs(i)] for i in nodes]
    writes = [[int(n) for n in native.NodeOutputs(i)] for i in nodes]
    maker = {n: i for i in nodes if names[i] != "DELEGATE" for n in writes[i]}
    readers = {}
    for i in nodes:
        for n in set(reads[i]) if names[i] != "DELEGATE" else ():
            readers.setdefault(n, []).append(i)
    stretches = []
    for i in nodes:
        if names[i] != "DELEGATE":
            continue
        found, waiting = set(), list(writes[i])
        while waiting:
            made = maker.get(waiting.pop())
            if made is not None and made not in found:
                found.add(made)
                waiting += [n for n in reads[made] if n not in reads[i]]
        # A node without outputs, and what feeds it alone, cannot be reached from there. But what it reads
        # would be an output of the stretch if it ran outside, and what it alone reads is an input only if it
        # runs inside.
        grown = True
        while grown:
            before = len(found)
            for j in nodes:
                if names[j] == "DELEGATE" or j in found:
                    continue
                if any(maker.get(n) in found and n not in writes[i] for n in reads[j]):
                    found.add(j)
                elif any(n in reads[i] and readers[n] == [j] for n in reads[j]):
                    found.add(j)
            for j in list(found):
                found |= {maker[n] for n in reads[j] if n in maker and n not in reads[i]}
            grown = len(found) > before
        stretches.append(sorted(found))
    return {"nodes": sum(name != "DELEGATE" for name in names), "stretches": stretches, "failed": failed}

found = {}
for name, model in json.load(sys.stdin).items():
    try:
        found[name] = taken(base64.b64decode(model))
    except Exception as failure:
        found[name] = {"nodes": 0, "stretches": [], "failed": str(failure).strip()}
json.dump(found, sys.stdout)
"""

_TYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9,
    "int4": 17,
}  # fmt: skip
_QUANTIZED = ("int8", "uint8", "int16", "int4")
KINDS = ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool")
UNARY = [
    "ABS",
    "CEIL",
    "COS",
    "ELU",
    "EXP",
    "FLOOR",
    "GELU",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOG",
    "LOGISTIC",
    "LOGICAL_NOT",
    "NEG",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RELU_0_TO_1",
    "ROUND",
    "RSQRT",
    "SIN",
    "SQRT",
    "SQUARE",
    "TANH",
    "SOFTMAX",
    "LOG_SOFTMAX",
    "L2_NORMALIZATION",
    "SHAPE",
    "SIGN",
]
BINARY = [
    "ADD",
    "SUB",
    "MUL",
    "DIV",
    "MAXIMUM",
    "MINIMUM",
    "SQUARED_DIFFERENCE",
    "POW",
    "FLOOR_DIV",
    "FLOOR_MOD",
    "LESS",
    "GREATER",
    "EQUAL",
    "NOT_EQUAL",
    "LOGICAL_AND",
    "LOGICAL_OR",
]
REDUCTIONS = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD")


class Maker:
    """Builds a model of one operator."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.buffers: list[Any] = [schema.BufferT()]

    def tensor(self, shape: Sequence[int], kind: str, value: Any = None, *, scales: int = 1) -> int:
        """Add a tensor and return its number; `value` makes it a constant."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"t{len(self.tensors)}", list(shape), _TYPES[kind]
        tensor.buffer = 0
        if value is not None:
            buffer = schema.BufferT()
            dtype = {"int4": "int8"}.get(kind, kind)
            content = np.asarray(value, dtype).tobytes()
            content = content[: (len(content) + 1) // 2] if kind == "int4" else content
            buffer.data = np.frombuffer(content, np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        if (kind in _QUANTIZED and scales) or (kind == "int32" and value is not None and scales > 1):
            quantization = schema.QuantizationParametersT()
            zero = 128 if kind == "uint8" else 0
            scale = 0.0078125 if kind != "int16" else 0.001
            quantization.scale, quantization.zeroPoint = [scale] * scales, [zero] * scales
            quantization.quantizedDimension = 0
            tensor.quantization = quantization
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def model(
        self,
        op: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: tuple[str, Any] | None = None,
        version: int = 1,
    ) -> bytes:
        """Return the file; inputs that are no constants are the graph's."""
        code = schema.OperatorCodeT()
        number = BUILTIN_OPERATORS.index(op)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
        node = schema.OperatorT()
        node.inputs, node.outputs = list(inputs), list(outputs)
        if options is not None:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, options[0])
            node.builtinOptions = options[1]
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, [node]
        graph.inputs = [n for n in inputs if n >= 0 and self.tensors[n].buffer == 0]
        graph.outputs = list(outputs)
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], self.buffers
        builder = flatbuffers.Builder(0)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _with(name: str, **values: Any) -> tuple[str, Any]:
    options = getattr(schema, f"{name}T")()
    for key, value in values.items():
        setattr(options, key, value)
    return name, options


def one_operator_models() -> dict[str, bytes]:
    """Return models by "OPERATOR kind" or "OPERATOR kind condition"."""
    found: dict[str, bytes] = {}

    def add(
        name: str, make: Maker, op: str, inputs: Sequence[int], outputs: Sequence[int], **more: Any
    ) -> None:
        found[name] = make.model(op, inputs, outputs, **more)

    for kind in KINDS:
        for op in UNARY:
            m = Maker()
            x = m.tensor([1, 4, 4, 8], kind)
            y = m.tensor([4], "int32") if op == "SHAPE" else m.tensor([1, 4, 4, 8], kind)
            options = None
            if op == "SOFTMAX":
                options = _with("SoftmaxOptions", beta=1.0)
            elif op == "LEAKY_RELU":
                options = _with("LeakyReluOptions", alpha=0.25)
            add(f"{op} {kind}", m, op, [x], [y], options=options)
        for op in BINARY:
            m = Maker()
            x, z = m.tensor([1, 4, 4, 8], kind), m.tensor([1, 4, 4, 8], kind)
            compared = op in ("LESS", "GREATER", "EQUAL", "NOT_EQUAL")
            y = m.tensor([1, 4, 4, 8], "bool" if compared else kind)
            options = None
            if op in ("ADD", "SUB", "MUL", "DIV"):
                options = _with(f"{op.title()}Options")
            add(f"{op} {kind}", m, op, [x, z], [y], options=options)
        for op in REDUCTIONS:
            for axes in ([1, 2], [3], [1], [0], [0, 1, 2, 3]):
                for keep in (True, False):
                    m = Maker()
                    shape = [1, 4, 4, 8]
                    out = [1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes]
                    x, a = m.tensor(shape, kind), m.tensor([len(axes)], "int32", axes)
                    y = m.tensor(out, kind)
                    name = f"{op} {kind} axes={','.join(map(str, axes))} keep_dims={int(keep)}"
                    add(name, m, op, [x, a], [y], options=_with("ReducerOptions", keepDims=keep))  # fmt: skip
        for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            for size, stride in ((2, 2), (1, 2), (3, 1)):
                m = Maker()
                x = m.tensor([1, 6, 6, 8], kind)
                side = -(-(6 - size + 1) // stride)
                y = m.tensor([1, side, side, 8], kind)
                options = _with("Pool2DOptions", padding=1, strideW=stride, strideH=stride, filterWidth=size,
                                filterHeight=size)  # fmt: skip
                add(f"{op} {kind} kernel={size} stride={stride}", m, op, [x], [y], options=options)
        for count in (2, 4, 5, 9):
            m = Maker()
            parts = [m.tensor([1, 4, 4, 2], kind) for _ in range(count)]
            y = m.tensor([1, 4, 4, 2 * count], kind)
            add(f"CONCATENATION {kind} inputs={count}", m, "CONCATENATION", parts, [y],
                options=_with("ConcatenationOptions", axis=3))  # fmt: skip
            m = Maker()
            a, x = m.tensor([], "int32", 3), m.tensor([1, 4, 4, 2 * count], kind)
            ys = [m.tensor([1, 4, 4, 2], kind) for _ in range(count)]
            add(f"SPLIT {kind} outputs={count}", m, "SPLIT", [a, x], ys,
                options=_with("SplitOptions", numSplits=count))  # fmt: skip
        _shape_operators(add, kind)
        _weighted(add, kind, kind)
    for weights in ("int8", "int4"):
        _weighted(add, "float32", weights)
    for given, made in (
        ("float32", "int8"), ("float32", "uint8"), ("float32", "int16"), ("int8", "int8"), ("int8", "uint8"),
        ("uint8", "int8"), ("uint8", "uint8"), ("int16", "int16"), ("int16", "int8"),
    ):  # fmt: skip
        m = Maker()
        x, y = m.tensor([1, 8], given), m.tensor([1, 8], made)
        add(f"QUANTIZE {given}>{made}", m, "QUANTIZE", [x], [y])
    for given in ("int8", "uint8", "int16", "float16"):
        m = Maker()
        add(f"DEQUANTIZE {given}>float32", m, "DEQUANTIZE", [m.tensor([1, 8], given)],
            [m.tensor([1, 8], "float32")])  # fmt: skip
    return found


def _shape_operators(add: Any, kind: str) -> None:
    shape = [1, 4, 4, 8]
    plain: dict[str, tuple[Any, ...]] = {
        "RESHAPE": ([1, 128], [("int32", [1, 128])], ("ReshapeOptions", {"newShape": [1, 128]})),
        "TRANSPOSE": ([1, 8, 4, 4], [("int32", [0, 3, 1, 2])], ("TransposeOptions", {})),
        "PAD": ([1, 6, 6, 8], [("int32", [[0, 0], [1, 1], [1, 1], [0, 0]])], ("PadOptions", {})),
        "MIRROR_PAD": ([1, 6, 6, 8], [("int32", [[0, 0], [1, 1], [1, 1], [0, 0]])], ("MirrorPadOptions", {})),
        "SLICE": ([1, 2, 2, 8], [("int32", [0, 0, 0, 0]), ("int32", [1, 2, 2, 8])], ("SliceOptions", {})),
        "STRIDED_SLICE": (
            [1, 2, 2, 8],
            [("int32", [0, 0, 0, 0]), ("int32", [1, 2, 2, 8]), ("int32", [1, 1, 1, 1])],
            ("StridedSliceOptions", {}),
        ),
        "EXPAND_DIMS": ([1, 1, 4, 4, 8], [("int32", 0)], ("ExpandDimsOptions", {})),
        "SQUEEZE": ([4, 4, 8], [], ("SqueezeOptions", {"squeezeDims": [0]})),
        "SPACE_TO_DEPTH": ([1, 2, 2, 32], [], ("SpaceToDepthOptions", {"blockSize": 2})),
        "DEPTH_TO_SPACE": ([1, 8, 8, 2], [], ("DepthToSpaceOptions", {"blockSize": 2})),
        "RESIZE_BILINEAR": ([1, 8, 8, 8], [("int32", [8, 8])], ("ResizeBilinearOptions", {})),
        "RESIZE_NEAREST_NEIGHBOR": ([1, 8, 8, 8], [("int32", [8, 8])], ("ResizeNearestNeighborOptions", {})),
        "TILE": ([1, 8, 4, 8], [("int32", [1, 2, 1, 1])], ("TileOptions", {})),
        "BROADCAST_TO": ([2, 4, 4, 8], [("int32", [2, 4, 4, 8])], None),
        "GATHER": ([1, 4, 4, 8], [("int32", [0])], ("GatherOptions", {"axis": 0})),
        "ARG_MAX": ([1, 4, 4], [("int32", 3)], ("ArgMaxOptions", {"outputType": 2})),
        "PACK": ([1, 1, 4, 4, 8], [], ("PackOptions", {"valuesCount": 1, "axis": 0})),
        "UNPACK": ([4, 4, 8], [], ("UnpackOptions", {"num": 1, "axis": 0})),
        "REVERSE_V2": ([1, 4, 4, 8], [("int32", [1])], None),
        "CUMSUM": ([1, 4, 4, 8], [("int32", 1)], ("CumsumOptions", {})),
        "BATCH_TO_SPACE_ND": ([1, 4, 4, 8], [("int32", [1, 1]), ("int32", [[0, 0], [0, 0]])], None),
        "SPACE_TO_BATCH_ND": ([1, 4, 4, 8], [("int32", [1, 1]), ("int32", [[0, 0], [0, 0]])], None),
    }  # fmt: skip
    for op, (out, constants, options) in plain.items():
        m = Maker()
        inputs = [m.tensor(shape, kind)]
        inputs += [m.tensor(np.shape(value), dtype, value) for dtype, value in constants]
        y = m.tensor(out, "int32" if op == "ARG_MAX" else kind)
        more = None if options is None else _with(options[0], **options[1])
        add(f"{op} {kind}", m, op, inputs, [y], options=more)
    m = Maker()
    x, slope, y = m.tensor(shape, kind), m.tensor([1, 1, 8], kind, np.ones((1, 1, 8))), m.tensor(shape, kind)
    add(f"PRELU {kind}", m, "PRELU", [x, slope], [y])
    m = Maker()
    condition = m.tensor(shape, "bool")
    x, z, y = m.tensor(shape, kind), m.tensor(shape, kind), m.tensor(shape, kind)
    add(f"SELECT_V2 {kind}", m, "SELECT_V2", [condition, x, z], [y])
    if kind != "float32":
        m = Maker()
        x, y = m.tensor([1, 8], kind, scales=0), m.tensor([1, 8], "float32")
        add(f"CAST {kind}>float32", m, "CAST", [x], [y])
    for constant in (True, False):
        m = Maker()
        x = m.tensor([1, 4, 8], kind)
        z = m.tensor([1, 8, 4], kind, np.ones((1, 8, 4)) if constant else None)
        y = m.tensor([1, 4, 4], kind)
        name = f"BATCH_MATMUL {kind} second={'constant' if constant else 'computed'}"
        add(name, m, "BATCH_MATMUL", [x, z], [y], options=_with("BatchMatMulOptions"))  # fmt: skip


def _weighted(add: Any, kind: str, weights: str) -> None:
    """Add convolutions and dense layers, with and without bias, constant and computed weights."""
    name = kind if kind == weights else f"{kind}*{weights}"
    bias_kind = {"float32": "float32", "float16": "float16", "int16": "int64"}.get(kind, "int32")
    quantized = weights in ("int8", "int16", "int4")
    ones = np.ones
    for bias in (True, False):
        for constant in (True, False):
            note = f"bias={'yes' if bias else 'no'} weights={'constant' if constant else 'computed'}"
            for op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
                m = Maker()
                stored = "int8" if weights == "int16" else weights
                value = None
                flat = op == "FULLY_CONNECTED"
                shape = [8, 8] if flat else ([1, 3, 3, 8] if op == "DEPTHWISE_CONV_2D" else [8, 3, 3, 8])
                if constant:
                    value = ones(shape)
                scales = 1 if flat or not quantized or op == "DEPTHWISE_CONV_2D" else 8
                x = m.tensor([1, 8] if flat else [1, 4, 4, 8], kind)
                w = m.tensor(shape, stored, value, scales=scales)
                inputs = [x, w]
                if op == "TRANSPOSE_CONV":
                    inputs = [m.tensor([4], "int32", [1, 4, 4, 8]), w, x]
                if bias:
                    b = m.tensor([8], bias_kind, ones(8), scales=max(scales, 2) if scales > 1 else 0)
                    if bias_kind in ("int32", "int64") and scales == 1:
                        quantization = schema.QuantizationParametersT()
                        quantization.scale, quantization.zeroPoint = [0.0078125**2], [0]
                        m.tensors[b].quantization = quantization
                    elif bias_kind == "int32":
                        m.tensors[b].quantization.scale = [0.0078125**2] * scales
                    inputs.append(b)
                y = m.tensor([1, 8] if flat else [1, 4, 4, 8], kind)
                options = {
                    "CONV_2D": ("Conv2DOptions", {"strideW": 1, "strideH": 1, "dilationWFactor": 1,
                                                  "dilationHFactor": 1}),
                    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {"strideW": 1, "strideH": 1,
                                          "depthMultiplier": 1, "dilationWFactor": 1, "dilationHFactor": 1}),
                    "FULLY_CONNECTED": ("FullyConnectedOptions", {}),
                    "TRANSPOSE_CONV": ("TransposeConvOptions", {"strideW": 1, "strideH": 1}),
                }[op]  # fmt: skip
                # The fourth input of TRANSPOSE_CONV came with its version 3.
                version = 3 if op == "TRANSPOSE_CONV" and bias else 1
                add(f"{op} {name} {note}", m, op, inputs, [y], options=_with(options[0], **options[1]),
                    version=version)  # fmt: skip


def ask(python: str, models: Mapping[str, bytes]) -> dict[str, Any]:
    """Return by model {"nodes": how many, "stretches": [[node, ...], ...], "failed": text or null}."""
    given = {name: base64.b64encode(content).decode() for name, content in models.items()}
    done = subprocess.run(
        [python, "-c", PROBE],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def main(arguments: Sequence[str]) -> None:
    """Print what the runtime of one environment does."""
    python, *paths = arguments
    if paths:
        models = {}
        for path in paths:
            models[path] = Path(path).read_bytes()
        json.dump(ask(python, models), sys.stdout, indent=1)
        return
    rows: dict[str, dict[str, list[str]]] = {}
    for name, answer in ask(python, one_operator_models()).items():
        op, _, kind = name.partition(" ")
        side = "taken" if answer["stretches"] else ("failed" if answer["failed"] else "left")
        rows.setdefault(op, {}).setdefault(side, []).append(kind)
    for op, sides in sorted(rows.items()):
        for side, kinds in sorted(sides.items()):
            sys.stdout.write(f"{op:26}{side:8}{'; '.join(kinds)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

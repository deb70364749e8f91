"""Ask a TFLite runtime which operator versions it has; print a table for edge_sdk/validate/operators/.

    .venv/bin/python scripts/probe_operators.py PYTHON > edge_sdk/validate/operators/litert-2.3.0.toml

PYTHON is the interpreter of an environment that holds the runtime and NumPy. For every builtin operator and
version one tiny model is made and loaded; a runtime that has no kernel of that version says so before it
looks at anything else. So the table is what the very wheel does, not what some source says.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from edge_sdk.model.tflite_schema import BUILTIN_OPERATORS

HIGHEST_VERSION = 20

# Runs inside the probed environment, on stdin: [[name, version, base64 of the model], ...].
PROBE = """
import base64, json, sys
try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter
from importlib.metadata import version, PackageNotFoundError
found = {}
for name, number, model in json.load(sys.stdin):
    try:
        Interpreter(model_content=base64.b64decode(model))
    except Exception as failure:
        if "Didn't find op" in str(failure) or "out of range" in str(failure):
            continue
    found[name] = max(number, found.get(name, 0))
for package in ("tflite-runtime", "ai-edge-litert"):
    try:
        json.dump([package, version(package), found], sys.stdout)
        break
    except PackageNotFoundError:
        pass
"""


def one_operator(code: int, version: int) -> bytes:
    """Return a model that holds one operator of this version and nothing else."""
    model = schema.ModelT()
    model.version = 3
    operator = schema.OperatorCodeT()
    operator.builtinCode, operator.deprecatedBuiltinCode, operator.version = code, min(code, 127), version
    tensor = schema.TensorT()
    tensor.shape, tensor.name = [1], "t"
    node = schema.OperatorT()
    node.inputs, node.outputs = [], []
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], [node]
    model.operatorCodes, model.subgraphs, model.buffers = [operator], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def main(python: str) -> None:
    """Probe the runtime of one environment."""
    models = [
        (name, version, base64.b64encode(one_operator(code, version)).decode())
        for code, name in enumerate(BUILTIN_OPERATORS)
        if name not in ("CUSTOM", "DELEGATE")
        for version in range(1, HIGHEST_VERSION + 1)
    ]
    done = subprocess.run(
        [python, "-c", PROBE], input=json.dumps(models), stdout=subprocess.PIPE, text=True, check=True
    )
    package, version, found = json.loads(done.stdout)
    lines = [
        f"# The highest version of each builtin operator that {package} {version} loads.",
        "# Made by scripts/probe_operators.py from the wheel itself; do not edit.",
        *(f"{name} = {number}" for name, number in sorted(found.items())),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

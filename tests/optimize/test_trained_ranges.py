"""Pairs of QUANTIZE and DEQUANTIZE leave a float model, and their ranges stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.convert.trained_ranges import take_trained_ranges
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.quantize.flatfile import read_flatfile, write_flatfile
from edge_sdk.quantize.ranges import measure_ranges
from edge_sdk.runtime.runner import Runner


def _with_pair(source: Path, which: str) -> tuple[bytes, str]:
    """Put a pair behind the input ("input") or in front of the output ("output") of conv_float.tflite."""
    from ai_edge_litert import schema_py_generated as schema

    model = read_flatfile(source)
    graph = model.subgraphs[0]
    codes = []
    for builtin in (114, 6):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.version = 1
        codes.append(len(model.operatorCodes))
        model.operatorCodes.append(code)

    def tensor(like: Any, name: bytes, kind: int) -> int:
        made = schema.TensorT()
        made.shape, made.shapeSignature, made.type, made.name, made.buffer = (
            like.shape,
            like.shapeSignature,
            kind,
            name,
            0,
        )
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    index = int(graph.inputs[0] if which == "input" else graph.outputs[0])
    like = graph.tensors[index]
    middle, result = tensor(like, b"q", 3), tensor(like, b"dq", 0)
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [0.01], [5]
    graph.tensors[middle].quantization = quantization
    pair = []
    for code, before, after in ((codes[0], index, middle), (codes[1], middle, result)):
        operator = schema.OperatorT()
        operator.opcodeIndex = code
        operator.inputs, operator.outputs = np.array([before], np.int32), np.array([after], np.int32)
        pair.append(operator)
    if which == "input":
        for operator in graph.operators:
            operator.inputs = np.array([result if i == index else i for i in operator.inputs], np.int32)
        graph.operators = [*pair, *graph.operators]
    else:
        graph.operators = [*graph.operators, *pair]
        graph.outputs = np.array([result], np.int32)
        for signature in model.signatureDefs or ():
            for entry in signature.outputs:
                entry.tensorIndex = result
    return write_flatfile(model), like.name.decode() if which == "input" else "dq"


@pytest.mark.parametrize("which", ["input", "output"])
def test_the_pair_goes_and_its_range_stays(models: Path, tmp_path: Path, which: str) -> None:
    source = models / "conv_float.tflite"
    content, name = _with_pair(source, which)
    assert not read_tflite(content).is_float
    taken = tmp_path / "taken.tflite"
    taken.write_bytes(take_trained_ranges(content))
    plain = read_tflite(taken)
    assert plain.is_float
    assert plain.op_versions == read_tflite(source).op_versions
    images = np.random.default_rng(0).uniform(0, 1, (3, 16, 16, 3)).astype(np.float32)
    answers = []
    for path in (source, taken):
        with Runner.open(path, threads=1) as runner:
            answers.append(runner.predict({runner.signature.inputs[0].name: images[:1]}))
    assert all(np.array_equal(*pair) for pair in zip(*(item.values() for item in answers), strict=True))
    np.savez(tmp_path / "x.npz", **{plain.signatures[0].inputs[0].name: images})
    low, high = measure_ranges(taken, tmp_path / "x.npz").values[name]
    assert float(np.ravel(low)[0]) == pytest.approx(-0.05)
    assert float(np.ravel(high)[0]) == pytest.approx(2.5)


def test_a_file_without_pairs_is_not_touched(models: Path) -> None:
    content = (models / "conv_float.tflite").read_bytes()
    assert take_trained_ranges(content) is content
    # An int8 file for a device has QUANTIZE and DEQUANTIZE of its own, but no pairs.
    for path in sorted(models.glob("*int8*.tflite")):
        content = path.read_bytes()
        assert take_trained_ranges(content) is content

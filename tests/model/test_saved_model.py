"""Reading SavedModels from their bytes: compared with TensorFlow, real ones, damaged ones."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.errors import ModelError
from edge_sdk.model import protobuf_wire, saved_model_schema
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Budget, Message
from edge_sdk.model.saved_model import read_saved_model
from tests import real_models


@pytest.mark.tensorflow
def test_field_numbers_are_those_of_tensorflow(facts: dict[str, Any]) -> None:
    compared = 0
    for name, kind in inspect.getmembers(saved_model_schema, inspect.isclass):
        for field, number in vars(kind).items():
            if name in facts["fields"] and field.isupper() and name != "StructuredValue":
                assert facts["fields"][name][field.lower()] == number, (name, field)
                compared += 1
    values = {key.upper(): number for key, number in facts["fields"]["StructuredValue"].items()}
    for field in ("TENSOR_SPEC_VALUE", "LIST_VALUE", "TUPLE_VALUE", "DICT_VALUE"):
        assert getattr(saved_model_schema.StructuredValue, field) == values[field]
    assert compared > 35
    assert {int(key): name for key, name in facts["dtypes"].items()} == {
        number: name for number, (name, _) in saved_model_schema.DTYPES.items()
    }


@pytest.mark.tensorflow
def test_a_keras_export(made: Path, facts: dict[str, Any]) -> None:
    info = read_saved_model(made / "branches")
    assert [signature.name for signature in info.signatures] == ["serve", "serving_default"]
    signature = info.signatures[1]
    assert {spec.name: str(spec) for spec in signature.inputs} == {
        "image": "float32[?,16,16,3]",
        "hints": "float32[?,7,5]",
    }
    assert {spec.name: str(spec) for spec in signature.outputs} == {"a": "float32[?,3]", "b": "float32[?,2]"}
    assert info.has_serve_attribute
    assert info.has_variables
    cost = info.serving.cost["serving_default"]
    assert sum(weight.elements for weight in cost.weights.values()) == facts["branches"]["parameters"]
    # Convolutions and dense layers by hand; the recurrent layers' loops are named, their bodies count once.
    assert cost.uncounted == {"While"}
    by_weight = {operation.weight: operation.macs for operation in cost.operations}
    assert by_weight["conv2d_1/kernel_1"] == 14 * 14 * 4 * 27
    assert sum(operation.weight.startswith("shared/") for operation in cost.operations) == 4


@pytest.mark.tensorflow
def test_functions_loops_and_constants(made: Path) -> None:
    info = read_saved_model(made / "maths")
    assert [signature.name for signature in info.signatures] == ["convolve", "repeat"]
    assert not info.has_serve_attribute
    convolve, repeat = (info.serving.cost[name] for name in ("convolve", "repeat"))
    assert [(operation.op, operation.macs) for operation in convolve.operations] == [
        ("Conv2D", 8 * 8 * 6 * 3 * 3 * 4),
        ("Conv2DBackpropInput", 8 * 8 * 6 * 2 * 2 * 7),
        ("DepthwiseConv2dNative", 14 * 14 * 7 * 3 * 3),
    ]
    assert convolve.operations[0].weight == "kernel"
    assert (
        sum(weight.elements for weight in convolve.weights.values() if weight.constant) == 2 * 2 * 7 * 6 + 63
    )
    assert {operation.op: operation.macs for operation in repeat.operations} == {"MatMul": 40, "Einsum": 40}
    assert repeat.uncounted == {"While"}
    assert sorted(variable.name for variable in info.serving.variables) == ["kernel", "matrix", "unused"]
    functions = {function.name: function.variants for function in info.serving.functions}
    assert [str(spec) for spec in functions["repeat"][0]] == ["float32[?,8]"]


@pytest.mark.tensorflow
def test_a_saved_model_of_tensorflow_one(made: Path) -> None:
    info = read_saved_model(made / "version_one")
    assert [str(spec) for spec in info.signatures[0].inputs] == ["float32[?,3]"]
    assert [(variable.name, variable.shape) for variable in info.serving.variables] == [
        ("layer/weight", (3, 2))
    ]
    assert info.serving.cost["serving_default"].macs == 6


def test_basic_pitch_which_tensorflow_cannot_load() -> None:
    info = read_saved_model(real_models.basic_pitch_saved_model())
    (signature,) = info.signatures
    assert [str(spec) for spec in signature.inputs] == ["float32[?,43844,1]"]
    assert {spec.name: spec.shape for spec in signature.outputs} == {
        "contour": (None, 172, 264),
        "note": (None, 172, 88),
        "onset": (None, 172, 88),
    }
    graph = info.serving
    assert graph.tags == ("serve",)
    assert graph.tensorflow_version == "2.4.1"
    assert graph.tensor_names["serving_default"]["note"] == "StatefulPartitionedCall:1"
    assert graph.methods["serving_default"] == "tensorflow/serving/predict"
    # The same sum as the shipped .tflite of the same model has.
    assert graph.cost["serving_default"].macs == 524_079_648


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'numpy', 'google.protobuf', 'h5py'):\n"
        "    sys.modules[name] = None\n"
        "from edge_sdk.model.saved_model import read_saved_model\n"
        "print(len(read_saved_model(sys.argv[1]).signatures))\n"
    )
    folder = str(real_models.basic_pitch_saved_model())
    result = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert result.stdout == "1\n"


def _folder(tmp_path: Path, content: bytes) -> Path:
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 50, b"\x12", b"\x12\xff\xff\xff\xff\x0f", b"\xff" * 40, b"{}\n"]
)
def test_what_is_no_message(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError, match=re.escape("is damaged")):
        read_saved_model(_folder(tmp_path, content))


def test_every_truncation_is_told(tmp_path: Path) -> None:
    whole = (real_models.basic_pitch_saved_model() / "saved_model.pb").read_bytes()
    for size in [*range(1, 200, 13), *range(1000, len(whole), len(whole) // 15)]:
        with pytest.raises(ModelError):
            read_saved_model(_folder(tmp_path, whole[:size]))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_never_ends_in_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((real_models.basic_pitch_saved_model() / "saved_model.pb").read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        # Half of the hits where the structure is: the beginning of the file and its end.
        place = data.draw(st.one_of(st.integers(0, 3000), st.integers(0, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    try:
        info = read_saved_model(_folder(tmp_path, bytes(content)))
    except ModelError:
        return
    assert info.meta_graphs


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    def field(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return bytes([number << 3, content])
        size = len(content)
        length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
        return bytes([number << 3 | 2]) + length + content

    function = field(1, b"again")
    call = (
        field(1, b"n")
        + field(2, b"PartitionedCall")
        + field(5, field(1, b"f") + field(2, field(10, function)))
    )
    body = field(1, field(1, b"again")) + field(3, call) + field(3, call.replace(b"\x01n", b"\x01m"))
    graph = field(1, call) + field(2, field(1, body))
    info = field(1, b"n:0") + field(2, 1)
    signature = field(1, b"serving_default") + field(2, field(2, field(1, b"y") + field(2, info)))
    content = field(1, 1) + field(2, field(2, graph) + field(5, signature))
    with pytest.raises(ModelError, match="deep"):
        read_saved_model(_folder(tmp_path, content))


def test_the_budget_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protobuf_wire, "MAX_FIELDS", 1000)
    with pytest.raises(ModelError, match="more than 1,000 fields"):
        read_saved_model(real_models.basic_pitch_saved_model())


def test_numbers_of_both_signs_packed_and_not() -> None:
    minus = b"\xff" * 9 + b"\x01"
    message = Message(b"\x08" + minus + b"\x12\x03\x01\x96\x01" + b"\x10\x05", 0, 18, Budget(100))
    assert message.number(1) == -1
    assert message.numbers(2) == [1, 150, 5]
    with pytest.raises(DamagedError):
        message.text(1)
    with pytest.raises(DamagedError):
        Message(b"\x08" + b"\xff" * 11, 0, 12, Budget(100))
    with pytest.raises(DamagedError):
        Message(b"\x0b", 0, 1, Budget(100))


def test_folders_that_are_something_else(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no saved_model"):
        read_saved_model(tmp_path)
    (tmp_path / "saved_model.pbtxt").write_text("")
    with pytest.raises(ModelError, match="text form"):
        read_saved_model(tmp_path)
    (tmp_path / "saved_model.pbtxt").unlink()
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(ModelError, match="only a checkpoint"):
        read_saved_model(tmp_path)
    shutil.copytree(real_models.basic_pitch_saved_model(), tmp_path / "inside")
    with pytest.raises(ModelError, match=re.escape(f"use {tmp_path / 'inside'}")):
        read_saved_model(tmp_path)

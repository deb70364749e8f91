"""What is this model? And every refusal that needs no TensorFlow."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from edge_sdk.errors import ModelError
from edge_sdk.model.load import Model, open_model
from tests import real_models
from tests.bundle import samples


def test_each_kind(models: Path, tmp_path: Path) -> None:
    assert open_model(models / "conv_float.tflite").kind == "tflite"
    assert open_model(str(real_models.basic_pitch_saved_model())).kind == "saved_model"
    assert open_model(real_models.fer_hdf5()).kind == "h5"
    assert open_model(samples.sample(tmp_path)).kind == "bundle"


def test_the_content_decides_not_the_suffix(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "conv_float.tflite", tmp_path / "model.h5")
    assert open_model("model.h5").kind == "tflite"


def test_names_are_usable_in_file_names(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "conv_float.tflite", tmp_path / "my (new) mödel.v2.tflite")
    assert open_model("my (new) mödel.v2.tflite").name == "my_new_m_del.v2"
    shutil.copytree(real_models.basic_pitch_saved_model(), tmp_path / "pitch" / "3")
    assert open_model(tmp_path / "pitch" / "3").name == "pitch"


def test_functions_are_found_but_not_imported(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "package" / "train.py").write_text("raise SystemExit('imported')\n")
    model = open_model("package.train:build")
    assert (model.kind, model.name) == ("function", "build")
    assert model.path == tmp_path / "package" / "train.py"
    before = model.sha256()
    (tmp_path / "package" / "train.py").write_text("x = 1\n")
    assert open_model("package.train:build").sha256() != before
    assert open_model("package.train:other").sha256() != open_model("package.train:build").sha256()
    assert "package" not in sys.modules
    with pytest.raises(ModelError, match="no module called"):
        open_model("package.none:build")


def test_digests_follow_the_content_alone(models: Path, tmp_path: Path) -> None:
    first = shutil.copytree(real_models.basic_pitch_saved_model(), tmp_path / "first")
    second = shutil.copytree(first, tmp_path / "second")
    digest = open_model(first).sha256()
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    (second / ".DS_Store").write_text("")
    assert open_model(second).sha256() == digest
    (second / "variables" / "variables.index").rename(second / "variables" / "other")
    assert Model("saved_model", "second", second, "second").sha256() != digest


def test_a_missing_path_names_the_nearest(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "conv_float.tflite", tmp_path / "digits.tflite")
    with pytest.raises(ModelError, match="does not exist") as caught:
        open_model("digit.tflite")
    assert caught.value.hint == "did you mean digits.tflite?"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.onnx", b"\x08\x07\x12\x04", "ONNX"),
        ("x.pth", b"\x80\x02\x8a\x0a", "PyTorch"),
        ("x.py", b"import keras", "module:function"),
        ("x.h5", b"", "it is empty"),
        ("x.bin", b"garbage", "garbage"),
        ("saved_model.pb", b"\x08\x01", "give the directory"),
        ("x.keras", b"PK\x03\x04" + bytes(30), "damaged"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path / name)
    assert words in str(caught.value)


def test_other_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("model/saved_model.pb", "")
    with pytest.raises(ModelError, match="not a model") as caught:
        open_model("x.zip")
    assert "unpack it" in str(caught.value.hint)


def test_the_onnx_twin_of_a_real_model_is_refused() -> None:
    with pytest.raises(ModelError, match="not a model"):
        open_model(real_models.basic_pitch_onnx())


def test_a_saved_model_without_its_variables(tmp_path: Path) -> None:
    folder = shutil.copytree(real_models.basic_pitch_saved_model(), tmp_path / "model")
    shutil.rmtree(folder / "variables")
    with pytest.raises(ModelError, match="has no weights"):
        open_model(folder)
    assert open_model(folder, check=False).kind == "saved_model"


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_signature", "has no signature"),
        ("text", "takes text: words"),
        ("text.keras", "takes text: text"),
        ("branches.weights.h5", "holds weights only"),
        ("custom.h5", "custom classes"),
        ("custom.keras", "custom classes"),
        ("lambda.h5", "holds Python code"),
        ("lambda.keras", "holds Python code"),
        ("nested_lambda.keras", "holds Python code"),
    ],
)
def test_models_that_can_never_be_converted(made: Path, name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        open_model(made / name)
    assert caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["branches", "branches.keras", "branches.h5", "maths", "version_one"])
def test_models_that_may_be_converted(made: Path, name: str) -> None:
    assert open_model(made / name).path == made / name

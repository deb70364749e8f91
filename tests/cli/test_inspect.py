"""`edge inspect` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.manifest import RuntimeRequirement, TargetPlan
from edge_sdk.cli.tables import printable
from tests import real_models
from tests.bundle import samples
from tests.model.conftest import made  # noqa: F401 - a fixture


def edge(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `edge inspect` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", "inspect", *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environment},
        timeout=120,
    )


def test_a_tflite_file(models: Path) -> None:
    done = edge(models / "conv_int8.tflite")
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "TFLite file",
        "signature serving_default",
        "int8[1,16,16,3]",
        "scale 0.00392101, zero point -128",
        "341 parameters",
        "18.5 k MACs",
        "DEPTHWISE_CONV_2D",
    ):
        assert words in done.stdout


def test_custom_and_flex_operators_are_named(models: Path) -> None:
    assert "custom operators, need a library: EdgeTanh" in edge(models / "custom_operator.tflite").stdout
    assert "need the Flex delegate: MatrixDeterminant" in edge(models / "flex_operator.tflite").stdout


def test_a_saved_model_that_tensorflow_cannot_load() -> None:
    done = edge(real_models.basic_pitch_saved_model())
    assert done.returncode == 0, done.stderr
    for words in (
        "tensorflow/serving/predict",
        "float32[?,43844,1]",
        "serving_default_input_2:0",
        "StatefulPartitionedCall:2",
        "524.1 M MACs",
        "conv2d_1",
        "__call__",
        "tags serve",
    ):
        assert words in done.stdout


def test_a_keras_file() -> None:
    path, _ = real_models.silabs("visual_wake_words")
    done = edge(path)
    assert done.returncode == 0, done.stderr
    for words in (
        "Keras 2.4.0",
        "221,794 parameters",
        "7.5 M MACs",
        "conv2d_13",
        "smaller ones; --all shows them",
    ):
        assert words in done.stdout
    assert "conv2d_1 " not in done.stdout
    assert "smaller ones" not in edge(path, "--all").stdout


def bundle(folder: Path, models: Path) -> Path:
    content = {**samples.CONTENT, "models/float32.tflite": (models / "conv_float.tflite").read_bytes()}
    plan = TargetPlan(
        platform="linux",
        architecture="any",
        runtime=RuntimeRequirement(name="litert", minimum_version="2.1"),
        variants=("float32",),
    )
    path = folder / "digits.edge"
    write_bundle(path, samples.manifest_of(content, targets={"host": plan}), content)
    return path


def test_a_bundle(tmp_path: Path, models: Path) -> None:
    done = edge(bundle(tmp_path, models))
    assert done.returncode == 0, done.stderr
    for words in (
        "bundle",
        "sample 0.1.0",
        "host",
        "litert >= 2.1",
        "variant float32",
        "341 parameters",
        "CONV_2D",
    ):
        assert words in done.stdout
    report = json.loads(edge(tmp_path / "digits.edge", "--json").stdout)
    assert report["kind"] == "bundle"
    assert report["variants"][0]["macs"] == 18472
    assert report["macs"] is None


def test_a_damaged_bundle_is_a_bundle_error(tmp_path: Path, models: Path) -> None:
    path = bundle(tmp_path, models)
    path.write_bytes(path.read_bytes()[:-100])
    assert edge(path).returncode == 5


@pytest.mark.parametrize(
    "key", ["silabs/image_classification.tflite", "mediapipe/face_detection_full_range_sparse.tflite"]
)
def test_every_line_of_a_table_fits(key: str) -> None:
    done = edge(real_models.fetch(key), "--all")
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_json_is_one_document_with_nulls_for_what_is_unknown(models: Path) -> None:
    report = json.loads(edge(models / "flex_operator.tflite", "--json").stdout)
    assert report["macs"] is None
    assert report["details"]["flex_operators"] == ["MatrixDeterminant"]
    assert report["problems"] == []
    assert set(report) >= {
        "kind", "location", "size_bytes", "producer", "default_signature", "signatures", "parameters",
        "weight_bytes", "macs", "macs_not_counted", "layers", "operators", "details", "problems",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.tflite", None, "does not exist"),
        ("cut.tflite", b"\x1c\0\0\0TFL3\0\0", "is damaged"),
        ("x.txt", b"hello", "not a model"),
        ("x.h5", b"", "it is empty"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_three(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = edge(tmp_path / name)
    assert (done.returncode, done.stdout) == (3, "")
    assert words in " ".join(done.stderr.split())
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    document = json.loads(edge(tmp_path / name, "--json").stdout)
    assert (document["error"], document["exit_code"]) == ("ModelError", 3)


def test_a_function_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('imported')\n")
    done = edge("train:build")
    assert done.returncode == 3
    assert "is a function" in done.stderr


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("no_signature", "has no signature", "SavedModel"),
        ("text", "takes text: words", "string[?]"),
        ("lambda.keras", "holds Python code", "twice"),
        ("nested_lambda.h5", "holds Python code", "deep"),
        ("custom.keras", "custom classes", "Own"),
    ],
)
def test_what_can_never_be_converted_is_shown_and_told(
    made: Path,  # noqa: F811
    name: str,
    words: str,
    shown: str,
) -> None:
    done = edge(made / name)
    assert done.returncode == 3
    assert shown in done.stdout
    assert words in " ".join(done.stderr.split())
    report = edge(made / name, "--json")
    assert report.returncode == 3
    assert words in json.loads(report.stdout)["problems"][0]["what"]


def test_a_tflite_file_needs_no_library_but_the_command_line(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "conv_float.tflite", tmp_path / "x.tflite")
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'numpy', 'h5py', 'ai_edge_litert', 'flatbuffers', 'google'):\n"
        "    sys.modules[name] = None\n"
        "sys.argv = ['edge', 'inspect', 'x.tflite']\n"
        "from edge_sdk.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "341 parameters" in done.stdout, done.stderr


def test_names_cannot_command_the_terminal() -> None:
    assert "\x1b" not in printable("\x1b]0;owned\x07name\n")
    assert printable("größe/π") == "größe/π"

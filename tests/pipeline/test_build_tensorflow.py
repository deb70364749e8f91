"""The main path from a trained TensorFlow model: a small CNN on real handwritten digits (MNIST 5k)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.spec import ImagePreprocess, Preprocess
from edge_sdk.errors import UnsupportedOpError
from edge_sdk.progress import Step
from edge_sdk.runtime.runner import Runner
from tests import real_models

pytestmark = pytest.mark.tensorflow


def test_a_savedmodel_becomes_checked_variants_in_a_bundle(digits: Path) -> None:
    steps: list[Step] = []
    options = {
        "calibration": digits / "calibration.npz",
        "evaluation": digits / "evaluation.npz",
        "name": "digits",
        "inputs": {
            "image": Preprocess(image=ImagePreprocess(height=28, width=28, color="gray", scale=1 / 255))
        },
        "progress": steps.append,
    }
    result = edge_sdk.build(digits / "digits_model", **options)  # type: ignore[arg-type]
    assert result.ok, result
    assert [item.id for item in result.variants] == ["float32", "float16", "dynamic_int8", "full_int8"]
    plain, smallest = result.variant("float32"), result.variant("full_int8")
    assert plain.metric is not None
    assert plain.metric > 0.9
    assert plain.metric_drop == 0.0
    assert plain.agreement == 1.0
    assert plain.max_abs_error is not None
    assert plain.max_abs_error < 1e-3  # against TensorFlow itself
    assert smallest.metric_drop is not None
    assert smallest.metric_drop < 0.02
    assert smallest.size_bytes < 0.35 * plain.size_bytes
    assert result.picked in ("dynamic_int8", "full_int8")
    # TensorFlow was started once, for the conversion and the reference together.
    assert [step.stage for step in steps].count("import") >= 1
    assert not list(Path(".edge/cache").glob("reference/*"))
    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        assert {item.name for item in bundle.manifest.contract.signatures} >= {"serving_default"}
        assert bundle.manifest.provenance["reference"] == "tensorflow"
        assert "tensorflow" in str(bundle.manifest.provenance["tools"])
    with Runner.open(result.bundle) as runner:
        assert runner.check_golden().passed
        name = runner.signature.outputs[0].name
        assert runner.run(image=np.load(digits / "digit.npy"))[name].shape == (1, 10)

    # New evaluation data: the conversion is kept, TensorFlow only answers.
    with np.load(digits / "evaluation.npz") as data:
        np.savez("other.npz", image=data["image"][:50], y=data["y"][:50])
    steps.clear()
    changed = edge_sdk.build(digits / "digits_model", **{**options, "evaluation": "other.npz"})  # type: ignore[arg-type]
    assert changed.samples == 50
    assert "convert" not in {step.stage for step in steps}
    assert "reference" in {step.stage for step in steps}

    shutil.rmtree(".edge")
    again = edge_sdk.build(digits / "digits_model", **options)  # type: ignore[arg-type]
    assert again.bundle_sha256 == result.bundle_sha256


def test_a_keras_file_and_a_function(digits: Path, tmp_path: Path) -> None:
    path = str(digits / "digits.keras")
    (tmp_path / "training.py").write_text(
        f"def make():\n    import keras\n    return keras.models.load_model({path!r})\n"
    )
    options = {"recipes": ["float32"], "evaluation": digits / "evaluation.npz"}
    sizes = set()
    for model in (digits / "digits.keras", "training:make"):
        result = edge_sdk.build(model, **options)  # type: ignore[arg-type]
        assert result.ok, result
        assert result.variants[0].metric is not None
        assert result.variants[0].metric > 0.9
        sizes.add(result.variants[0].size_bytes)
    assert len(sizes) == 1


def test_operators_without_a_kernel_are_named(tmp_path: Path) -> None:
    script = (
        "import sys, tensorflow as tf\n"
        "class Odd(tf.Module):\n"
        "    @tf.function(input_signature=[tf.TensorSpec([1, 3, 3], tf.float32, name='x')])\n"
        "    def serve(self, x):\n"
        "        return {'y': tf.linalg.det(x)}\n"
        "odd = Odd()\n"
        "tf.saved_model.save(odd, sys.argv[1], signatures={'serving_default': odd.serve})\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "odd")], check=True, capture_output=True)
    with pytest.raises(UnsupportedOpError) as caught:
        edge_sdk.build(tmp_path / "odd")
    assert "MatrixDeterminant" in str(caught.value)
    assert not (tmp_path / "build").exists()


def test_a_savedmodel_that_tensorflow_cannot_load_is_built(tmp_path: Path) -> None:
    result = edge_sdk.build(
        real_models.basic_pitch_saved_model(),
        recipes=["float32"],
        name="pitch",
    )
    assert result.ok, result
    assert result.data == "synthetic"
    assert result.variants[0].agreement is not None
    assert result.variants[0].agreement > 0.99


@pytest.mark.parametrize("moment", ["import", "convert"])
def test_ctrl_c_while_tensorflow_works(moment: str, digits: Path, tmp_path: Path) -> None:
    from tests.cli.test_build import workers_of

    process = subprocess.Popen(
        [sys.executable, "-m", "edge_sdk.cli.main", "build", str(digits / "digits_model")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(moment):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not (tmp_path / "build").exists()
    assert workers_of(tmp_path) == []

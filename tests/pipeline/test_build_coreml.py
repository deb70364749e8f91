"""The path from a trained model to checked Core ML packages in a bundle: digits, real handwriting."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import folder_digest
from edge_sdk.bundle.extraction import extract_variant
from edge_sdk.configuration import CoreMLSection
from edge_sdk.contract.spec import ImagePreprocess, Preprocess
from edge_sdk.errors import UnsupportedOpError
from edge_sdk.model.coreml.package import open_package
from edge_sdk.pipeline.result import BuildResult
from edge_sdk.validate.coreml_reference import evaluate

pytestmark = pytest.mark.tensorflow

LABELS = tuple("0123456789")


def build(digits: Path, **options: Any) -> BuildResult:
    return edge_sdk.build(
        digits / "digits_model",
        **{
            "targets": ["ios"],
            "evaluation": digits / "evaluation.npz",
            "name": "digits",
            "labels": LABELS,
            "inputs": {
                "image": Preprocess(image=ImagePreprocess(height=28, width=28, color="gray", scale=1 / 255))
            },
            **options,
        },
    )


def test_a_trained_model_becomes_proven_packages_in_a_bundle(digits: Path, tmp_path: Path) -> None:
    result = build(digits)
    assert result.ok, result
    packages = {item.id: item for item in result.variants}
    assert list(packages) == ["coreml_float32", "coreml_float16", "coreml_int8", "coreml_palette4_mixed"]
    for item in packages.values():
        assert item.format == "mlpackage"
        assert item.path.is_dir()
        assert item.sha256 == folder_digest(item.path)
        assert item.metric is not None
        assert item.metric > 0.9
        assert item.agreement is not None
        assert item.agreement > 0.97
        assert (item.latency_ms, item.peak_memory_bytes) == (None, None)  # nothing here runs Core ML
    plain = packages["coreml_float32"]
    assert plain.agreement == 1.0
    assert plain.snr_db is not None
    assert plain.snr_db > 100
    sizes = [item.size_bytes for item in packages.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert result.picked == "coreml_palette4_mixed"

    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        variant = bundle.manifest.variant("coreml_int8")
        folder = extract_variant(bundle, "coreml_int8", tmp_path / "taken.mlpackage")
        assert bundle.manifest.targets["ios"].runtime.minimum_version == "iOS16"
    assert folder_digest(folder) == packages["coreml_int8"].sha256
    assert variant.coreml is not None
    assert variant.golden is not None
    image = variant.coreml.images["image"]
    assert (image.color, image.scale, image.bias) == ("GRAY", pytest.approx(1 / 255), (0.0,))

    # What ships takes a picture as it is, and answers with the label.
    pixels = np.load(digits / "digit.npy").reshape(28, 28, 1)
    found = evaluate(folder, {"image": pixels})
    assert found[variant.coreml.class_label or ""] in LABELS
    with open_package(folder) as package:
        assert package.minimum_deployment == "iOS16"
        assert package.metadata.user_defined["edge_sdk.source_sha256"]

    details = json.loads((Path("build/digits/details.json")).read_text())
    for name in packages:
        rungs = details["delegates"]["ios"][name]
        assert [rung["delegate"] for rung in rungs] == ["all", "cpu_and_gpu", "cpu_only"]
        assert all(rung["predicted"] for rung in rungs)
        assert details["compatibility"]["ios"][name][0]["code"] == "DEPLOYMENT-TARGET"
    assert details["memory"]["ios"] == {}

    shutil.rmtree(".edge")
    again = build(digits, recipes=["coreml_palette4_mixed"])
    assert again.variant("coreml_palette4_mixed").sha256 == packages["coreml_palette4_mixed"].sha256


def test_phones_and_boards_from_one_build(digits: Path) -> None:
    result = build(
        digits,
        targets=["host", "ios"],
        recipes=["float32", "dynamic_int8", "coreml_float16"],
        coreml=CoreMLSection(deployment_target="iOS18", author="somebody", images=False),
    )
    assert result.ok, result
    assert result.picks == {"host": "dynamic_int8", "ios": "coreml_float16"}
    for choice in result.choices:
        assert not choice.incompatible  # a target is not told about formats that are not its own
    package = result.variant("coreml_float16").path
    with open_package(package) as found:
        assert found.minimum_deployment == "iOS18"
        assert found.metadata.author == "somebody"
        (image,) = found.functions["main"].inputs
        assert (image.kind, image.shape) == ("tensor", (1, 28, 28, 1))
    with Bundle.open(result.bundle) as bundle:  # type: ignore[arg-type]
        assert bundle.manifest.targets["host"].variants == ("dynamic_int8", "float32")


def test_random_numbers_that_were_frozen_into_a_package_do_not_pass(tmp_path: Path) -> None:
    """coremltools draws them once, while it converts: the package adds the same noise to every input."""
    script = (
        "import sys, tensorflow as tf\n"
        "class Noisy(tf.Module):\n"
        "    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, name='x')])\n"
        "    def serve(self, x):\n"
        "        return {'y': x + 9 * tf.random.normal([1, 4])}\n"
        "noisy = Noisy()\n"
        "tf.saved_model.save(noisy, sys.argv[1], signatures={'serving_default': noisy.serve})\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "noisy")], check=True, capture_output=True)
    result = edge_sdk.build(tmp_path / "noisy", targets=["ios"], recipes=["coreml_float32"])
    (item,) = result.variants
    assert item.verdict == "rejected"
    assert item.path.parent.name == "rejected"
    assert result.bundle is None
    assert not result.ok


def test_what_tflite_cannot_do_is_no_obstacle_for_core_ml(tmp_path: Path) -> None:
    """A build for iOS alone converts to nothing but Core ML, whatever the kind of source."""
    script = (
        "import sys, keras, tensorflow as tf\n"
        "class Odd(tf.Module):\n"
        "    @tf.function(input_signature=[tf.TensorSpec([1, 6], tf.float32, name='x')])\n"
        "    def serve(self, x):\n"
        "        return {'y': tf.math.atanh(x * 0.5)}\n"
        "odd = Odd()\n"
        "tf.saved_model.save(odd, sys.argv[1] + '/odd', signatures={'serving_default': odd.serve})\n"
        "keras.utils.set_random_seed(3)\n"
        "model = keras.Sequential([keras.Input((6,), name='x'), keras.layers.Dense(4)])\n"
        "model.save(sys.argv[1] + '/k.keras')\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True)
    with pytest.raises(UnsupportedOpError, match="Atanh"):
        edge_sdk.build(tmp_path / "odd", recipes=["float32"])
    for source in ("odd", "k.keras"):
        result = edge_sdk.build(tmp_path / source, targets=["ios"], recipes=["coreml_float32"])
        (item,) = result.variants
        assert item.passed, item.reasons
        assert item.max_abs_error is not None
        assert item.max_abs_error < 1e-5
    assert not list(Path(".edge/cache").glob("convert/*"))

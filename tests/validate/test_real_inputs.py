"""Trained models on real pictures: full int8 stays within a point of float, and how sure that is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.contract.spec import ImagePreprocess, Preprocess
from tests import real_models
from tests.squeezenet import MEAN

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]

ROOT = Path(__file__).parents[2]
TEST_SAMPLES = 1000
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}

TRAIN = """
import sys, numpy as np, keras
data = np.load(sys.argv[1])
keras.utils.set_random_seed(7)
model = keras.Sequential([
    keras.Input((28, 28, 1), name="image"),
    keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.MaxPooling2D(),
    keras.layers.Flatten(), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, name="scores"),
])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(data["images"], data["labels"], batch_size=64, epochs=3, verbose=0)
model.export(sys.argv[2], verbose=False)
"""

EXPORT_SQUEEZENET = """
import sys
from tests.squeezenet import squeezenet
squeezenet().export(sys.argv[1], verbose=False)
"""


def python(code: str, *arguments: Path) -> None:
    """Run code that imports TensorFlow in a process of its own."""
    subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        check=True,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
    )


def by_recipe(result: edge_sdk.BuildResult) -> Mapping[str, Any]:
    assert result.ok, result
    return {item.id: item for item in result.variants}


def test_clothes(tmp_path: Path) -> None:
    images, labels = real_models.fashion_mnist("train")
    test_images, test_labels = real_models.fashion_mnist("t10k")
    scaled = (images[:10_000] / 255.0).astype(np.float32)
    np.savez(tmp_path / "train.npz", images=scaled, labels=labels[:10_000])
    np.savez(tmp_path / "calibration.npz", image=scaled[:200])
    np.savez(
        tmp_path / "evaluation.npz",
        image=(test_images[:TEST_SAMPLES] / 255.0).astype(np.float32),
        y=test_labels[:TEST_SAMPLES],
    )
    python(TRAIN, tmp_path / "train.npz", tmp_path / "clothes")
    result = edge_sdk.build(
        tmp_path / "clothes",
        calibration=tmp_path / "calibration.npz",
        evaluation=tmp_path / "evaluation.npz",
        name="clothes",
    )
    variants = by_recipe(result)
    assert result.samples == TEST_SAMPLES
    plain = variants["float32"]
    assert plain.metric > 0.8
    for recipe, share in (("full_int8", 0.32), ("dynamic_int8", 0.32), ("float16", 0.55)):
        variant = variants[recipe]
        assert abs(variant.metric_drop) <= 0.01, (recipe, variant.metric_drop)
        low, high = variant.metric_interval
        assert low < variant.metric < high
        assert 0.02 < high - low < 0.06  # a thousand samples know a point or two, not more
        low, high = variant.metric_drop_interval
        assert low <= variant.metric_drop <= high
        # Paired: far closer than the accuracy itself is known.
        assert high - low < 0.035
        assert variant.size_bytes <= share * plain.size_bytes


def test_photos(tmp_path: Path) -> None:
    """Twenty photos and a thousand classes: what is measured is little, and the intervals say so."""
    photos = real_models.imagenet_photos()
    for path, label in photos:
        folder = tmp_path / "photos" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    python(EXPORT_SQUEEZENET, tmp_path / "squeezenet")
    picture = ImagePreprocess(height=227, width=227, color="bgr", mean=MEAN, std=(1.0, 1.0, 1.0))
    options: dict[str, Any] = {
        "calibration": tmp_path / "photos",
        "evaluation": tmp_path / "photos",
        "inputs": {"image": Preprocess(image=picture)},
        "name": "squeezenet",
    }
    variants = by_recipe(edge_sdk.build(tmp_path / "squeezenet", **options))
    plain, small = variants["float32"], variants["full_int8"]
    assert plain.metric >= 0.6
    assert abs(small.metric_drop) <= 0.1  # two photos
    assert small.agreement >= 0.85
    assert small.size_bytes <= 0.29 * plain.size_bytes
    low, high = plain.metric_interval
    assert high - low > 0.35
    low, high = small.metric_drop_interval
    assert low < -0.05
    assert high > 0.05
    five = by_recipe(edge_sdk.build(tmp_path / "squeezenet", metric="top5", **options))["full_int8"]
    assert five.metric_name == "top5"
    assert five.metric >= 0.9

"""Real models and real data: EfficientNet-Lite0 on photos, digits on two scales, Basic Pitch on tones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import ImagePreprocess
from tests import real_models
from tests.validate.calibration.conftest import Examine
from tests.validate.calibration.test_pictures import codes

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]

ROOT = Path(__file__).parents[3]
CONVERT = """
import sys, pathlib, tempfile, numpy as np, keras, tensorflow as tf
from tests.efficientnet_lite0 import efficientnet_lite0
def write(model, path):
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
folder = pathlib.Path(sys.argv[1])
write(efficientnet_lite0(), folder / "lite0.tflite")
data = np.load(folder / "digits.npz")
for name, divisor in (("unit", 255.0), ("bytes", 1.0)):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((28, 28, 1), name="image"),
        keras.layers.Conv2D(12, 3, strides=2, activation="relu"),
        keras.layers.Conv2D(24, 3, strides=2, activation="relu"),
        keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data["images"] / divisor, data["labels"], epochs=4, batch_size=64, verbose=0)
    write(model, folder / f"digits_{name}.tflite")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with lite0.tflite, digits_unit.tflite and digits_bytes.tflite."""
    folder = tmp_path_factory.mktemp("models")
    images, labels = digits()
    np.savez(folder / "digits.npz", images=images[:4000], labels=labels[:4000])
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}
    real_models.fetch("efficientnet_lite0/weights.pth")
    command = [sys.executable, "-c", CONVERT, str(folder)]
    subprocess.run(command, check=True, env={**os.environ, **environment}, capture_output=True)
    return folder


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = real_models.mnist_5k()
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


def tones(count: int, seed: int, silent: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(43_844) / 22_050
    waves = []
    for _ in range(count):
        pitch = 440 * 2 ** ((random.integers(40, 80) - 69) / 12)
        wave = sum(np.sin(2 * np.pi * pitch * part * time) / part for part in range(1, 6))
        wave = wave * np.exp(-time * random.uniform(0.3, 2)) * random.uniform(0.05, 0.4)
        if random.uniform() < silent:
            wave[2000:] = 0
        waves.append(wave + random.normal(0, 1e-4, time.shape))
    return np.stack(waves).astype(np.float32)[..., None]


def test_photos(report_on: Examine, made: Path) -> None:
    image = ImagePreprocess(height=224, width=224, fit="crop", resize="bilinear_antialias")
    pixels = np.concatenate([preprocess_image(path, image) for path, _ in real_models.imagenet_photos()])
    model, right = made / "lite0.tflite", ((pixels - 127) / 128).astype(np.float32)
    healthy = report_on(model, right)
    assert [item.level for item in healthy.findings] == ["note"]
    compared = report_on(model, right[::2], right[1::2])
    assert not compared.errors, compared.errors
    assert codes(report_on(model, pixels)) == {"CALIBRATION-SCALE"}
    unit = (pixels / 255).astype(np.float32)
    # 0..1 against -1..1 cannot be told from the answers of this model; with evaluation data it is plain.
    assert codes(report_on(model, unit)) == set()
    assert codes(report_on(model, unit, right)) == {"CALIBRATION-SCALE", "CALIBRATION-HARM"}
    noise = np.random.default_rng(1).uniform(-1, 1, right.shape).astype(np.float32)
    assert codes(report_on(model, noise)) == {"CALIBRATION-NOISE"}


@pytest.mark.parametrize("trained", ["unit", "bytes"])
def test_digits(report_on: Examine, made: Path, trained: str) -> None:
    images, labels = digits()
    pixels, unit = images.astype(np.float32), (images / 255).astype(np.float32)
    right, wrong = (unit, pixels) if trained == "unit" else (pixels, unit)
    model = made / f"digits_{trained}.tflite"
    for count in (20, 200):
        healthy = report_on(
            model, right[:count], right[4000:4500], labels=labels[:count], evaluation_labels=labels[4000:4500]
        )
        assert not healthy.errors, healthy.errors
        assert not report_on(model, right[:count]).errors
    assert codes(report_on(model, wrong[:200])) == {"CALIBRATION-SCALE"}
    assert codes(report_on(model, wrong[:200], right[4000:4200])) == {"CALIBRATION-SCALE", "CALIBRATION-HARM"}


def test_sound(report_on: Examine) -> None:
    model = real_models.basic_pitch_tflite()
    assert not report_on(model, tones(16, 1), tones(10, 2)).errors
    assert not report_on(model, tones(16, 1, silent=0.9)).errors
    assert codes(report_on(model, tones(12, 1) * np.float32(32768), tones(10, 2))) >= {"CALIBRATION-SCALE"}
    noise = np.random.default_rng(3).normal(0, 0.3, (12, 43_844, 1)).astype(np.float32)
    assert codes(report_on(model, noise, tones(10, 2))) >= {"CALIBRATION-NOISE"}
    assert codes(report_on(model, tones(12, 1) * 0)) == {"CALIBRATION-REPEATED", "CALIBRATION-CONSTANT"}

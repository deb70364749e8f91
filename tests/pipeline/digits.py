"""A small CNN trained on real handwritten digits (MNIST 5k), for builds from a TensorFlow model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests import real_models

TRAIN = """
import sys, numpy as np, keras
folder = sys.argv[1]
data = np.load(folder + "/digits.npz")
keras.utils.set_random_seed(7)
model = keras.Sequential([
    keras.Input((28, 28, 1), name="image"),
    keras.layers.Conv2D(12, 3, activation="relu"), keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(24, 3, activation="relu"), keras.layers.MaxPooling2D(),
    keras.layers.Flatten(), keras.layers.Dense(48, activation="relu"), keras.layers.Dense(10, name="scores"),
])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(data["train"], data["labels"], batch_size=64, epochs=3, verbose=0)
model.export(folder + "/digits_model", verbose=False)
model.save(folder + "/digits.keras")
"""


def train_digits(folder: Path) -> Path:
    """Fill a folder with a trained model in two formats, calibration data and 400 held-back digits."""
    images, labels = real_models.mnist_5k()
    order = np.random.default_rng(7).permutation(len(images))
    pixels = (np.asarray(images)[order].reshape(-1, 28, 28, 1) / 255.0).astype(np.float32)
    labels = np.asarray(labels)[order].astype(np.int64)
    np.savez(folder / "digits.npz", train=pixels[:4000], labels=labels[:4000])
    np.savez(folder / "calibration.npz", image=pixels[:100])
    np.savez(folder / "evaluation.npz", image=pixels[4000:4400], y=labels[4000:4400])
    np.save(folder / "digit.npy", (pixels[4500] * 255).astype(np.uint8))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run(
        [sys.executable, "-c", TRAIN, str(folder)], check=True, env=environment, capture_output=True
    )
    return folder

"""Train the tiny classifiers of tests/data/shapes.

    .venv/bin/python -m tests.data.make_shapes

Needs TensorFlow; takes half a minute. The files are committed: tests that read them need no TensorFlow.
`unit`, `bytes` and `signed` are the same architecture trained on three scales of pixels (`signed` with batch
normalization and ReLU6, as MobileNets have them); `logits` is `unit` without its softmax.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import tensorflow as tf
from keras import layers

from tests import shapes

LEAST_ACCURACY = 0.95


def build(*, normalized: bool) -> tuple[Any, Any]:
    """Return the classifier and the part before its softmax."""
    image = keras.Input((shapes.SIZE, shapes.SIZE, 3), name="image")
    value = image
    for filters in (8, 12, 16):
        value = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=not normalized)(value)
        if normalized:
            value = layers.BatchNormalization(momentum=0.8)(value)
        value = layers.ReLU(6.0 if normalized else None)(value)
    scores = layers.Dense(len(shapes.CLASSES), name="scores")(layers.Flatten()(value))
    return keras.Model(image, layers.Softmax(name="probabilities")(scores)), keras.Model(image, scores)


def write(model: Any, name: str) -> None:
    """Convert and store a model."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        content = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    shapes.FOLDER.mkdir(exist_ok=True)
    shapes.model(name).write_bytes(content)
    sys.stdout.write(f"{name}: {len(content):,} bytes\n")


def main() -> int:
    """Train and write all."""
    pixels, labels = shapes.pictures(3000, seed=100)
    unseen, answers = shapes.pictures(500, seed=101)
    for name in shapes.SCALES:
        keras.utils.set_random_seed(7)
        model, scores = build(normalized=name == "signed")
        model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(shapes.scaled(pixels, name), labels, epochs=10, batch_size=64, verbose=0)
        accuracy = model.evaluate(shapes.scaled(unseen, name), answers, verbose=0)[1]
        sys.stdout.write(f"{name}: accuracy {accuracy:.3f}\n")
        if accuracy < LEAST_ACCURACY:
            return 1
        write(model, name)
        if name == "unit":
            write(scores, "logits")
    return 0


if __name__ == "__main__":
    sys.exit(main())

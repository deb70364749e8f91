"""Trains the digits model and writes its data: `python -m tests.optimize.make_digits FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: Path) -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import numpy as np
    from keras import layers

    from tests import real_models

    images, labels = real_models.mnist_5k()
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = (images[order] / 255).astype(np.float32), labels[order]
    np.savez(folder / "train.npz", image=images[:4000], y=labels[:4000])
    np.savez(folder / "small.npz", image=images[:1000], y=labels[:1000])
    np.savez(folder / "test.npz", image=images[4000:], y=labels[4000:])
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(16, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax", name="scores"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images[:4000], labels[:4000], epochs=12, batch_size=64, verbose=0)
    model.save(folder / "digits.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

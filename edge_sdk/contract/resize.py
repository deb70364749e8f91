"""Resizing, defined exactly: the same numbers as `tf.image.resize`, in NumPy.

One axis after the other. For output index x along an axis of `size_in` and `size_out`,
with scale = size_in / size_out and the sample point s = (x + 0.5) * scale:

- "bilinear": the two pixels around s - 0.5, weighted by nearness, clamped at the edges. Shrinking skips
  pixels, exactly as `tf.image.resize(method="bilinear")` does.
- "bilinear_antialias": all pixels i with |i + 0.5 - s| < r, r = max(scale, 1), weight 1 - |i + 0.5 - s| / r,
  normalised to sum 1: `tf.image.resize(method="bilinear", antialias=True)`.
- "nearest": pixel floor(s), in float32 as TensorFlow computes it.
"""

from __future__ import annotations

import math

import numpy as np

from edge_sdk.errors import ConfigError


def resize(image: np.ndarray, height: int, width: int, method: str) -> np.ndarray:
    """Resize a picture.

    Args:
        image: [rows, columns, channels], uint8 or floating.
        height: Rows of the result.
        width: Columns of the result.
        method: One of `spec.RESIZES`.

    Returns:
        float32[height, width, channels], not rounded.

    Raises:
        ConfigError: The picture is empty, or `method` is "none" and the size is another.
    """
    if image.ndim != 3 or 0 in image.shape:
        raise ConfigError(f"a picture of shape {list(image.shape)} cannot be resized")
    if image.shape[:2] == (height, width):
        return np.array(image, dtype=np.float32)  # every method gives a picture back at its own size
    if method == "none":
        raise ConfigError(
            f"the picture is {image.shape[1]} x {image.shape[0]}, the model takes {width} x {height}",
            why='the contract says resize = "none"',
            hint="give a picture of that size, or set resize in edge.toml",
        )
    if method == "nearest":
        rows, columns = _nearest(image.shape[0], height), _nearest(image.shape[1], width)
        return np.asarray(image[rows][:, columns], dtype=np.float32)
    taps = _antialias_taps if method == "bilinear_antialias" else _bilinear_taps
    tall = _weighted(image, *taps(image.shape[0], height))
    return np.swapaxes(_weighted(tall.swapaxes(0, 1), *taps(image.shape[1], width)), 0, 1)


def _nearest(size_in: int, size_out: int) -> np.ndarray:
    scale = np.float32(size_in) / np.float32(size_out)
    sample = (np.arange(size_out, dtype=np.float32) + np.float32(0.5)) * scale
    return np.asarray(np.minimum(np.floor(sample), size_in - 1), dtype=np.int64)


def _bilinear_taps(size_in: int, size_out: int) -> tuple[np.ndarray, np.ndarray]:
    point = (np.arange(size_out) + 0.5) * (size_in / size_out) - 0.5
    low = np.floor(point)
    indices = np.clip(np.stack([low, low + 1], axis=1).astype(np.int64), 0, size_in - 1)
    return indices, np.stack([1 - (point - low), point - low], axis=1).astype(np.float32)


def _antialias_taps(size_in: int, size_out: int) -> tuple[np.ndarray, np.ndarray]:
    scale = size_in / size_out
    radius = max(scale, 1.0)
    sample = (np.arange(size_out) + 0.5) * scale
    first = np.ceil(sample - radius - 0.5).astype(np.int64)
    indices = first[:, np.newaxis] + np.arange(math.floor(2 * radius) + 1)
    weights = np.maximum(1 - np.abs(indices + 0.5 - sample[:, np.newaxis]) / radius, 0)
    weights[(indices < 0) | (indices >= size_in)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(indices, 0, size_in - 1), weights.astype(np.float32)


def _weighted(image: np.ndarray, indices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return float32 rows that are weighted sums of rows of `image`.

    Args:
        image: [rows, columns, channels].
        indices: int[out, taps], which rows.
        weights: float32[out, taps].
    """
    out = np.zeros((len(indices), *image.shape[1:]), dtype=np.float32)
    for tap in range(indices.shape[1]):
        share = weights[:, tap]
        if share.any():
            out += image[indices[:, tap]] * share[:, np.newaxis, np.newaxis]
    return out

"""Normalizations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def batch_norm(
    *,
    x: Array,
    mean: Array,
    variance: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Return gamma * (x - mean) / sqrt(variance + epsilon) + beta, by channel (axis 1)."""
    factor = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    if gamma is not None:
        factor = factor * gamma
    shape = (1, -1, *([1] * (x.ndim - 2)))
    result = (x - mean.reshape(shape)) * factor.reshape(shape)
    return np.asarray(result if beta is None else result + beta.reshape(shape))


def instance_norm(
    *, x: Array, gamma: Array | None = None, beta: Array | None = None, epsilon: float = 1e-5
) -> Array:
    """Normalize every channel of every sample by its own mean and variance."""
    result = _normalized(x, tuple(range(2, x.ndim)), epsilon)
    shape = (1, -1, *([1] * (x.ndim - 2)))
    if gamma is not None:
        result = result * gamma.reshape(shape)
    return result if beta is None else np.asarray(result + beta.reshape(shape))


def layer_norm(
    *,
    x: Array,
    axes: Any = None,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Normalize over axes by mean and variance; gamma and beta have the sizes of these axes."""
    chosen = tuple(range(x.ndim)) if axes is None else tuple(sorted(int(axis) % x.ndim for axis in axes))
    shape = [size if axis in chosen else 1 for axis, size in enumerate(x.shape)]
    result = _normalized(x, chosen, epsilon)
    if gamma is not None:
        result = result * gamma.reshape(shape)
    return result if beta is None else np.asarray(result + beta.reshape(shape))


def l2_norm(*, x: Array, epsilon: float = 1e-6) -> Array:
    """Divide by the root of the sum of squares over the last three axes."""
    total = np.square(x).sum(axis=(-3, -2, -1), keepdims=True)
    return np.asarray(x / np.sqrt(total + x.dtype.type(epsilon)))


def local_response_norm(
    *, x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """Divide by (k + alpha / size * the sum of squares of `size` neighbouring channels) ** beta.

    The window begins (size - 1) // 2 channels before and ends size // 2 after, as far as there are any;
    Apple's definition does not say where an even window lies.
    """
    before = (size - 1) // 2
    squares = np.pad(np.square(x), [(0, 0), (before, size - 1 - before), *([(0, 0)] * (x.ndim - 2))])
    total = sum(squares[:, at : at + x.shape[1]] for at in range(size))
    scale = x.dtype.type(k) + x.dtype.type(alpha / size) * total
    return np.asarray(x / np.power(scale, x.dtype.type(beta)))


def _normalized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = np.square(centred).mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + x.dtype.type(epsilon)))


TABLE = {
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "l2_norm": l2_norm,
    "layer_norm": layer_norm,
    "local_response_norm": local_response_norm,
}

"""Reductions over axes. Without axes all are reduced; negative ones count from the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Axes = tuple[int, ...] | None


def _log_sum_exp(x: Array, axis: Axes, keepdims: bool) -> Array:
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    result = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return np.asarray(result if keepdims else np.squeeze(result, axis))


def _mean(x: Array, axis: Axes, keepdims: bool) -> Array:
    total = np.mean(x, axis=axis, keepdims=keepdims, dtype=np.float64 if x.dtype.kind in "iu" else None)
    return np.asarray(np.trunc(total) if x.dtype.kind in "iu" else total)


def _by_axes(function: Callable[[Array, Axes, bool], Any]) -> Callable[..., Array]:
    def operator(*, x: Array, axes: Any = None, keep_dims: bool = False) -> Array:
        chosen = None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))
        return np.asarray(function(x, chosen, keep_dims))

    return operator


def _by_axis(function: Any) -> Callable[..., Array]:
    def operator(*, x: Array, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> Array:
        return np.asarray(function(x, axis=axis, keepdims=keep_dims)).astype(output_dtype)

    return operator


TABLE: dict[str, Callable[..., Array]] = {
    "reduce_argmax": _by_axis(np.argmax),
    "reduce_argmin": _by_axis(np.argmin),
    "reduce_l1_norm": _by_axes(lambda x, a, k: np.sum(np.abs(x), axis=a, keepdims=k)),
    "reduce_l2_norm": _by_axes(lambda x, a, k: np.sqrt(np.sum(np.square(x), axis=a, keepdims=k))),
    "reduce_log_sum": _by_axes(lambda x, a, k: np.log(np.sum(x, axis=a, keepdims=k))),
    "reduce_log_sum_exp": _by_axes(_log_sum_exp),
    "reduce_max": _by_axes(lambda x, a, k: np.max(x, axis=a, keepdims=k)),
    "reduce_mean": _by_axes(_mean),
    "reduce_min": _by_axes(lambda x, a, k: np.min(x, axis=a, keepdims=k)),
    "reduce_prod": _by_axes(lambda x, a, k: np.prod(x, axis=a, keepdims=k)),
    "reduce_sum": _by_axes(lambda x, a, k: np.sum(x, axis=a, keepdims=k)),
    "reduce_sum_square": _by_axes(lambda x, a, k: np.sum(np.square(x), axis=a, keepdims=k)),
}

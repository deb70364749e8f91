"""Quantization of values that are no constants (iOS 17)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def quantize(
    *,
    input: Array,  # noqa: A002 - the definition calls it so
    scale: Any,
    output_dtype: str,
    zero_point: Any = None,
    axis: int | None = None,
) -> Array:
    """Return clip(round(input / scale) + zero_point) as int8 or uint8."""
    limits = np.iinfo(output_dtype)
    found = np.rint(input / _along(scale, input, axis))
    if zero_point is not None:
        found = found + _along(zero_point, input, axis).astype(np.float32)
    return np.clip(found, limits.min, limits.max).astype(output_dtype)


def dequantize(
    *,
    input: Array,  # noqa: A002 - the definition calls it so
    scale: Any,
    zero_point: Any = None,
    axis: int | None = None,
) -> Array:
    """Return scale * (input - zero_point) as float32."""
    wide = input.astype(np.float32)
    if zero_point is not None:
        wide = wide - _along(zero_point, input, axis).astype(np.float32)
    return np.asarray(_along(scale, input, axis) * wide, np.float32)


def _along(values: Any, like: Array, axis: int | None) -> Array:
    """Return a scalar as it is, a vector along one axis."""
    array = np.asarray(values)
    if array.ndim == 0 or axis is None:
        return array
    shape = [1] * like.ndim
    shape[axis] = -1
    return array.reshape(shape)


TABLE = {"dequantize": dequantize, "quantize": quantize}

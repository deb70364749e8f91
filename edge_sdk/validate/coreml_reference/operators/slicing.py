"""Parts of an array, and its turning round."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


def slice_by_index(
    *,
    x: Array,
    begin: Any,
    end: Any,
    stride: Any = None,
    begin_mask: Any = None,
    end_mask: Any = None,
    squeeze_mask: Any = None,
) -> Array:
    """Return x[begin:end:stride] in every axis.

    Args:
        x: Any array.
        begin: First index by axis; negative ones count from the end.
        end: Index behind the last one by axis.
        stride: By axis; may be negative.
        begin_mask: Where True, `begin` is not looked at and the slice begins where the axis does.
        end_mask: Where True, `end` is not looked at and the slice ends where the axis does.
        squeeze_mask: Where True, only the value at `begin` is taken, and the axis goes.
    """
    return x[_index(x, begin, end, stride, begin_mask, end_mask, squeeze_mask)]


def slice_update(
    *,
    x: Array,
    update: Array,
    begin: Any,
    end: Any,
    stride: Any = None,
    begin_mask: Any = None,
    end_mask: Any = None,
    squeeze_mask: Any = None,
) -> Array:
    """Return x with the part that `slice_by_index` would take replaced."""
    result = x.copy()
    place = _index(x, begin, end, stride, begin_mask, end_mask, squeeze_mask)
    result[place] = update.reshape(result[place].shape)
    return result


def _index(
    x: Array, begin: Any, end: Any, stride: Any, begin_mask: Any, end_mask: Any, squeeze_mask: Any
) -> tuple[Any, ...]:
    def flags(mask: Any) -> list[bool]:
        return [False] * x.ndim if mask is None else [bool(flag) for flag in mask]

    strides = [1] * x.ndim if stride is None else [int(step) for step in stride]
    place: list[Any] = []
    for size, first, last, step, open_first, open_last, single in zip(
        x.shape, begin, end, strides, flags(begin_mask), flags(end_mask), flags(squeeze_mask), strict=True
    ):
        if single:
            place.append(0 if open_first else int(first))
        elif step < 0 and not open_last and int(last) < -size:
            # NumPy and TensorFlow take the first value too; coremltools declares a shape without it.
            raise Unsupported("a slice backwards whose end lies before the beginning")
        else:
            place.append(slice(None if open_first else int(first), None if open_last else int(last), step))
    return tuple(place)


def slice_by_size(*, x: Array, begin: Any, size: Any) -> Array:
    """Return a part of so many values from `begin` on in every axis; -1 takes the rest."""
    place = []
    for length, first, count in zip(x.shape, begin, size, strict=True):
        start = int(first) % length if int(first) < 0 else int(first)
        place.append(slice(start, length if int(count) == -1 else start + int(count)))
    return x[tuple(place)]


def reverse(*, x: Array, axes: Any = None) -> Array:
    """Return x turned round along axes; all where none are given."""
    return np.flip(x, None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes)))


def reverse_sequence(*, x: Array, lengths: Any, seq_axis: int = 0, batch_axis: int = 0) -> Array:
    """Return x with the first `lengths[b]` values of each sequence turned round."""
    if seq_axis % x.ndim == batch_axis % x.ndim:
        raise Unsupported("one axis for both the batch and the sequence")
    moved = np.moveaxis(x, (batch_axis, seq_axis), (0, 1)).copy()
    for row, length in zip(moved, np.atleast_1d(lengths), strict=True):
        row[: int(length)] = row[: int(length)][::-1].copy()
    return np.moveaxis(moved, (0, 1), (batch_axis, seq_axis))


def sliding_windows(*, x: Array, axis: int, size: int, stride: int = 1) -> Array:
    """Return all windows along an axis: their number at the axis, their content on a new axis behind it."""
    place = axis % x.ndim
    view = np.lib.stride_tricks.sliding_window_view(x, size, place)
    step = tuple(slice(None, None, stride) if at == place else slice(None) for at in range(x.ndim))
    return np.moveaxis(view[step], -1, place + 1)


TABLE = {
    "reverse": reverse,
    "reverse_sequence": reverse_sequence,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "slice_update": slice_update,
    "sliding_windows": sliding_windows,
}

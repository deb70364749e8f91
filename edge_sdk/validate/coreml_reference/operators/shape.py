"""Operators that move values without changing them, and those that make arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]

_CAST = {
    "bool": np.bool_, "fp16": np.float32, "fp32": np.float32, "fp64": np.float64, "int8": np.int8,
    "int16": np.int16, "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "uint16": np.uint16,
    "uint32": np.uint32,
}  # fmt: skip


def reshape(*, x: Array, shape: Any) -> Array:
    """Return x in another shape: -1 stands for what is left over, 0 for x's own size at that place.

    Zeros are read from the front where the ranks are equal; in a longer or shorter shape a 0 counts from
    the end, as each 0 takes the size that lies as far from the end of x.
    """
    wanted = [int(size) for size in np.atleast_1d(shape)]
    if 0 in wanted and x.size:
        shift = x.ndim - len(wanted)
        wanted = [x.shape[at + shift] if size == 0 else size for at, size in enumerate(wanted)]
    return x.reshape(wanted)


def reshape_like(
    *, x: Array, ref_tensors: tuple[Array, ...], begins: Any, ends: Any, end_masks: Any
) -> Array:
    """Return x in a shape put together from slices of other arrays' shapes."""
    wanted: list[int] = []
    for tensor, begin, end, masked in zip(ref_tensors, begins, ends, end_masks, strict=True):
        wanted += tensor.shape[int(begin) : None if bool(masked) else int(end)]
    return x.reshape(wanted)


def transpose(*, x: Array, perm: Any) -> Array:
    """Return x with its axes in another order."""
    return np.transpose(x, [int(axis) % x.ndim for axis in perm])


def expand_dims(*, x: Array, axes: Any) -> Array:
    """Return x with axes of size 1 at these places of the result."""
    return np.expand_dims(x, tuple(int(axis) for axis in np.atleast_1d(axes)))


def squeeze(*, x: Array, axes: Any = None) -> Array:
    """Return x without axes of size 1."""
    return np.squeeze(x, None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes)))


def flatten2d(*, x: Array, axis: int = 1) -> Array:
    """Return x as a matrix: the axes before `axis`, and those from it on."""
    place = axis % x.ndim if axis < 0 else axis
    return x.reshape(int(np.prod(x.shape[:place], dtype=np.int64)), -1)


def shape(*, x: Array) -> Array:
    """Return the sizes of x."""
    return np.asarray(x.shape, np.int32)


def concat(*, values: tuple[Array, ...], axis: int, interleave: bool = False) -> Array:
    """Return arrays behind each other; interleaved, one slice of each in turn."""
    if not interleave:
        return np.concatenate(values, axis)
    place = axis % values[0].ndim
    stacked = np.stack(values, place + 1)
    sizes = list(values[0].shape)
    sizes[place] *= len(values)
    return stacked.reshape(sizes)


def split(
    *, x: Array, axis: int, num_splits: int | None = None, split_sizes: Any = None
) -> tuple[Array, ...]:
    """Return x in parts along an axis: of given sizes, or so many of one size."""
    if split_sizes is not None:
        ends = np.cumsum([int(size) for size in np.atleast_1d(split_sizes)])[:-1]
        return tuple(np.split(x, ends, axis))
    if num_splits is None:
        raise Unsupported("neither num_splits nor split_sizes")
    return tuple(np.split(x, num_splits, axis))


def stack(*, values: tuple[Array, ...], axis: int) -> Array:
    """Return arrays side by side on a new axis."""
    return np.stack(values, axis)


def tile(*, x: Array, reps: Any) -> Array:
    """Return x repeated along each axis."""
    return np.tile(x, [int(count) for count in reps])


def fill(*, shape: Any, value: Any = 0.0) -> Array:
    """Return an array of one value."""
    return np.full([int(size) for size in np.atleast_1d(shape)], value, _kind_of(value))


def fill_like(*, ref_tensor: Array, value: Any = 0.0) -> Array:
    """Return an array of one value, in the shape of another."""
    return np.full(ref_tensor.shape, value, _kind_of(value))


def range_1d(*, end: Any, start: Any, step: Any) -> Array:
    """Return start, start + step, ... before end."""
    first, last, stride = (np.asarray(value) for value in (start, end, step))
    kind = np.result_type(first, last, stride)
    if kind.kind in "iu" or isinstance(end, int):
        return np.arange(int(first), int(last), int(stride), dtype=np.int32)
    count = max(int(np.ceil((float(last) - float(first)) / float(stride))), 0)
    return np.asarray(float(first) + np.arange(count) * float(stride), np.float32)


def identity(*, x: Any) -> Any:
    """Return x."""
    return x


def cast(*, x: Array, dtype: str) -> Array:
    """Return x in another type; real numbers lose their fraction on the way to integers."""
    if dtype not in _CAST:
        raise Unsupported(f"dtype {dtype!r}")
    given = np.asarray(x)
    kind: Any = np.dtype(_CAST[dtype])
    if given.dtype.kind == "f" and kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.clip(np.nan_to_num(np.trunc(given)), limits.min, limits.max).astype(kind)
    return given.astype(kind)


def select(*, cond: Any, a: Array, b: Array) -> Array:
    """Return a where the condition holds, else b."""
    return np.where(np.asarray(cond), a, b)


def _kind_of(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_
    return (
        np.int32
        if isinstance(value, int)
        else np.asarray(value, None).dtype
        if isinstance(value, np.ndarray)
        else np.float32
    )


TABLE = {
    "cast": cast,
    "concat": concat,
    "expand_dims": expand_dims,
    "fill": fill,
    "fill_like": fill_like,
    "flatten2d": flatten2d,
    "identity": identity,
    "range_1d": range_1d,
    "reshape": reshape,
    "reshape_like": reshape_like,
    "select": select,
    "shape": shape,
    "split": split,
    "squeeze": squeeze,
    "stack": stack,
    "tile": tile,
    "transpose": transpose,
}

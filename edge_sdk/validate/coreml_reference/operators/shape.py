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


#: Operator sets in which zeros of a new shape and negative indices mean what they meant in iOS 15.
OLD_OPSETS = ("CoreML5", "CoreML6")


def reshape(*, x: Any, shape: Any, opset: str = "CoreML9") -> Array:
    """Return x in another shape: -1 stands for what is left over, 0 for x's own size.

    Up to iOS 16 a 0 takes the size at its own place, and both shapes have the same rank. From iOS 17 on
    places count from the end, and a 0 that lies before the beginning of x is a 1.
    """
    given = np.asarray(x)
    wanted = [int(size) for size in np.atleast_1d(shape)]
    if 0 in wanted:
        shift = given.ndim - len(wanted)
        if shift and opset in OLD_OPSETS:
            raise Unsupported("a 0 in a shape of another rank, which iOS 15 and 16 do not have")
        own = [given.shape[at + shift] if at + shift >= 0 else 1 for at in range(len(wanted))]
        wanted = [kept if size == 0 else size for size, kept in zip(wanted, own, strict=True)]
    if -1 in wanted and given.size == 0 and 0 in wanted:
        raise Unsupported("-1 in the shape of an array without values: it could be any size")
    return given.reshape(wanted)


def reshape_like(*, x: Array, ref_tensors: Any, begins: Any, ends: Any, end_masks: Any) -> Array:
    """Return x in a shape put together from slices of other arrays' shapes."""
    wanted: list[int] = []
    columns = (_several(ref_tensors), *(_several(item) for item in (begins, ends, end_masks)))
    for tensor, begin, end, masked in zip(*columns, strict=True):
        wanted += np.shape(tensor)[int(begin) : None if bool(masked) else int(end)]
    return x.reshape(wanted)


def transpose(*, x: Array, perm: Any) -> Array:
    """Return x with its axes in another order."""
    return np.transpose(x, [int(axis) % x.ndim for axis in perm])


def expand_dims(*, x: Array, axes: Any) -> Array:
    """Return x with axes of size 1 at these places of the result."""
    return np.expand_dims(x, tuple(int(axis) for axis in np.atleast_1d(axes)))


def squeeze(*, x: Array, axes: Any = None) -> Array:
    """Return x without axes of size 1: all, or those named; a named axis of another size stays."""
    if axes is None:
        return np.squeeze(x)
    named = {int(axis) % x.ndim for axis in np.atleast_1d(axes)}
    return x.reshape([size for axis, size in enumerate(x.shape) if size != 1 or axis not in named])


def flatten2d(*, x: Array, axis: int = 1) -> Array:
    """Return x as a matrix: the axes before `axis`, and those from it on."""
    place = axis % x.ndim if axis < 0 else axis
    before, behind = (int(np.prod(part, dtype=np.int64)) for part in (x.shape[:place], x.shape[place:]))
    return x.reshape(before, behind)


def shape(*, x: Any) -> Array:
    """Return the sizes of x."""
    return np.asarray(np.shape(x), np.int32)


def concat(*, values: Any, axis: int, interleave: bool = False) -> Array:
    """Return arrays behind each other; interleaved, one slice of each in turn; scalars as a vector."""
    arrays = _several(values)
    if arrays[0].ndim == 0:
        return np.stack(arrays)
    if not interleave:
        return np.concatenate(arrays, axis)
    place = axis % arrays[0].ndim
    stacked = np.stack(arrays, place + 1)
    sizes = list(arrays[0].shape)
    sizes[place] *= len(arrays)
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


def stack(*, values: Any, axis: int) -> Array:
    """Return arrays side by side on a new axis."""
    return np.stack(_several(values), axis)


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
        # float64 holds the limits of 32 bits, which float32 rounds to numbers that do not fit.
        wide = np.nan_to_num(np.trunc(given.astype(np.float64)))
        return np.clip(wide, limits.min, limits.max).astype(kind)
    return given.astype(kind)


def select(*, cond: Any, a: Array, b: Array) -> Array:
    """Return a where the condition holds, else b."""
    return np.where(np.asarray(cond), a, b)


def _kind_of(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_
    if isinstance(value, np.ndarray):
        return value.dtype
    return np.int32 if isinstance(value, int) else np.float32


def _several(values: Any) -> tuple[Array, ...]:
    """Return an input of several values as a tuple; of one value it comes without."""
    return tuple(np.asarray(value) for value in (values if isinstance(values, tuple) else (values,)))


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

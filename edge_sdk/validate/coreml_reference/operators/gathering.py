"""Reading and writing by index, sorting, and counting up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


def _whole(indices: Any) -> Array:
    return np.asarray(indices).astype(np.int64)


def gather(
    *, x: Array, indices: Any, axis: int = 0, batch_dims: int = 0, validate_indices: bool = False
) -> Array:
    """Return slices of x along an axis; negative indices count from the end.

    Args:
        x: What is read.
        indices: Whole numbers of any shape; the first `batch_dims` axes are those of x.
        axis: That indices count along.
        batch_dims: Axes that x and indices share.
        validate_indices: The system checks the range at run time; here it is always checked.
    """
    places = _whole(indices)
    axis, batch = axis % x.ndim, batch_dims % (places.ndim + 1) if batch_dims < 0 else batch_dims
    if batch == 0:
        return np.take(x, places, axis)
    flat = x.reshape(-1, *x.shape[batch:])
    rows = places.reshape(-1, *places.shape[batch:])
    found = [np.take(one, row, axis - batch) for one, row in zip(flat, rows, strict=True)]
    shape = (*x.shape[:axis], *places.shape[batch:], *x.shape[axis + 1 :])
    return np.stack(found).reshape(shape) if found else np.zeros(shape, x.dtype)


def gather_along_axis(*, x: Array, indices: Any, axis: int = 0, validate_indices: bool = False) -> Array:
    """Return for every place the value of x at the index that stands there."""
    return np.take_along_axis(x, _whole(indices), axis)


def gather_nd(*, x: Array, indices: Any, batch_dims: int = 0, validate_indices: bool = False) -> Array:
    """Return slices of x at index vectors, which lie on the last axis of indices."""
    places = _whole(indices)
    if batch_dims == 0:
        return x[tuple(np.moveaxis(places, -1, 0))]
    flat = x.reshape(-1, *x.shape[batch_dims:])
    rows = places.reshape(-1, *places.shape[batch_dims:])
    found = [one[tuple(np.moveaxis(row, -1, 0))] for one, row in zip(flat, rows, strict=True)]
    return np.stack(found).reshape(*x.shape[:batch_dims], *found[0].shape)


def _write(target: Array, place: Any, updates: Array, mode: str) -> None:
    if mode == "update":
        target[place] = updates
    elif mode == "add":
        np.add.at(target, place, updates)
    elif mode == "sub":
        np.subtract.at(target, place, updates)
    elif mode == "mul":
        np.multiply.at(target, place, updates)
    elif mode == "div":
        np.divide.at(target, place, updates)
    elif mode == "max":
        np.maximum.at(target, place, updates)
    elif mode == "min":
        np.minimum.at(target, place, updates)
    else:
        raise Unsupported(f"mode {mode!r}")


def scatter(
    *,
    data: Array,
    indices: Any,
    updates: Array,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """Return data with slices along an axis written at indices."""
    places = _whole(indices)
    result = data.copy()
    axis %= data.ndim
    target = np.moveaxis(result, axis, 0)
    _write(
        target,
        places,
        np.moveaxis(updates, tuple(range(axis, axis + places.ndim)), tuple(range(places.ndim))),
        mode,
    )
    return result


def scatter_along_axis(
    *,
    data: Array,
    indices: Any,
    updates: Array,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """Return data with each update written at the index that stands at its place."""
    places = _whole(indices)
    axis %= data.ndim
    places = np.where(places < 0, places + data.shape[axis], places)
    where: list[Any] = list(np.indices(places.shape, sparse=True))
    where[axis] = places
    result = data.copy()
    _write(result, tuple(where), updates, mode)
    return result


def scatter_nd(
    *, data: Array, indices: Any, updates: Array, mode: str = "add", validate_indices: bool = False
) -> Array:
    """Return data with slices written at index vectors, which lie on the last axis of indices."""
    result = data.copy()
    _write(result, tuple(np.moveaxis(_whole(indices), -1, 0)), updates, mode)
    return result


def one_hot(
    *, indices: Any, one_hot_vector_size: Any, axis: int = -1, on_value: Any = 1, off_value: Any = 0
) -> Array:
    """Return vectors with one value at the index and another everywhere else, on a new axis."""
    places, size = _whole(indices), int(one_hot_vector_size)
    hit = np.expand_dims(places, axis) == np.arange(size).reshape(
        [-1 if at == axis % (places.ndim + 1) else 1 for at in range(places.ndim + 1)]
    )
    return np.where(hit, on_value, off_value)


def non_zero(*, x: Array) -> Array:
    """Return the index vectors of all values that are not zero: [count, rank]."""
    return np.argwhere(x).astype(np.int32)


def argsort(*, x: Array, axis: int = -1, ascending: bool = False) -> Array:
    """Return the indices that sort x along an axis; equal values stay in order."""
    keys = x if ascending else _turned(x)
    return np.argsort(keys, axis, kind="stable").astype(np.int32)


def topk(
    *,
    x: Array,
    k: Any = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,
    return_indices: bool = True,
    output_indices_dtype: str = "int32",
) -> tuple[Array, ...] | Array:
    """Return the k largest values along an axis (smallest, where ascending) and their indices."""
    order = argsort(x=x, axis=axis, ascending=ascending)
    taken = np.take(order, np.arange(int(k)), axis)
    if not sort:
        taken = np.sort(taken, axis)
    values = np.take_along_axis(x, taken.astype(np.int64), axis)
    return (values, taken) if return_indices else values


def cumsum(*, x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Array:
    """Return sums of all values up to each one along an axis."""
    given = np.flip(x, axis) if reverse else x
    total = np.cumsum(given, axis, dtype=x.dtype)
    if exclusive:
        total = total - given
    return np.flip(total, axis) if reverse else total


def band_part(*, x: Array, lower: int = -1, upper: int = -1) -> Array:
    """Return matrices with zeros outside of a band round the diagonal; -1 keeps the whole side."""
    rows, columns = np.indices(x.shape[-2:])
    kept = ((lower < 0) | (rows - columns <= lower)) & ((upper < 0) | (columns - rows <= upper))
    return np.where(kept, x, x.dtype.type(0))


def _turned(x: Array) -> Array:
    return ~x if x.dtype.kind in "ub" else -x.astype(np.int64) if x.dtype.kind == "i" else -x


TABLE = {
    "argsort": argsort,
    "band_part": band_part,
    "cumsum": cumsum,
    "gather": gather,
    "gather_along_axis": gather_along_axis,
    "gather_nd": gather_nd,
    "non_zero": non_zero,
    "one_hot": one_hot,
    "scatter": scatter,
    "scatter_along_axis": scatter_along_axis,
    "scatter_nd": scatter_nd,
    "topk": topk,
}

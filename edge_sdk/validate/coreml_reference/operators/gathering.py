"""Reading and writing by index, sorting, and counting up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.shape import OLD_OPSETS

Array = NDArray[Any]


def _whole(indices: Any) -> Array:
    return np.asarray(indices).astype(np.int64)


def _inside(indices: Any, sizes: Any, opset: str) -> Array:
    """Return indices counted from the beginning.

    Args:
        indices: Whole numbers.
        sizes: Of the axis; or of several, one for each value of the last axis of indices.
        opset: From iOS 17 on, negative indices do not count from the end: they are outside.

    Raises:
        Unsupported: An index is outside: what a device then reads or writes is not defined.
    """
    places, limits = _whole(indices), np.asarray(sizes)
    low = -limits if opset in OLD_OPSETS else 0
    outside = (places < low) | (places >= limits)
    if outside.any():
        raise Unsupported(f"index {int(places[outside][0])} is outside, where no result is defined")
    return np.where(places < 0, places + limits, places)


def gather(
    *,
    x: Array,
    indices: Any,
    axis: int = 0,
    batch_dims: int = 0,
    validate_indices: bool = False,
    opset: str = "CoreML5",
) -> Array:
    """Return slices of x along an axis; up to iOS 16 negative indices count from the end.

    Args:
        x: What is read.
        indices: Whole numbers of any shape; the first `batch_dims` axes are those of x.
        axis: That indices count along.
        batch_dims: Axes that x and indices share.
        validate_indices: The system checks the range at run time; here it is always checked.
        opset: Of the program.
    """
    axis %= x.ndim
    places, batch = _inside(indices, x.shape[axis], opset), batch_dims
    if batch == 0:
        return np.asarray(np.take(x, places, axis))
    samples = int(np.prod(x.shape[:batch], dtype=np.int64))
    flat = x.reshape(samples, *x.shape[batch:])
    rows = places.reshape(samples, *places.shape[batch:])
    found = [np.take(one, row, axis - batch) for one, row in zip(flat, rows, strict=True)]
    shape = (*x.shape[:axis], *places.shape[batch:], *x.shape[axis + 1 :])
    return np.stack(found).reshape(shape) if found else np.zeros(shape, x.dtype)


def gather_along_axis(
    *, x: Array, indices: Any, axis: int = 0, validate_indices: bool = False, opset: str = "CoreML5"
) -> Array:
    """Return for every place the value of x at the index that stands there."""
    return np.take_along_axis(x, _inside(indices, x.shape[axis], opset), axis)


def gather_nd(
    *,
    x: Array,
    indices: Any,
    batch_dims: int = 0,
    validate_indices: bool = False,
    opset: str = "CoreML5",
) -> Array:
    """Return slices of x at index vectors, which lie on the last axis of indices."""
    given = _whole(indices)
    depth = given.shape[-1]
    places = _inside(given, x.shape[batch_dims : batch_dims + depth], opset)
    # The axes that x and indices share are indexed by their own places.
    own = np.indices(places.shape[:-1], sparse=True)[:batch_dims]
    where = (*own, *(places[..., at] for at in range(depth)))
    if not where:
        return np.broadcast_to(x, (*places.shape[:-1], *x.shape)).copy()
    return x[where]


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
        if target.dtype.kind != "f":
            raise Unsupported("division of integers: how it rounds is not defined")
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
    opset: str = "CoreML5",
) -> Array:
    """Return data with slices along an axis written at indices; later ones over earlier ones."""
    axis %= data.ndim
    places = np.atleast_1d(_inside(indices, data.shape[axis], opset))
    result = data.copy()
    ahead = np.moveaxis(updates, tuple(range(axis, axis + places.ndim)), tuple(range(places.ndim)))
    _write(np.moveaxis(result, axis, 0), places, ahead, mode)
    return result


def scatter_along_axis(
    *,
    data: Array,
    indices: Any,
    updates: Array,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
    opset: str = "CoreML5",
) -> Array:
    """Return data with each update written at the index that stands at its place."""
    axis %= data.ndim
    places = _inside(indices, data.shape[axis], opset)
    where: list[Any] = list(np.indices(places.shape, sparse=True))
    where[axis] = places
    result = data.copy()
    _write(result, tuple(where), updates, mode)
    return result


def scatter_nd(
    *,
    data: Array,
    indices: Any,
    updates: Array,
    mode: str = "add",
    validate_indices: bool = False,
    opset: str = "CoreML5",
) -> Array:
    """Return data with slices written at index vectors, which lie on the last axis of indices."""
    given = _whole(indices)
    places = _inside(given, data.shape[: given.shape[-1]], opset)
    result = data.copy()
    _write(result, tuple(np.moveaxis(places, -1, 0)), updates, mode)
    return result


def one_hot(
    *, indices: Any, one_hot_vector_size: Any, axis: int = -1, on_value: Any = 1, off_value: Any = 0
) -> Array:
    """Return vectors with one value at the index and another everywhere else, on a new axis.

    An index outside of the vector leaves it without the first value.
    """
    places, size = _whole(indices), int(np.asarray(one_hot_vector_size).reshape(()))
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
    """Return the k largest values along an axis (smallest, where ascending) and their indices.

    Args:
        x: Any array.
        k: How many; -1 for all.
        axis: That they are taken along.
        ascending: Take the smallest instead.
        sort: Where False any order is allowed; they come sorted all the same.
        return_indices: Give the indices too.
        output_indices_dtype: "int32" or "uint16".
    """
    if output_indices_dtype not in ("int32", "uint16"):
        raise Unsupported(f"output_indices_dtype {output_indices_dtype!r}")
    order = argsort(x=x, axis=axis, ascending=ascending)
    count = x.shape[axis] if int(k) == -1 else int(k)
    if not 0 <= count <= x.shape[axis]:
        raise Unsupported(f"k is {count}, and there are {x.shape[axis]} values")
    taken = np.take(order, np.arange(count), axis)
    values = np.take_along_axis(x, taken.astype(np.int64), axis)
    return (values, taken.astype(output_indices_dtype)) if return_indices else values


def cumsum(*, x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Array:
    """Return sums of all values up to each one along an axis."""
    given = np.flip(x, axis) if reverse else x
    total = np.cumsum(given, axis, dtype=x.dtype)
    if exclusive:
        # Moved on by one place: taking each value off again would round, and turn infinities into NaN.
        total = np.moveaxis(total, axis, 0)
        total = np.moveaxis(np.concatenate([np.zeros_like(total[:1]), total[:-1]]), 0, axis)
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

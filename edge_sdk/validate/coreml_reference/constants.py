"""Compressed constants, expanded: the `constexpr_*` operators (coremltools, ops/defs/iOS16 and iOS18).

Data of fewer than eight bits comes unpacked, one value in an int8 or uint8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


def _wide(values: Any) -> Array:
    array = np.asarray(values)
    return array.astype(np.float32) if array.dtype.kind in "iuf" else array


def affine_dequantize(*, quantized_data: Array, zero_point: Any, scale: Any, axis: int) -> Array:
    """Return scale * (data - zero_point); vectors lie along one axis."""
    shape = [1] * quantized_data.ndim
    shape[axis] = -1

    def along(values: Any) -> Array:
        wide = _wide(values)
        return wide if wide.ndim == 0 else wide.reshape(shape)

    return np.asarray(along(scale) * (_wide(quantized_data) - along(zero_point)))


def blockwise_shift_scale(*, data: Array, scale: Array, offset: Array | None = None) -> Array:
    """Return scale * (data - offset), with a scale and an offset for each block of data."""
    wide = _wide(data)
    if offset is not None:
        wide = wide - _spread(_wide(offset), data.shape)
    return np.asarray(_spread(_wide(scale), data.shape) * wide)


def _spread(values: Array, shape: tuple[int, ...]) -> Array:
    """Repeat values so that each stands for its block."""
    if values.ndim != len(shape) or any(
        size % count for size, count in zip(shape, values.shape, strict=True)
    ):
        raise Unsupported(f"blocks of shape {values.shape} in data of shape {shape}")
    for axis, (size, count) in enumerate(zip(shape, values.shape, strict=True)):
        if count not in (1, size):
            values = np.repeat(values, size // count, axis)
    return values


def lut_to_dense(*, indices: Array, lut: Array, shape: Any = None, vector_axis: int | None = None) -> Array:
    """Return table[index] for every index.

    Args:
        indices: Up to iOS 17 the packed bytes of all indices, the first one in the lowest bits; from iOS 18
            on an array of the result's shape (apart from the vector's axis).
        lut: Up to iOS 17 one table [2 ** bits]; from iOS 18 on [*groups, 2 ** bits, vector length], where
            the groups divide the indices' shape.
        shape: Of the result, up to iOS 17.
        vector_axis: Where vectors longer than 1 lie in the result.
    """
    if shape is not None:
        return _packed_lut(indices, lut, [int(size) for size in shape])
    groups, entries, length = lut.shape[:-2], lut.shape[-2], lut.shape[-1]
    if len(groups) != indices.ndim:
        raise Unsupported(f"a table of shape {lut.shape} for indices of shape {indices.shape}")
    tables = lut.reshape(-1, entries, length)
    which = _spread(np.arange(len(tables)).reshape(groups), indices.shape)
    found = tables[which, indices.astype(np.int64)]  # [*indices, length]
    if length == 1:
        return np.asarray(found[..., 0])
    if vector_axis is None:
        raise Unsupported("a table of vectors without a vector_axis")
    axis = vector_axis % indices.ndim
    moved = np.moveaxis(found, -1, axis + 1)
    return moved.reshape(*indices.shape[:axis], indices.shape[axis] * length, *indices.shape[axis + 1 :])


def _packed_lut(indices: Array, lut: Array, shape: list[int]) -> Array:
    bits, count = int(math.log2(len(lut))), math.prod(shape)
    flags = np.unpackbits(indices.astype(np.uint8), bitorder="little")[: count * bits]
    if len(flags) < count * bits:
        raise Unsupported(f"{len(indices):,} bytes for {count:,} indices of {bits} bits")
    wide = np.packbits(flags.reshape(count, bits), axis=1, bitorder="little")[:, 0]
    return np.asarray(lut)[wide].reshape(shape)


def sparse_to_dense(*, nonzero_data: Array, mask: Array, shape: Any = None) -> Array:
    """Return an array with values where the mask has ones, zeros elsewhere.

    Up to iOS 17 the mask is packed, and comes with the shape.
    """
    if shape is not None:
        sizes = [int(size) for size in shape]
        flags = np.unpackbits(mask.astype(np.uint8), bitorder="little")[: math.prod(sizes)]
        mask = flags.reshape(sizes)
    return _filled(mask, nonzero_data)


def _filled(mask: Array, values: Array) -> Array:
    places = mask.astype(bool)
    if int(places.sum()) != values.size:
        raise Unsupported(f"{values.size:,} values for a mask with {int(places.sum()):,} ones")
    result = np.zeros(mask.shape, values.dtype)
    result[places] = values.reshape(-1)
    return result


def lut_to_sparse(
    *, indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: int | None = None
) -> tuple[Array, Array]:
    """Return the mask and the values of its ones, read from tables."""
    indices = _filled(indices_mask, indices_nonzero_data)
    dense = lut_to_dense(indices=indices, lut=lut, vector_axis=vector_axis)
    mask = indices_mask
    if dense.shape != mask.shape:
        axis = (vector_axis or 0) % mask.ndim
        mask = np.repeat(mask, lut.shape[-1], axis)
    return mask, dense[mask.astype(bool)]


def sparse_blockwise_shift_scale(
    *, data_mask: Array, nonzero_data: Array, scale: Array, offset: Array | None = None
) -> tuple[Array, Array]:
    """Return the mask and scale * (value - offset) of its ones."""
    dense = blockwise_shift_scale(data=_filled(data_mask, nonzero_data), scale=scale, offset=offset)
    return data_mask, dense[data_mask.astype(bool)]


def cast(*, source_val: Array, output_dtype: str) -> Array:
    """Return float16 constants as float32."""
    if output_dtype not in ("fp32", "fp16"):
        raise Unsupported(f"output_dtype {output_dtype!r}")
    return source_val.astype(np.float32)


TABLE: dict[str, Callable[..., Any]] = {
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_blockwise_shift_scale": blockwise_shift_scale,
    "constexpr_cast": cast,
    "constexpr_lut_to_dense": lut_to_dense,
    "constexpr_lut_to_sparse": lut_to_sparse,
    "constexpr_sparse_blockwise_shift_scale": sparse_blockwise_shift_scale,
    "constexpr_sparse_to_dense": sparse_to_dense,
}

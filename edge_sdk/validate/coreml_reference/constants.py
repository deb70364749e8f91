"""Compressed constants: `constexpr_*` operators, expanded once before anything runs.

Each is one function with parameters as in Apple's definition. Two forms exist where iOS 18 changed one: the
older keeps indices and masks packed in bytes with a `shape`, the newer as values of fewer than eight bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


def affine_dequantize(*, quantized_data: Array, zero_point: Any, scale: Any, axis: int) -> Array:
    """Return scale * (data - zero point), each a number or one for each place along the axis (iOS 16)."""

    def along(value: Any) -> Array:
        array = np.asarray(value, np.float32)
        if array.ndim == 0:
            return array
        sizes = [1] * quantized_data.ndim
        sizes[axis] = -1
        return array.reshape(sizes)

    return (quantized_data.astype(np.float32) - along(zero_point)) * along(scale)


def blockwise_shift_scale(*, data: Array, scale: Any, offset: Any = None) -> Array:
    """Return scale * (data - offset), where each scale serves a block of the data (iOS 18)."""
    shape = np.shape(data)
    result = data.astype(np.float32)
    if offset is not None:
        result -= _spread(np.asarray(offset, np.float32), shape)
    result *= _spread(np.asarray(scale, np.float32), shape)
    return result


def lut_to_dense(*, indices: Array, lut: Array, shape: Any = None, vector_axis: int | None = None) -> Array:
    """Return values looked up in a palette, or one palette for each block.

    Args:
        indices: Packed bytes (iOS 16, with `shape`), or one a value, uint8 [...] (iOS 18).
        lut: [palettes], or [blocks along each axis of indices..., palettes, vector size].
        shape: Of the result (iOS 16).
        vector_axis: Along which the values of one entry lie (iOS 18).
    """
    if shape is not None:
        sizes = tuple(int(size) for size in np.atleast_1d(shape))
        bits = int(lut.shape[0]).bit_length() - 1
        return np.asarray(lut[_unpacked(indices, bits, math.prod(sizes))].reshape(sizes))
    blocks, (entries, width) = lut.shape[:-2], lut.shape[-2:]
    if len(blocks) != indices.ndim:
        raise Unsupported(f"a palette of rank {lut.ndim} for indices of rank {indices.ndim}")
    # One palette after another: an index into its own palette becomes one into all of them.
    number = np.arange(math.prod(blocks), dtype=np.int32).reshape(blocks)
    places = _spread(number, indices.shape) * np.int32(entries) + indices
    found = lut.reshape(-1, width)[places]
    if width == 1:
        return np.asarray(found[..., 0])
    if vector_axis is None:
        raise Unsupported("entries of several values without vector_axis")
    axis = vector_axis % indices.ndim
    sizes = tuple(size * (width if at == axis else 1) for at, size in enumerate(indices.shape))
    return np.asarray(np.moveaxis(found, -1, axis + 1).reshape(sizes))


def sparse_to_dense(*, nonzero_data: Array, mask: Array, shape: Any = None) -> Array:
    """Return an array of zeros with the given values where the mask is set.

    Args:
        nonzero_data: [count].
        mask: Packed bytes (iOS 16, with `shape`), or one a value, uint8 [...] (iOS 18).
        shape: Of the result (iOS 16).
    """
    if shape is not None:
        sizes = tuple(int(size) for size in np.atleast_1d(shape))
        mask = _unpacked(mask, 1, math.prod(sizes)).reshape(sizes)
    result = np.zeros(mask.shape, nonzero_data.dtype)
    chosen = mask != 0
    if np.count_nonzero(chosen) != nonzero_data.size:
        raise Unsupported(f"a mask of {np.count_nonzero(chosen):,} places for {nonzero_data.size:,} values")
    result[chosen] = nonzero_data.reshape(-1)
    return result


def lut_to_sparse(
    *, indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: int | None = None
) -> tuple[Array, Array]:
    """Return the mask and the values, looked up, of a sparse array of indices (iOS 18)."""
    indices = sparse_to_dense(nonzero_data=indices_nonzero_data, mask=indices_mask)
    values = lut_to_dense(indices=indices, lut=lut, vector_axis=vector_axis)
    mask = indices_mask
    if lut.shape[-1] > 1:
        mask = np.repeat(mask, lut.shape[-1], int(vector_axis or 0))
    return mask, values[mask != 0]


def sparse_blockwise_shift_scale(
    *, data_mask: Array, nonzero_data: Array, scale: Any, offset: Any = None
) -> tuple[Array, Array]:
    """Return the mask and the values, scaled, of a sparse array of quantized values (iOS 18)."""
    data = sparse_to_dense(nonzero_data=nonzero_data, mask=data_mask)
    values = blockwise_shift_scale(data=data, scale=scale, offset=offset)
    return data_mask, values[data_mask != 0]


def cast(*, source_val: Array, output_dtype: str) -> Array:
    """Return float16 values as float32 (iOS 16)."""
    if output_dtype != "fp32":
        raise Unsupported(f"output_dtype {output_dtype!r}")
    return np.asarray(source_val, np.float32)


def _spread(blocks: Array, shape: tuple[int, ...]) -> Array:
    """Repeat one value a block until each value of the data has its own."""
    if blocks.ndim != len(shape):
        raise Unsupported(f"blocks of rank {blocks.ndim} for data of rank {len(shape)}")
    for axis, (have, want) in enumerate(zip(blocks.shape, shape, strict=True)):
        if have == 0 or want % have:
            raise Unsupported(f"{have} blocks along an axis of {want}")
        # A single block along an axis broadcasts by itself.
        if 1 < have < want:
            blocks = np.repeat(blocks, want // have, axis)
    return blocks


def _unpacked(data: Array, bits: int, count: int) -> Array:
    """Return values of a few bits each that lie side by side in bytes, the first in the lowest bits."""
    raw = np.asarray(data, np.uint8).reshape(-1)
    if bits == 8:
        return raw[:count]
    flags = np.unpackbits(raw, bitorder="little")[: count * bits].reshape(count, bits)
    return np.packbits(flags, axis=1, bitorder="little")[:, 0]


CONSTANTS: Mapping[str, Callable[..., Any]] = {
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_blockwise_shift_scale": blockwise_shift_scale,
    "constexpr_cast": cast,
    "constexpr_lut_to_dense": lut_to_dense,
    "constexpr_lut_to_sparse": lut_to_sparse,
    "constexpr_sparse_blockwise_shift_scale": sparse_blockwise_shift_scale,
    "constexpr_sparse_to_dense": sparse_to_dense,
}

"""Convolutions of one to three spatial dimensions. Layout: [n, channels, *spatial]."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.windows import (
    Array,
    padded,
    pads_of,
    spatial,
    whole,
    windows,
)

#: Windows are copied out for a matrix product; no more than this at a time, in values.
_CHUNK = 8 * 2**20


def conv(
    *,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    strides: Any = None,
    pad_type: str = "valid",
    pad: Any = None,
    dilations: Any = None,
    groups: int = 1,
) -> Array:
    """Convolve.

    Args:
        x: [n, C_in, *D].
        weight: [C_out, C_in / groups, *K].
        bias: [C_out].
        strides: One a spatial dimension.
        pad_type: "valid", "same", "same_lower" or "custom".
        pad: Before and after each dimension, for "custom".
        dilations: One a spatial dimension.
        groups: Channels are split into so many.

    Returns:
        [n, C_out, *D_out].
    """
    rank = x.ndim - 2
    strides, dilations = whole(strides, 1, rank), whole(dilations, 1, rank)
    kernel = weight.shape[2:]
    extents = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    x = padded(x, pads_of(pad_type, x.shape[2:], extents, strides, pad), 0.0)
    if groups == x.shape[1] and weight.shape[1] == 1:
        result = _depthwise(x, weight, strides, dilations)
    else:
        parts = zip(np.split(x, groups, 1), np.split(weight, groups, 0), strict=True)
        found = [_dense(part, filters, strides, dilations) for part, filters in parts]
        result = found[0] if groups == 1 else np.concatenate(found, 1)
    return result if bias is None else result + _by_channel(bias, rank)


def _by_channel(values: Array, rank: int) -> Array:
    return np.asarray(values).reshape(1, -1, *([1] * rank))


def _dense(x: Array, weight: Array, strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """One group as matrix products of [C_out, C_in * K] with the windows of a few rows at a time."""
    filters, kernel = weight.shape[0], weight.shape[2:]
    matrix = np.ascontiguousarray(weight.reshape(filters, -1))
    view = windows(x, kernel, strides, dilations)
    rank = len(kernel)
    sizes = view.shape[2 : 2 + rank]
    result = np.empty((x.shape[0], filters, *sizes), np.result_type(x, weight))
    if result.size == 0:
        return result
    # [c, *kernel, *output]: each column is one window
    order = (0, *range(1 + rank, 1 + 2 * rank), *range(1, 1 + rank))
    rows = max(1, _CHUNK // max(1, matrix.shape[1] * int(np.prod(sizes[1:], dtype=np.int64))))
    for image, out in zip(view, result, strict=True):
        for start in range(0, sizes[0], rows):
            part = image[:, start : start + rows].transpose(order)
            columns = part.reshape(matrix.shape[1], -1)
            out[:, start : start + rows] = (matrix @ columns).reshape(filters, -1, *sizes[1:])
    return result


def _depthwise(x: Array, weight: Array, strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """Every channel by itself, as one multiply and add a place of the kernel."""
    channels, kernel = x.shape[1], weight.shape[2:]
    multiplier = weight.shape[0] // channels
    sizes = windows(x, kernel, strides, dilations).shape[2 : 2 + len(kernel)]
    result = np.zeros((x.shape[0], channels, multiplier, *sizes), np.result_type(x, weight))
    by_place = weight.reshape(channels, multiplier, *kernel)
    for place in itertools.product(*(range(size) for size in kernel)):
        taken = tuple(
            slice(at * dilation, at * dilation + (size - 1) * stride + 1, stride)
            for at, dilation, size, stride in zip(place, dilations, sizes, strides, strict=True)
        )
        factors = by_place[spatial(place)].reshape(1, channels, multiplier, *([1] * len(kernel)))
        result += x[spatial(taken)][:, :, None] * factors
    return result.reshape(x.shape[0], channels * multiplier, *sizes)


def conv_transpose(
    *,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    pad: Any = None,
    output_shape: Any = None,
    pad_type: str = "valid",
    strides: Any = None,
    dilations: Any = None,
    groups: int = 1,
) -> Array:
    """Convolve transposed: the gradient of `conv` with respect to its input.

    Args:
        x: [n, C_in, *D].
        weight: [C_in, C_out / groups, *K].
        bias: [C_out].
        pad: Cut off before and after each dimension, for "custom".
        output_shape: Of the result, whole, where the other inputs leave it open.
        pad_type: "valid", "same" or "custom".
        strides: One a spatial dimension.
        dilations: One a spatial dimension.
        groups: Channels are split into so many.

    Returns:
        [n, C_out, *D_out].
    """
    rank = x.ndim - 2
    strides, dilations = whole(strides, 1, rank), whole(dilations, 1, rank)
    kernel, filters = weight.shape[2:], weight.shape[1] * groups
    extents = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    full = [
        (size - 1) * stride + extent
        for size, stride, extent in zip(x.shape[2:], strides, extents, strict=True)
    ]
    cuts, sizes = _cuts(pad_type, pad, output_shape, x.shape[2:], full, extents, strides)
    reach = [max(all_of_it, cut + size) for all_of_it, cut, size in zip(full, cuts, sizes, strict=True)]
    canvas = np.zeros((x.shape[0], filters, *reach), np.result_type(x, weight))
    grouped = x.reshape(x.shape[0], groups, -1, int(np.prod(x.shape[2:], dtype=np.int64)))
    factors = weight.reshape(groups, -1, weight.shape[1], *kernel)
    for place in itertools.product(*(range(size) for size in kernel)):
        matrix = factors[spatial((slice(None), *place))].transpose(
            0, 2, 1
        )  # [groups, C_out, C_in] of a group
        part = np.matmul(matrix, grouped).reshape(x.shape[0], filters, *x.shape[2:])
        taken = tuple(
            slice(at * dilation, at * dilation + (size - 1) * stride + 1, stride)
            for at, dilation, size, stride in zip(place, dilations, x.shape[2:], strides, strict=True)
        )
        canvas[spatial(taken)] += part
    kept = tuple(slice(cut, cut + size) for cut, size in zip(cuts, sizes, strict=True))
    result = canvas[spatial(kept)]
    return result if bias is None else result + _by_channel(bias, rank)


def _cuts(
    pad_type: str,
    pad: Any,
    output_shape: Any,
    given: Sequence[int],
    full: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
) -> tuple[list[int], list[int]]:
    """Return what is cut off before each dimension of the full result, and the size that is left."""
    rank = len(given)
    if pad_type == "same":
        sizes = (
            [int(size) for size in output_shape[2:]]
            if output_shape is not None
            else [size * stride for size, stride in zip(given, strides, strict=True)]
        )
        # What `conv` with "same" pads for an input of the result's size.
        pads = pads_of("same", sizes, extents, strides)
        return [before for before, _ in pads], sizes
    if pad_type not in ("valid", "custom"):
        raise Unsupported(f"pad_type {pad_type!r}")
    flat = whole(pad, 0, 2 * rank) if pad_type == "custom" else [0] * (2 * rank)
    sizes = [size - before - after for size, before, after in zip(full, flat[::2], flat[1::2], strict=True)]
    if output_shape is not None:
        sizes = [int(size) for size in output_shape[2:]]
    return flat[::2], sizes


TABLE = {"conv": conv, "conv_transpose": conv_transpose}

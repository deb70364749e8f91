"""Windows that slide over the spatial dimensions: what convolutions and pools have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]
Pads = list[tuple[int, int]]


def whole(values: Any, default: int, rank: int) -> list[int]:
    """Return a vector input as integers, a default where it was left out."""
    return [default] * rank if values is None else [int(value) for value in np.atleast_1d(values)]


def pads_of(
    pad_type: str,
    sizes: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
    pad: Any = None,
    *,
    ceil_mode: bool = False,
) -> Pads:
    """Return the padding before and after each spatial dimension.

    Args:
        pad_type: "valid", "same", "same_lower" or "custom".
        sizes: Of the input.
        extents: Of the kernel, dilation included.
        strides: Of the window.
        pad: Before and after each dimension, of "custom".
        ceil_mode: A window may begin inside and end outside: the padding after grows by what it needs.
    """
    if pad_type in ("same", "same_lower"):
        found = []
        for size, extent, stride in zip(sizes, extents, strides, strict=True):
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
            small, large = total // 2, total - total // 2
            found.append((small, large) if pad_type == "same" else (large, small))
        return found
    if pad_type not in ("valid", "custom"):
        raise Unsupported(f"pad_type {pad_type!r}")
    flat = [0] * (2 * len(sizes)) if pad_type == "valid" or pad is None else [int(value) for value in pad]
    found = list(zip(flat[::2], flat[1::2], strict=True))
    if not ceil_mode:
        return found
    return [
        (before, after + _overhang(size, before, after, extent, stride))
        for size, (before, after), extent, stride in zip(sizes, found, extents, strides, strict=True)
    ]


def _overhang(size: int, before: int, after: int, extent: int, stride: int) -> int:
    span = size + before + after - extent
    count = -(-span // stride) + 1
    if (count - 1) * stride >= size + before:
        if before + after == 0:
            raise Unsupported("ceil_mode with a window that holds nothing, which has no value")
        count -= 1  # a window that begins in the padding behind the input does not count
    return max((count - 1) * stride + extent - (size + before + after), 0)


def spatial(place: Sequence[Any]) -> tuple[Any, ...]:
    """Return an index of the spatial dimensions, with all samples and channels before it."""
    return (slice(None), slice(None), *place)


def padded(x: Array, pads: Pads, fill: float) -> Array:
    """Return x with its spatial dimensions (from the third on) padded with one value."""
    if not any(before or after for before, after in pads):
        return x
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=x.dtype.type(fill))


def windows(x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """Return a view of all windows of a padded input.

    Returns:
        [n, c, *output sizes, *kernel sizes].
    """
    spatial = x.strides[2:]
    sizes = [
        (size - (width - 1) * dilation - 1) // stride + 1
        for size, width, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    ]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *(max(size, 0) for size in sizes), *kernel),
        (
            *x.strides[:2],
            *(step * stride for step, stride in zip(spatial, strides, strict=True)),
            *(step * dilation for step, dilation in zip(spatial, dilations, strict=True)),
        ),
        writeable=False,
    )

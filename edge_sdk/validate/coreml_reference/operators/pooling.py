"""Pools of one to three spatial dimensions. Layout: [n, channels, *spatial]."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from edge_sdk.validate.coreml_reference.operators.windows import Array, Pads, padded, pads_of, spatial, whole


def avg_pool(
    *,
    x: Array,
    kernel_sizes: Any,
    strides: Any = None,
    pad_type: str = "valid",
    pad: Any = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Array:
    """Return the mean of each window; what lies in padding counts as zeros, or not at all."""
    kernel, steps, pads = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    total = _slide(padded(x, pads, 0.0), kernel, steps, np.add)
    if exclude_padding_from_average:
        inside = np.ones((1, 1, *x.shape[2:]), x.dtype)
    else:
        # Padding that was asked for counts; what only ceil_mode adds behind it does not.
        asked = pads_of(pad_type, x.shape[2:], kernel, steps, pad)
        inside = np.ones(
            (1, 1, *(size + a + b for size, (a, b) in zip(x.shape[2:], asked, strict=True))), x.dtype
        )
        pads = [(0, after - before) for (_, after), (_, before) in zip(pads, asked, strict=True)]
    return np.asarray(total / _slide(padded(inside, pads, 0.0), kernel, steps, np.add))


def max_pool(
    *,
    x: Array,
    kernel_sizes: Any,
    strides: Any = None,
    pad_type: str = "valid",
    pad: Any = None,
    ceil_mode: bool = False,
) -> Array:
    """Return the largest value of each window; padding is below every value."""
    kernel, steps, pads = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    return _slide(padded(x, pads, -np.inf), kernel, steps, np.maximum)


def l2_pool(
    *,
    x: Array,
    kernel_sizes: Any,
    strides: Any = None,
    pad_type: str = "valid",
    pad: Any = None,
    ceil_mode: bool = False,
) -> Array:
    """Return the root of the sum of squares of each window."""
    kernel, steps, pads = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    return np.sqrt(_slide(padded(np.square(x), pads, 0.0), kernel, steps, np.add))


def _windows(
    x: Array, kernel_sizes: Any, strides: Any, pad_type: str, pad: Any, ceil_mode: bool
) -> tuple[list[int], list[int], Pads]:
    rank = x.ndim - 2
    kernel, steps = whole(kernel_sizes, 1, rank), whole(strides, 1, rank)
    return kernel, steps, pads_of(pad_type, x.shape[2:], kernel, steps, pad, ceil_mode=ceil_mode)


def _slide(
    x: Array, kernel: Sequence[int], steps: Sequence[int], join: Callable[[Array, Array], Array]
) -> Array:
    """Join the values of each window, one place of the kernel after the other."""
    result: Array | None = None
    for part in _places(x, kernel, steps):
        result = part.copy() if result is None else join(result, part)
    assert result is not None
    return result


def _places(x: Array, kernel: Sequence[int], steps: Sequence[int]) -> Iterator[Array]:
    sizes = [(size - width) // step + 1 for size, width, step in zip(x.shape[2:], kernel, steps, strict=True)]
    for place in itertools.product(*(range(width) for width in kernel)):
        taken = tuple(
            slice(at, at + (size - 1) * step + 1, step)
            for at, size, step in zip(place, sizes, steps, strict=True)
        )
        yield x[spatial(taken)]


TABLE = {"avg_pool": avg_pool, "l2_pool": l2_pool, "max_pool": max_pool}

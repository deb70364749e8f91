"""Moving values between channels (or batch) and space. Layout: [n, channels, height, width]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def depth_to_space(*, x: Array, block_size: int) -> Array:
    """Return blocks of channels as pixels; the channel within a block is the last part (as TensorFlow's)."""
    n, c, h, w = x.shape
    parts = x.reshape(n, block_size, block_size, c // block_size**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, c // block_size**2, h * block_size, w * block_size)


def space_to_depth(*, x: Array, block_size: int) -> Array:
    """Return blocks of pixels as channels: the opposite of `depth_to_space`."""
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // block_size, block_size, w // block_size, block_size)
    return parts.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * block_size**2, h // block_size, w // block_size)


def pixel_shuffle(*, x: Array, upscale_factor: int) -> Array:
    """Return channels as pixels; the place in the block is the last part of a channel (as PyTorch's)."""
    n, c, h, w = x.shape
    r = int(upscale_factor)
    parts = x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // r**2, h * r, w * r)


def pixel_unshuffle(*, x: Array, downscale_factor: int) -> Array:
    """Return pixels as channels: the opposite of `pixel_shuffle`."""
    n, c, h, w = x.shape
    r = int(downscale_factor)
    parts = x.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    return parts.reshape(n, c * r**2, h // r, w // r)


def space_to_batch(*, x: Array, block_shape: Any, paddings: Any) -> Array:
    """Return blocks of pixels as samples, after padding."""
    tall, wide = (int(size) for size in block_shape)
    pads = [(int(before), int(after)) for before, after in np.asarray(paddings).reshape(2, 2)]
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // tall, tall, w // wide, wide).transpose(3, 5, 0, 1, 2, 4)
    return parts.reshape(n * tall * wide, c, h // tall, w // wide)


def batch_to_space(*, x: Array, block_shape: Any, crops: Any) -> Array:
    """Return samples as blocks of pixels, then cut the edges: the opposite of `space_to_batch`."""
    tall, wide = (int(size) for size in block_shape)
    (top, bottom), (left, right) = np.asarray(crops).reshape(2, 2).tolist()
    n, c, h, w = x.shape
    parts = x.reshape(tall, wide, n // (tall * wide), c, h, w).transpose(2, 3, 4, 0, 5, 1)
    whole = parts.reshape(n // (tall * wide), c, h * tall, w * wide)
    return whole[:, :, top : h * tall - bottom, left : w * wide - right]


TABLE = {
    "batch_to_space": batch_to_space,
    "depth_to_space": depth_to_space,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "space_to_batch": space_to_batch,
    "space_to_depth": space_to_depth,
}

"""Blocks of pixels, channels and samples, against TensorFlow and against moving one value after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.operators import layout


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_shuffled_pixels_are_where_pytorch_puts_them(n: int, c: int, h: int, w: int, r: int) -> None:
    # torch.nn.PixelShuffle: out[n, c, h r + i, w r + j] = in[n, c r r + i r + j, h, w].
    x = np.arange(n * c * r * r * h * w, dtype=np.float32).reshape(n, c * r * r, h, w)
    expected = np.zeros((n, c, h * r, w * r), np.float32)
    for b, k, y, z in np.ndindex(expected.shape):
        expected[b, k, y, z] = x[b, k * r * r + (y % r) * r + z % r, y // r, z // r]
    result = layout.pixel_shuffle(x=x, upscale_factor=r)
    assert np.array_equal(result, expected)
    assert np.array_equal(layout.pixel_unshuffle(x=result, downscale_factor=r), x)


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    random = np.random.default_rng(2)
    for n, c, h, w, block in [(1, 2, 3, 2, 2), (2, 1, 1, 4, 3), (1, 3, 2, 2, 4)]:
        x = random.normal(size=(n, c * block * block, h, w)).astype(np.float32)
        expected = tf.nn.depth_to_space(x.transpose(0, 2, 3, 1), block).numpy().transpose(0, 3, 1, 2)
        wide = layout.depth_to_space(x=x, block_size=block)
        assert np.array_equal(wide, expected)
        back = tf.nn.space_to_depth(wide.transpose(0, 2, 3, 1), block).numpy().transpose(0, 3, 1, 2)
        assert np.array_equal(layout.space_to_depth(x=wide, block_size=block), back)
        assert np.array_equal(back, x)
    for block, pads in [((2, 3), ((0, 0), (0, 0))), ((2, 2), ((1, 1), (0, 2))), ((1, 4), ((0, 3), (2, 4)))]:
        x = random.normal(size=(2, 3, 4, 6)).astype(np.float32)
        expected = tf.space_to_batch(x.transpose(0, 2, 3, 1), block, pads).numpy().transpose(0, 3, 1, 2)
        given_block, given_pads = np.asarray(block, np.int32), np.asarray(pads, np.int32)
        batch = layout.space_to_batch(x=x, block_shape=given_block, paddings=given_pads)
        assert np.array_equal(batch, expected)
        back = tf.batch_to_space(batch.transpose(0, 2, 3, 1), block, pads).numpy().transpose(0, 3, 1, 2)
        result = layout.batch_to_space(x=batch, block_shape=given_block, crops=given_pads)
        assert np.array_equal(result, back)
        assert np.array_equal(result, x)

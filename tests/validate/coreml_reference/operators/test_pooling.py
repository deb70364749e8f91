"""Pools against the definition, one window after the other, and against TensorFlow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.pooling import avg_pool, l2_pool, max_pool
from tests.validate.coreml_reference.operators.test_convolution import floats, same, whole


def count(size: int, pads: tuple[int, int], kernel: int, stride: int, *, ceil: bool) -> int:
    """Return how many windows there are, as Apple's documentation counts them."""
    span = size + sum(pads) - kernel
    if not ceil:
        return span // stride + 1
    found = -(-span // stride) + 1
    return found - 1 if (found - 1) * stride >= size + pads[0] and sum(pads) > 0 else found


@settings(max_examples=80)
@given(data=st.data())
def test_windows_are_pooled_one_by_one(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))

    def draw(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(rank)]

    kernel, strides = draw(1, 3), draw(1, 3)
    sizes = [max(size, width) for size, width in zip(draw(1, 6 if rank < 3 else 4), kernel, strict=True)]
    pad_type = data.draw(st.sampled_from(["valid", "same", "same_lower", "custom"]))
    ceil = pad_type in ("valid", "custom") and data.draw(st.booleans())
    pads = [(0, 0)] * rank
    if pad_type == "custom":
        # No more than half of the window, and with ceil_mode as much after as before: Apple's limits.
        pads = [(data.draw(st.integers(0, width // 2)),) * 2 for width in kernel]
    elif pad_type != "valid":
        pads = [
            same(size, width, stride, lower=pad_type == "same_lower")
            for size, width, stride in zip(sizes, kernel, strides, strict=True)
        ]
    outputs = [
        count(size, pad, width, stride, ceil=ceil)
        for size, pad, width, stride in zip(sizes, pads, kernel, strides, strict=True)
    ]
    assume(
        all(
            (n - 1) * step < size + a
            for n, step, size, (a, _) in zip(outputs, strides, sizes, pads, strict=True)
        )
    )
    x = floats(2, 2, *sizes)
    given_inputs: dict[str, Any] = {
        "x": x,
        "kernel_sizes": whole(kernel),
        "strides": whole(strides),
        "pad_type": pad_type,
        "pad": whole(pads),
        "ceil_mode": ceil,
    }
    largest, root = max_pool(**given_inputs), l2_pool(**given_inputs)
    means = {skip: avg_pool(**given_inputs, exclude_padding_from_average=skip) for skip in (False, True)}
    assert largest.shape == (2, 2, *outputs)
    for place in np.ndindex(*outputs):
        inside: list[slice] = []
        counted = 1
        for at, stride, width, size, (before, after) in zip(place, strides, kernel, sizes, pads, strict=True):
            begin = at * stride - before
            inside.append(slice(max(begin, 0), min(begin + width, size)))
            # What is behind the padding that was asked for is no part of the window.
            counted *= min(begin + width, size + after) - begin
        window = x[(slice(None), slice(None), *inside)].reshape(2, 2, -1)
        where = (slice(None), slice(None), *place)
        np.testing.assert_allclose(largest[where], window.max(-1))
        np.testing.assert_allclose(root[where], np.sqrt(np.square(window).sum(-1)), atol=1e-5)
        np.testing.assert_allclose(means[False][where], window.sum(-1) / counted, atol=1e-5)
        np.testing.assert_allclose(means[True][where], window.mean(-1), atol=1e-5)


def test_a_window_of_nothing_has_no_value() -> None:
    with pytest.raises(Unsupported, match="holds nothing"):
        avg_pool(x=floats(1, 1, 2), kernel_sizes=whole([1]), strides=whole([2]), ceil_mode=True)


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    for pad_type, kernel, stride in itertools.product(["valid", "same"], [(2, 3), (3, 3)], [1, 2, 3]):
        x = floats(2, 3, 7, 8)
        common: dict[str, Any] = {
            "x": x,
            "kernel_sizes": whole(kernel),
            "strides": whole([stride, stride]),
            "pad_type": pad_type,
        }
        images = x.transpose(0, 2, 3, 1)
        largest = tf.nn.max_pool2d(images, kernel, stride, pad_type.upper()).numpy()
        assert np.array_equal(max_pool(**common), largest.transpose(0, 3, 1, 2))
        # TensorFlow leaves padding out of the mean.
        mean = tf.nn.avg_pool2d(images, kernel, stride, pad_type.upper()).numpy()
        result = avg_pool(**common, exclude_padding_from_average=True)
        np.testing.assert_allclose(result, mean.transpose(0, 3, 1, 2), atol=1e-6)

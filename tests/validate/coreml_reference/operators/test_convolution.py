"""Convolutions against the definition, one product after the other, and against TensorFlow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.convolution import conv, conv_transpose

RANDOM = np.random.default_rng(4)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(values: Any) -> np.ndarray:
    return np.asarray(values, np.int32).reshape(-1)


def slow_conv(
    x: np.ndarray,
    weight: np.ndarray,
    strides: list[int],
    pads: list[tuple[int, int]],
    dilations: list[int],
    groups: int,
) -> np.ndarray:
    """Return the convolution, as sums of single products."""
    kernel, given_sizes = weight.shape[2:], x.shape[2:]
    sizes = [
        (size + a + b - (k - 1) * d - 1) // s + 1
        for size, (a, b), k, d, s in zip(given_sizes, pads, kernel, dilations, strides, strict=True)
    ]
    result = np.zeros((x.shape[0], weight.shape[0], *sizes))
    inner, outer = weight.shape[1], weight.shape[0] // groups
    for n, o, *place in np.ndindex(result.shape):
        for c, *tap in np.ndindex(inner, *kernel):
            at = [
                p * s + t * d - a
                for p, s, t, d, (a, _) in zip(place, strides, tap, dilations, pads, strict=True)
            ]
            if all(0 <= value < size for value, size in zip(at, given_sizes, strict=True)):
                value = x[(n, (o // outer) * inner + c, *at)]
                result[(n, o, *place)] += float(value) * float(weight[(o, c, *tap)])
    return result


def same(size: int, extent: int, stride: int, *, lower: bool) -> tuple[int, int]:
    """Return the padding with which the result has a value for each `stride` values."""
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)


@settings(max_examples=60)
@given(data=st.data())
def test_convolutions_are_sums_of_products(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    top = 6 if rank < 3 else 4

    def draw(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(rank)]

    groups, inner, outer = (data.draw(st.integers(1, 2)) for _ in range(3))
    kernel, strides, dilations = draw(1, 3), draw(1, 3), draw(1, 2)
    pad_type = data.draw(st.sampled_from(["valid", "same", "same_lower", "custom"]))
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    sizes = [max(size, extent) for size, extent in zip(draw(1, top), extents, strict=True)]
    pads = [(0, 0)] * rank
    if pad_type == "custom":
        pads = list(zip(draw(0, 2), draw(0, 2), strict=True))
    elif pad_type != "valid":
        pads = [
            same(size, extent, stride, lower=pad_type == "same_lower")
            for size, extent, stride in zip(sizes, extents, strides, strict=True)
        ]
    x, weight = floats(2, groups * inner, *sizes), floats(groups * outer, inner, *kernel)
    bias = floats(groups * outer)
    result = conv(
        x=x,
        weight=weight,
        bias=bias,
        strides=whole(strides),
        pad_type=pad_type,
        pad=whole(pads),
        dilations=whole(dilations),
        groups=groups,
    )
    expected = slow_conv(x, weight, strides, pads, dilations, groups) + bias.reshape(-1, *[1] * rank)
    assert result.dtype == np.float32
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=1e-4)


@settings(max_examples=60)
@given(data=st.data())
def test_a_transposed_convolution_sends_values_where_they_would_come_from(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))

    def draw(low: int, high: int) -> list[int]:
        return [data.draw(st.integers(low, high)) for _ in range(rank)]

    groups, inner, outer = (data.draw(st.integers(1, 2)) for _ in range(3))
    kernel, strides, dilations, sizes = draw(1, 3), draw(1, 3), draw(1, 2), draw(1, 4 if rank < 3 else 2)
    x, weight = floats(1, groups * inner, *sizes), floats(groups * inner, outer, *kernel)
    full = [
        (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(sizes, strides, kernel, dilations, strict=True)
    ]
    expected = np.zeros((1, groups * outer, *full))
    for c, o, *rest in np.ndindex(groups * inner, outer, *sizes, *kernel):
        place, tap = rest[:rank], rest[rank:]
        at = [p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations, strict=True)]
        value = float(x[(0, c, *place)]) * float(weight[(c, o, *tap)])
        expected[(0, (c // inner) * outer + o, *at)] += value
    pads = [(0, 0)] * rank
    if data.draw(st.booleans()):
        cuts = [data.draw(st.integers(0, size - 1)) for size in full]
        pads = [(cut // 2, cut - cut // 2) for cut in cuts]
    kept = tuple(slice(a, size - b) for size, (a, b) in zip(full, pads, strict=True))
    result = conv_transpose(
        x=x,
        weight=weight,
        strides=whole(strides),
        dilations=whole(dilations),
        groups=groups,
        pad_type="custom",
        pad=whole(pads),
    )
    np.testing.assert_allclose(result, expected[(slice(None), slice(None), *kept)], atol=1e-4)


def test_no_samples_and_what_is_not_known() -> None:
    weight = floats(4, 3, 2, 2)
    assert conv(x=floats(0, 3, 5, 5), weight=weight).shape == (0, 4, 4, 4)
    with pytest.raises(Unsupported, match="pad_type"):
        conv(x=floats(1, 3, 5, 5), weight=weight, pad_type="full")


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    forms = itertools.product(["valid", "same"], [(1, 1), (2, 3), (3, 2)], [(1, 1), (2, 3)], [1, 2])
    for pad_type, strides, dilations, groups in forms:
        if max(strides) > 1 and max(dilations) > 1:
            continue
        x, weight = floats(2, 4, 9, 10), floats(6, 4 // groups, 3, 2)
        expected = tf.nn.convolution(
            x.transpose(0, 2, 3, 1),
            weight.transpose(2, 3, 1, 0),
            strides=strides,
            padding=pad_type.upper(),
            dilations=dilations,
        )
        result = conv(
            x=x,
            weight=weight,
            pad_type=pad_type,
            strides=whole(strides),
            dilations=whole(dilations),
            groups=groups,
        )
        np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-4)
    for pad_type, stride, (height, width) in [
        ("same", 2, (9, 8)),
        ("same", 2, (10, 7)),
        ("valid", 1, (7, 6)),
    ]:
        # Depthwise with two filters a channel, TensorFlow's [h, w, channels, multiplier].
        x, filters = floats(1, 3, height, width), floats(3, 3, 3, 2)
        expected = tf.nn.depthwise_conv2d(
            x.transpose(0, 2, 3, 1), filters, [1, stride, stride, 1], pad_type.upper()
        )
        weight = filters.transpose(2, 3, 0, 1).reshape(6, 1, 3, 3)
        result = conv(x=x, weight=weight, pad_type=pad_type, strides=whole([stride, stride]), groups=3)
        np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-4)


@pytest.mark.tensorflow
def test_transposed_as_tensorflow_does(tf: Any) -> None:
    for pad_type, stride, kernel, (height, width) in [
        ("valid", 2, 3, (9, 11)),
        ("same", 2, 3, (8, 10)),
        ("same", 2, 3, (7, 9)),
        ("same", 3, 2, (11, 13)),
        ("same", 1, 4, (5, 6)),
        ("valid", 3, 2, (14, 11)),
    ]:
        filters = floats(kernel, kernel, 4, 3)
        extent = kernel - 1 if pad_type == "valid" else 0
        small = [-(-(size - extent) // stride) for size in (height, width)]
        x = floats(2, 3, *small)
        expected = tf.nn.conv2d_transpose(
            x.transpose(0, 2, 3, 1), filters, [2, height, width, 4], stride, pad_type.upper()
        )
        result = conv_transpose(
            x=x,
            weight=filters.transpose(3, 2, 0, 1),
            pad_type=pad_type,
            strides=whole([stride, stride]),
            output_shape=whole([2, 4, height, width]),
        )
        np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-4)

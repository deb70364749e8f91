"""Norms with stored and with own statistics, and what else coremltools works out no value for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference.operators import activation, normalization, quantization
from tests.validate.coreml_reference.operators.test_convolution import floats


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    for shape in [(2, 3, 5), (2, 3, 4, 5), (1, 3, 2, 3, 4)]:
        x, mean, gamma, beta = floats(*shape), floats(3), floats(3), floats(3)
        variance = np.abs(floats(3))
        last = np.moveaxis(x, 1, -1)
        expected = tf.nn.batch_normalization(last, mean, variance, beta, gamma, 1e-3).numpy()
        result = normalization.batch_norm(
            x=x, mean=mean, variance=variance, gamma=gamma, beta=beta, epsilon=1e-3
        )
        np.testing.assert_allclose(result, np.moveaxis(expected, -1, 1), atol=1e-5)
        plain = tf.nn.batch_normalization(last, mean, variance, None, None, 1e-5).numpy()
        result = normalization.batch_norm(x=x, mean=mean, variance=variance)
        np.testing.assert_allclose(result, np.moveaxis(plain, -1, 1), rtol=1e-4, atol=1e-5)
        own = tf.nn.moments(last, list(range(1, x.ndim - 1)), keepdims=True)
        expected = tf.nn.batch_normalization(last, *own, beta, gamma, 1e-5).numpy()
        result = normalization.instance_norm(x=x, gamma=gamma, beta=beta)
        np.testing.assert_allclose(result, np.moveaxis(expected, -1, 1), atol=1e-5)
    x = floats(2, 7, 3, 4)
    for size in (1, 3, 5):
        # TensorFlow's alpha is that of one channel, Apple's that of the whole window.
        expected = tf.nn.local_response_normalization(
            x.transpose(0, 2, 3, 1), depth_radius=size // 2, bias=1.5, alpha=0.3 / size, beta=0.6
        )
        result = normalization.local_response_norm(x=x, size=size, alpha=0.3, beta=0.6, k=1.5)
        np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-5)
    np.testing.assert_allclose(activation.silu(x=x), tf.nn.silu(x).numpy(), atol=1e-6)


def test_one_value_is_its_own_mean() -> None:
    x = floats(2, 3, 1, 1)
    assert not normalization.instance_norm(x=x).any()


def test_integers_are_scaled_back() -> None:
    given = np.asarray([[-128, 0, 127], [5, -6, 7]], np.int8)
    result = quantization.dequantize(
        input=given, scale=np.float32([0.5, 2]), zero_point=np.int8([-128, 5]), axis=0
    )
    assert result.dtype == np.float32
    assert result.tolist() == [[0, 64, 127.5], [0, -22, 4]]
    assert quantization.dequantize(input=given, scale=0.5)[0].tolist() == [-64, 0, 63.5]
    back = quantization.quantize(
        input=result, scale=np.float32([0.5, 2]), zero_point=np.int8([-128, 5]), axis=-2, output_dtype="int8"
    )
    assert np.array_equal(back, given)
    wide = quantization.quantize(input=np.float32([-9e9, 0.5, 1.5, 9e9]), scale=1.0, output_dtype="uint8")
    assert wide.tolist() == [0, 0, 2, 255]

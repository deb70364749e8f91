"""Activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.elementwise import erf

Array = NDArray[Any]


def sigmoid(*, x: Array) -> Array:
    """Return 1 / (1 + exp(-x)); far below zero exp overflows to infinity, which gives the 0 that is meant."""
    with np.errstate(over="ignore"):
        result = np.asarray(np.exp(-x))
    result += 1
    return np.asarray(np.reciprocal(result, out=result))


def softmax(*, x: Array, axis: int = -1) -> Array:
    """Return exp(x) over its sum along an axis."""
    raised = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis=axis, keepdims=True))


def relu(*, x: Array) -> Array:
    """Return max(x, 0)."""
    return np.maximum(x, x.dtype.type(0))


def relu6(*, x: Array) -> Array:
    """Return min(max(x, 0), 6)."""
    return np.clip(x, 0, 6)


def clamped_relu(*, x: Array, alpha: float, beta: float) -> Array:
    """Return min(beta, x) for x >= 0, else min(beta, alpha * x)."""
    return np.minimum(np.where(x >= 0, x, x * x.dtype.type(alpha)), x.dtype.type(beta))


def leaky_relu(*, x: Array, alpha: float) -> Array:
    """Return x for x >= 0, else alpha * x."""
    return np.asarray(np.where(x >= 0, x, x * x.dtype.type(alpha)))


def prelu(*, x: Array, alpha: Array) -> Array:
    """Return x for x >= 0, else alpha * x, with an alpha for each channel (axis 1)."""
    return np.asarray(np.where(x >= 0, x, x * _by_channel(alpha, x)))


def thresholded_relu(*, x: Array, alpha: float) -> Array:
    """Return x for x >= alpha, else 0."""
    return np.asarray(np.where(x >= x.dtype.type(alpha), x, x.dtype.type(0)))


def elu(*, x: Array, alpha: float = 1.0) -> Array:
    """Return x for x >= 0, else alpha * (exp(x) - 1)."""
    return np.asarray(np.where(x >= 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0))))


def gelu(*, x: Array, mode: str = "EXACT") -> Array:
    """Return x times the normal distribution function of x, or one of its approximations."""
    if mode == "EXACT":
        return np.asarray(0.5 * x * (1 + erf(x=x / np.sqrt(x.dtype.type(2)))), x.dtype)
    if mode == "TANH_APPROXIMATION":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))
        return np.asarray(0.5 * x * (1 + np.tanh(inner)), x.dtype)
    if mode == "SIGMOID_APPROXIMATION":
        return np.asarray(x * sigmoid(x=x.dtype.type(1.702) * x))
    raise Unsupported(f"mode {mode!r}")


def silu(*, x: Array) -> Array:
    """Return x * sigmoid(x)."""
    return np.asarray(x * sigmoid(x=x))


def softplus(*, x: Array) -> Array:
    """Return ln(1 + exp(x)), without overflow."""
    return np.logaddexp(x, x.dtype.type(0))


def softplus_parametric(*, x: Array, alpha: Array, beta: Array) -> Array:
    """Return alpha * ln(1 + exp(beta * x)), with an alpha and a beta for each channel (axis 1)."""
    return np.asarray(_by_channel(alpha, x) * softplus(x=_by_channel(beta, x) * x))


def softsign(*, x: Array) -> Array:
    """Return x / (1 + |x|)."""
    return np.asarray(x / (1 + np.abs(x)))


def linear_activation(*, x: Array, alpha: float, beta: float) -> Array:
    """Return alpha * x + beta."""
    return np.asarray(x * x.dtype.type(alpha) + x.dtype.type(beta))


def scaled_tanh(*, x: Array, alpha: float, beta: float) -> Array:
    """Return alpha * tanh(beta * x)."""
    return np.asarray(x.dtype.type(alpha) * np.tanh(x * x.dtype.type(beta)))


def sigmoid_hard(*, x: Array, alpha: float, beta: float) -> Array:
    """Return alpha * x + beta, limited to 0..1."""
    return np.clip(linear_activation(x=x, alpha=alpha, beta=beta), 0, 1)


def _by_channel(values: Array, x: Array) -> Array:
    return np.asarray(values).reshape(-1, *([1] * (x.ndim - 2)))


TABLE = {
    "clamped_relu": clamped_relu,
    "elu": elu,
    "gelu": gelu,
    "leaky_relu": leaky_relu,
    "linear_activation": linear_activation,
    "prelu": prelu,
    "relu": relu,
    "relu6": relu6,
    "scaled_tanh": scaled_tanh,
    "sigmoid": sigmoid,
    "sigmoid_hard": sigmoid_hard,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softplus_parametric": softplus_parametric,
    "softsign": softsign,
    "thresholded_relu": thresholded_relu,
}

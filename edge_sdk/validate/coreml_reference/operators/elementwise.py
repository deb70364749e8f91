"""Operators that treat every element alone, and those of two arrays with NumPy's broadcasting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_TINY = 1e-12


def clip(*, x: Array, alpha: float, beta: float) -> Array:
    """Limit values to alpha..beta."""
    return np.minimum(np.maximum(x, x.dtype.type(alpha)), x.dtype.type(beta))


def inverse(*, x: Array, epsilon: float = 1e-4) -> Array:
    """Return 1 / (x + epsilon)."""
    return np.reciprocal(x + x.dtype.type(epsilon))


def log(*, x: Array, epsilon: float = 1e-45) -> Array:
    """Return ln(x + epsilon)."""
    return np.log(x + x.dtype.type(epsilon))


def rsqrt(*, x: Array, epsilon: float = _TINY) -> Array:
    """Return 1 / sqrt(x + epsilon)."""
    return np.reciprocal(np.sqrt(x + x.dtype.type(epsilon)))


def threshold(*, x: Array, alpha: float) -> Array:
    """Return the larger of x and alpha."""
    return np.maximum(x, x.dtype.type(alpha))


def erf(*, x: Array) -> Array:
    """Return the Gauss error function, to the precision of double arithmetic.

    Below 2.5 by its power series, above by the continued fraction of erfc (Abramowitz and Stegun 7.1.6 and
    7.1.14, evaluated backwards); with so many terms both reach 1e-14 there, far below float32.
    """
    wide = np.abs(x.astype(np.float64))
    result = np.empty_like(wide)
    low = wide < 2.5
    z = wide[low]
    step = 2 * z * z
    term, total = z.copy(), z.copy()
    for n in range(1, 40):
        term *= step
        term /= 2 * n + 1
        total += term
    result[low] = 2 / math.sqrt(math.pi) * np.exp(-z * z) * total
    z = np.minimum(wide[~low], 30.0)
    fraction = np.zeros_like(z)
    for n in range(24, 0, -1):
        fraction = (n / 2) / (z + fraction)
    result[~low] = 1 - np.exp(-z * z) / (math.sqrt(math.pi) * (z + fraction))
    return np.asarray(np.where(np.isnan(x), np.nan, np.copysign(result, x)), np.float32)


def floor_div(*, x: Array, y: Array) -> Array:
    """Return floor(x / y); integers by zero give 0, as there is no value for it."""
    if x.dtype.kind in "iu":
        return _whole(np.floor_divide, x, y)
    return np.floor(np.divide(x, y))


def mod(*, x: Array, y: Array) -> Array:
    """Return x - floor(x / y) * y: the sign of y."""
    if x.dtype.kind in "iu":
        return _whole(np.mod, x, y)
    return np.mod(x, y)


def real_div(*, x: Array, y: Array) -> Array:
    """Return x / y; of integers the whole part, towards zero."""
    if x.dtype.kind not in "iu":
        return np.divide(x, y)
    quotient = _whole(np.floor_divide, np.abs(x), np.abs(y))
    return np.asarray(quotient * np.sign(x) * np.sign(y))


def power(*, x: Array, y: Array) -> Array:
    """Return x to the power of y."""
    if x.dtype.kind in "iu":
        return np.asarray(np.power(x.astype(np.float64), y.astype(np.float64)))
    return np.power(x, y)


def sign(*, x: Array) -> Array:
    """Return -1, 0 or 1."""
    return np.sign(x)


def _whole(function: Any, x: Array, y: Array) -> Array:
    divisor = np.where(y == 0, 1, y)
    return np.asarray(np.where(y == 0, 0, function(x, divisor))).astype(np.result_type(x, y))


def _unary(function: Any) -> Any:
    def operator(*, x: Array) -> Array:
        return np.asarray(function(x))

    operator.__doc__ = f"Return {function.__name__} of every element."
    return operator


def _binary(function: Any) -> Any:
    def operator(*, x: Array, y: Array) -> Array:
        return np.asarray(function(x, y))

    operator.__doc__ = f"Return {function.__name__} of two arrays, broadcast."
    return operator


TABLE = {
    **{
        kind: _unary(function)
        for kind, function in {
            "abs": np.abs, "acos": np.arccos, "asin": np.arcsin, "atan": np.arctan, "atanh": np.arctanh,
            "ceil": np.ceil, "cos": np.cos, "cosh": np.cosh, "exp": np.exp, "exp2": np.exp2,
            "floor": np.floor, "logical_not": np.logical_not, "round": np.rint, "sin": np.sin,
            "sinh": np.sinh, "sqrt": np.sqrt,
            "square": np.square, "tan": np.tan, "tanh": np.tanh,
        }.items()
    },
    **{
        kind: _binary(function)
        for kind, function in {
            "add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum,
            "minimum": np.minimum, "equal": np.equal, "not_equal": np.not_equal, "greater": np.greater,
            "greater_equal": np.greater_equal, "less": np.less, "less_equal": np.less_equal,
            "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
        }.items()
    },
    "clip": clip,
    "erf": erf,
    "floor_div": floor_div,
    "inverse": inverse,
    "log": log,
    "mod": mod,
    "pow": power,
    "real_div": real_div,
    "rsqrt": rsqrt,
    "sign": sign,
    "threshold": threshold,
}  # fmt: skip

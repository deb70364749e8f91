"""Functions of single numbers where Python's own arithmetic and `math` are the source; edges of the types."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators import OPERATORS
from edge_sdk.validate.coreml_reference.operators.activation import gelu

WHOLE = st.integers(-(2**31), 2**31 - 1)
#: Each takes one array and gives one of its shape.
UNARY = (
    "abs", "acos", "asin", "atan", "atanh", "ceil", "cos", "cosh", "erf", "exp", "exp2", "floor",
    "inverse", "log", "round", "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh",
    "relu", "relu6", "sigmoid", "silu", "softplus", "softsign", "gelu", "elu",
)  # fmt: skip
BINARY = (
    "add", "sub", "mul", "real_div", "floor_div", "mod", "pow", "maximum", "minimum", "equal",
    "not_equal", "greater", "greater_equal", "less", "less_equal",
)  # fmt: skip


def run(kind: str, **inputs: Any) -> np.ndarray:
    with np.errstate(all="ignore"):  # as the machine does
        return np.asarray(OPERATORS[kind](**inputs))


@settings(max_examples=200)
@given(x=WHOLE, y=WHOLE)
def test_whole_numbers_divide_as_whole_numbers(x: int, y: int) -> None:
    left, right = np.asarray([x], np.int32), np.asarray([y], np.int32)
    found = {kind: run(kind, x=left, y=right) for kind in ("floor_div", "mod")}
    assert all(value.dtype == np.int32 for value in found.values())
    if y == 0:
        # There is no value; it must only not end the run.
        return
    # -2**31 // -1 does not fit and wraps.
    assert found["floor_div"][0] == (x // y + 2**31) % 2**32 - 2**31
    assert found["mod"][0] == x % y


@settings(max_examples=100)
@given(x=st.integers(-(2**20), 2**20), y=st.integers(-100, 100).filter(bool))
def test_the_quotient_of_whole_numbers_is_cut_towards_zero(x: int, y: int) -> None:
    result = run("real_div", x=np.asarray([x], np.int32), y=np.asarray([y], np.int32))
    assert result.dtype.kind == "i"
    assert result[0] == math.trunc(Fraction(x, y))


@settings(max_examples=100)
@given(x=st.floats(-1e3, 1e3, width=32), y=st.floats(0.125, 50, width=32), negative=st.booleans())
def test_the_rest_has_the_sign_of_the_divisor(x: float, y: float, negative: bool) -> None:
    divisor = -y if negative else y
    rest = float(run("mod", x=np.float32([x]), y=np.float32([divisor]))[0])
    exact = Fraction(x) - (Fraction(x) / Fraction(divisor)).__floor__() * Fraction(divisor)
    assert min(abs(rest - exact), abs(abs(rest - exact) - y)) <= 1e-4
    assert rest == 0 or (rest < 0) == negative
    assert run("floor_div", x=np.float32([x]), y=np.float32([divisor]))[0] == pytest.approx(
        math.floor(x / divisor), abs=1 if abs(rest) < 1e-3 or abs(abs(rest) - y) < 1e-3 else 0
    )


@settings(max_examples=200)
@given(value=st.floats(-8, 8, width=32))
def test_the_error_function_is_that_of_c(value: float) -> None:
    result = run("erf", x=np.float32([value]))
    assert result.dtype == np.float32
    assert float(result[0]) == pytest.approx(math.erf(value), rel=1.2e-7, abs=1e-38)


def test_far_out_values_stay_numbers() -> None:
    far = np.float32([-1e4, -100, -0.0, 0.0, 100, 1e4])
    assert run("sigmoid", x=far).tolist()[::5] == [0, 1]
    assert run("softplus", x=far).tolist()[::5] == [0, 1e4]
    assert run("silu", x=far).tolist()[::5] == [0, 1e4]
    assert run("elu", x=far, alpha=1.0).tolist()[::5] == [-1, 1e4]
    assert np.array_equal(run("softmax", x=np.float32([[-1e4, 1e4], [1e4, 1e4]])), [[0, 1], [0.5, 0.5]])
    assert run("erf", x=np.float32([-np.inf, np.inf])).tolist() == [-1, 1]
    for kind in UNARY:
        # What is no number must not become one, else a broken network could look whole.
        assert np.isnan(run(kind, x=np.float32([np.nan]), **_extra(kind))).all(), kind


def test_no_values_at_all_and_types_kept() -> None:
    empty = np.zeros((2, 0, 3), np.float32)
    for kind in UNARY:
        result = run(kind, x=empty, **_extra(kind))
        assert (result.shape, result.dtype) == (empty.shape, np.float32), kind
        assert run(kind, x=np.float32([[0.5]]), **_extra(kind)).dtype == np.float32, kind
    for kind in BINARY:
        result = run(kind, x=empty, y=np.ones((4, 1, 1, 3), np.float32))
        assert result.shape == (4, 2, 0, 3), kind
        assert result.dtype in (np.float32, np.bool_), kind


def test_the_limits_of_a_clip_may_lie_in_any_order() -> None:
    x = np.float32([-1, 0, 1])
    # Both limits hold one after the other: the upper one is the last word.
    assert run("clip", x=x, alpha=0.5, beta=-0.5).tolist() == [-0.5] * 3


def test_an_unknown_form_is_said() -> None:
    with pytest.raises(Unsupported, match="mode 'ERF'"):
        gelu(x=np.float32([1]), mode="ERF")


def _extra(kind: str) -> dict[str, Any]:
    return {"alpha": 1.0} if kind == "elu" else {}

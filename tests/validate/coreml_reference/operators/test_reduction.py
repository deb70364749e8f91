"""Reductions, products of matrices and Einstein's notation against sums written out number by number."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.operators import OPERATORS
from tests.validate.coreml_reference.operators.test_convolution import floats

#: What each makes of the numbers that it joins, with Python's exact sums.
DEFINITIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "reduce_l1_norm": lambda v: math.fsum(abs(n) for n in v),
    "reduce_l2_norm": lambda v: math.sqrt(math.fsum(n * n for n in v)),
    "reduce_log_sum": lambda v: math.log(math.fsum(v)),
    "reduce_log_sum_exp": lambda v: math.log(math.fsum(math.exp(n) for n in v)),
    "reduce_max": max,
    "reduce_mean": lambda v: math.fsum(v) / len(v),
    "reduce_min": min,
    "reduce_prod": math.prod,
    "reduce_sum": math.fsum,
    "reduce_sum_square": lambda v: math.fsum(n * n for n in v),
}


@settings(max_examples=60)
@given(data=st.data())
def test_numbers_along_any_axes_are_joined(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    rank = len(shape)
    axes = data.draw(st.none() | st.lists(st.integers(0, rank - 1), unique=True, max_size=rank))
    keep = data.draw(st.booleans())
    kind = data.draw(st.sampled_from(sorted(DEFINITIONS)))
    x = np.abs(floats(*shape)) + np.float32(0.1)
    inputs: dict[str, Any] = {"x": x, "keep_dims": keep}
    if axes is not None:
        signs = [data.draw(st.booleans()) for _ in axes]
        given_axes = [axis - rank if sign else axis for axis, sign in zip(axes, signs, strict=True)]
        inputs["axes"] = np.asarray(given_axes, np.int32)
    gone = set(range(rank)) if axes is None else set(axes)
    groups: dict[tuple[int, ...], list[float]] = {}
    for place in np.ndindex(shape):
        left = tuple(0 if axis in gone else at for axis, at in enumerate(place) if keep or axis not in gone)
        groups.setdefault(left, []).append(float(x[place]))
    result = OPERATORS[kind](**inputs)
    assert result.shape == tuple(
        1 if axis in gone else size for axis, size in enumerate(shape) if keep or axis not in gone
    )
    for place, values in groups.items():
        assert float(result[place]) == pytest.approx(DEFINITIONS[kind](values), rel=1e-5, abs=1e-6)


@settings(max_examples=40)
@given(data=st.data())
def test_the_first_of_equal_values_is_the_place(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-2, 2), min_size=1, max_size=8))
    row = np.asarray([values, values[::-1]], np.float32)
    for kind, join in (("reduce_argmax", max), ("reduce_argmin", min)):
        result = OPERATORS[kind](x=row, axis=data.draw(st.sampled_from([1, -1])))
        assert result.dtype == np.int32
        assert result.tolist() == [values.index(join(values)), values[::-1].index(join(values))]


def test_whole_numbers_and_nothing() -> None:
    whole = np.asarray([[7, -3], [2, 5]], np.int32)
    assert OPERATORS["reduce_sum"](x=whole, axes=np.asarray([0], np.int32)).tolist() == [9, 2]
    assert OPERATORS["reduce_max"](x=whole).tolist() == 7
    empty = np.zeros((2, 0), np.float32)
    assert OPERATORS["reduce_sum"](x=empty, axes=np.asarray([1], np.int32)).tolist() == [0, 0]
    assert OPERATORS["reduce_prod"](x=empty, axes=np.asarray([-1], np.int32)).tolist() == [1, 1]


def test_large_exponents_do_not_run_over() -> None:
    x = np.float32([[1000, 1000], [-1000, -1000]])
    result = OPERATORS["reduce_log_sum_exp"](x=x, axes=np.asarray([1], np.int32))
    np.testing.assert_allclose(result, [1000 + math.log(2), -1000 + math.log(2)], rtol=1e-6)


@settings(max_examples=60)
@given(data=st.data())
def test_matrices_are_multiplied_with_their_batches_stretched(data: st.DataObject) -> None:
    m, n, k = (data.draw(st.integers(1, 4)) for _ in range(3))
    batch = data.draw(st.lists(st.integers(1, 3), max_size=2))

    def stretched() -> list[int]:
        kept = [data.draw(st.sampled_from([1, size])) for size in batch]
        return kept[data.draw(st.integers(0, len(kept))) :]

    turn_x, turn_y = data.draw(st.booleans()), data.draw(st.booleans())
    x = floats(*stretched(), *((k, m) if turn_x else (m, k)))
    y = floats(*stretched(), *((n, k) if turn_y else (k, n)))
    result = OPERATORS["matmul"](x=x, y=y, transpose_x=turn_x, transpose_y=turn_y)
    full = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    left, right = np.broadcast_to(x, (*full, *x.shape[-2:])), np.broadcast_to(y, (*full, *y.shape[-2:]))
    assert result.shape == (*full, m, n)
    for *lot, row, column in np.ndindex(result.shape):
        total = math.fsum(
            float(left[(*lot, *((i, row) if turn_x else (row, i)))])
            * float(right[(*lot, *((column, i) if turn_y else (i, column)))])
            for i in range(k)
        )
        assert float(result[(*lot, row, column)]) == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(
    "equation",
    ["nchw,nwhu->nchu", "chw,whr->chr", "abcd,adce->abce", "vnm,mno->vno", "abc, cd -> abd", "ab,ab->ab"],
)
@pytest.mark.parametrize("narrow", [False, True])
def test_an_equation_is_the_sum_over_letters_that_are_gone(equation: str, narrow: bool) -> None:
    sizes = dict(zip("abcdehmnoruvw", itertools.cycle([2, 3, 4]), strict=False))
    terms, _, wanted = equation.replace(" ", "").partition("->")
    first, second = terms.split(",")
    x = floats(*(sizes[letter] for letter in first))
    # A size of 1 stands for all places of its letter.
    y = floats(*(1 if narrow and at == 0 else sizes[letter] for at, letter in enumerate(second)))
    result = OPERATORS["einsum"](values=(x, y), equation=equation)
    letters = sorted(set(first + second))
    expected = np.zeros([sizes[letter] for letter in wanted])
    for place in itertools.product(*(range(sizes[letter]) for letter in letters)):
        at = dict(zip(letters, place, strict=True))
        left = float(x[tuple(at[letter] for letter in first)])
        right = float(
            y[tuple(min(at[letter], size - 1) for letter, size in zip(second, y.shape, strict=True))]
        )
        expected[tuple(at[letter] for letter in wanted)] += left * right
    np.testing.assert_allclose(result, expected, atol=1e-4)

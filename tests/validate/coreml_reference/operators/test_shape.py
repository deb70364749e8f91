"""Shapes: what operator sets say differently, and what values without a rank or without elements give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators import shape as shapes

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def whole(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


def test_zero_takes_its_own_place_up_to_ios_16() -> None:
    x = np.zeros((2, 50), np.float32)
    assert shapes.reshape(x=x, shape=whole(0, 50), opset="CoreML5").shape == (2, 50)
    with pytest.raises(Unsupported, match="iOS 15 and 16"):
        shapes.reshape(x=x, shape=whole(1, 0, -1, 0), opset="CoreML6")


def test_zero_counts_from_the_end_from_ios_17_on() -> None:
    # The example of Apple's documentation.
    x = np.zeros((2, 50), np.float32)
    assert shapes.reshape(x=x, shape=whole(1, 0, -1, 0), opset="CoreML7").shape == (1, 1, 2, 50)


def test_scalars_can_be_reshaped_and_joined() -> None:
    assert shapes.reshape(x=5, shape=whole(1, 1)).tolist() == [[5]]
    assert shapes.concat(values=(np.asarray(3, np.int32), 4), axis=0).tolist() == [3, 4]
    assert shapes.concat(values=np.asarray([1, 2]), axis=0).tolist() == [1, 2]
    assert shapes.stack(values=np.asarray([1, 2]), axis=0).tolist() == [[1, 2]]


def test_arrays_without_values_keep_their_shapes() -> None:
    empty = np.zeros((0, 3, 4), np.float32)
    assert shapes.flatten2d(x=empty, axis=1).shape == (0, 12)
    assert shapes.reshape(x=empty, shape=whole(-1, 12)).shape == (0, 12)
    assert shapes.concat(values=(empty, np.ones((2, 3, 4), np.float32)), axis=0).shape == (2, 3, 4)
    with pytest.raises(Unsupported, match="any size"):
        shapes.reshape(x=empty, shape=whole(0, -1, 4))


def test_flatten_as_documented() -> None:
    for given_shape, axis, wanted in [
        ((3,), -1, (1, 3)),
        ((3,), 1, (3, 1)),
        ((4, 3), -1, (4, 3)),
        ((2, 3, 2), -1, (6, 2)),
        ((5, 5, 2), 1, (5, 10)),
    ]:
        assert shapes.flatten2d(x=np.zeros(given_shape), axis=axis).shape == wanted


def test_a_named_axis_of_another_size_is_not_squeezed() -> None:
    assert shapes.squeeze(x=np.zeros((2, 3, 4)), axes=whole(0, 1)).shape == (2, 3, 4)
    assert shapes.squeeze(x=np.zeros((2, 1, 4)), axes=whole(0, -2)).shape == (2, 4)


def test_interleaved_values_take_turns() -> None:
    first, second = np.arange(1, 7).reshape(3, 2), np.arange(7, 13).reshape(3, 2)
    joined = shapes.concat(values=(first, second), axis=0, interleave=True)
    assert joined[0::2].tolist() == first.tolist()
    assert joined[1::2].tolist() == second.tolist()
    across = shapes.concat(values=(first, second), axis=-1, interleave=True)
    assert across[:, 0::2].tolist() == first.tolist()
    assert across[:, 1::2].tolist() == second.tolist()


def test_reshape_like_takes_parts_of_shapes() -> None:
    tensors = (np.zeros((2, 3, 4)), np.zeros((1, 5, 6)))
    result = shapes.reshape_like(
        x=np.zeros(180), ref_tensors=tensors, begins=(0, 1), ends=(2, 0), end_masks=(False, True)
    )
    assert result.shape == (2, 3, 5, 6)
    alone = shapes.reshape_like(x=np.zeros(24), ref_tensors=tensors[0], begins=0, ends=3, end_masks=False)
    assert alone.shape == (2, 3, 4)


@given(x=hnp.arrays(np.float32, SHAPES, elements=st.floats(-9, 9, width=32)), data=st.data())
def test_split_parts_join_to_what_they_were(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    cut = data.draw(st.integers(0, size))
    parts = shapes.split(x=x, axis=axis, split_sizes=whole(cut, size - cut))
    assert [part.shape[axis] for part in parts] == [cut, size - cut]
    assert np.array_equal(shapes.concat(values=parts, axis=axis), x)


@given(x=hnp.arrays(np.int32, SHAPES), data=st.data())
def test_expanded_axes_squeeze_away(x: np.ndarray, data: st.DataObject) -> None:
    rank = x.ndim + 2
    axes = data.draw(st.lists(st.integers(0, rank - 1), min_size=2, max_size=2, unique=True))
    named = whole(*(axis - rank if data.draw(st.booleans()) else axis for axis in axes))
    wide = shapes.expand_dims(x=x, axes=named)
    assert all(wide.shape[axis] == 1 for axis in axes)
    assert np.array_equal(shapes.squeeze(x=wide, axes=named), x)


def test_casts_stay_within_the_type() -> None:
    x = np.asarray([-3e9, -1.9, 1.9, 3e9, np.inf, -np.inf], np.float32)
    limits = np.iinfo(np.int32)
    result = shapes.cast(x=x, dtype="int32")
    assert result.tolist() == [limits.min, -1, 1, limits.max, limits.max, limits.min]
    assert shapes.cast(x=whole(0, 2, -1), dtype="bool").tolist() == [False, True, True]
    assert shapes.cast(x=True, dtype="int32").dtype == np.int32
    with pytest.raises(Unsupported, match="complex"):
        shapes.cast(x=x, dtype="complex64")


def test_ranges_of_real_numbers_and_of_nothing() -> None:
    assert shapes.range_1d(start=0.0, end=1.0, step=0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert shapes.range_1d(start=3, end=3, step=1).shape == (0,)
    assert shapes.range_1d(start=np.asarray(1, np.int32), end=4, step=1).dtype == np.int32


@pytest.mark.parametrize("value", [True, 3, 2.5])
def test_filled_arrays_have_the_type_of_the_value(value: bool | int | float) -> None:
    kind = {bool: np.bool_, int: np.int32, float: np.float32}[type(value)]
    assert shapes.fill(shape=whole(2, 3), value=value).dtype == kind
    assert shapes.fill_like(ref_tensor=np.zeros((2, 0)), value=value).shape == (2, 0)


def test_select_broadcasts() -> None:
    chosen = shapes.select(cond=np.asarray([[True], [False]]), a=np.float32([1, 2, 3]), b=np.float32(9))
    assert chosen.tolist() == [[1, 2, 3], [9, 9, 9]]

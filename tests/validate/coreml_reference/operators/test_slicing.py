"""Slices against NumPy's own indexing, written out place by place, and against TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators import slicing


def whole(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


def picked(size: int, begin: int | None, end: int | None, step: int) -> list[int]:
    """Return the places of one axis that a slice takes, counted out one by one."""
    if begin is None:
        at = 0 if step > 0 else size - 1
    else:
        at = begin + size if begin < 0 else begin
        at = min(max(at, 0), size) if step > 0 else min(max(at, -1), size - 1)
    if end is None:
        stop = size if step > 0 else -1
    else:
        stop = end + size if end < 0 else end
        stop = min(max(stop, 0), size) if step > 0 else min(max(stop, -1), size - 1)
    places = []
    while (at < stop) if step > 0 else (at > stop):
        places.append(at)
        at += step
    return places


AXIS = st.tuples(
    st.integers(1, 5),
    st.integers(-6, 6),
    st.integers(-6, 6),
    st.integers(-3, 3).filter(bool),
    st.booleans(),
    st.booleans(),
)


@given(axes=st.lists(AXIS, min_size=1, max_size=3))
def test_slices_take_what_counting_takes(axes: list[tuple[int, int, int, int, bool, bool]]) -> None:
    sizes, begin, end, stride, open_begin, open_end = (list(column) for column in zip(*axes, strict=True))
    assume(all(step > 0 or last_open or last >= -size for size, _, last, step, _, last_open in axes))
    x = np.arange(np.prod(sizes)).reshape(sizes)
    arguments: dict[str, Any] = {
        "x": x,
        "begin": whole(*begin),
        "end": whole(*end),
        "stride": whole(*stride),
        "begin_mask": np.asarray(open_begin),
        "end_mask": np.asarray(open_end),
    }
    expected = x
    for axis, (size, first, last, step, first_open, last_open) in enumerate(axes):
        places = picked(size, None if first_open else first, None if last_open else last, step)
        expected = np.take(expected, np.asarray(places, np.int64), axis)
    result = slicing.slice_by_index(**arguments)
    assert np.array_equal(result, expected)
    # What was cut out can be put back, changed.
    changed = slicing.slice_update(update=result + 1000, **arguments)
    assert np.array_equal(slicing.slice_by_index(**{**arguments, "x": changed}), result + 1000)
    assert np.count_nonzero(changed != x) == result.size


def test_a_squeezed_axis_goes() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    squeeze = np.asarray([False, True, True])
    result = slicing.slice_by_index(x=x, begin=whole(0, -1, 2), end=whole(2, 0, 0), squeeze_mask=squeeze)
    assert result.tolist() == x[:, -1, 2].tolist()
    masked = slicing.slice_by_index(
        x=x,
        begin=whole(0, 2, 2),
        end=whole(2, 0, 0),
        begin_mask=np.asarray([False, True, False]),
        squeeze_mask=squeeze,
    )
    assert masked.tolist() == x[:, 0, 2].tolist()


def test_backwards_past_the_beginning_is_not_defined() -> None:
    with pytest.raises(Unsupported, match="before the beginning"):
        slicing.slice_by_index(x=np.arange(3), begin=whole(-1), end=whole(-4), stride=whole(-1))


def test_sizes_of_slices() -> None:
    x = np.arange(20).reshape(4, 5)
    assert slicing.slice_by_size(x=x, begin=whole(1, -2), size=whole(2, -1)).tolist() == [[8, 9], [13, 14]]
    assert slicing.slice_by_size(x=x, begin=whole(1, 0), size=whole(0, 5)).shape == (0, 5)


def test_windows_are_all_windows() -> None:
    x = np.arange(2 * 7 * 3).reshape(2, 7, 3)
    for axis in (1, -2):
        result = slicing.sliding_windows(x=x, axis=axis, size=3, stride=2)
        assert result.shape == (2, 3, 3, 3)
        for at in range(3):
            assert np.array_equal(result[:, at], x[:, 2 * at : 2 * at + 3])
    last = slicing.sliding_windows(x=x, axis=2, size=2)
    assert last.shape == (2, 7, 2, 2)
    assert np.array_equal(last[:, :, 1], x[:, :, 1:3])


def test_sequences_turn_as_documented() -> None:
    x = np.asarray([[1, 2, 3, 4, 5, 0], [1, 2, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]])
    result = slicing.reverse_sequence(x=x, lengths=whole(6, 2, 0), seq_axis=1, batch_axis=0)
    assert result.tolist() == [[0, 5, 4, 3, 2, 1], [2, 1, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]]
    with pytest.raises(Unsupported, match="one axis"):
        slicing.reverse_sequence(x=x, lengths=whole(6, 2, 0))


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(3, 4, 5)).astype(np.float32)
    for seq_axis, batch_axis in [(1, 0), (0, 2), (2, 1)]:
        lengths = random.integers(0, x.shape[seq_axis] + 1, x.shape[batch_axis]).astype(np.int32)
        expected = tf.reverse_sequence(x, lengths, seq_axis=seq_axis, batch_axis=batch_axis).numpy()
        named = {"seq_axis": seq_axis - 3, "batch_axis": batch_axis}
        assert np.array_equal(slicing.reverse_sequence(x=x, lengths=lengths, **named), expected)
    for axes in ([0], [-1, 1], [0, 1, 2]):
        assert np.array_equal(slicing.reverse(x=x, axes=whole(*axes)), tf.reverse(x, axes).numpy())
    begin, end, stride = [-1, 3, 0], [0, -9, 5], [-1, -2, 3]
    expected = tf.strided_slice(x, begin, end, stride, begin_mask=0b100, end_mask=0b010).numpy()
    result = slicing.slice_by_index(
        x=x,
        begin=whole(*begin),
        end=whole(*end),
        stride=whole(*stride),
        begin_mask=np.asarray([False, False, True]),
        end_mask=np.asarray([False, True, False]),
    )
    assert np.array_equal(result, expected)
    windows = slicing.sliding_windows(x=x, axis=1, size=2, stride=2)
    assert np.array_equal(windows, tf.signal.frame(x, 2, 2, axis=1).numpy())

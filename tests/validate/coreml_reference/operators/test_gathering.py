"""Reading and writing by index, sorting, sums: against TensorFlow and against one place after the other."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators import gathering

RANDOM = np.random.default_rng(5)
MODES = {
    "update": lambda old, new: new,
    "add": lambda old, new: old + new,
    "sub": lambda old, new: old - new,
    "mul": lambda old, new: old * new,
    "div": lambda old, new: old / new,
    "max": max,
    "min": min,
}


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


@pytest.mark.parametrize("mode", MODES)
def test_scattered_slices_follow_one_another(mode: str) -> None:
    data, indices = floats(3, 4, 2), whole(2, 0, 2, -3)
    for axis in (1, -2):
        updates = floats(3, 4, 2)
        expected = data.copy()
        for at, index in enumerate(indices):
            for i, k in np.ndindex(3, 2):
                expected[i, index, k] = MODES[mode](expected[i, index, k], updates[i, at, k])
        result = gathering.scatter(data=data, indices=indices, updates=updates, axis=axis, mode=mode)
        np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_values_are_scattered_along_an_axis(mode: str) -> None:
    data = floats(3, 4, 2)
    indices = RANDOM.integers(-4, 4, (3, 5, 2)).astype(np.int32)
    updates = floats(3, 5, 2)
    expected = data.copy()
    for i, j, k in np.ndindex(indices.shape):
        place = (i, indices[i, j, k], k)
        expected[place] = MODES[mode](expected[place], updates[i, j, k])
    result = gathering.scatter_along_axis(data=data, indices=indices, updates=updates, axis=-2, mode=mode)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_slices_are_scattered_at_index_vectors(mode: str, depth: int) -> None:
    data = floats(3, 4, 2)
    indices = np.stack([RANDOM.integers(0, size, (2, 3)) for size in data.shape[:depth]], -1)
    updates = floats(2, 3, *data.shape[depth:])
    expected = data.copy()
    for place in np.ndindex(2, 3):
        for inner in np.ndindex(data.shape[depth:]):
            where = (*indices[place].tolist(), *inner)
            expected[where] = MODES[mode](expected[where], updates[(*place, *inner)])
    result = gathering.scatter_nd(data=data, indices=indices, updates=updates, mode=mode)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_the_example_of_the_documentation() -> None:
    result = gathering.scatter(
        data=np.asarray([[1, 2, 3], [4, 5, 6]]),
        indices=whole(1, 0),
        updates=np.asarray([[5, 6, 7], [8, 9, 10]]),
        mode="add",
    )
    assert result.tolist() == [[9, 11, 13], [9, 11, 13]]


def test_what_is_not_defined_has_no_result() -> None:
    x = floats(3, 2)
    for opset, index in [("CoreML5", 3), ("CoreML6", -4), ("CoreML7", -1), ("CoreML9", 3)]:
        with pytest.raises(Unsupported, match="outside"):
            gathering.gather(x=x, indices=whole(0, index), opset=opset)
        with pytest.raises(Unsupported, match="outside"):
            gathering.gather_nd(x=x, indices=whole(index, 0), opset=opset)
        with pytest.raises(Unsupported, match="outside"):
            gathering.scatter(data=x, indices=whole(index), updates=x[:1], opset=opset)
    with pytest.raises(Unsupported, match="integers"):
        gathering.scatter(data=whole(1, 2), indices=whole(0), updates=whole(2), mode="div")
    with pytest.raises(Unsupported, match="k is 4"):
        gathering.topk(x=x, k=4, axis=0)


def test_indices_of_any_rank_and_of_none() -> None:
    x = floats(3, 4)
    assert gathering.gather(x=x, indices=np.zeros((2, 0), np.int32), axis=1).shape == (3, 2, 0)
    scalar = gathering.gather(x=x[0], indices=2)
    assert isinstance(scalar, np.ndarray)
    assert scalar == x[0, 2]
    assert gathering.gather(
        x=np.zeros((0, 4)), indices=np.zeros((0, 2), int), axis=1, batch_dims=1
    ).shape == (
        0,
        2,
    )
    every = gathering.gather_nd(x=x, indices=np.zeros((2, 0), np.int32))
    assert np.array_equal(every, np.stack([x, x]))


@given(data=st.data())
def test_sorted_values_are_sorted_and_all_there(data: st.DataObject) -> None:
    x = np.asarray(data.draw(st.lists(st.integers(-3, 3), min_size=1, max_size=9)), np.int32)
    ascending = data.draw(st.booleans())
    order = gathering.argsort(x=x, ascending=ascending)
    assert x[order].tolist() == sorted(x.tolist(), reverse=not ascending)
    equal = [(a, b) for a, b in itertools.pairwise(order) if x[a] == x[b]]
    assert all(a < b for a, b in equal)
    k = data.draw(st.integers(0, len(x)))
    values, indices = gathering.topk(
        x=x, k=k, ascending=ascending, sort=data.draw(st.booleans()), output_indices_dtype="uint16"
    )
    assert values.tolist() == x[order][:k].tolist()
    assert indices.tolist() == order[:k].tolist()
    assert indices.dtype == np.uint16
    assert gathering.topk(x=x, k=-1, return_indices=False).shape == x.shape


def test_unsigned_and_boolean_values_sort_downwards() -> None:
    assert gathering.argsort(x=np.asarray([0, 255, 7], np.uint8)).tolist() == [1, 2, 0]
    least = np.iinfo(np.int32).min
    assert gathering.argsort(x=whole(least, 0, 5)).tolist() == [2, 1, 0]


def test_exclusive_sums_do_not_round_twice() -> None:
    x = np.float32([1e8, 1, np.inf, 2])
    assert gathering.cumsum(x=x, exclusive=True).tolist() == [0, 1e8, np.float32(1e8) + 1, np.inf]
    assert gathering.cumsum(x=np.zeros((0, 2), np.float32), exclusive=True).shape == (0, 2)


@pytest.mark.tensorflow
def test_reads_as_tensorflow_does(tf: Any) -> None:
    x = floats(2, 3, 4, 5)
    for axis, batch in [(0, 0), (2, 0), (-1, 0), (1, 1), (3, 1), (2, 2), (-1, 2), (3, 3)]:
        rank = axis % 4
        indices = RANDOM.integers(0, x.shape[rank], (*x.shape[:batch], 2, 3)).astype(np.int32)
        expected = tf.gather(x, indices, axis=axis, batch_dims=batch).numpy()
        result = gathering.gather(x=x, indices=indices, axis=axis, batch_dims=batch, opset="CoreML8")
        assert np.array_equal(result, expected)
    for batch, depth in [(0, 1), (0, 3), (0, 4), (1, 1), (1, 2), (2, 2)]:
        sizes = x.shape[batch : batch + depth]
        indices = np.stack([RANDOM.integers(0, size, (*x.shape[:batch], 6)) for size in sizes], -1)
        expected = tf.gather_nd(x, indices.astype(np.int32), batch_dims=batch).numpy()
        assert np.array_equal(gathering.gather_nd(x=x, indices=indices, batch_dims=batch), expected)


@pytest.mark.tensorflow
def test_writes_as_tensorflow_does(tf: Any) -> None:
    data, updates = floats(4, 3), floats(5, 3)
    indices = whole(1, 3, 1, 0, 1).reshape(5, 1)
    for mode in ("add", "sub", "max", "min"):
        name = f"tensor_scatter_nd_{mode}"
        expected = getattr(tf, name)(data, indices, updates).numpy()
        np.testing.assert_allclose(
            gathering.scatter_nd(data=data, indices=indices, updates=updates, mode=mode), expected, rtol=1e-5
        )
    alone = whole(2, 0).reshape(2, 1)
    expected = tf.tensor_scatter_nd_update(data, alone, updates[:2]).numpy()
    result = gathering.scatter_nd(data=data, indices=alone, updates=updates[:2], mode="update")
    assert np.array_equal(result, expected)


@pytest.mark.tensorflow
def test_counts_and_sorts_as_tensorflow_does(tf: Any) -> None:
    x = floats(3, 4, 5)
    for axis in (0, 1, -1):
        for exclusive, reverse in np.ndindex(2, 2):
            flags = {"exclusive": bool(exclusive), "reverse": bool(reverse)}
            expected = tf.cumsum(x, axis=axis, **flags).numpy()
            np.testing.assert_allclose(
                gathering.cumsum(x=x, axis=axis, **flags), expected, rtol=1e-5, atol=1e-6
            )
        for direction in ("ASCENDING", "DESCENDING"):
            expected = tf.argsort(x, axis=axis, direction=direction).numpy()
            result = gathering.argsort(x=x, axis=axis, ascending=direction == "ASCENDING")
            assert np.array_equal(result, expected)
    for lower, upper in [(-1, 0), (0, -1), (1, 2), (0, 0), (4, 5)]:
        expected = tf.linalg.band_part(x, lower, upper).numpy()
        assert np.array_equal(gathering.band_part(x=x, lower=lower, upper=upper), expected)
    values, indices = (item.numpy() for item in tf.math.top_k(x, 3))
    found = gathering.topk(x=x, k=3)
    assert np.array_equal(found[0], values)
    assert np.array_equal(found[1], indices)
    sparse = np.where(x > 0.5, x, 0)
    assert np.array_equal(gathering.non_zero(x=sparse), tf.where(sparse).numpy())
    places = whole(0, 2, -1, 5, 3).reshape(1, 5)
    for axis in (0, 1, -1):
        expected = tf.one_hot(places, 4, axis=axis, on_value=2.5, off_value=-1.0).numpy()
        result = gathering.one_hot(
            indices=places, one_hot_vector_size=4, axis=axis, on_value=2.5, off_value=-1.0
        )
        assert np.array_equal(result, expected)

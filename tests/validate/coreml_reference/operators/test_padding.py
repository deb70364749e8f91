"""Padding against TensorFlow and against looking up every place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.padding import pad


def source(place: int, size: int, mode: str) -> int | None:
    """Return the place of one axis that a padded place reads."""
    if 0 <= place < size:
        return place
    if mode == "replicate":
        return 0 if place < 0 else size - 1
    if mode == "reflect":
        return -place if place < 0 else 2 * (size - 1) - place
    return None


@given(data=st.data(), mode=st.sampled_from(["constant", "reflect", "replicate"]))
def test_every_place_reads_its_source(data: st.DataObject, mode: str) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    count = data.draw(st.integers(0, len(sizes)))
    most = {"constant": 3, "reflect": None, "replicate": None}[mode]
    widths = [(0, 0)] * (len(sizes) - count)
    for size in sizes[len(sizes) - count :]:
        limit = most if most is not None else (size - 1 if mode == "reflect" else size)
        widths.append((data.draw(st.integers(0, limit)), data.draw(st.integers(0, limit))))
    x = np.arange(1, np.prod(sizes) + 1, dtype=np.float32).reshape(sizes)
    flat = np.asarray(widths[len(sizes) - count :], np.int32).reshape(-1)
    result = pad(x=x, pad=flat, mode=mode, constant_val=-7.0)
    assert result.shape == tuple(
        size + before + after for size, (before, after) in zip(sizes, widths, strict=True)
    )
    for place in np.ndindex(result.shape):
        read = [
            source(at - before, size, mode)
            for at, (before, _), size in zip(place, widths, sizes, strict=True)
        ]
        assert result[place] == (-7 if None in read else x[tuple(int(at or 0) for at in read)])


def test_more_than_there_is_cannot_be_reflected() -> None:
    x = np.zeros((1, 3), np.float32)
    with pytest.raises(Unsupported, match="reflect"):
        pad(x=x, pad=np.asarray([3, 0]), mode="reflect")
    with pytest.raises(Unsupported, match="replicate"):
        pad(x=x, pad=np.asarray([0, 4]), mode="replicate")
    with pytest.raises(Unsupported, match="symmetric"):
        pad(x=x, pad=np.asarray([0, 1]), mode="symmetric")


def test_integers_stay_integers() -> None:
    result = pad(x=np.ones((2, 2), np.int32), pad=np.asarray([1, 1, 0, 2]), constant_val=5)
    assert result.dtype == np.int32
    assert result.sum() == 4 + 5 * 12


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    x = np.random.default_rng(1).normal(size=(2, 5, 4, 3)).astype(np.float32)
    widths = [[0, 0], [4, 1], [0, 3], [1, 0]]
    flat = np.asarray(widths, np.int32).reshape(-1)
    for mode in ("CONSTANT", "REFLECT"):
        expected = tf.pad(x, widths, mode, constant_values=0.5).numpy()
        assert np.array_equal(pad(x=x, pad=flat, mode=mode.lower(), constant_val=0.5), expected)
        # The same, saying nothing of the first axis.
        assert np.array_equal(pad(x=x, pad=flat[2:], mode=mode.lower(), constant_val=0.5), expected)

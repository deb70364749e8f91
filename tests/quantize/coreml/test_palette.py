from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.quantize.coreml.palette import kmeans_palette, uniform_palette

BITS = (1, 2, 3, 4, 6, 8)


def error(weights: np.ndarray, table: np.ndarray, indices: np.ndarray) -> float:
    return float(np.sum((table[indices].astype(np.float64) - weights.reshape(-1)) ** 2))


def best_error(values: np.ndarray, clusters: int) -> float:
    """Try every way to part sorted values: the definition of k-means in one dimension."""
    values = np.sort(values.astype(np.float64))
    best = np.inf
    for cuts in itertools.combinations(range(1, len(values)), clusters - 1):
        parts = np.split(values, cuts)
        best = min(best, sum(float(np.sum((part - part.mean()) ** 2)) for part in parts))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_few_weights_get_the_best_palette(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.standard_t(2, size=14)
    table, indices = kmeans_palette(weights, 2)
    assert error(weights, table, indices) == pytest.approx(best_error(weights, 4), rel=1e-9)


@pytest.mark.parametrize("draw", ["normal", "laplace", "tails"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6])
@pytest.mark.slow
def test_it_is_as_good_as_the_best_of_three_runs_of_scikit_learn(draw: str, bits: int) -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    rng = np.random.default_rng(3)
    weights = rng.normal(size=5000) if draw == "normal" else rng.laplace(size=5000)
    if draw == "tails":
        weights[:50] *= 30
    table, indices = kmeans_palette(weights, bits)
    other = cluster.KMeans(1 << bits, n_init=3, random_state=0).fit(weights[:, None])
    assert error(weights, table, indices) <= 1.01 * other.inertia_


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("bits", BITS)
def test_more_bits_and_fitting_steps_win(dtype: type, bits: int) -> None:
    weights = np.random.default_rng(1).laplace(size=(16, 32, 3, 3)).astype(dtype)
    table, indices = kmeans_palette(weights, bits)
    assert (table.dtype, table.shape) == (dtype, (1 << bits,))
    assert (indices.dtype, indices.shape) == (np.uint8, (weights.size,))
    assert np.all(np.diff(table) >= 0)
    steps = uniform_palette(weights, bits)
    assert steps[0][0] == weights.min()
    assert steps[0][-1] == weights.max()
    assert error(weights, table, indices) < error(weights, *steps)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-60000, 60000, width=16), min_size=1, max_size=60),
    st.sampled_from(BITS),
    st.sampled_from([kmeans_palette, uniform_palette]),
)
def test_every_weight_gets_the_nearest_value(values: list[float], bits: int, make) -> None:
    weights = np.array(values, np.float16)
    table, indices = make(weights, bits)
    distances = np.abs(table.astype(np.float64)[None, :] - weights.astype(np.float64)[:, None])
    chosen = np.take_along_axis(distances, indices[:, None].astype(int), axis=1)[:, 0]
    np.testing.assert_array_equal(chosen, distances.min(axis=1))
    if len(np.unique(weights)) <= 1 << bits and make is kmeans_palette:
        np.testing.assert_array_equal(table[indices], weights)


def test_a_constant_weight_stays_what_it_is() -> None:
    for make in (kmeans_palette, uniform_palette):
        table, indices = make(np.full((3, 4), 0.25, np.float16), 4)
        np.testing.assert_array_equal(table[indices], 0.25)

"""Intervals: known values of the score methods, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from edge_sdk.validate.metrics.intervals import (
    interval,
    paired_intervals,
    paired_shares,
    resample,
    wilson,
)
from edge_sdk.validate.metrics.metric import Score, mean_score

RANDOM = np.random.default_rng(5)


def shares(right: int, samples: int) -> np.ndarray:
    return (np.arange(samples) < right).astype(float)


@pytest.mark.parametrize(
    ("right", "samples", "low", "high"),
    [
        # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson(right: int, samples: int, low: float, high: float) -> None:
    assert wilson(right, samples) == pytest.approx((low, high), abs=5e-5)
    assert interval(mean_score(shares(right, samples)), samples, (0, 1)) == pytest.approx(
        (low, high), abs=5e-5
    )


def test_a_difference_of_shares_on_the_same_samples() -> None:
    # Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
    # paired data", table II, method 10: the pairs (both, only first, only second, neither) = (36, 12, 2, 0),
    # (53, 0, 1, 0) with the sign of our order.
    def pairs(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
        one = [1] * both + [1] * first + [0] * second + [0] * neither
        two = [1] * both + [0] * first + [1] * second + [0] * neither
        return np.array(one, float), np.array(two, float)

    assert paired_shares(*pairs(36, 12, 2, 0)) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    low, high = paired_shares(*pairs(53, 0, 1, 0))
    assert low < 0 < high < 0.06
    assert paired_shares(*pairs(20, 0, 0, 0)) == pytest.approx((-0.1611, 0.1611), abs=5e-5)


def test_twenty_samples_are_not_two_thousand() -> None:
    def width(samples: int) -> float:
        found = interval(mean_score(shares(round(0.9 * samples), samples)), samples, (0, 1))
        assert found is not None
        return found[1] - found[0]

    assert width(20) > 0.25
    assert width(2000) < 0.03
    perfect = paired_intervals(mean_score(np.ones(20)), mean_score(np.ones(20)), 20, (0, 1))
    assert perfect == (
        pytest.approx((0.8389, 1.0), abs=1e-4),
        pytest.approx((0.8389, 1.0), abs=1e-4),
        pytest.approx((-0.1611, 0.1611), abs=1e-4),
    )


def test_where_all_samples_say_the_same() -> None:
    whole = np.full(20, 0.5)
    assert interval(mean_score(whole), 20, (0, 1)) == pytest.approx((0.5 - 0.1611, 0.5 + 0.1611), abs=1e-4)
    assert interval(mean_score(whole), 20, None) is None
    assert interval(mean_score(np.array([0.5])), 1, None) is None


def test_the_same_draws_every_time_and_for_both_models() -> None:
    first, second = RANDOM.random(50), RANDOM.random(50)
    once = paired_intervals(mean_score(first), mean_score(second), 50, (0, 1))
    assert once == paired_intervals(mean_score(first), mean_score(second), 50, (0, 1))
    # What both models find equally hard says nothing about their difference.
    hard = mean_score(first), mean_score(first - 0.1)
    drop = paired_intervals(*hard, 50, None)[2]
    assert drop is None or drop[1] - drop[0] < 1e-9


def test_a_dear_score_is_resampled_less_often_but_enough() -> None:
    values = RANDOM.random(30)
    dear = Score(0.5, None, mean_score(values).resampled, cost=10**12)
    assert len(resample(dear, 30)) == 200
    np.testing.assert_allclose(resample(dear, 30), resample(mean_score(values), 30)[:200], rtol=1e-12)


def test_a_score_that_is_not_finite_has_no_interval() -> None:
    broken = Score(float("nan"), None, lambda counts: np.full(len(counts), np.nan))
    assert interval(broken, 30, (0, 1)) is None


@pytest.mark.parametrize("samples", [10, 40])
def test_intervals_hold_the_truth_in_about_19_of_20_cases(samples: int) -> None:
    """The plain percentile bootstrap holds the mean of an exponential in 86 % for 10 samples."""
    random = np.random.default_rng(samples)
    held = {"skewed": 0, "even": 0, "drop": 0}
    for _ in range(250):
        skewed, even = random.exponential(1.0, samples), random.random(samples)
        noise = random.normal(0.1, 0.2, samples)
        for name, found, truth in (
            ("skewed", interval(mean_score(skewed), samples, None), 1.0),
            ("even", interval(mean_score(even), samples, (0, 1)), 0.5),
            ("drop", paired_intervals(mean_score(even + noise), mean_score(even), samples, None)[2], 0.1),
        ):
            assert found is not None
            held[name] += found[0] <= truth <= found[1]
    assert held["even"] / 250 > 0.91, held
    assert held["drop"] / 250 > 0.91, held
    assert held["skewed"] / 250 > 0.87, held

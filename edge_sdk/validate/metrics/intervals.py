"""How sure a number is: 95 % intervals over the samples that happened to be in the evaluation set.

- Scores that are right or wrong (top-1, agreement of classes) get Wilson's score interval, and the difference
  of two models on the same samples Newcombe's interval for paired proportions (method 10 of his 1998
  paper): 20 right of 20 is [0.84, 1], where resampling alone would say [1, 1].
- Everything else is resampled: `RESAMPLES` times as many samples as there are, drawn with replacement from
  a fixed seed. Both models get the same draws, so their difference is a paired one. The percentiles are
  bias-corrected (Efron 1981) and, for few samples, as wide as Student's t asks for (Hesterberg 2015).
- Where all samples say the same there is nothing to resample. A bounded metric then gets the room that a
  share of unseen samples could take, z^2 / (n + z^2) of its range (for right and wrong that is Wilson's
  interval); an unbounded one gets no interval.

Nothing here corrects for an evaluation set that is not like the data in the field.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from edge_sdk.validate.metrics.metric import Array, Score

RESAMPLES = 1000
FEWEST_RESAMPLES = 200
#: Of the standard normal distribution, for 95 %.
Z = 1.959963984540054
_NORMAL = NormalDist()
_SEED = 20_260_229
#: Numbers touched at most for one interval; dear metrics are resampled less often.
_AFFORDABLE = 400_000_000
_CHUNK = 4_000_000

Interval = tuple[float, float]


def wilson(right: float, samples: int) -> Interval:
    """Return Wilson's interval of a share, e.g. 20 of 20 -> (0.8389, 1.0)."""
    share, square = right / samples, Z * Z
    middle = (share + square / (2 * samples)) / (1 + square / samples)
    half = Z / (1 + square / samples) * math.sqrt(share * (1 - share) / samples + square / (4 * samples**2))
    low = 0.0 if right == 0 else max(0.0, middle - half)
    high = 1.0 if right == samples else min(1.0, middle + half)
    return low, high


def paired_shares(first: Array, second: Array) -> Interval:
    """Return Newcombe's interval of the difference of two shares (first - second) on the same samples.

    Args:
        first: 0 or 1 a sample.
        second: 0 or 1 a sample.
    """
    n = len(first)
    one, two = first > 0.5, second > 0.5
    both, only_one = int(np.sum(one & two)), int(np.sum(one & ~two))
    only_two = int(np.sum(~one & two))
    neither = n - both - only_one - only_two
    share_one, share_two = (both + only_one) / n, (both + only_two) / n
    low_one, high_one = wilson(both + only_one, n)
    low_two, high_two = wilson(both + only_two, n)
    margins = (both + only_one) * (only_two + neither) * (both + only_two) * (only_one + neither)
    related: float = both * neither - only_one * only_two
    if related > 0:
        related = max(related - n / 2, 0)  # continuity correction
    phi = related / math.sqrt(margins) if margins else 0.0

    def half(down: float, up: float) -> float:
        return math.sqrt(max(0.0, down * down - 2 * phi * down * up + up * up))

    difference = share_one - share_two
    return (
        max(-1.0, difference - half(share_one - low_one, high_two - share_two)),
        min(1.0, difference + half(share_two - low_two, high_one - share_one)),
    )


def interval(score: Score, samples: int, bounds: Interval | None) -> Interval | None:
    """Return the 95 % interval of one score; None where nothing can be said.

    Args:
        score: What a model reached.
        samples: How many samples there were.
        bounds: Lowest and highest possible value, or None.
    """
    if _is_right_or_wrong(score):
        assert score.per_sample is not None
        return wilson(float(score.per_sample.sum()), samples)
    return _of(resample(score, samples), score.value, samples, bounds)


def paired_intervals(
    first: Score, second: Score, samples: int, bounds: Interval | None
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Return the 95 % intervals of two scores on the same samples, and of `first - second`."""
    if _is_right_or_wrong(first) and _is_right_or_wrong(second):
        assert first.per_sample is not None
        assert second.per_sample is not None
        return (
            interval(first, samples, bounds),
            interval(second, samples, bounds),
            paired_shares(first.per_sample, second.per_sample),
        )
    repeats = min(_repeats(first), _repeats(second))
    one, two = resample(first, samples, repeats), resample(second, samples, repeats)
    size = bounds[1] - bounds[0] if bounds else None
    return (
        interval(first, samples, bounds)
        if _is_right_or_wrong(first)
        else _of(one, first.value, samples, bounds),
        interval(second, samples, bounds)
        if _is_right_or_wrong(second)
        else _of(two, second.value, samples, bounds),
        _of(
            one - two,
            first.value - second.value,
            samples,
            None if size is None else (-size, size),
            size,
        ),
    )


def resample(score: Score, samples: int, repeats: int | None = None) -> Array:
    """Return the score of many resamples (repeats,); NaN where a resample has none.

    Args:
        score: What a model reached.
        samples: How many samples there are; fewer than two cannot be resampled.
        repeats: How many resamples; by default as many as are affordable.
    """
    if samples < 2:
        return np.empty(0)
    counts = draws(samples, repeats or _repeats(score), score.cost)
    return np.concatenate([score.resampled(some) for some in counts])


def _repeats(score: Score) -> int:
    return int(np.clip(_AFFORDABLE // max(1, score.cost), FEWEST_RESAMPLES, RESAMPLES))


def draws(samples: int, repeats: int, cost: int = 1) -> Iterator[Array]:
    """Yield counts (some, samples) of samples drawn with replacement, the same on every call."""
    random = np.random.default_rng(_SEED)
    most = max(1, _CHUNK // max(samples, cost))
    for start in range(0, repeats, most):
        rows = min(most, repeats - start)
        # One stream: the draws do not depend on how many rows are made at once.
        drawn = random.integers(0, samples, (rows, samples)) + samples * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * samples)
        yield counts.reshape(rows, samples).astype(np.float64)


def _of(
    values: Array, value: float, samples: int, bounds: Interval | None, size: float | None = None
) -> Interval | None:
    if not math.isfinite(value):
        return None
    values = values[np.isfinite(values)]
    if len(values) >= FEWEST_RESAMPLES // 2 and float(np.ptp(values)) > 1e-12 * max(1.0, abs(value)):
        # A metric that is no mean (mAP) shifts when samples are drawn twice: the share of resamples below
        # what was measured says by how much.
        below = float(np.mean(values < value) + 0.5 * np.mean(values == value))
        shift = 2 * _NORMAL.inv_cdf(min(0.99, max(0.01, below)))
        wide = _width(samples)
        tails = [_NORMAL.cdf(shift - wide), _NORMAL.cdf(shift + wide)]
        low, high = (float(item) for item in np.quantile(values, tails))
        # What was measured lies inside, whatever the draws say.
        return min(low, value), max(high, value)
    if bounds is None:
        return None
    room = (bounds[1] - bounds[0] if size is None else size) * Z * Z / (samples + Z * Z)
    return max(bounds[0], value - room), min(bounds[1], value + room)


def _width(samples: int) -> float:
    """Return half the interval's width in standard deviations: more than `Z` for few samples."""
    freedom = max(1, samples - 1)
    # Student's 97.5 % quantile by its expansion about the normal one; within 1 % from 4 degrees on.
    t = Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)
    return math.sqrt(samples / freedom) * t


def _is_right_or_wrong(score: Score) -> bool:
    values = score.per_sample
    # Only where the metric is the plain share of right samples.
    return (
        values is not None
        and bool(np.all((values == 0.0) | (values == 1.0)))
        and math.isclose(float(values.mean()), score.value, rel_tol=1e-9, abs_tol=1e-12)
    )

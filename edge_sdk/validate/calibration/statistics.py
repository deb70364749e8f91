"""Numbers of the samples themselves: extent, spread, repetition, texture. No model is needed.

Arrays have the samples on axis 0. What is large is looked at in an even selection of samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Contract
from edge_sdk.validate.calibration.report import Histogram, InputStatistics

Array = NDArray[Any]

BINS = 40
#: Values looked at where all of them would take long; percentiles and correlations change little beyond.
_MANY_VALUES = 4_000_000
#: A side that is shorter says nothing about neighbours.
_SHORTEST_SIDE = 8
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Texture:
    """How far an array looks like independent draws from one distribution, as a generator of noise gives.

    Attributes:
        neighbours: Largest absolute correlation of a value with the next one along any long axis.
        sample_spread: Variance of the samples' means over what independent values would give; 1 for noise.
        position_spread: The same for the means of positions over the samples; 1 for noise.
        values: How many different values there are, up to 16.
    """

    neighbours: float
    sample_spread: float
    position_spread: float
    values: int

    @property
    def is_noise(self) -> bool:
        """Whether neither space, nor samples, nor positions have any structure."""
        return (
            self.values >= 8
            and self.neighbours < 0.1
            and self.sample_spread < 5.0
            and self.position_spread < 3.0
        )


def statistics_of(values: Array, *, pictures: bool) -> InputStatistics:
    """Return the numbers of one input.

    Args:
        values: First axis = samples; any real dtype, NaN and infinity allowed.
        pictures: Whether the last axis is colour channels.
    """
    finite = finite_samples(values)
    kept = values[finite]
    common: dict[str, Any] = {
        "samples": len(values),
        "distinct": distinct({"": values}),
        "not_finite": int((~finite).sum()),
    }
    if not kept.size or kept.dtype.kind not in "fiub":
        return InputStatistics(**common)
    some = evenly(kept).astype(np.float64)
    low, high = np.percentile(some, [1, 99])
    channels = some.reshape(-1, some.shape[-1]).mean(axis=0) if pictures and some.shape[-1] > 1 else ()
    return InputStatistics(
        **common,
        minimum=short(kept.min()),
        maximum=short(kept.max()),
        mean=short(some.mean()),
        std=short(some.std()),
        low=short(low),
        high=short(high),
        zeros=short(np.mean(some == 0)),
        channel_means=tuple(short(value) for value in channels),
    )


def histogram_of(calibration: Array, evaluation: Array | None) -> Histogram | None:
    """Return one histogram of both sets over common edges; None where the calibration has no finite value."""
    sets = [
        evenly(values[finite_samples(values)]) for values in (calibration, evaluation) if values is not None
    ]
    if not sets[0].size or sets[0].dtype.kind not in "fiub":
        return None
    low = min(float(values.min()) for values in sets if values.size)
    high = max(float(values.max()) for values in sets if values.size)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    shares = [np.histogram(values, edges)[0] / max(1, values.size) for values in sets]
    return Histogram(
        edges=tuple(short(edge) for edge in edges),
        calibration=tuple(short(share) for share in shares[0]),
        evaluation=tuple(short(share) for share in shares[1]) if len(shares) > 1 else (),
    )


def finite_samples(values: Array) -> Array:
    """Return which samples hold neither NaN nor infinity, bool (samples,)."""
    if values.dtype.kind != "f" or not len(values):
        return np.ones(len(values), bool)
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))


def fingerprints(inputs: Mapping[str, Array]) -> list[bytes]:
    """Return one digest a sample over all inputs."""
    names = sorted(inputs)
    count = min((len(values) for values in inputs.values()), default=0)
    return [
        hashlib.sha256(b"".join(_content(inputs[name][index]) for name in names)).digest()
        for index in range(count)
    ]


def _content(value: Any) -> bytes:
    array = np.ascontiguousarray(value)
    # 0 and -0 are the same value in other bits.
    return (array + array.dtype.type(0) if array.dtype.kind == "f" else array).tobytes()


def distinct(inputs: Mapping[str, Array]) -> int:
    """Return how many different samples there are."""
    return len(set(fingerprints(inputs)))


def picture_batch(values: Array, name: str, contract: Contract) -> Array | None:
    """Return an input as pictures [samples, height, width, channels], or None if it is none.

    The contract decides where it speaks of the input; else float inputs of the shape of a picture count.
    """
    if values.dtype.kind != "f":
        return None
    rule = contract.preprocess.get(name)
    image = rule.image if rule is not None else None
    if values.ndim == 5 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 4:
        return None
    if image is not None:
        return values if image.layout == "nhwc" else np.moveaxis(values, 1, 3)
    if values.shape[3] in _CHANNELS and min(values.shape[1:3]) >= _SHORTEST_SIDE:
        return values
    if values.shape[1] in _CHANNELS and min(values.shape[2:]) >= _SHORTEST_SIDE:
        return np.moveaxis(values, 1, 3)
    return None


def texture_of(values: Array, *, pictures: bool) -> Texture | None:
    """Return the texture of an input; None where no axis is long enough, or all values are the same.

    Args:
        values: First axis = samples, finite.
        pictures: The last axis is channels, and neighbours are looked for in rows and columns only.
    """
    array = evenly(values, 64).astype(np.float64)
    spread = float(array.var())
    spatial = range(1, array.ndim - 1) if pictures else range(1, array.ndim)
    sides = [axis for axis in spatial if array.shape[axis] >= _SHORTEST_SIDE]
    if not sides or spread == 0.0:
        return None
    centred = array - array.mean()
    neighbours = 0.0
    for axis in sides:
        here = np.take(centred, range(array.shape[axis] - 1), axis)
        following = np.take(centred, range(1, array.shape[axis]), axis)
        neighbours = max(neighbours, abs(float(np.mean(here * following))) / spread)
    count, size = len(array), array[0].size
    return Texture(
        neighbours=short(neighbours),
        sample_spread=short(array.reshape(count, -1).mean(axis=1).var() * size / spread),
        position_spread=short(array.mean(axis=0).var() * count / spread),
        values=min(16, len(np.unique(array[: min(count, 4)]))),
    )


def evenly(values: Array, most: int | None = None) -> Array:
    """Return an even selection of samples: at most `most`, and not more values than are quickly looked at."""
    if not len(values):
        return values
    limit = max(1, _MANY_VALUES // max(1, values[0].size))
    limit = limit if most is None else min(limit, most)
    return values if len(values) <= limit else values[chosen(len(values), limit)]


def chosen(count: int, limit: int) -> Sequence[int]:
    """Return at most `limit` places, evenly over `count`."""
    return range(count) if count <= limit else [index * count // limit for index in range(limit)]


def short(value: Any) -> float:
    """Return five significant digits: the ones below differ between CPUs, and a report must not."""
    return float(f"{float(value):.5g}")

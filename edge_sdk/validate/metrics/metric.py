"""What every metric is made of: a request, options that are read strictly, and scores that can be resampled.

A metric is made once for one evaluation set (`make(request)` in its module, which refuses labels and outputs
that do not fit) and then scores the source model's answers and the variant's. Axis 0 of every array is the
samples.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import ConfigError

Array = NDArray[Any]
#: Name of labels that have no parts; parts are "boxes", "classes"... (`y_boxes`, `y_classes` in a .npz).
WHOLE = "y"
#: A class or a token where there is none: labels of different lengths are filled up with it.
PADDING = -1


@dataclass(frozen=True)
class Score:
    """What one model reaches.

    Attributes:
        value: The metric over all samples.
        per_sample: float64 (samples,), in the metric's direction; None where single samples have no score.
        resampled: From counts (resamples, samples), how often each sample was drawn, to values (resamples,).
        cost: Numbers touched by one resample; decides how many are affordable.
    """

    value: float
    per_sample: Array | None
    resampled: Callable[[Array], Array]
    cost: int = 1


class Metric(ABC):
    """A metric bound to labels.

    Attributes:
        name: As it is reported.
        higher_is_better: Its direction.
        bounds: Lowest and highest possible value; None where there are none.
        uses: Names of the outputs that it looks at.
    """

    name: str
    higher_is_better: bool = True
    bounds: tuple[float, float] | None = None
    uses: tuple[str, ...] = ()

    @abstractmethod
    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score answers by output name."""

    def errors(self, outputs: Mapping[str, Array], score: Score, source: Score) -> Array | None:
        """Return how wrong each sample is, (samples,), 0 where it is right; None where that is unknown.

        By default the distance of each sample's score from the best one: the upper bound, else the best that
        one of the two models reached.

        Args:
            outputs: Of the model.
            score: What it reached.
            source: What the source model reached.
        """
        if score.per_sample is None:
            return None
        if not self.higher_is_better:
            return score.per_sample
        reached = [item.per_sample.max() for item in (score, source) if item.per_sample is not None]
        best = self.bounds[1] if self.bounds else max(reached)
        return np.asarray(best - score.per_sample)

    def describe(self, outputs: Mapping[str, Array], score: Score, index: int) -> int | float | str | None:
        """Return what a model answered to one sample: a class, a text; by default the sample's score."""
        return None if score.per_sample is None else float(f"{score.per_sample[index]:.5g}")

    def label(self, index: int) -> int | float | str | None:
        """Return what was right for one sample, where that is short enough to print."""
        return None


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that a metric is made from.

    Attributes:
        name: As the user wrote it.
        outputs: Output name by role.
        options: The metric's own.
        labels: Arrays by part; labels without parts are called `WHOLE`.
        reference: The source model's answers by output name, in the signature's order.
        class_names: Of the contract; may be empty.
    """

    name: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Array]
    reference: Mapping[str, Array]
    class_names: Sequence[str] = ()

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(next(iter(self.reference.values())))

    def part(self, name: str) -> Array:
        """Return one part of the labels.

        Raises:
            ConfigError: The labels have no such part, or not one entry a sample.
        """
        if name not in self.labels:
            wanted = "y" if name == WHOLE else f"y_{name}"
            given = ", ".join("y" if part == WHOLE else f"y_{part}" for part in self.labels) or "none"
            raise self.misfit(f"it needs labels called {wanted}; the evaluation data has {given}")
        values = self.labels[name]
        if len(values) != self.samples:
            raise self.misfit(f"{len(values)} labels for {self.samples} samples")
        return values

    def refuse_roles(self, *known: str) -> None:
        """Refuse a role in `outputs` that the metric does not have, and an output that does not exist."""
        for role, output in self.outputs.items():
            if role not in known:
                raise ConfigError(
                    f"metric {self.name!r} has no role {role!r}",
                    why="its outputs are given as " + ", ".join(known),
                    hint=_near(role, known),
                    metric=self.name,
                )
            if output not in self.reference:
                raise ConfigError(
                    f"metric {self.name!r}: the model has no output {output!r}",
                    why="outputs: " + self.describe_outputs(),
                    hint=_near(output, list(self.reference)),
                    metric=self.name,
                )

    def describe_outputs(self) -> str:
        """Return names, dtypes and shapes of the outputs, for messages."""
        return ", ".join(
            f"{name} {values.dtype}{list(values.shape[1:])}" for name, values in self.reference.items()
        )

    def misfit(self, why: str, hint: str | None = None) -> ConfigError:
        """Return the error for labels that do not fit this metric."""
        return ConfigError(
            f"the labels do not fit the metric {self.name!r}",
            why=why,
            hint=hint or "docs/reference/metrics.md says which labels each metric takes",
            metric=self.name,
        )


class OptionReader:
    """Reads a metric's options; a wrong value or an unknown name is a ConfigError that names it."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._left = dict(options)
        self._known: list[str] = []

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number between `low` and `high`."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}")
        return float(value)

    def integer(self, key: str, default: int | None, low: int) -> int | None:
        """Return an integer of at least `low`, or the default."""
        value = self._take(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
            raise self._wrong(key, value, f"an integer of {low} or more")
        return value

    def choice(self, key: str, default: str, allowed: Sequence[str]) -> str:
        """Return one of `allowed`."""
        value = self._take(key, default)
        if value not in allowed:
            raise self._wrong(key, value, "one of " + ", ".join(allowed))
        return str(value)

    def numbers(self, key: str, default: Sequence[float], low: float, high: float) -> tuple[float, ...]:
        """Return numbers between `low` and `high`, from a number or a list."""
        value = self._take(key, default)
        values = value if isinstance(value, (list, tuple)) else [value]
        good = all(
            isinstance(item, (int, float)) and not isinstance(item, bool) and low <= item <= high
            for item in values
        )
        if not values or not good:
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}, or a list of such")
        return tuple(float(item) for item in values)

    def done(self) -> None:
        """Refuse what is left."""
        for key in self._left:
            raise ConfigError(
                f"metric {self._name!r} has no option {key!r}",
                why="its options: " + (", ".join(self._known) or "none"),
                hint=_near(key, self._known),
                metric=self._name,
            )

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._left.pop(key, default)

    def _wrong(self, key: str, value: Any, wanted: str) -> ConfigError:
        return ConfigError(
            f"metric {self._name!r}: option {key} is {value!r}", why=f"it must be {wanted}", metric=self._name
        )


def mean_score(per_sample: Array) -> Score:
    """Return the score of a metric that is the mean over samples."""
    values = np.asarray(per_sample, np.float64)
    return Score(
        value=float(values.mean()),
        per_sample=values,
        resampled=lambda counts: np.asarray(counts @ values / counts.sum(axis=1)),
        cost=len(values),
    )


def without_batch(values: Array, rank: int) -> Array:
    """Return answers without their batch axis of 1, so that `rank` axes are left besides the samples.

    Answers have the axes of one call, and most models are called with a batch of one sample.
    """
    while values.ndim > rank + 1 and values.shape[1] == 1:
        values = values[:, 0]
    return values


def is_real(values: Array) -> bool:
    """Tell whether an array holds real numbers (also integers)."""
    return values.dtype.kind in "fiub"


def _near(word: str, known: Sequence[str]) -> str | None:
    found = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {found[0]!r}?" if found else None

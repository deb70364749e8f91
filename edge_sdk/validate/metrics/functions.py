"""The user's own metric, `module:function`.

    def within_a_step(outputs, labels, **options):     # outputs: {name: array}, first axis = samples
        return abs(outputs["angle"].ravel() - labels) < 0.1

    within_a_step.higher_is_better = True              # or [metric] options = { higher_is_better = false }

It returns one number, or an array with one number a sample, whose mean is the metric. `labels` is the array
`y`; where labels have parts (`y_boxes`, ...) it is {part: array}. Its own exceptions come back as a
ConfigError with their text and the line, never as a traceback.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edge_sdk.errors import ConfigError
from edge_sdk.quantize.functions import import_function
from edge_sdk.validate.metrics.intervals import FEWEST_RESAMPLES
from edge_sdk.validate.metrics.metric import WHOLE, Array, Metric, Request, Score, mean_score

#: A function that gives one number is called once a resample; a slower one gets no interval.
SLOWEST_CALL_SECONDS = 0.1


class UserMetric(Metric):
    """A function of the user's, called with copies of the arrays."""

    bounds = None

    def __init__(
        self, request: Request, function: Callable[..., Any], higher_is_better: bool, options: dict[str, Any]
    ) -> None:
        self.name = request.name
        self.higher_is_better = higher_is_better
        self.uses = tuple(request.reference)
        self._function = function
        self._labels = request.labels
        self._options = options
        self._samples = request.samples
        self._slow: bool | None = None

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Call the function.

        Raises:
            ConfigError: It raised, or returned something else than finite numbers.
        """
        everything = np.arange(self._samples)
        start = time.monotonic()
        found = self._call(outputs, everything)
        seconds = time.monotonic() - start
        if found.ndim:
            return mean_score(found)
        if self._slow is None:
            # Decided once, so that both models are treated alike.
            self._slow = seconds > SLOWEST_CALL_SECONDS

        def resampled(counts: Array) -> Array:
            if self._slow:
                return np.full(len(counts), np.nan)
            return np.array(
                [float(self._call(outputs, np.repeat(everything, row.astype(int)), True)) for row in counts]
            )

        # Dear enough that only the fewest resamples are made.
        return Score(float(found), None, resampled, cost=400_000_000 // FEWEST_RESAMPLES)

    def _call(self, outputs: Mapping[str, Array], chosen: Array, resample: bool = False) -> Array:
        answers = {name: values[chosen] for name, values in outputs.items()}
        labels = {part: values[chosen] for part, values in self._labels.items()}
        try:
            given = self._function(answers, labels.get(WHOLE, labels), **self._options)
            if given is None:
                raise TypeError("it returned nothing; one number, or one a sample, is expected")
            found = np.asarray(given, np.float64)
        except (Exception, SystemExit) as failure:
            if resample:  # a resample may lack what the function needs, e.g. samples of every class
                return np.asarray(np.nan)
            raise self._failed(failure) from failure
        if resample:
            return found if found.ndim == 0 else np.asarray(np.nan)
        if found.ndim > 1 or (found.ndim == 1 and len(found) != self._samples):
            raise ConfigError(
                f"the metric {self.name!r} returned an array {list(found.shape)}",
                why=f"expected one number, or one a sample: [{self._samples}]",
                metric=self.name,
            )
        if not np.isfinite(found).all() and all(
            np.isfinite(v).all() for v in answers.values() if v.dtype.kind == "f"
        ):
            where = f" for sample {int(np.argmax(~np.isfinite(found)))}" if found.ndim else ""
            raise ConfigError(
                f"the metric {self.name!r} returned {'NaN' if np.isnan(found).any() else 'infinity'}{where}",
                why="a number that is not finite cannot be compared",
                hint="check for empty sets and divisions by zero in it",
                metric=self.name,
            )
        return found

    def _failed(self, failure: BaseException) -> ConfigError:
        return _failure(self.name, failure, "the metric {} failed")


def make(request: Request) -> UserMetric:
    """Import the function.

    Raises:
        ConfigError: No such module or function, or importing it failed.
    """
    request.refuse_roles()
    for part in request.labels:
        request.part(part)
    try:
        function = import_function(request.name)
    except ConfigError:
        raise
    except (Exception, SystemExit) as failure:
        raise _failure(request.name, failure, "the module of the metric {} cannot be imported") from failure
    options = dict(request.options)
    higher = options.pop("higher_is_better", getattr(function, "higher_is_better", True))
    if not isinstance(higher, bool):
        raise ConfigError(
            f"metric {request.name!r}: higher_is_better is {higher!r}",
            why="it must be true or false",
            metric=request.name,
        )
    return UserMetric(request, function, higher, options)


def _failure(name: str, failure: BaseException, what: str) -> ConfigError:
    entries = traceback.format_exception_only(type(failure), failure)
    # A SyntaxError has its source line in front; all else is the words of the user, on any number of lines.
    own = entries[-1:] if isinstance(failure, SyntaxError) else entries
    text = " ".join("".join(own).split())
    frames = [frame for frame in traceback.extract_tb(failure.__traceback__) if frame.filename != __file__]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return ConfigError(
        what.format(repr(name)),
        why=(text or type(failure).__name__) + place,
        hint="it is called with ({output name: array}, labels), first axis = samples",
        metric=name,
    )

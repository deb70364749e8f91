"""mse, mae and cosine: answers that are numbers against numbers.

The targets are `y`, with as many values a sample as the output has; or, with the option
`against = "source"`, the source model's own answers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics.metric import (
    WHOLE,
    Array,
    Metric,
    OptionReader,
    Request,
    Score,
    is_real,
    mean_score,
)


class Distance(Metric):
    """Mean squared error, mean absolute error, or cosine similarity, averaged over samples."""

    def __init__(self, name: str, output: str, targets: Array) -> None:
        self.name = name
        self.output = output
        self.targets = targets
        self.uses = (output,)
        self.higher_is_better = name == "cosine"
        self.bounds = (-1.0, 1.0) if name == "cosine" else None

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score each sample over its values."""
        given = outputs[self.output].reshape(len(self.targets), -1).astype(np.float64)
        if self.name == "mse":
            return mean_score(np.mean(np.square(given - self.targets), axis=1))
        if self.name == "mae":
            return mean_score(np.mean(np.abs(given - self.targets), axis=1))
        lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(self.targets, axis=1)
        products = np.sum(given * self.targets, axis=1)
        # Zero has no direction; it is like another zero, and like nothing else.
        same = np.all(given == self.targets, axis=1).astype(np.float64)
        similarity = np.divide(products, lengths, out=same, where=lengths > 0)
        return mean_score(np.clip(similarity, -1.0, 1.0))

    def describe(self, outputs: Mapping[str, Array], score: Score, index: int) -> int | float | str | None:
        """Return a single value as it is, else the sample's score."""
        if self.targets.shape[1] == 1:
            return float(f"{float(outputs[self.output].reshape(len(self.targets), -1)[index, 0]):.5g}")
        return super().describe(outputs, score, index)

    def label(self, index: int) -> int | float | str | None:
        """Return a single target."""
        return float(f"{float(self.targets[index, 0]):.5g}") if self.targets.shape[1] == 1 else None


def make(request: Request) -> Distance:
    """Make the metric that `request.name` names.

    Raises:
        ConfigError: Targets of another size than the output, or a wrong option.
    """
    options = OptionReader(request.name, request.options)
    against = options.choice("against", "labels", ("labels", "source"))
    options.done()
    request.refuse_roles("values")
    targets = None if against == "source" else request.part(WHOLE)
    output = request.outputs.get("values") or _output(request, targets)
    answers = request.reference[output]
    if not is_real(answers):
        raise request.misfit(f"output {output!r} is {answers.dtype}, no numbers")
    if targets is None:
        targets = answers
    if not is_real(targets) or targets.size != answers.size:
        raise request.misfit(
            f"y is {targets.dtype}{list(targets.shape[1:])} a sample, "
            f"output {output!r} is {answers.dtype}{list(answers.shape[1:])}"
        )
    flat = targets.reshape(len(targets), -1).astype(np.float64)
    bad = ~np.isfinite(flat).all(axis=1)
    if bad.any():
        raise request.misfit(f"y holds NaN or infinity, first in sample {int(np.argmax(bad))}")
    return Distance(request.name, output, flat)


def _output(request: Request, targets: Array | None) -> str:
    real = [name for name, values in request.reference.items() if is_real(values)]
    fitting = (
        real if targets is None else [name for name in real if request.reference[name].size == targets.size]
    )
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        given = "" if targets is None else f"y is {targets.dtype}{list(targets.shape[1:])} a sample; "
        raise request.misfit(f"{given}outputs: {request.describe_outputs()}")
    raise ConfigError(
        f"metric {request.name!r}: which output is compared?",
        why="outputs: " + request.describe_outputs(),
        hint=f'[metric] outputs = {{ values = "{fitting[0]}" }}',
        metric=request.name,
    )

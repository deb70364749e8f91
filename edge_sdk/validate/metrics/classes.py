"""top1, top5, topK: the share of samples whose label is among the K best classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_sdk.validate.metrics.metric import WHOLE, Array, Metric, OptionReader, Request, Score, mean_score
from edge_sdk.validate.metrics.outputs import best_class, is_class_like, metric_output


class TopClasses(Metric):
    """The share of samples whose label is among the `k` best classes."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(self, name: str, output: str, labels: Array, k: int) -> None:
        self.name = name
        self.output = output
        self.labels = labels.reshape(-1).astype(np.int64)
        self.k = k
        self.uses = (output,)

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score: 1 for a sample whose label is among the best, else 0."""
        scores = self._scores(outputs)
        own = np.take_along_axis(scores, self.labels[:, None], axis=1)
        # Among equals the first class wins, as argmax has it.
        earlier = np.arange(scores.shape[1])[None, :] < self.labels[:, None]
        better = np.sum((scores > own) | ((scores == own) & earlier), axis=1)
        return mean_score((better < self.k).astype(np.float64))

    def errors(self, outputs: Mapping[str, Array], score: Score, source: Score) -> Array | None:
        """Return how far the label's score lies below the best one; 0 for a sample that is right."""
        scores = self._scores(outputs)
        own = np.take_along_axis(scores, self.labels[:, None], axis=1)[:, 0]
        assert score.per_sample is not None
        # A tie that was lost is an error too, if the smallest one.
        margin = np.maximum(scores.max(axis=1) - own, np.finfo(np.float32).tiny)
        return np.where(score.per_sample > 0.5, 0.0, margin)

    def describe(self, outputs: Mapping[str, Array], score: Score, index: int) -> int | float | str | None:
        """Return the best class."""
        return int(best_class(self._scores(outputs)[index : index + 1])[0])

    def label(self, index: int) -> int | float | str | None:
        """Return the label's class."""
        return int(self.labels[index])

    def best(self, outputs: Mapping[str, Array]) -> Array:
        """Return the best class of every sample, int64 (samples,)."""
        return best_class(self._scores(outputs))

    def classes(self, outputs: Mapping[str, Array]) -> int:
        """Return how many classes there are."""
        return int(self._scores(outputs).shape[1])

    def _scores(self, outputs: Mapping[str, Array]) -> Array:
        values = outputs[self.output]
        return values.reshape(len(values), -1).astype(np.float64)


def make(request: Request) -> TopClasses:
    """Make the metric; `request.name` is "top1", "top5"..., or "topk" with the option `k`.

    Raises:
        ConfigError: Labels that are no classes, an output that holds none, or a wrong option.
    """
    options = OptionReader(request.name, request.options)
    number = request.name[3:]
    k = int(number) if number.isdigit() else options.integer("k", 5, 1)
    options.done()
    request.refuse_roles("scores")
    labels = request.part(WHOLE)
    if labels.dtype.kind not in "iu" or labels.size != len(labels):
        raise request.misfit(
            f"y is {labels.dtype}{list(labels.shape)}; one integer class a sample is needed",
            "one-hot labels become classes with labels.argmax(axis=1)" if labels.ndim == 2 else None,
        )
    output = request.outputs.get("scores")
    if output is not None and not is_class_like(request.reference[output]):
        values = request.reference[output]
        raise request.misfit(
            f"output {output!r} is {values.dtype}{list(values.shape[1:])}: no scores of classes"
        )
    if output is None:
        output = metric_output(request.reference, labels, len(request.class_names))
    if output is None:
        possible = [name for name, values in request.reference.items() if is_class_like(values)]
        if not possible:
            raise request.misfit(f"no output holds scores of classes: {request.describe_outputs()}")
        output = possible[0]
    count = request.reference[output].size // max(1, len(request.reference[output]))
    wrong = np.flatnonzero((labels.reshape(-1) < 0) | (labels.reshape(-1) >= count))
    if len(wrong):
        first = int(wrong[0])
        raise request.misfit(
            f"sample {first} has label {int(labels.reshape(-1)[first])}; output {output!r} has {count} "
            f"classes, 0 to {count - 1}",
            "labels count from 0" if int(labels.min()) == 1 and int(labels.max()) == count else None,
        )
    assert k is not None
    return TopClasses(f"top{k}", output, labels, k)

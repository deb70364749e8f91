"""iou: masks. Intersection over union of each class over all samples, then the mean over classes.

Labels: `y` [samples, height, width], one class a pixel; negative pixels do not count. The output is
[height, width, classes] (the best class wins), [classes, height, width], [height, width] of classes, or one
plane of scores, where a score above `threshold` means 1. For one plane the IoU is that of class 1 alone.
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
    without_batch,
)


class MaskOverlap(Metric):
    """Mean intersection over union."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(
        self, name: str, output: str, labels: Array, *, classes: int, threshold: float, background: int | None
    ) -> None:
        self.name = name
        self.output = output
        self.uses = (output,)
        self._labels = labels
        self._planes = classes
        self._threshold = threshold
        self._classes = classes = max(classes, 2)
        # Of two kinds told by one score, the first is the background.
        left_out = 0 if self._planes == 1 and background is None else background
        self._counted = [number for number in range(classes) if number != left_out]

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score; a sample's own score is the mean over the classes that it or its answer has."""
        found = self.predicted(outputs)
        shared, union = np.zeros((2, len(found), len(self._counted)))
        for index, (want, got) in enumerate(zip(self._labels, found, strict=True)):
            valid = want >= 0
            size = self._classes + 1
            # A class that does not exist counts as one that is never right.
            known = np.where((got >= 0) & (got < size), got, size - 1)
            codes = want[valid].astype(np.int64) * size + known[valid]
            table = np.bincount(codes, minlength=size * size).reshape(size, size)
            shared[index] = np.diag(table)[self._counted]
            union[index] = (table.sum(axis=0) + table.sum(axis=1))[self._counted] - shared[index]

        def resampled(counts: Array) -> Array:
            return _mean_over_classes(counts @ shared, counts @ union, np.nan)

        return Score(
            value=float(resampled(np.ones((1, len(found))))[0]),
            # Nothing to find and nothing found is right.
            per_sample=_mean_over_classes(shared, union, 1.0),
            resampled=resampled,
            cost=2 * shared.size,
        )

    def predicted(self, outputs: Mapping[str, Array]) -> Array:
        """Return the class of every pixel, (samples, height, width)."""
        values = _planes(outputs[self.output], self._labels.shape, self._planes)
        if values.ndim == 3:
            return values if values.dtype.kind in "iub" else (values > self._threshold).astype(np.int64)
        return np.asarray(values.argmax(axis=3))


def make(request: Request) -> MaskOverlap:
    """Make the metric.

    Raises:
        ConfigError: Labels that are no masks, another size than the output's, or a wrong option.
    """
    options = OptionReader(request.name, request.options)
    threshold = options.number("threshold", 0.5, -1e9, 1e9)
    background = options.integer("background", None, 0)
    options.done()
    request.refuse_roles("masks")
    labels = request.part(WHOLE)
    if labels.ndim == 4 and 1 in (labels.shape[3], labels.shape[1]):
        labels = labels[..., 0] if labels.shape[3] == 1 else labels[:, 0]
    if labels.ndim != 3 or labels.dtype.kind not in "iub":
        raise request.misfit(
            f"y is {request.part(WHOLE).dtype}{list(request.part(WHOLE).shape)}; integer or bool "
            "[samples, height, width] is needed",
            "one-hot masks become classes with y.argmax(axis=-1)" if labels.ndim == 4 else None,
        )
    labels = labels.astype(np.int32) if labels.dtype.kind in "ub" else labels
    output = request.outputs.get("masks") or _output(request, labels)
    answers = request.reference[output]
    classes = _classes(answers, labels.shape)
    if classes is None:
        raise request.misfit(
            f"masks are {labels.shape[1]} x {labels.shape[2]}, output {output!r} is "
            f"{answers.dtype}{list(answers.shape[1:])}",
            "scale the masks to the size of the output, without smoothing",
        )
    if answers.dtype.kind in "iub":
        classes = int(max(labels.max(), answers.max())) + 1
        classes = max(classes, 2)
    elif classes == 1 and "threshold" not in request.options and (answers.min() < 0 or answers.max() > 1):
        threshold = 0.0  # scores before the sigmoid: 0 is a probability of a half
    if int(labels.max()) >= max(classes, 2) and answers.dtype.kind == "f":
        raise request.misfit(
            f"y has class {int(labels.max())}; output {output!r} has {max(classes, 2)} classes, "
            f"0 to {max(classes, 2) - 1}",
            "pixels that do not count are negative" if int(labels.max()) == 255 else None,
        )
    if int(labels.max()) < 0:
        raise request.misfit("no pixel counts: every label is negative")
    return MaskOverlap(
        request.name, output, labels, classes=classes, threshold=threshold, background=background
    )


def _output(request: Request, labels: Array) -> str:
    fitting = [
        name
        for name, values in request.reference.items()
        if is_real(values) and _classes(values, labels.shape) is not None
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ConfigError(
            f"metric {request.name!r}: which output holds the masks?",
            why="outputs: " + request.describe_outputs(),
            hint=f'[metric] outputs = {{ masks = "{fitting[0]}" }}',
            metric=request.name,
        )
    raise request.misfit(
        f"masks are {labels.shape[1]} x {labels.shape[2]}; outputs: {request.describe_outputs()}",
        "scale the masks to the size of the output, without smoothing",
    )


def _classes(values: Array, masks: tuple[int, ...]) -> int | None:
    """Return how many classes an output holds for each pixel of the masks; None where it does not fit."""
    sizes = without_batch(values, 3).shape
    if sizes in (masks, (*masks, 1)):
        return 1
    if len(sizes) == 4 and sizes[:3] == masks and values.dtype.kind == "f":
        return int(sizes[3])
    if len(sizes) == 4 and (sizes[0], *sizes[2:]) == masks and values.dtype.kind == "f":
        return int(sizes[1])
    return 1 if without_batch(values, 2).shape == masks else None


def _planes(values: Array, masks: tuple[int, ...], classes: int) -> Array:
    """Return scores (samples, height, width, classes), or one plane (samples, height, width)."""
    if values.size == int(np.prod(masks)):
        return values.reshape(masks)
    values = without_batch(values, 3)
    return values if values.shape[:3] == masks else np.moveaxis(values, 1, 3)


def _mean_over_classes(shared: Array, union: Array, empty: float) -> Array:
    present = union > 0
    ratio = np.divide(shared, union, out=np.zeros_like(shared, dtype=np.float64), where=present)
    number = present.sum(axis=1)
    return np.asarray(np.divide(ratio.sum(axis=1), number, out=np.full(len(ratio), empty), where=number > 0))

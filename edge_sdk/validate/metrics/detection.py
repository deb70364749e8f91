"""mean_average_precision: boxes, COCO's rules. The arithmetic is in average_precision.py.

Labels: `y_boxes` [samples, most, 4] and `y_classes` [samples, most], filled up with -1.
Outputs by role: `boxes` [N, 4]; `scores` [N], or [N, classes] with a score for each class; `classes` [N]
beside the former; `count` where only the first so many of N are meant. A score of 0 is no detection.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics.average_precision import (
    Detections,
    match,
    mean_average_precision,
    of_each_picture,
    suppress,
)
from edge_sdk.validate.metrics.metric import Array, Metric, OptionReader, Request, Score

#: Words that tell an output's role by its name.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "boxes": ("box", "location"),
    "scores": ("score",),
    "classes": ("class",),
    "count": ("num", "count"),
}
ROLES = tuple(_WORDS)
#: Order of a box's four numbers; TensorFlow's own is the first.
FORMATS = ("yxyx", "xyxy", "xywh", "cxcywh")
COCO_THRESHOLDS = tuple(float(value) for value in np.round(np.arange(0.5, 1.0, 0.05), 2))
#: Of each picture, so many best detections go into non-maximum suppression.
MOST_FOR_NMS = 1000
#: Pixels against shares of a side: labels above this and answers below it do not speak of the same unit.
_SHARES_END = 2.0


class MeanAveragePrecision(Metric):
    """Mean average precision over classes and IoU thresholds."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(
        self,
        request: Request,
        roles: Mapping[str, str],
        *,
        box_format: str,
        label_format: str,
        thresholds: tuple[float, ...],
        limit: int,
        least_score: float,
        nms: float | None,
        class_offset: int,
    ) -> None:
        self.name = request.name
        self.uses = tuple(roles.values())
        self._roles = roles
        self._format = box_format
        self._thresholds = thresholds
        self._limit = limit
        self._least_score = least_score
        self._nms = nms
        self._offset = class_offset
        boxes, classes = request.part("boxes"), request.part("classes")
        real = classes >= 0
        self._boxes = [corners(row[keep], label_format) for row, keep in zip(boxes, real, strict=True)]
        self._classes = [row[keep].astype(np.int64) for row, keep in zip(classes, real, strict=True)]

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score all pictures together; a picture's own score is its own average precision."""
        found = self.detections(outputs)
        matches = match(found, self._boxes, self._classes, self._thresholds, self._limit)
        count = len(found)
        own = of_each_picture(matches, count)
        # Where there is nothing to find, finding nothing is right.
        empty = np.array([0.0 if len(entry.scores) else 1.0 for entry in found])
        return Score(
            value=float(mean_average_precision(matches, np.ones((1, count)))[0]),
            per_sample=np.where(np.isnan(own), empty, own),
            resampled=lambda counts: mean_average_precision(matches, counts),
            cost=count + sum(entry.pictures.size + 6 * int(entry.right.sum()) for entry in matches),
        )

    def describe(self, outputs: Mapping[str, Array], score: Score, index: int) -> int | float | str | None:
        """Return what was found, and the picture's own average precision."""
        found = self.detections({name: values[index : index + 1] for name, values in outputs.items()})[0]
        assert score.per_sample is not None
        return f"{len(found.scores)} boxes, AP {score.per_sample[index]:.2f}"

    def label(self, index: int) -> int | float | str | None:
        """Return how many objects there are."""
        return f"{len(self._classes[index])} boxes"

    def detections(self, outputs: Mapping[str, Array]) -> list[Detections]:
        """Return the detections of every picture, with classes as numbers of the labels."""
        boxes = outputs[self._roles["boxes"]]
        count = len(boxes)
        boxes = boxes.reshape(count, -1, 4).astype(np.float64)
        scores = outputs[self._roles["scores"]].reshape(count, boxes.shape[1], -1).astype(np.float64)
        valid = np.ones(scores.shape[:2], bool)
        if "count" in self._roles:
            counts = outputs[self._roles["count"]].reshape(count, -1)[:, :1]
            valid = np.arange(boxes.shape[1])[None, :] < np.round(counts)
        if "classes" in self._roles:
            classes = np.round(outputs[self._roles["classes"]].reshape(count, -1)).astype(np.int64)[..., None]
        else:
            classes = np.broadcast_to(np.arange(scores.shape[2]), scores.shape)
        keep = valid[..., None] & (scores >= self._least_score) & (scores > 0.0)
        found = []
        for picture in range(count):
            rows, columns = self._best(keep[picture], scores[picture])
            entry = Detections(
                boxes=corners(boxes[picture][rows], self._format),
                scores=scores[picture][rows, columns],
                classes=classes[picture][rows, columns] + self._offset,
            )
            found.append(entry if self._nms is None else suppress(entry, self._nms))
        return found

    def _best(self, keep: Array, scores: Array) -> tuple[Array, Array]:
        """Return rows and columns of the detections that can count, so that thousands of anchors stay few."""
        rows, columns = np.nonzero(keep)
        if self._nms is not None:
            best = np.argsort(-scores[rows, columns], kind="stable")[:MOST_FOR_NMS]
        elif scores.shape[1] > 1:
            order = np.lexsort((np.arange(len(rows)), -scores[rows, columns], columns))
            starts = np.searchsorted(columns[order], columns[order])
            best = order[np.arange(len(order)) - starts < self._limit]
        else:
            return rows, columns
        return rows[best], columns[best]


def corners(boxes: Array, box_format: str) -> Array:
    """Return boxes (n, 4) as left, top, right, bottom, float64."""
    one, two, three, four = boxes.reshape(-1, 4).astype(np.float64).T
    if box_format == "yxyx":
        return np.stack([two, one, four, three], axis=1)
    if box_format == "xywh":
        return np.stack([one, two, one + three, two + four], axis=1)
    if box_format == "cxcywh":
        return np.stack([one - three / 2, two - four / 2, one + three / 2, two + four / 2], axis=1)
    return np.stack([one, two, three, four], axis=1)


def make(request: Request) -> MeanAveragePrecision:
    """Make the metric.

    Raises:
        ConfigError: Labels without boxes and classes, outputs that cannot be told apart, or a wrong option.
    """
    options = OptionReader(request.name, request.options)
    box_format = options.choice("box_format", FORMATS[0], FORMATS)
    settings = {
        "label_format": options.choice("label_format", box_format, FORMATS),
        "thresholds": options.numbers("iou", COCO_THRESHOLDS, 0.0, 1.0),
        "limit": options.integer("max_detections", 100, 1),
        "least_score": options.number("score_threshold", 0.0, 0.0, 1.0),
        "nms": options.number("nms", 1.0, 0.0, 1.0) if "nms" in request.options else None,
        "class_offset": options.integer("class_offset", 0, -1),
    }
    options.done()
    request.refuse_roles(*ROLES)
    _check_labels(request)
    roles = _find_roles(request)
    _check_outputs(request, roles)
    metric = MeanAveragePrecision(request, roles, box_format=box_format, **settings)  # type: ignore[arg-type]
    _check_units(request, roles)
    return metric


def _check_labels(request: Request) -> None:
    boxes, classes = request.part("boxes"), request.part("classes")
    if boxes.ndim != 3 or boxes.shape[2] != 4 or boxes.dtype.kind not in "fiu":
        raise request.misfit(f"y_boxes is {boxes.dtype}{list(boxes.shape)}, not real [samples, most, 4]")
    if classes.shape != boxes.shape[:2] or classes.dtype.kind not in "iu":
        raise request.misfit(
            f"y_classes is {classes.dtype}{list(classes.shape)}, not integer {list(boxes.shape[:2])}"
        )
    real = classes >= 0
    if not real.any():
        raise request.misfit("no sample has an object: every entry of y_classes is negative")
    if not np.isfinite(boxes[real]).all():
        raise request.misfit("y_boxes holds NaN or infinity")


def _find_roles(request: Request) -> dict[str, str]:
    """Return the output of each role: as given, else by the shape of boxes and the words in the names."""
    roles = dict(request.outputs)
    left = [name for name in request.reference if name not in roles.values()]
    for role in ROLES:
        if role in roles:
            continue
        words = _WORDS[role]
        named = [name for name in left if any(word in name.lower() for word in words)]
        if role == "boxes" and not named:
            named = [name for name in left if request.reference[name].shape[-1:] == (4,)]
        if len(named) == 1:
            roles[role] = named[0]
            left.remove(named[0])
    missing = [role for role in ("boxes", "scores") if role not in roles]
    if missing:
        example = ", ".join(f'{role} = "..."' for role in ("boxes", "scores"))
        raise ConfigError(
            f"metric {request.name!r}: which output holds the {' and the '.join(missing)}?",
            why="outputs: " + request.describe_outputs(),
            hint=f"[metric] outputs = {{ {example} }}: decoded boxes [N, 4], scores [N] or [N, classes]",
            metric=request.name,
        )
    return roles


def _check_outputs(request: Request, roles: dict[str, str]) -> None:
    sizes = {role: request.reference[name].size // request.samples for role, name in roles.items()}
    count, rest = divmod(sizes["boxes"], 4)
    if rest or not count or sizes["scores"] % count:
        raise request.misfit(
            f"{sizes['boxes']} numbers of boxes and {sizes['scores']} scores a sample make no [N, 4] and [N] "
            f"or [N, classes]; outputs: {request.describe_outputs()}"
        )
    if sizes["scores"] != count:
        roles.pop("classes", None)
    elif "classes" in roles and sizes["classes"] != count:
        raise request.misfit(f"{count} boxes and {sizes['classes']} classes a sample")


def _check_units(request: Request, roles: Mapping[str, str]) -> None:
    real = request.part("classes") >= 0
    largest = float(np.max(np.abs(request.part("boxes")[real])))
    answers = request.reference[roles["boxes"]]
    answered = float(np.max(np.abs(answers[np.isfinite(answers)]), initial=0.0))
    if (largest > 4 * _SHARES_END and answered < _SHARES_END) or (
        largest <= 1.0 + 1e-6 and answered > 4 * _SHARES_END
    ):
        raise request.misfit(
            f"y_boxes reaches {largest:g}, output {roles['boxes']!r} {answered:g}: pixels here, shares of "
            "the picture's sides there",
            "give the labels in the unit of the output",
        )

"""Mean average precision by COCO's rules, as arrays; nothing here knows about models or labels' formats.

The rules (area "all", no crowds): of each picture and class the `limit` best detections count. In order of
score, each takes the object of its class in its picture that it overlaps most and that is still free, where
the IoU reaches the threshold. Over all pictures, precision is made monotone from the right and read at 101
recalls 0, 0.01 ... 1. The mean is over classes that have objects, and over IoU thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.validate.metrics.metric import Array

RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Detections:
    """The detections of one picture.

    Attributes:
        boxes: float64 (detections, 4) as left, top, right, bottom.
        scores: float64 (detections,).
        classes: int64 (detections,).
    """

    boxes: Array
    scores: Array
    classes: Array


@dataclass(frozen=True)
class Matches:
    """One class over all pictures, detections by falling score.

    Attributes:
        pictures: int64 (detections,): where each detection is.
        right: bool (thresholds, detections): it took an object.
        objects: int64 (pictures,): objects of this class.
    """

    pictures: Array
    right: Array
    objects: Array


def overlaps(first: Array, second: Array) -> Array:
    """Return the IoU of each box of `first` with each of `second`, float64 (first, second)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=2)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None), axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def match(
    detections: Sequence[Detections],
    boxes: Sequence[Array],
    classes: Sequence[Array],
    thresholds: Sequence[float],
    limit: int,
) -> list[Matches]:
    """Match detections with objects, class by class.

    Args:
        detections: One a picture.
        boxes: The objects of each picture, (objects, 4) as left, top, right, bottom.
        classes: Their classes, (objects,).
        thresholds: IoU to be reached.
        limit: So many detections of a class count in one picture.

    Returns:
        One entry a class that has objects, in order of class.
    """
    known = sorted({int(value) for values in classes for value in values})
    parts: dict[int, list[tuple[Array, Array, Array]]] = {number: [] for number in known}
    for picture, given in enumerate(detections):
        for number in np.unique(given.classes):
            if int(number) not in parts:
                continue
            own = np.flatnonzero(given.classes == number)
            order = own[np.argsort(-given.scores[own], kind="stable")][:limit]
            wanted = boxes[picture][classes[picture] == number]
            right = _take(overlaps(given.boxes[order], wanted), thresholds)
            parts[int(number)].append((np.full(len(order), picture), given.scores[order], right))
    objects = {number: np.zeros(len(classes), np.int64) for number in known}
    for picture, values in enumerate(classes):
        for number, count in zip(*np.unique(values, return_counts=True), strict=True):
            objects[int(number)][picture] = count
    nothing = (np.empty(0, np.int64), np.empty(0), np.zeros((len(thresholds), 0), bool))
    found = []
    for number in known:
        pictures, scores, rights = zip(*(parts[number] or [nothing]), strict=True)
        best_first = np.argsort(-np.concatenate(scores), kind="stable")
        found.append(
            Matches(
                pictures=np.concatenate(pictures)[best_first],
                right=np.concatenate(rights, axis=1)[:, best_first],
                objects=objects[number],
            )
        )
    return found


def _take(overlap: Array, thresholds: Sequence[float]) -> Array:
    """Return bool (thresholds, detections): which detections of one picture and class take an object."""
    right = np.zeros((len(thresholds), overlap.shape[0]), bool)
    if not overlap.shape[1]:
        return right
    for row, threshold in enumerate(thresholds):
        free = np.ones(overlap.shape[1], bool)
        least = min(threshold, 1 - 1e-10)
        for index in np.flatnonzero(overlap.max(axis=1) >= least):
            candidates = np.where(free & (overlap[index] >= least), overlap[index], -1.0)
            # Of equals the last one, as COCO's code has it.
            best = len(candidates) - 1 - int(np.argmax(candidates[::-1]))
            if candidates[best] >= 0.0:
                free[best] = False
                right[row, index] = True
    return right


def mean_average_precision(matches: Sequence[Matches], counts: Array) -> Array:
    """Return the mean over classes and thresholds, one value a row of counts.

    Args:
        matches: Of `match`.
        counts: float64 (resamples, pictures): how often each picture counts.

    Returns:
        float64 (resamples,); NaN where a resample has no objects at all.
    """
    total, classes = np.zeros(len(counts)), np.zeros(len(counts))
    for entry in matches:
        objects = counts @ entry.objects
        total += np.where(objects > 0, _average_precision(entry, counts, objects), 0.0)
        classes += objects > 0
    return np.asarray(np.divide(total, classes, out=np.full(len(counts), np.nan), where=classes > 0))


def of_each_picture(matches: Sequence[Matches], pictures: int) -> Array:
    """Return the mean average precision of each picture alone, (pictures,); NaN for one without objects."""
    total, classes = np.zeros(pictures), np.zeros(pictures)
    for entry in matches:
        order = np.argsort(entry.pictures, kind="stable")
        ends = np.searchsorted(entry.pictures[order], np.arange(pictures + 1))
        for picture in np.flatnonzero(entry.objects):
            own = order[ends[picture] : ends[picture + 1]]
            alone = Matches(np.zeros(len(own), np.int64), entry.right[:, own], entry.objects[picture, None])
            objects = alone.objects.astype(np.float64)
            total[picture] += _average_precision(alone, np.ones((1, 1)), objects)[0]
        classes += entry.objects > 0
    return np.asarray(np.divide(total, classes, out=np.full(pictures, np.nan), where=classes > 0))


def _average_precision(entry: Matches, counts: Array, objects: Array) -> Array:
    """Return the average precision of one class, averaged over thresholds, (resamples,)."""
    # Only where an object is taken does recall grow, and precision is highest there: nothing else counts.
    taken = np.flatnonzero(entry.right.any(axis=0))
    if not len(taken):
        return np.zeros(len(counts))
    weights = counts[:, entry.pictures[: taken[-1] + 1]]
    seen = np.cumsum(weights, axis=1)[:, taken]
    weights = weights[:, taken]
    total = np.zeros(len(counts))
    for right in entry.right[:, taken]:
        if not right.any():
            continue
        hits = np.cumsum(weights[:, right], axis=1)
        recall = hits / np.where(objects > 0, objects, 1.0)[:, None]
        precision = np.divide(hits, seen[:, right], out=np.zeros_like(hits), where=hits > 0)
        monotone = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        # How many of the 101 recalls are reached by then; each is read where it is reached first.
        reached = np.searchsorted(RECALLS, recall.ravel(), side="right").reshape(recall.shape)
        total += np.sum(monotone * np.diff(reached, axis=1, prepend=0), axis=1) / len(RECALLS)
    return total / len(entry.right)


def suppress(detections: Detections, threshold: float) -> Detections:
    """Drop what overlaps a better detection of the same class by more than the threshold (greedy NMS)."""
    order = np.argsort(-detections.scores, kind="stable")
    kept: list[int] = []
    alive = np.ones(len(order), bool)
    boxes, classes = detections.boxes[order], detections.classes[order]
    for index in range(len(order)):
        if not alive[index]:
            continue
        kept.append(int(order[index]))
        later = np.flatnonzero(alive[index + 1 :] & (classes[index + 1 :] == classes[index])) + index + 1
        if len(later):
            alive[later[overlaps(boxes[index : index + 1], boxes[later])[0] > threshold]] = False
    return Detections(detections.boxes[kept], detections.scores[kept], detections.classes[kept])

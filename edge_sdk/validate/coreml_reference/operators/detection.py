"""What detectors and classifiers end with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.operators.shape import OLD_OPSETS

Array = NDArray[Any]


def non_maximum_suppression(
    *,
    boxes: Array,
    scores: Array,
    iou_threshold: float,
    max_boxes: int,
    score_threshold: float | None = None,
    per_class_suppression: bool = False,
    opset: str = "CoreML5",
) -> tuple[Array, ...]:
    """Keep the best boxes that overlap no better one too much.

    Args:
        boxes: [n, B, 4], from iOS 17 on [n, 4, B]: centre x, centre y, width, height.
        scores: [n, B, K], from iOS 17 on [n, K, B].
        iou_threshold: A box that overlaps a better one by more is dropped.
        max_boxes: Rows of the result.
        score_threshold: Boxes whose best score is below are dropped (up to iOS 16).
        per_class_suppression: Only boxes of the same best class compete.
        opset: Of the program.

    Returns:
        Boxes [n, max_boxes, 4] and scores [n, max_boxes, K], zeros where there are fewer; indices
        [n, max_boxes], -1 there; how many there are [n]. From iOS 17 on, boxes [n, 4, max_boxes], scores
        [n, K, max_boxes] and indices alone.
    """
    newer = opset not in OLD_OPSETS
    if newer:
        boxes, scores = boxes.swapaxes(1, 2), scores.swapaxes(1, 2)
    count = int(max_boxes)
    out_boxes = np.zeros((boxes.shape[0], count, 4), np.float32)
    out_scores = np.zeros((boxes.shape[0], count, scores.shape[2]), np.float32)
    indices = np.full((boxes.shape[0], count), -1, np.int32)
    numbers = np.zeros(boxes.shape[0], np.int32)
    for n, (given, points) in enumerate(zip(boxes, scores, strict=True)):
        best, kinds = points.max(-1), points.argmax(-1)
        kept: list[int] = []
        for index in np.argsort(-best, kind="stable"):
            if score_threshold is not None and best[index] < score_threshold:
                break
            if len(kept) == count:
                break
            rivals = [k for k in kept if not per_class_suppression or kinds[k] == kinds[index]]
            if all(_overlap(given[index], given[k]) <= iou_threshold for k in rivals):
                kept.append(int(index))
        out_boxes[n, : len(kept)], out_scores[n, : len(kept)] = given[kept], points[kept]
        indices[n, : len(kept)], numbers[n] = kept, len(kept)
    if newer:
        return out_boxes.swapaxes(1, 2), out_scores.swapaxes(1, 2), indices
    return out_boxes, out_scores, indices, numbers


def _overlap(a: Array, b: Array) -> float:
    """Return intersection over union of two boxes (centre x, centre y, width, height)."""
    low = np.maximum(a[:2] - a[2:] / 2, b[:2] - b[2:] / 2)
    high = np.minimum(a[:2] + a[2:] / 2, b[:2] + b[2:] / 2)
    shared = float(np.prod(np.maximum(high - low, 0)))
    union = float(np.prod(a[2:]) + np.prod(b[2:])) - shared
    return shared / union if union > 0 else 0.0


def classify(*, probabilities: Array, classes: Any) -> tuple[Any, dict[Any, float]]:
    """Return the label of the largest probability, and all labels with theirs."""
    values = np.asarray(probabilities).reshape(-1)
    labels = [label.item() if isinstance(label, np.ndarray) else label for label in classes]
    return labels[int(values.argmax())], {
        label: float(value) for label, value in zip(labels, values, strict=True)
    }


TABLE = {"classify": classify, "non_maximum_suppression": non_maximum_suppression}

"""Made-up detection scenes, and mean average precision by COCO's rules in the plainest possible way.

`plain_map` is written from the published rules, one detection at a time, and shares nothing with edge_sdk.
"""

from __future__ import annotations

from typing import Any

import numpy as np

THRESHOLDS = [0.5 + 0.05 * step for step in range(10)]


def scene(seed: int, pictures: int = 12, classes: int = 4, noise: float = 0.08) -> dict[str, Any]:
    """Return labels (y_boxes, y_classes) and outputs (boxes, scores, classes); boxes y, x, y, x in 0..1.

    Detections are objects that were moved a little, missed, doubled, or given another class, and some that
    are not there at all.
    """
    random = np.random.default_rng(seed)
    y_boxes = np.full((pictures, 8, 4), -1.0, np.float32)
    y_classes = np.full((pictures, 8), -1, np.int64)
    boxes = np.zeros((pictures, 20, 4), np.float32)
    scores = np.zeros((pictures, 20), np.float32)
    found = np.zeros((pictures, 20), np.float32)
    for picture in range(pictures):
        count = int(random.integers(0, 7))
        corner = random.uniform(0.0, 0.6, (count, 2))
        size = random.uniform(0.1, 0.4, (count, 2))
        y_boxes[picture, :count] = np.concatenate([corner, corner + size], axis=1)
        y_classes[picture, :count] = random.integers(0, classes, count)
        row = 0
        for index in range(count):
            for _ in range(int(random.choice([0, 1, 1, 1, 2]))):
                moved = y_boxes[picture, index] + random.normal(0, noise * 0.3, 4)
                boxes[picture, row] = [*np.minimum(moved[:2], moved[2:]), *np.maximum(moved[:2], moved[2:])]
                same = random.random() > 0.15
                found[picture, row] = y_classes[picture, index] if same else random.integers(0, classes)
                scores[picture, row] = random.uniform(0.3, 1.0)
                row += 1
        for _ in range(int(random.integers(0, 5))):
            corner = random.uniform(0.0, 0.6, 2)
            boxes[picture, row] = np.concatenate([corner, corner + random.uniform(0.1, 0.4, 2)])
            found[picture, row] = random.integers(0, classes)
            scores[picture, row] = random.uniform(0.01, 0.7)
            row += 1
    return {"y_boxes": y_boxes, "y_classes": y_classes, "boxes": boxes, "scores": scores, "classes": found}


def plain_map(made: dict[str, Any], thresholds: list[float] = THRESHOLDS, limit: int = 100) -> float:
    """Return COCO's mean average precision."""
    classes = sorted({int(value) for value in made["y_classes"].ravel() if value >= 0})
    values = [
        _average_precision(made, number, threshold, limit) for number in classes for threshold in thresholds
    ]
    return sum(values) / len(values)


def _average_precision(made: dict[str, Any], number: int, threshold: float, limit: int) -> float:
    ranked, objects = [], 0
    for picture in range(len(made["y_classes"])):
        wanted = [
            box
            for box, own in zip(made["y_boxes"][picture], made["y_classes"][picture], strict=True)
            if own == number
        ]
        objects += len(wanted)
        given = [
            (float(score), box)
            for score, box, own in zip(
                made["scores"][picture], made["boxes"][picture], made["classes"][picture], strict=True
            )
            if own == number and score > 0
        ]
        given.sort(key=lambda item: -item[0])
        taken: set[int] = set()
        for score, box in given[:limit]:
            best, best_iou = None, min(threshold, 1 - 1e-10)
            for index, other in enumerate(wanted):
                if index not in taken and _iou(box, other) >= best_iou:
                    best, best_iou = index, _iou(box, other)
            if best is not None:
                taken.add(best)
            ranked.append((score, best is not None))
    ranked.sort(key=lambda item: -item[0])
    points, hits = [], 0
    for place, (_, right) in enumerate(ranked, 1):
        hits += right
        points.append((hits / objects, hits / place))
    # linspace, not step / 100: a recall of 0.35 must count as in COCO's own code.
    levels = np.linspace(0.0, 1.0, 101)
    return (
        sum(max((right for recall, right in points if recall >= level), default=0.0) for level in levels)
        / 101
    )


def _iou(one: Any, two: Any) -> float:
    one, two = [float(value) for value in one], [float(value) for value in two]
    height = min(one[2], two[2]) - max(one[0], two[0])
    width = min(one[3], two[3]) - max(one[1], two[1])
    if height <= 0 or width <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return height * width / (areas[0] + areas[1] - height * width)

"""From output tensors to boxes: anchors, scores, non-maximum suppression.

docs/reference/contract.md defines the same for other implementers. The arithmetic is in double precision
and in the order written here, so that every implementation draws the same boxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_sdk.contract.preprocess import Placement, placement
from edge_sdk.contract.spec import Detections, ImagePreprocess
from edge_sdk.errors import ConfigError

#: A box's four numbers, by form, in the order left/x, top/y, right/width, bottom/height.
_ORDER = {
    "yxyx": (1, 0, 3, 2),
    "xyxy": (0, 1, 2, 3),
    "xywh": (0, 1, 2, 3),
    "cxcywh": (0, 1, 2, 3),
    "cycxhw": (1, 0, 3, 2),
}


def detect(
    outputs: Mapping[str, np.ndarray], rule: Detections, labels: tuple[str, ...] = ()
) -> list[list[dict[str, Any]]]:
    """Return the boxes of each sample, best first.

    Args:
        outputs: Tensors by name, real numbers.
        rule: The steps.
        labels: Names by class index; may be shorter than the classes.

    Returns:
        One list a sample of {"box": [top, left, bottom, right], "index", "label", "score", "keypoints":
        [[y, x], ...]}: floats as shares of the model's input picture, not clipped to it; the label may be
        None; the index is 0 where the model has no classes.

    Raises:
        ConfigError: The outputs do not have the shapes that the rule speaks of.
    """
    return [_one(boxes, scores, classes, rule, labels) for boxes, scores, classes in _samples(outputs, rule)]


def boxes_in_picture(
    box: tuple[float, float, float, float], rows: int, columns: int, spec: ImagePreprocess
) -> tuple[float, float, float, float]:
    """Return where a box of the model's input lies in the picture that the input was made from.

    Args:
        box: (top, left, bottom, right), shares of the model's input.
        rows: Of the picture, upright, before cropping.
        columns: Of the picture.
        spec: How the picture became the input.

    Returns:
        (top, left, bottom, right), shares of the picture; may lie outside of it.
    """
    place: Placement = placement(rows, columns, spec)
    tall, wide = place.source_rows / place.rows, place.source_columns / place.columns
    top, bottom = (
        (place.source_top + (share * spec.height - place.top) * tall) / rows for share in (box[0], box[2])
    )
    left, right = (
        (place.source_left + (share * spec.width - place.left) * wide) / columns for share in (box[1], box[3])
    )
    return top, left, bottom, right


def anchors(rule: Detections) -> np.ndarray:
    """Return float64[anchors, 4]: x and y of the centre, width, height, as shares of the picture."""
    grids = []
    for grid in rule.anchors:
        y, x = np.meshgrid(
            (np.arange(grid.rows) + 0.5) / grid.rows,
            (np.arange(grid.columns) + 0.5) / grid.columns,
            indexing="ij",
        )
        cells = np.stack([x.ravel(), y.ravel()], axis=1)
        sizes = np.array(grid.sizes, dtype=np.float64)[:, ::-1]
        grids.append(
            np.concatenate([np.repeat(cells, len(sizes), axis=0), np.tile(sizes, (len(cells), 1))], axis=1)
        )
    return np.concatenate(grids) if grids else np.zeros((0, 4))


def _samples(
    outputs: Mapping[str, np.ndarray], rule: Detections
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    missing = [name for name in rule.outputs() if name not in outputs]
    if missing:
        raise ConfigError(f"detections: there is no output {missing[0]!r}", why=", ".join(outputs))
    width = 4 + 2 * rule.keypoints
    all_boxes = np.asarray(outputs[rule.boxes])
    if all_boxes.ndim < 2 or all_boxes.shape[-1] != width:
        raise ConfigError(
            f"output {rule.boxes!r} has shape {list(all_boxes.shape)}",
            why=f"boxes are [batch, N, {width}]: four numbers and {rule.keypoints} keypoints",
        )
    batch = all_boxes.shape[0] if all_boxes.ndim > 2 else 1
    all_boxes = all_boxes.reshape(batch, -1, width)
    count = all_boxes.shape[1]
    expected = sum(grid.rows * grid.columns * len(grid.sizes) for grid in rule.anchors)
    if rule.anchors and expected != count:
        raise ConfigError(f"output {rule.boxes!r} has {count} boxes", why=f"there are {expected} anchors")
    all_scores = np.asarray(outputs[rule.scores])
    if count == 0 or all_scores.size % (batch * count) or all_scores.size == 0:
        raise ConfigError(
            f"output {rule.scores!r} has shape {list(all_scores.shape)}",
            why=f"output {rule.boxes!r} has {count} boxes, and each needs a score",
        )
    all_scores = all_scores.reshape(batch, count, -1)
    all_classes: np.ndarray | None = None
    if rule.classes is not None:
        all_classes = np.asarray(outputs[rule.classes])
        if all_classes.size != batch * count or all_scores.shape[2] != 1:
            raise ConfigError(
                f"output {rule.classes!r} has shape {list(all_classes.shape)}",
                why=f"there are {count} boxes, and with a class each they have one score each",
            )
        all_classes = all_classes.reshape(batch, count)
    ends: np.ndarray | None = None
    if rule.count is not None:
        ends = np.asarray(outputs[rule.count]).reshape(-1)
        if ends.size < batch:
            raise ConfigError(
                f"output {rule.count!r} has {ends.size} numbers",
                why=f"it tells for each of {batch} samples how many boxes count",
            )
    found = []
    for index in range(batch):
        end = count
        if ends is not None:
            given = float(ends[index])
            end = int(min(max(given, 0.0), float(count))) if np.isfinite(given) else 0
        classes = None if all_classes is None else all_classes[index, :end]
        found.append((all_boxes[index, :end], all_scores[index, :end], classes))
    return found


def _one(
    boxes: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray | None,
    rule: Detections,
    labels: tuple[str, ...],
) -> list[dict[str, Any]]:
    score, index = _best_class(scores, classes, rule)
    shapes = _decode(boxes.astype(np.float64), rule)
    # Written so that NaN, in a score or a corner, leaves a box out.
    kept = np.flatnonzero(
        (score >= rule.threshold)
        & (shapes[:, 2] > shapes[:, 0])
        & (shapes[:, 3] > shapes[:, 1])
        & np.isfinite(shapes).all(axis=1)
    )
    kept = kept[np.argsort(-score[kept], kind="stable")]
    merged = _suppress(shapes[kept], score[kept], index[kept], rule)
    return [
        {
            "box": [float(value) for value in shape[[1, 0, 3, 2]]],
            "index": int(index[kept[place]]),
            "label": labels[index[kept[place]]] if 0 <= index[kept[place]] < len(labels) else None,
            "score": float(score[kept[place]]),
            "keypoints": [[float(y), float(x)] for x, y in shape[4:].reshape(-1, 2)],
        }
        for place, shape in merged
    ]


def _best_class(
    scores: np.ndarray, classes: np.ndarray | None, rule: Detections
) -> tuple[np.ndarray, np.ndarray]:
    from edge_sdk.contract.postprocess import activate

    active = activate(scores, rule.activation).astype(np.float64)
    if classes is not None:
        # Models with suppression of their own answer with floating indices.
        return active[:, 0], np.rint(np.nan_to_num(classes.astype(np.float64), nan=-1.0)).astype(np.int64)
    candidates = np.where(np.isnan(active), -np.inf, active)
    if rule.background is not None and candidates.shape[1] > 1:
        candidates[:, rule.background] = -np.inf
    index = np.argmax(candidates, axis=1) if len(candidates) else np.zeros(0, dtype=np.int64)
    return candidates[np.arange(len(candidates)), index], index


def _decode(boxes: np.ndarray, rule: Detections) -> np.ndarray:
    """Return float64[N, 4 + 2 * keypoints]: left, top, right, bottom, then x and y of each keypoint."""
    order = _ORDER[rule.form]
    numbers = (boxes[:, :4] / np.array(rule.box_scale))[:, order]
    y_first = order[0] == 1
    points = boxes[:, 4:].reshape(len(boxes), rule.keypoints, 2)
    if y_first:
        points = points[:, :, ::-1]
    scale = np.array(rule.box_scale[:2][::-1] if y_first else rule.box_scale[:2])
    points = points / scale
    first, second = numbers[:, :2], numbers[:, 2:]
    if rule.anchors:
        grid = anchors(rule)[: len(boxes)]
        first = first * grid[:, 2:] + grid[:, :2]
        with np.errstate(over="ignore"):
            second = (np.exp(second) if rule.exponential else second) * grid[:, 2:]
        points = points * grid[:, np.newaxis, 2:] + grid[:, np.newaxis, :2]
    if rule.form in ("cxcywh", "cycxhw"):
        half = second / 2
        first, second = first - half, first + half
    elif rule.form == "xywh":
        second = first + second
    return np.concatenate([first, second, points.reshape(len(boxes), 2 * rule.keypoints)], axis=1)


def _suppress(
    shapes: np.ndarray, scores: np.ndarray, classes: np.ndarray, rule: Detections
) -> list[tuple[int, np.ndarray]]:
    """Return (place, shape) of what remains, best first; the input is sorted so."""
    found: list[tuple[int, np.ndarray]] = []
    left = np.arange(len(shapes))
    while len(left) and len(found) < rule.limit:
        first = left[0]
        if rule.suppression == "none":
            found.append((int(first), shapes[first]))
            left = left[1:]
            continue
        same = (_overlaps(shapes[first], shapes[left]) > rule.overlap) & (classes[left] == classes[first])
        same[0] = True  # itself, even where its area underflows
        shape = shapes[first]
        if rule.suppression == "weighted":
            group = left[same]
            total = scores[group].sum()
            # All scores may be 0 where the threshold is 0 or less.
            shape = (shapes[group] * scores[group, np.newaxis]).sum(axis=0) / total if total > 0 else shape
        found.append((int(first), shape))
        left = left[~same]
    return found


def _overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of a box [4 or more] with others [N, 4 or more]."""
    # Coordinates may be huge: an infinite area overlaps with nothing.
    with np.errstate(over="ignore", invalid="ignore"):
        return _ratio(one, others)


def _ratio(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    wide = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    tall = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    common = np.maximum(wide, 0) * np.maximum(tall, 0)
    area = (one[2] - one[0]) * (one[3] - one[1])
    union = area + (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1]) - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))

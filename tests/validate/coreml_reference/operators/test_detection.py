"""Suppression of boxes against TensorFlow, in the layouts before and after iOS 17; labels of classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference.operators.detection import classify, non_maximum_suppression


def boxes_of(random: np.random.Generator, count: int) -> np.ndarray:
    """Return boxes that overlap often: [count, 4], centre x, centre y, width, height."""
    places, sizes = random.uniform(0, 4, (count, 2)), random.uniform(1, 4, (count, 2))
    return np.concatenate([places, sizes], 1).astype(np.float32)


def test_the_example_of_coremltools() -> None:
    boxes = np.repeat(np.arange(4, dtype=np.float32), 4).reshape(1, 4, 4)
    scores = np.float32([-3.5, 9.4, 2.3, 0.7]).reshape(1, 4, 1)
    found = non_maximum_suppression(
        boxes=boxes,
        scores=scores,
        iou_threshold=0.2,
        score_threshold=0.4,
        max_boxes=2,
        per_class_suppression=True,
    )
    assert found[0].tolist() == [[[1] * 4, [2] * 4]]
    np.testing.assert_allclose(found[1].reshape(-1), [9.4, 2.3])
    assert found[2].tolist() == [[1, 2]]
    assert found[3].tolist() == [2]


def test_classes_compete_only_with_themselves() -> None:
    boxes = np.float32([[[2, 2, 2, 2], [2.1, 2, 2, 2], [2, 2.1, 2, 2]]])
    scores = np.float32([[[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]])
    common = {"boxes": boxes, "scores": scores, "iou_threshold": 0.5, "score_threshold": 0.0, "max_boxes": 3}
    assert non_maximum_suppression(**common)[2].tolist() == [[0, -1, -1]]
    assert non_maximum_suppression(**common, per_class_suppression=True)[2].tolist() == [[0, 1, -1]]


@pytest.mark.tensorflow
def test_as_tensorflow_does(tf: Any) -> None:
    random = np.random.default_rng(11)
    for count, most, overlap, least in [
        (12, 5, 0.3, 0.2),
        (30, 30, 0.5, -9.0),
        (7, 3, 0.0, 0.5),
        (5, 4, 1.0, 2.0),
    ]:
        boxes = np.stack([boxes_of(random, count) for _ in range(2)])
        scores = random.uniform(0, 1, (2, count, 1)).astype(np.float32)
        found = non_maximum_suppression(
            boxes=boxes, scores=scores, iou_threshold=overlap, score_threshold=least, max_boxes=most
        )
        newer = non_maximum_suppression(
            boxes=boxes.swapaxes(1, 2),
            scores=scores.swapaxes(1, 2),
            iou_threshold=overlap,
            max_boxes=most,
            opset="CoreML7",
        )
        assert len(newer) == 3
        for n in range(2):
            centre, size = boxes[n, :, :2], boxes[n, :, 2:]
            corners = np.concatenate([centre - size / 2, centre + size / 2], 1)
            kept = tf.image.non_max_suppression(corners, scores[n, :, 0], most, overlap, least).numpy()
            assert found[3][n] == len(kept)
            assert found[2][n].tolist() == [*kept, *[-1] * (most - len(kept))]
            assert np.array_equal(found[0][n, : len(kept)], boxes[n, kept])
            assert not found[1][n, len(kept) :].any()
            every = tf.image.non_max_suppression(corners, scores[n, :, 0], most, overlap).numpy()
            assert newer[2][n].tolist() == [*every, *[-1] * (most - len(every))]
            assert np.array_equal(newer[0][n, :, : len(every)], boxes[n, every].T)
            assert np.array_equal(newer[1][n, 0, : len(every)], scores[n, every, 0])


def test_labels_of_a_classifier() -> None:
    label, shares = classify(probabilities=np.float32([[0.25, 0.5, 0.25]]), classes=("cat", "dog", "elk"))
    assert label == "dog"
    assert shares == {"cat": 0.25, "dog": 0.5, "elk": 0.25}
    assert classify(probabilities=np.float32([1, 0]), classes=np.asarray([7, 8]))[0] == 7

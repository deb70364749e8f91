"""mean_average_precision against hand-worked cases, a plain second calculation, and COCO's own program."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics import make_metric, metric_facts
from edge_sdk.validate.metrics.average_precision import Detections, overlaps, suppress
from edge_sdk.validate.metrics.detection import corners
from tests.validate.metrics.scenes import plain_map, scene

BOX, FAR = [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]


def measure(
    made: dict[str, Any], outputs: dict[str, str] | None = None, **options: Any
) -> tuple[Any, dict[str, np.ndarray]]:
    answers = {name: values[:, None] for name, values in made.items() if not name.startswith("y_")}
    metric = make_metric(
        {"name": "mean_average_precision", "outputs": outputs or {}, "options": options},
        labels={"boxes": made["y_boxes"], "classes": made["y_classes"]},
        reference=answers,
        class_names=(),
    )
    assert metric is not None
    return metric, answers


def value(made: dict[str, Any], outputs: dict[str, str] | None = None, **options: Any) -> float:
    metric, answers = measure(made, outputs, **options)
    return metric.score(answers).value


def one_picture(boxes: list[Any], scores: list[float], classes: list[float], **labels: Any) -> dict[str, Any]:
    return {
        "y_boxes": np.array([labels.get("y_boxes", [BOX, FAR])], np.float32),
        "y_classes": np.array([labels.get("y_classes", [0, 0])]),
        "boxes": np.array([boxes], np.float32),
        "scores": np.array([scores], np.float32),
        "classes": np.array([classes], np.float32),
    }


class TestByHand:
    def test_everything_found(self) -> None:
        assert value(one_picture([BOX, FAR], [0.9, 0.8], [0, 0])) == 1.0

    def test_half_found_is_read_at_51_of_101_recalls(self) -> None:
        assert value(one_picture([BOX], [0.9], [0])) == pytest.approx(51 / 101)

    def test_a_better_false_alarm_halves_the_precision(self) -> None:
        # false, right, right: precision 0, 1/2, 2/3 becomes 2/3 at every recall
        made = one_picture([[0.7, 0.0, 0.9, 0.2], BOX, FAR], [0.9, 0.8, 0.7], [0, 0, 0])
        assert value(made) == pytest.approx(2 / 3)

    def test_a_second_detection_of_the_same_object_is_a_false_alarm(self) -> None:
        # right, false, right: 1 up to recall 1/2 (51 values), then 2/3 (50 values)
        made = one_picture([BOX, BOX, FAR], [0.9, 0.8, 0.7], [0, 0, 0])
        assert value(made) == pytest.approx((51 + 50 * 2 / 3) / 101)

    def test_a_class_without_detections_counts_as_zero(self) -> None:
        made = one_picture([BOX], [0.9], [0], y_classes=[0, 1])
        assert value(made) == pytest.approx(0.5)

    def test_detections_of_a_class_without_objects_do_not_count(self) -> None:
        assert value(one_picture([BOX, FAR, BOX], [0.9, 0.8, 0.99], [0, 0, 7])) == 1.0

    def test_an_overlap_counts_for_the_thresholds_that_it_reaches(self) -> None:
        # 0.5 x 0.4 of 0.5 x 0.5: IoU 0.8, so right for 0.5 ... 0.75; the last, 0.8, hangs on rounding
        made = one_picture([[0.0, 0.0, 0.5, 0.4]], [0.9], [0], y_boxes=[BOX], y_classes=[0])
        assert value(made, iou=[0.5, 0.79]) == 1.0
        assert value(made, iou=[0.5, 0.81]) == 0.5

    def test_only_so_many_detections_count(self) -> None:
        made = one_picture([BOX, FAR], [0.9, 0.8], [0, 0])
        assert value(made, max_detections=1) == pytest.approx(51 / 101)

    def test_overlaps(self) -> None:
        found = overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [0, 0, 2, 2], [5, 5, 5, 5]]))
        np.testing.assert_allclose(found, [[1 / 7, 1.0, 0.0]])


@pytest.mark.parametrize("seed", range(6))
def test_against_a_plain_second_calculation(seed: int) -> None:
    made = scene(seed, pictures=8 + seed, classes=1 + seed)
    assert value(made) == pytest.approx(plain_map(made), abs=1e-12)
    assert value(made, iou=0.75, max_detections=2) == pytest.approx(plain_map(made, [0.75], 2), abs=1e-12)


@pytest.mark.parametrize(
    ("seed", "options", "expected", "at_a_half"),
    [
        # stats[0] and stats[1] of pycocotools 2.0.11 for the same scenes.
        (0, {}, 0.33976921452266684, 0.6472090941020072),
        (1, {}, 0.21232558798462262, 0.5486932415769049),
        (2, {"pictures": 60}, 0.21254811582584338, 0.49825558603347914),
        (3, {"pictures": 100, "classes": 9}, 0.20338624583714732, 0.4802596118305475),
        (4, {"pictures": 3, "classes": 1}, 0.3319790193305045, 0.6319660537482319),
    ],
)
def test_against_cocos_own_program(
    seed: int, options: dict[str, int], expected: float, at_a_half: float
) -> None:
    made = scene(seed, **options)
    assert value(made) == pytest.approx(expected, abs=1e-9)
    assert value(made, iou=0.5) == pytest.approx(at_a_half, abs=1e-9)


def test_resampling_pictures_is_measuring_the_set_that_was_drawn() -> None:
    made = scene(11, pictures=9)
    metric, answers = measure(made)
    score = metric.score(answers)
    random = np.random.default_rng(1)
    for _ in range(5):
        drawn = np.sort(random.integers(0, 9, 9))
        counts = np.bincount(drawn, minlength=9).astype(float)
        again = {name: values[drawn] for name, values in made.items()}
        assert score.resampled(counts[None])[0] == pytest.approx(value(again), abs=1e-12)


def test_each_picture_has_its_own_score() -> None:
    made = scene(12, pictures=10)
    metric, answers = measure(made)
    per_picture = metric.score(answers).per_sample
    for index in range(10):
        alone = {name: values[index : index + 1] for name, values in made.items()}
        if (alone["y_classes"] >= 0).any():
            assert per_picture[index] == pytest.approx(value(alone))
        else:
            assert per_picture[index] == float(not (alone["scores"] > 0).any())


def test_scores_for_each_class_and_suppression() -> None:
    made = one_picture([BOX, BOX, FAR], [0.9, 0.8, 0.7], [0, 0, 0])
    by_class = {**made, "scores": np.array([[[0.9, 0.0], [0.8, 0.0], [0.7, 0.1]]], np.float32)}
    assert value(by_class) == value(made) < 1.0  # class 1 has no objects
    assert value(by_class, nms=0.5) == 1.0
    kept = suppress(
        Detections(
            np.array([[0.0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 1]]),
            np.array([0.5, 0.9, 0.4]),
            np.array([0, 0, 1]),
        ),
        0.5,
    )
    assert kept.scores.tolist() == [0.9, 0.4]


def test_many_anchors_are_cut_to_what_can_count() -> None:
    random = np.random.default_rng(4)
    boxes = np.sort(random.random((2, 500, 2, 2)), axis=2).reshape(2, 500, 4).astype(np.float32)
    scores = random.random((2, 500, 3)).astype(np.float32)
    made = {
        "y_boxes": boxes[:, :6],
        "y_classes": np.tile([0, 1, 2], (2, 2)),
        "boxes": boxes,
        "scores": scores,
    }
    plain = {
        **made,
        "boxes": np.repeat(boxes, 3, axis=1),
        "scores": scores.reshape(2, 1500),
        "classes": np.tile([0, 1, 2], (2, 500)),
    }
    assert value(made) == pytest.approx(value(plain), abs=1e-12)
    assert value(plain) == pytest.approx(plain_map(plain), abs=1e-12)


def test_formats_of_boxes_are_the_same_boxes() -> None:
    want = [[1.0, 2.0, 4.0, 6.0]]
    for name, box in {
        "xyxy": [1, 2, 4, 6],
        "yxyx": [2, 1, 6, 4],
        "xywh": [1, 2, 3, 4],
        "cxcywh": [2.5, 4, 3, 4],
    }.items():
        assert corners(np.array([box]), name).tolist() == want


def test_the_count_output_cuts_off_padding() -> None:
    made = one_picture([BOX, FAR, [0.1, 0.7, 0.3, 0.9]], [0.9, 0.8, 0.95], [0, 0, 0])
    full = {**made, "num_detections": np.array([[3.0]], np.float32)}
    # The names of TensorFlow's own detection models are understood.
    renamed = {
        "detection_boxes": full["boxes"][:, ::1],
        "detection_scores": full["scores"],
        "detection_classes": full["classes"],
        "num_detections": np.array([[2.0]], np.float32),
        "y_boxes": full["y_boxes"],
        "y_classes": full["y_classes"],
    }
    assert value(renamed) == 1.0
    assert value(full) < 1.0


def test_facts_of_a_variant() -> None:
    made = scene(7, pictures=30)
    metric, answers = measure(made)
    worse = {**answers, "scores": answers["scores"] * (np.arange(20) % 3 > 0)}
    facts = metric_facts(metric, answers, worse)
    assert facts["metric_name"] == "mean_average_precision"
    assert facts["metric"] < facts["reference_metric"]
    low, high = facts["metric_drop_interval"]
    assert low <= facts["reference_metric"] - facts["metric"] <= high
    assert facts["metric_interval"][0] < facts["metric"] < facts["metric_interval"][1]
    assert "boxes" in facts["worst"][0].label
    assert "AP" in facts["worst"][0].given


BAD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"y_boxes": np.zeros((1, 2, 3))}, {}, r"y_boxes is float64\[1, 2, 3\]"),
    ({"y_classes": np.zeros((1, 3), int)}, {}, r"y_classes is int64\[1, 3\], not integer \[1, 2\]"),
    ({"y_classes": np.array([[-1, -1]])}, {}, "no sample has an object"),
    ({"y_boxes": np.full((1, 2, 4), np.nan)}, {}, "NaN"),
    ({"y_boxes": np.array([[[0.0, 0, 100, 100]] * 2])}, {}, "pixels here, shares"),
    ({"y_boxes": np.zeros((2, 2, 4)), "y_classes": np.zeros((2, 2), int)}, {}, "2 labels for 1 samples"),
    ({}, {"iou": 2}, "number from 0 to 1"),
    ({}, {"iou": []}, "number from 0 to 1"),
    ({}, {"box_format": "corners"}, "one of yxyx"),
    ({}, {"max_detection": 3}, "max_detections"),
    ({"scores": np.zeros((1, 3), np.float32)}, {}, "8 numbers of boxes and 3 scores"),
]


@pytest.mark.parametrize(("changed", "options", "word"), BAD)
def test_what_does_not_fit_is_named(changed: dict[str, Any], options: dict[str, Any], word: str) -> None:
    made = {**one_picture([BOX, FAR], [0.9, 0.8], [0, 0]), **changed}
    with pytest.raises(ConfigError) as caught:
        value(made, **options)
    assert re.search(word, str(caught.value))
    assert "mean_average_precision" in str(caught.value)


def test_outputs_that_cannot_be_told_apart_are_asked_for() -> None:
    made = one_picture([BOX, FAR], [0.9, 0.8], [0, 0])
    odd = {**made, "a": made["boxes"], "b": made["scores"]}
    for name in ("boxes", "scores", "classes"):
        del odd[name]
    with pytest.raises(ConfigError, match="which output holds the scores"):
        value(odd)
    assert value(odd, {"boxes": "a", "scores": "b"}) == 1.0
    with pytest.raises(ConfigError, match="no output 'c'"):
        value(odd, {"boxes": "a", "scores": "c"})
    with pytest.raises(ConfigError, match="no role 'score'"):
        value(odd, {"boxes": "a", "score": "b"})

"""Boxes against a second implementation that loops over numbers one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.contract.boxes import boxes_in_picture, detect
from edge_sdk.contract.postprocess import postprocess_outputs
from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import (
    ACTIVATIONS,
    BOX_FORMS,
    CENTRED_FORMS,
    FITS,
    SUPPRESSIONS,
    AnchorGrid,
    Contract,
    Detections,
    ImagePreprocess,
    Signature,
    TensorSpec,
)
from edge_sdk.errors import ConfigError


def _loops(boxes: np.ndarray, scores: np.ndarray, rule: Detections) -> list[dict[str, Any]]:
    centres = [
        ((column + 0.5) / grid.columns, (row + 0.5) / grid.rows, size[1], size[0])
        for grid in rule.anchors
        for row in range(grid.rows)
        for column in range(grid.columns)
        for size in grid.sizes
    ]
    found = []
    for place, raw in enumerate(boxes.tolist()):
        values = [float(value) for value in scores[place]]
        if rule.activation == "sigmoid":
            values = [float(np.float32(1 / (1 + math.exp(-value)))) for value in values]
        if rule.activation == "softmax":
            power = [math.exp(value - max(values)) for value in values]
            values = [float(np.float32(value / sum(power))) for value in power]
        allowed = [index for index in range(len(values)) if len(values) == 1 or index != rule.background]
        index = max(allowed, key=lambda item: (values[item], -item))
        a, b, c, d = (number / scale for number, scale in zip(raw[:4], rule.box_scale, strict=True))
        flipped = rule.form in ("yxyx", "cycxhw")
        x, y, z, w = (b, a, d, c) if flipped else (a, b, c, d)
        points = [
            (raw[4 + 2 * i] / rule.box_scale[0], raw[5 + 2 * i] / rule.box_scale[1])
            for i in range(rule.keypoints)
        ]
        if flipped:
            points = [(second, first) for first, second in points]
        if rule.anchors:
            ax, ay, aw, ah = centres[place]
            x, y = x * aw + ax, y * ah + ay
            z, w = (
                (math.exp(z) if rule.exponential else z) * aw,
                (math.exp(w) if rule.exponential else w) * ah,
            )
            points = [(px * aw + ax, py * ah + ay) for px, py in points]
        if rule.form in CENTRED_FORMS:
            x, y, z, w = x - z / 2, y - w / 2, x + z / 2, y + w / 2
        elif rule.form == "xywh":
            z, w = x + z, y + w
        if values[index] >= rule.threshold and z > x and w > y:
            found.append(((x, y, z, w), points, index, values[index]))
    found.sort(key=lambda item: -item[3])
    out: list[dict[str, Any]] = []
    while found and len(out) < rule.limit:
        box, points, index, score = found[0]
        group = [item for item in found if item[2] == index and _overlap(box, item[0]) > rule.overlap]
        if rule.suppression == "none":
            group = found[:1]
        found = [item for item in found if item not in group]
        if rule.suppression == "weighted":
            total = sum(item[3] for item in group)
            box = tuple(sum(item[0][i] * item[3] for item in group) / total for i in range(4))
            points = [
                tuple(sum(item[1][p][i] * item[3] for item in group) / total for i in range(2))
                for p in range(rule.keypoints)
            ]
        out.append({"box": [box[1], box[0], box[3], box[2]], "index": index, "score": score,
                    "keypoints": [[y, x] for x, y in points]})  # fmt: skip
    return out


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    tall = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return wide * tall / (union - wide * tall)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(BOX_FORMS),
    activation=st.sampled_from(ACTIVATIONS),
    suppression=st.sampled_from(SUPPRESSIONS),
    keypoints=st.integers(0, 3),
    classes=st.integers(1, 4),
    background=st.sampled_from([None, 0]),
    anchored=st.booleans(),
    exponential=st.booleans(),
    overlap=st.sampled_from([0.0, 0.3, 0.7]),
    limit=st.sampled_from([1, 3, 100]),
)
def test_equals_the_slow_one(
    seed: int, form: str, activation: str, suppression: str, keypoints: int, classes: int,
    background: int | None, anchored: bool, exponential: bool, overlap: float, limit: int,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    anchored = anchored and form in CENTRED_FORMS
    grids = (
        (
            AnchorGrid(rows=3, columns=4, sizes=((1.0, 1.0), (0.5, 0.7))),
            AnchorGrid(rows=2, columns=1, sizes=((0.3, 0.2),)),
        )
        if anchored
        else ()
    )
    rule = Detections(
        boxes="b", scores="s", form=form, activation=activation, suppression=suppression,
        keypoints=keypoints, background=background, anchors=grids, exponential=exponential and anchored,
        overlap=overlap, limit=limit, threshold=0.2, box_scale=(2.0, 3.0, 4.0, 5.0),
    )  # fmt: skip
    count = 26 if anchored else 17
    boxes = (random.normal(size=(count, 4 + 2 * keypoints)) * 3).astype(np.float32)
    scores = random.uniform(
        0 if activation == "none" else -4, 1 if activation == "none" else 4, (count, classes)
    )
    scores = scores.astype(np.float32)
    (found,) = detect({"b": boxes[np.newaxis], "s": scores[np.newaxis]}, rule)
    wanted = _loops(boxes, scores, rule)
    assert [(item["index"], item["score"]) for item in found] == [
        (item["index"], pytest.approx(item["score"], abs=1e-7)) for item in wanted
    ]
    for item, other in zip(found, wanted, strict=True):
        assert item["box"] == pytest.approx(other["box"], abs=1e-9)
        assert np.allclose(item["keypoints"], other["keypoints"], atol=1e-9)


def test_answers_of_a_model_that_suppresses_by_itself() -> None:
    rule = Detections(
        boxes="b", scores="s", classes="c", count="n", suppression="none", box_scale=(10.0,) * 4
    )
    outputs = {
        "b": np.array([[[1, 2, 3, 4], [0, 0, 5, 5], [7, 7, 9, 9]]], dtype=np.float32),
        "s": np.array([[0.6, 0.9, 0.99]], dtype=np.float32),
        "c": np.array([[1.0, 7.0, 0.0]], dtype=np.float32),
        "n": np.array([2.0], dtype=np.float32),
    }
    (found,) = detect(outputs, rule, ("cat", "dog"))
    assert [(item["label"], item["index"]) for item in found] == [(None, 7), ("dog", 1)]
    assert found[1]["box"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert detect({**outputs, "n": np.zeros(1, dtype=np.float32)}, rule) == [[]]


def test_nothing_that_is_not_a_number_becomes_a_box() -> None:
    rule = Detections(boxes="b", scores="s", threshold=0.0)
    boxes = np.array([[[0, 0, 1, 1], [0, 0, np.nan, 1], [0, 0, np.inf, 1], [1, 1, 0, 0]]], dtype=np.float32)
    (found,) = detect({"b": boxes, "s": np.array([[np.nan, 1, 1, 1]], dtype=np.float32)}, rule)
    assert found == []
    huge = np.array([[[-3e38, -3e38, 3e38, 3e38], [0, 0, 1, 1]]], dtype=np.float32)
    (found,) = detect({"b": huge, "s": np.ones((1, 2), dtype=np.float32)}, rule)
    assert len(found) == 2


def test_the_contract_gives_boxes_in_place_of_their_tensors() -> None:
    contract = Contract(
        signatures=(
            Signature(
                name="d",
                inputs=(),
                outputs=tuple(TensorSpec(name=name, dtype="float32", shape=(1, None)) for name in "bsx"),
            ),
        ),
        default_signature="d",
        labels=("face",),
        detections=Detections(boxes="b", scores="s"),
    )
    outputs = {
        "b": np.array([[[0, 0, 1, 1]]], np.float32),
        "s": np.ones((1, 1, 1), np.float32),
        "x": np.ones(2),
    }
    found = postprocess_outputs(contract, outputs)
    assert set(found) == {"x", "detections"}
    assert found["detections"] == [
        [{"box": [0.0, 0.0, 1.0, 1.0], "index": 0, "label": "face", "score": 1.0, "keypoints": []}]
    ]
    assert Contract.from_dict(contract.to_dict()) == contract


@pytest.mark.parametrize(
    ("boxes", "scores", "says"),
    [((1, 3, 5), (1, 3), "boxes are"), ((1, 3, 4), (1, 4), "needs a score"), ((4,), (1,), "boxes are")],
)
def test_shapes_that_do_not_fit(boxes: tuple[int, ...], scores: tuple[int, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        detect({"b": np.zeros(boxes), "s": np.zeros(scores)}, Detections(boxes="b", scores="s"))


def test_every_sample_tells_how_many_boxes_count() -> None:
    outputs = {"b": np.zeros((2, 3, 4)), "s": np.zeros((2, 3)), "n": np.zeros(1)}
    with pytest.raises(ConfigError, match="output 'n' has 1 numbers"):
        detect(outputs, Detections(boxes="b", scores="s", count="n"))


def test_settings_that_cannot_be() -> None:
    grid = AnchorGrid(rows=1, columns=1, sizes=((1.0, 1.0),))
    for wrong in (
        {"form": "xyxy", "anchors": (grid,)}, {"exponential": True}, {"box_scale": (1.0, 0.0, 1.0, 1.0)},
        {"overlap": 1.0}, {"limit": 0}, {"form": "ltrb"},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            Detections(boxes="b", scores="s", **wrong)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(20, 90), columns=st.integers(20, 90), height=st.integers(16, 64),
    width=st.integers(16, 64), fit=st.sampled_from(FITS), crop=st.sampled_from([1.0, 0.8]),
)  # fmt: skip
def test_a_box_is_found_again_in_the_picture(
    rows: int, columns: int, height: int, width: int, fit: str, crop: float
) -> None:
    """A coloured patch of the picture, seen in the tensor and carried back, lies where it was painted."""
    spec = ImagePreprocess(
        height=height, width=width, fit=fit, crop_fraction=crop, resize="bilinear_antialias", color="gray"
    )
    top, bottom, left, right = rows * 2 // 5, rows * 3 // 5, columns * 2 // 5, columns * 3 // 5
    picture = np.zeros((rows, columns), dtype=np.uint8)
    picture[top:bottom, left:right] = 255
    tensor = preprocess_image(picture, spec)[0, :, :, 0]
    lit = tensor > 127
    if not lit.any():
        return
    ys, xs = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    box = (ys[0] / height, xs[0] / width, (ys[-1] + 1) / height, (xs[-1] + 1) / width)
    found = boxes_in_picture(box, rows, columns, spec)
    # One pixel of the tensor, as a share of the picture, each way.
    margin_y, margin_x = 1.5 / height + 1.5 / rows, 1.5 / width + 1.5 / columns
    if fit != "stretch":
        margin_y = margin_x = 1.5 * max(rows / height, columns / width) / min(rows, columns) + 0.05
    assert abs(found[0] - top / rows) < margin_y
    assert abs(found[2] - bottom / rows) < margin_y
    assert abs(found[1] - left / columns) < margin_x
    assert abs(found[3] - right / columns) < margin_x

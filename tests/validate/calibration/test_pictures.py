"""Healthy and ruined sets of pictures for trained classifiers: no error on the first, one on the others.

The classifiers are tests/data/shapes: one trained on 0..1, one on 0..255, one (batch normalization, ReLU6)
on -1..1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import ImagePreprocess, Preprocess
from edge_sdk.validate.calibration.report import CalibrationReport
from tests import shapes
from tests.pipeline.conftest import edit_model
from tests.validate.calibration.conftest import Examine

PIXELS, LABELS = shapes.pictures(120, seed=1)
UNSEEN, UNSEEN_LABELS = shapes.pictures(100, seed=2)


def codes(report: CalibrationReport, level: str = "error") -> set[str]:
    return {finding.code for finding in report.findings if finding.level == level}


@pytest.mark.parametrize("count", [120, 20])
@pytest.mark.parametrize("scale", shapes.SCALES)
@pytest.mark.parametrize("against", ["nothing", "labelled evaluation"])
def test_healthy_sets_have_no_error(report_on: Examine, scale: str, count: int, against: str) -> None:
    labelled = against.startswith("labelled")
    report = report_on(
        shapes.model(scale),
        shapes.scaled(PIXELS[:count], scale),
        None if against == "nothing" else shapes.scaled(UNSEEN, scale),
        labels=LABELS[:count] if labelled else None,
        evaluation_labels=UNSEEN_LABELS if labelled else None,
    )
    assert not report.errors, report.errors
    if count > 100:
        assert not report.findings
    assert report.samples == count


@pytest.mark.parametrize("with_evaluation", [False, True])
@pytest.mark.parametrize("given", shapes.SCALES)
@pytest.mark.parametrize("trained", shapes.SCALES)
def test_pixels_on_another_scale_are_an_error(
    report_on: Examine, trained: str, given: str, with_evaluation: bool
) -> None:
    if trained == given:
        return
    report = report_on(
        shapes.model(trained),
        shapes.scaled(PIXELS, given),
        shapes.scaled(UNSEEN, trained) if with_evaluation else None,
    )
    if (trained, given, with_evaluation) == ("unit", "signed", False):
        # The model answers both nearly alike (92 % and 99 % right): nothing but other data can tell.
        assert not report.errors
        return
    assert "CALIBRATION-SCALE" in codes(report), report.findings
    (finding,) = [item for item in report.findings if item.code == "CALIBRATION-SCALE"]
    assert finding.input == "image"
    assert finding.numbers["maximum"] == pytest.approx(shapes.scaled(PIXELS, given).max(), rel=1e-3)


@pytest.mark.parametrize("with_evaluation", [False, True])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("noise", "CALIBRATION-NOISE"),
        ("normal noise", "CALIBRATION-NOISE"),
        ("zeros", "CALIBRATION-CONSTANT"),
        ("constant", "CALIBRATION-CONSTANT"),
        ("flat", "CALIBRATION-CONSTANT"),
        ("one sample repeated", "CALIBRATION-REPEATED"),
        ("NaN", "CALIBRATION-NOT-FINITE"),
        ("infinity", "CALIBRATION-NOT-FINITE"),
    ],
)
def test_ruined_sets_are_an_error(report_on: Examine, kind: str, code: str, with_evaluation: bool) -> None:
    random = np.random.default_rng(3)
    shape = (60, shapes.SIZE, shapes.SIZE, 3)
    healthy = shapes.scaled(PIXELS[:60], "unit")
    broken = healthy.copy()
    broken[7, 3, 4, 1] = np.nan if kind == "NaN" else np.inf
    values = {
        "noise": random.uniform(0, 1, shape),
        "normal noise": random.normal(0, 1, shape),
        "zeros": np.zeros(shape),
        "constant": np.full(shape, 0.5),
        "flat": np.broadcast_to(random.uniform(0, 1, (60, 1, 1, 1)), shape),
        "one sample repeated": np.repeat(healthy[:1], 60, axis=0),
        "NaN": broken,
        "infinity": broken,
    }[kind].astype(np.float32)
    evaluation = shapes.scaled(UNSEEN, "unit") if with_evaluation else None
    report = report_on(shapes.model("unit"), values, evaluation)
    assert code in codes(report), report.findings
    assert next(iter(report.findings)).level == "error"
    assert all(finding.hint for finding in report.findings)


def test_noise_is_no_error_where_the_model_is_meant_for_noise(report_on: Examine) -> None:
    random = np.random.default_rng(4)
    sets = random.uniform(0, 1, (2, 60, shapes.SIZE, shapes.SIZE, 3)).astype(np.float32)
    report = report_on(shapes.model("unit"), sets[0], sets[1])
    assert not report.errors
    assert "CALIBRATION-NOISE" in codes(report, "warning")


def test_three_samples_are_few(report_on: Examine) -> None:
    report = report_on(shapes.model("unit"), shapes.scaled(PIXELS[:3], "unit"))
    assert codes(report, "warning") == {"CALIBRATION-FEW"}
    assert not report.errors
    (few,) = [finding for finding in report.findings if finding.code == "CALIBRATION-FEW"]
    assert "10 is the least" in (few.hint or "")


def test_the_least_number_is_enough(report_on: Examine) -> None:
    report = report_on(shapes.model("unit"), shapes.scaled(PIXELS[:10], "unit"))
    assert "CALIBRATION-FEW" in codes(report, "note")
    assert "CALIBRATION-FEW" not in codes(report, "warning")


@pytest.mark.parametrize("labelled", [False, True])
def test_one_class_is_named(report_on: Examine, labelled: bool) -> None:
    disc = LABELS == 0
    report = report_on(
        shapes.model("unit"),
        shapes.scaled(PIXELS[disc], "unit"),
        labels=LABELS[disc] if labelled else None,
    )
    assert "CALIBRATION-ONE-CLASS" in codes(report, "warning"), report.findings
    assert not report.errors


def test_classes_that_are_missing_are_counted(report_on: Examine) -> None:
    few = LABELS < 2
    report = report_on(
        shapes.model("unit"),
        shapes.scaled(PIXELS[few], "unit"),
        shapes.scaled(UNSEEN, "unit"),
        labels=LABELS[few],
        evaluation_labels=UNSEEN_LABELS,
    )
    (finding,) = [item for item in report.findings if item.code == "CALIBRATION-CLASSES-MISSING"]
    assert finding.numbers["missing"] == 3
    assert not report.errors


def test_duplicates_order_and_overlap_are_seen(report_on: Examine) -> None:
    images = shapes.scaled(PIXELS, "unit")
    doubled = np.concatenate([images[:60], images[:30]])
    assert "CALIBRATION-DUPLICATES" in codes(report_on(shapes.model("unit"), doubled), "warning")
    by_label = np.argsort(LABELS, kind="stable")
    report = report_on(shapes.model("unit"), images[by_label], labels=LABELS[by_label])
    assert codes(report, "note") == {"CALIBRATION-ORDER"}
    report = report_on(shapes.model("unit"), images, images[:100])
    assert codes(report, "note") == {"CALIBRATION-OVERLAP"}


def test_one_sample_far_out_is_seen(report_on: Examine) -> None:
    images = shapes.scaled(PIXELS, "unit")
    images[17] *= 40
    report = report_on(shapes.model("unit"), images)
    (finding,) = [item for item in report.findings if item.code == "CALIBRATION-OUTLIER"]
    assert finding.numbers["first"] == 17


@pytest.mark.parametrize("with_evaluation", [False, True])
def test_swapped_channels_are_seen(report_on: Examine, with_evaluation: bool) -> None:
    report = report_on(
        shapes.model("unit"),
        shapes.scaled(PIXELS, "unit")[..., ::-1],
        shapes.scaled(UNSEEN, "unit") if with_evaluation else None,
    )
    found = codes(report) | codes(report, "warning")
    assert "CALIBRATION-CHANNEL-ORDER" in found, report.findings


def test_the_contract_says_which_values_are_possible(report_on: Examine) -> None:
    image = ImagePreprocess(height=shapes.SIZE, width=shapes.SIZE, scale=1 / 127.5, mean=(1.0,))
    rules = {"image": Preprocess(image=image)}
    good = report_on(shapes.model("signed"), shapes.scaled(PIXELS, "signed"), preprocess=rules)
    assert not good.findings
    for given in ("unit", "bytes"):
        report = report_on(shapes.model("signed"), shapes.scaled(PIXELS, given), preprocess=rules)
        (finding,) = report.errors
        assert finding.code == "CALIBRATION-SCALE"
        assert finding.numbers["expected_minimum"] == -1


def test_raw_scores_count_where_labels_say_so_or_the_case_is_plain(report_on: Examine) -> None:
    model = shapes.model("logits")
    assert "CALIBRATION-SCALE" in codes(report_on(model, shapes.scaled(PIXELS, "bytes")))
    silent = report_on(model, shapes.scaled(PIXELS, "signed"))
    assert not silent.errors
    assert any("activation" in sentence for sentence in silent.not_checked)
    told = report_on(model, shapes.scaled(PIXELS, "unit")[..., ::-1], labels=LABELS)
    assert "CALIBRATION-CHANNEL-ORDER" in codes(told)


def test_an_untrained_model_is_no_witness(report_on: Examine, tmp_path: Path) -> None:
    for scale in shapes.SCALES:
        model = edit_model(shapes.model(scale), tmp_path / "untrained.tflite", _forget)
        report = report_on(model, shapes.scaled(PIXELS, "unit"))
        assert not report.errors
        assert any("before training" in sentence for sentence in report.not_checked)


def _forget(model: Any) -> None:
    """Give every layer random weights and biases of 0."""
    random = np.random.default_rng(9)
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if buffer.data is None or tensor.type != 0 or not len(buffer.data):
            continue
        weights = np.zeros(len(buffer.data) // 4, np.float32)
        if len(tensor.shape) > 1:
            weights += random.normal(0, 0.1, weights.shape).astype(np.float32)
        buffer.data = np.frombuffer(weights.tobytes(), np.uint8)


def test_layers_are_compared_with_evaluation_data(report_on: Examine) -> None:
    dim = shapes.scaled(PIXELS, "unit") * np.float32(0.2)
    report = report_on(shapes.model("unit"), dim, shapes.scaled(UNSEEN, "unit"))
    assert report.evaluation_samples == len(UNSEEN)
    worst = report.layers[0]
    assert (worst.clipped or 0.0) > 0.05
    assert (worst.lost_db or 0.0) > 6
    assert [row.lost_db for row in report.layers] == sorted(
        (row.lost_db for row in report.layers), reverse=True
    )
    assert "CALIBRATION-NARROW" in codes(report, "warning")
    alone = report_on(shapes.model("unit"), dim)
    assert [row.index for row in alone.layers] == sorted(row.index for row in alone.layers)
    assert all(row.clipped is None for row in alone.layers)


def test_the_report_shows_what_the_values_look_like(report_on: Examine) -> None:
    report = report_on(shapes.model("unit"), shapes.scaled(PIXELS, "unit"), shapes.scaled(UNSEEN, "unit"))
    (image,) = report.inputs
    assert image.calibration.maximum == pytest.approx(PIXELS.max() / 255, rel=1e-4)
    assert len(image.calibration.channel_means) == 3
    assert image.histogram is not None
    assert image.evaluation is not None
    assert sum(image.histogram.calibration) == pytest.approx(1, abs=1e-3)
    assert sum(image.histogram.evaluation) == pytest.approx(1, abs=1e-3)
    assert len(image.histogram.edges) == len(image.histogram.calibration) + 1


def test_the_same_data_gives_the_same_report(report_on: Examine) -> None:
    data = shapes.scaled(PIXELS, "bytes"), shapes.scaled(UNSEEN, "unit")
    assert report_on(shapes.model("unit"), *data) == report_on(shapes.model("unit"), *data)

"""Calibration data through the whole pipeline: the check by itself, the verb, and a build that must fail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.pipeline.build import build
from edge_sdk.pipeline.check_calibration import check_calibration
from tests import shapes
from tests.cli.test_command_contract import edge

PIXELS, LABELS = shapes.pictures(80, seed=11)
UNSEEN, UNSEEN_LABELS = shapes.pictures(80, seed=12)


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return shapes.save(tmp_path / "healthy.npz", shapes.scaled(PIXELS, "unit"), LABELS)


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    return shapes.save(tmp_path / "evaluation.npz", shapes.scaled(UNSEEN, "unit"), UNSEEN_LABELS)


def ruined(folder: Path, kind: str) -> Path:
    random = np.random.default_rng(13)
    values = {
        "noise": random.uniform(0, 1, PIXELS.shape).astype(np.float32),
        "zeros": np.zeros_like(PIXELS),
        "unnormalized": PIXELS,
        "wrongly normalized": shapes.scaled(PIXELS, "signed"),
    }[kind]
    return shapes.save(folder / "ruined.npz", values)


def test_healthy_data_passes_and_is_examined_once(healthy: Path, evaluation: Path) -> None:
    report = check_calibration(shapes.model("unit"), healthy, evaluation=evaluation)
    assert report.findings == ()
    assert (report.samples, report.evaluation_samples) == (80, 80)
    again: list[str] = []
    same = check_calibration(
        shapes.model("unit"), healthy, evaluation=evaluation, progress=lambda step: again.append(step.stage)
    )
    assert same == report
    assert "start" not in again


def test_nan_is_a_finding_here_and_not_a_refusal(tmp_path: Path) -> None:
    values = shapes.scaled(PIXELS, "unit")
    values[5, 0, 0, 0] = np.nan
    report = check_calibration(shapes.model("unit"), shapes.save(tmp_path / "nan.npz", values))
    (finding,) = report.errors
    assert finding.code == "CALIBRATION-NOT-FINITE"
    assert finding.numbers == {"samples": 1, "of": 80, "first": 5}


def test_what_cannot_be_examined_is_named(tmp_path: Path, models: Path, healthy: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        check_calibration(shapes.model("unit"), "nowhere.npz")
    with pytest.raises(ModelError, match="quantized already"):
        check_calibration(models / "conv_int8.tflite", healthy)


def test_the_verb_prints_a_table_and_exits_with_4(tmp_path: Path, healthy: Path, evaluation: Path) -> None:
    model = str(shapes.model("unit"))
    good = edge("check", model, "--calibration", str(healthy))
    assert good.returncode == 0, good.stderr
    assert "fit for calibration" in good.stdout
    assert "not checked" in good.stdout
    bad = edge("check", model, "--calibration", str(ruined(tmp_path, "unnormalized")))
    assert bad.returncode == 4
    assert "CALIBRATION-SCALE" in bad.stdout
    assert "try:" in bad.stdout
    assert max(map(len, bad.stdout.splitlines())) <= 100
    told = edge(
        "check",
        model,
        "--calibration",
        str(tmp_path / "ruined.npz"),
        "--evaluation",
        str(evaluation),
        "--json",
    )
    assert told.returncode == 4
    document = json.loads(told.stdout)
    assert document["good"] is False
    codes = {item["code"] for item in document["findings"] if item["level"] == "error"}
    assert codes == {"CALIBRATION-SCALE", "CALIBRATION-HARM"}


@pytest.mark.parametrize(
    "kind",
    [
        "wrongly normalized",
        *[pytest.param(kind, marks=pytest.mark.slow) for kind in ("noise", "zeros", "unnormalized")],
    ],
)
def test_a_build_on_ruined_data_rejects_what_was_calibrated(
    tmp_path: Path, evaluation: Path, kind: str
) -> None:
    result = build(
        shapes.model("unit"),
        calibration=ruined(tmp_path, kind),
        evaluation=evaluation,
        recipes=["float32", "full_int8"],
    )
    assert not result.ok
    verdicts = {item.id: item.verdict for item in result.variants}
    assert verdicts == {"float32": "passed", "full_int8": "rejected"}
    reasons = [reason for item in result.variants for reason in item.reasons]
    assert any(reason.startswith("calibration: CALIBRATION-") for reason in reasons), reasons

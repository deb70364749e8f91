"""A real variant in a real worker, with every kind of metric: what arrives, and how it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import attempt_in_worker, run_in_worker
from edge_sdk.errors import ConfigError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.validate.compare import answer, evaluate
from edge_sdk.validate.facts import VariantFacts

MODELS = Path(__file__).parents[1] / "data" / "models"
SAMPLES = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Arguments of `evaluate` for an int8 variant, and what the float model answers."""
    folder = tmp_path_factory.mktemp("evaluate")
    images = np.random.default_rng(5).uniform(0, 1, (SAMPLES, 16, 16, 3)).astype(np.float32)
    np.savez(folder / "samples.npz", image=images)
    signatures = read_tflite(MODELS / "conv_float.tflite").signatures
    contract = Contract(signatures=signatures, default_signature=signatures[0].name).to_dict()
    common = {"contract": contract, "samples": str(folder / "samples.npz"), "custom_ops": []}
    answer(
        {**common, "model": str(MODELS / "conv_float.tflite"), "output": str(folder / "reference.npz")},
    )
    with np.load(folder / "reference.npz") as archive:
        scores = archive["probabilities"].reshape(SAMPLES, -1)
    return {
        **common,
        "model": str(MODELS / "conv_int8_float_io.tflite"),
        "recipe": "full_int8",
        "integer_io": False,
        "data": "evaluation",
        "reference": str(folder / "reference.npz"),
        "golden": str(folder / "golden.npz"),
        "tolerance": 0.05,
        "labels": None,
        "scores": scores,
        "folder": folder,
    }


def arguments(made: dict[str, Any], labels: Any, **changes: Any) -> dict[str, Any]:
    path = None
    if labels is not None:
        path = made["folder"] / "labels.npy"
        np.save(path, labels)
    kept = {key: value for key, value in made.items() if key not in ("scores", "folder")}
    return {**kept, "labels": None if path is None else str(path), **changes}


def test_as_before_where_no_metric_is_named(made: dict[str, Any]) -> None:
    best = made["scores"].argmax(axis=1)
    facts = VariantFacts.from_dict(evaluate(arguments(made, best)))
    assert (facts.metric_name, facts.reference_metric) == ("top1", 1.0)
    assert facts.metric == facts.agreement
    assert facts.metric_interval == facts.agreement_interval
    assert VariantFacts.from_dict(evaluate(arguments(made, None))).metric_name is None
    # Labels that fit nothing were never an error as long as nobody asked for a metric.
    assert VariantFacts.from_dict(evaluate(arguments(made, best + 90))).metric_name is None


def test_everything_about_a_metric_survives_the_worker(made: dict[str, Any], tmp_path: Path) -> None:
    labels = made["scores"].argmax(axis=1)
    labels[::10] = (labels[::10] + 1) % 5
    found = run_in_worker(
        "edge_sdk.validate.compare:evaluate",
        arguments(made, labels, metric={"name": "top1"}),
        timeout_seconds=60,
        log=tmp_path / "log",
    )
    facts = VariantFacts.from_dict(found)
    assert facts.to_dict() == found
    assert facts.reference_metric == 0.9
    assert facts.reference_metric_interval == (0.79851, 0.95336)
    assert facts.metric_interval is not None
    assert facts.metric_drop_interval is not None
    assert facts.metric_drop is not None
    assert facts.metric_drop_interval[0] <= facts.metric_drop <= facts.metric_drop_interval[1]
    assert facts.confusion is not None
    assert np.array(facts.confusion.counts).sum() == SAMPLES
    assert 6 <= len(facts.worst) <= 12
    assert all(sample.label == labels[sample.index] != sample.given for sample in facts.worst)
    assert facts == VariantFacts.from_dict(evaluate(arguments(made, labels, metric={"name": "top1"})))


@pytest.mark.parametrize(
    ("name", "higher"), [("top2", True), ("mse", False), ("mae", False), ("cosine", True)]
)
def test_other_metrics_of_the_same_answers(made: dict[str, Any], name: str, higher: bool) -> None:
    labels = made["scores"].argmax(axis=1) if name == "top2" else made["scores"]
    facts = VariantFacts.from_dict(evaluate(arguments(made, labels, metric={"name": name})))
    assert facts.metric_name == name
    assert facts.metric_higher_is_better is higher
    assert facts.metric_drop is not None
    assert facts.metric_drop >= 0.0


def test_a_failing_metric_of_the_user_is_a_value_with_a_cause(made: dict[str, Any], own_folder: Path) -> None:
    (own_folder / "bad_metric.py").write_text("def f(outputs, labels):\n    return 1 / 0\n")
    result = attempt_in_worker(
        "edge_sdk.validate.compare:evaluate",
        arguments(made, made["scores"].argmax(axis=1), metric={"name": "bad_metric:f"}),
        timeout_seconds=60,
        log=own_folder / "log",
        recipe="full_int8",
    )
    assert result.failure is not None
    assert "the metric 'bad_metric:f' failed" in result.failure.cause
    assert "ZeroDivisionError: division by zero" in result.failure.cause
    assert "bad_metric.py, line 2" in result.failure.cause
    error = result.failure.to_error()
    assert isinstance(error, ConfigError)
    assert error.details["metric"] == "bad_metric:f"


class TestCheckBeforeAnyVariant:
    CHECK = "edge_sdk.validate.metrics.evaluation:check"

    def run(self, made: dict[str, Any], labels: Any, metric: dict[str, Any]) -> dict[str, Any]:
        given = arguments(made, labels, metric=metric)
        keys = ("metric", "contract", "labels", "reference")
        log = made["folder"] / "log"
        return run_in_worker(self.CHECK, {key: given[key] for key in keys}, timeout_seconds=60, log=log)

    def test_the_source_models_own_number(self, made: dict[str, Any]) -> None:
        assert self.run(made, made["scores"].argmax(axis=1), {"name": None}) == {
            "name": "top1",
            "value": 1.0,
            "interval": [0.93983, 1.0],
            "higher_is_better": True,
            "outputs": ["probabilities"],
        }
        assert self.run(made, None, {}) == {"name": None}

    def test_what_cannot_work_is_said_at_once(self, made: dict[str, Any]) -> None:
        labels = made["scores"].argmax(axis=1)
        for given, metric, word in (
            (None, {"name": "top1"}, "needs labels"),
            (labels + 3, {}, "0 to 4"),
            (labels[:9], {}, "9 labels for 60 samples"),
            (labels, {"name": "iou"}, "'iou'"),
            (labels, {"name": "no_module:f"}, "no module called"),
        ):
            with pytest.raises(ConfigError) as caught:
                self.run(made, given, metric)
            assert word in str(caught.value)

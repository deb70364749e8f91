"""The user's own metric: directions, shapes, and everything that can go wrong in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics import make_metric, metric_facts
from edge_sdk.validate.metrics.metric import Metric

ANSWERS = {"angle": np.linspace(0.0, 1.0, 30, dtype=np.float32).reshape(30, 1, 1)}
LABELS = {"y": np.linspace(0.1, 1.1, 30)}

SOURCE = """
import numpy as np
def close(outputs, labels, step=0.2):
    return np.abs(outputs["angle"].ravel() - labels) < step
def distance(outputs, labels):
    outputs["angle"] *= 1  # its own copy
    return float(np.mean(np.abs(outputs["angle"].ravel() - labels)))
distance.higher_is_better = False
def raises(outputs, labels):
    return outputs["angel"]
def raises_lines(outputs, labels):
    raise ValueError("no angle\\nin these answers")
def leaves(outputs, labels):
    raise SystemExit("enough")
def nan(outputs, labels):
    return np.where(np.arange(30) == 7, np.nan, 1.0)
def infinite(outputs, labels):
    return float("inf")
def wrong_shape(outputs, labels):
    return np.ones(29)
def text(outputs, labels):
    return "good"
def nothing(outputs, labels):
    pass
def boxes(outputs, labels):
    return labels["boxes"].sum() * 0.0 + len(labels["classes"])
def picky(outputs, labels):
    if len(set(labels.tolist())) < 20:
        raise ValueError("too few different labels")
    return 1.0 + len(set(labels.tolist())) / 1000
"""


@pytest.fixture(autouse=True)
def module(own_folder: Path) -> Iterator[None]:
    (own_folder / "their_metric.py").write_text(SOURCE)
    (own_folder / "broken_metric.py").write_text("import numpy\nraise RuntimeError('no licence')\n")
    (own_folder / "crooked_metric.py").write_text("def f(:\n")
    (own_folder / "poor_metric.py").write_text("import no_such_package_at_all\n")
    before = list(sys.path)
    yield
    sys.path[:] = before
    for name in ("their_metric", "broken_metric", "crooked_metric", "poor_metric"):
        sys.modules.pop(name, None)


def make(name: str, labels: dict[str, np.ndarray] | None = LABELS, **options: Any) -> Metric:
    metric = make_metric({"name": name, "options": options}, labels=labels, reference=ANSWERS, class_names=())
    assert metric is not None
    return metric


def test_one_number_a_sample_is_averaged_and_has_an_interval() -> None:
    metric = make("their_metric:close")
    facts = metric_facts(metric, ANSWERS, {"angle": ANSWERS["angle"] - np.float32(0.15)})
    assert (facts["metric_name"], facts["reference_metric"], facts["metric"]) == (
        "their_metric:close",
        1.0,
        0.0,
    )
    assert facts["reference_metric_interval"] == (0.88649, 1.0)
    assert facts["metric_higher_is_better"]
    assert len(facts["worst"]) == 12
    assert make("their_metric:close", step=0.01).score(ANSWERS).value == 0.0


def test_one_number_is_resampled_by_calling_again() -> None:
    metric = make("their_metric:distance")
    assert not metric.higher_is_better
    given = {"angle": ANSWERS["angle"] * np.float32(0.5)}
    facts = metric_facts(metric, ANSWERS, given)
    assert facts["metric"] > facts["reference_metric"] == pytest.approx(0.1)
    low, high = facts["metric_interval"]
    assert low < facts["metric"] < high
    assert facts == metric_facts(metric, ANSWERS, given)
    # No single scores: the worst are those furthest from the source model.
    assert facts["worst"][0].index == 29
    assert given["angle"][2, 0, 0] == ANSWERS["angle"][2, 0, 0] * np.float32(0.5)


def test_the_direction_can_be_given() -> None:
    assert make("their_metric:distance", higher_is_better=True).higher_is_better
    assert not make("their_metric:close", higher_is_better=False).higher_is_better


def test_labels_with_parts_come_as_a_mapping() -> None:
    labels = {"boxes": np.zeros((30, 2, 4)), "classes": np.zeros((30, 2), int)}
    assert make("their_metric:boxes", labels).score(ANSWERS).value == 30.0


def test_a_resample_that_the_function_cannot_take_is_left_out() -> None:
    facts = metric_facts(make("their_metric:picky"), ANSWERS, ANSWERS)
    assert facts["metric"] == 1.03


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("their_metric:raises", "KeyError: 'angel'"),
        ("their_metric:raises", "their_metric.py, line 10"),
        ("their_metric:raises_lines", "ValueError: no angle in these answers"),
        ("their_metric:leaves", "SystemExit: enough"),
        ("their_metric:nan", "returned NaN for sample 7"),
        ("their_metric:infinite", "returned infinity"),
        ("their_metric:wrong_shape", "returned an array [29]"),
        ("their_metric:text", "could not convert string"),
        ("their_metric:nothing", "TypeError"),
        ("their_metric:missing", "no function called 'missing'"),
        ("no_such_metric:f", "no module called 'no_such_metric'"),
        ("broken_metric:f", "RuntimeError: no licence ("),
        ("crooked_metric:f", "SyntaxError"),
        ("poor_metric:f", "No module named 'no_such_package_at_all'"),
    ],
)
def test_what_goes_wrong_is_named_with_the_users_own_words(name: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(name).score(ANSWERS)
    assert word in str(caught.value)
    assert name.partition(":")[0] in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_it_needs_labels_and_options_that_it_knows() -> None:
    with pytest.raises(ConfigError, match="needs labels"):
        make("their_metric:close", None)
    stranger = make("their_metric:close", stride=2)
    with pytest.raises(ConfigError) as caught:
        stranger.score(ANSWERS)
    assert "unexpected keyword argument 'stride'" in str(caught.value)
    with pytest.raises(ConfigError, match="higher_is_better is 1"):
        make("their_metric:close", higher_is_better=1)

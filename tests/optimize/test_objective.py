"""The objective is chosen from the labels, and labels that do not fit are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.optimize.objective import check_labels, choose_objective

SCORES = np.random.default_rng(0).dirichlet(np.ones(4), 20).astype(np.float32)
CLASSES = np.arange(20) % 4


@pytest.mark.parametrize(
    ("labels", "answer", "loss", "logits"),
    [
        (CLASSES, SCORES, "sparse_crossentropy", False),
        (CLASSES[:, None], np.log(SCORES), "sparse_crossentropy", True),
        (CLASSES.astype(np.float32), SCORES, "sparse_crossentropy", False),
        (np.eye(4)[CLASSES], SCORES, "categorical_crossentropy", False),
        (CLASSES % 2, SCORES[:, :1], "binary_crossentropy", False),
        (CLASSES % 2, SCORES[:, :1] * 20 - 10, "binary_crossentropy", True),
        (np.linspace(0, 7, 20), SCORES[:, :1], "mse", False),
        (np.ones((20, 4, 3), np.float32), np.ones((20, 4, 3), np.float32), "mse", False),
    ],
)
def test_labels_decide(labels: Any, answer: Any, loss: str, logits: bool) -> None:
    found = choose_objective("auto", labels, [answer], ["out"])
    assert (found.loss, found.from_logits) == (loss, logits)


def test_without_labels_or_with_several_outputs_the_source_is_the_teacher() -> None:
    assert choose_objective("auto", None, [SCORES], ["a"]).loss == "teacher"
    both = choose_objective("auto", CLASSES, [SCORES, SCORES * 10], ["a", "b"])
    assert both.loss == "teacher"
    # An output with larger values must not drown the other.
    assert both.scales[1] == pytest.approx(100 * both.scales[0])
    assert both.measure([SCORES, SCORES * 10], both.targets(None, [SCORES, SCORES * 10])) == 0


def test_metrics() -> None:
    sparse = choose_objective("auto", CLASSES, [SCORES], ["a"])
    assert sparse.measure([np.eye(4)[CLASSES]], sparse.targets(CLASSES, [SCORES])) == 1.0
    binary = choose_objective("auto", CLASSES % 2, [SCORES[:, :1] * 20 - 10], ["a"])
    perfect = (CLASSES % 2 * 2.0 - 1)[:, None]
    assert binary.measure([perfect], binary.targets(CLASSES % 2, [perfect])) == 1.0


@pytest.mark.parametrize(
    ("loss", "labels", "words"),
    [
        ("auto", CLASSES + 3, "3 to 6, and output 'out' has 4 classes"),
        ("auto", CLASSES - 1, "-1 to 2"),
        ("auto", np.array(["cat"] * 20), "do not fit"),
        ("auto", np.linspace(0, 1, 20), "do not fit"),
        ("auto", np.ones((20, 7)), "do not fit"),
        ("crossentropy", None, "needs labels"),
        ("mse", CLASSES, "do not fit"),
    ],
)
def test_labels_that_do_not_fit(loss: str, labels: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        choose_objective(loss, labels, [SCORES], ["out"])


def test_evaluation_labels_must_be_of_the_same_kind() -> None:
    objective = choose_objective("auto", CLASSES, [SCORES], ["out"])
    check_labels(objective, CLASSES, [SCORES], "out", "the evaluation data")
    with pytest.raises(ConfigError, match="has no labels"):
        check_labels(objective, None, [SCORES], "out", "the evaluation data")
    with pytest.raises(ConfigError, match="another kind"):
        check_labels(objective, np.eye(4)[CLASSES], [SCORES], "out", "the evaluation data")

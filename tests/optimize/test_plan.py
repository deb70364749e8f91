"""Plans: schedules that end where they promise, and wrong ones refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import ConfigError
from edge_sdk.optimize.plan import Clustering, Pruning, TrainingPlan


def test_stages_are_done_in_the_order_that_keeps_what_came_before() -> None:
    assert TrainingPlan(methods=("qat", "cluster", "prune")).stages == ("prune", "cluster", "qat")
    assert TrainingPlan(methods=("qat", "qat")).stages == ("qat",)


@given(
    total=st.integers(2, 5000),
    begin=st.integers(0, 50),
    end=st.none() | st.integers(1, 5000),
    frequency=st.none() | st.integers(1, 200),
)
def test_the_last_update_is_the_end(total: int, begin: int, end: int | None, frequency: int | None) -> None:
    try:
        plan = Pruning(begin_step=begin, end_step=end, frequency=frequency).resolved(total)
    except ConfigError:
        return
    assert plan.frequency is not None
    assert plan.end_step is not None
    assert begin < plan.end_step < total
    assert (plan.end_step - plan.begin_step) % plan.frequency == 0


def test_the_guides_numbers_are_the_defaults() -> None:
    schedule = Pruning()
    assert (schedule.initial_sparsity, schedule.final_sparsity, schedule.power) == (0.5, 0.8, 3.0)
    assert schedule.resolved(1200).frequency == 50
    assert schedule.resolved(12_000).frequency == 100


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pruning(final_sparsity=80), "final_sparsity is 80"),
        (lambda: Pruning(final_sparsity=0.3), "above final sparsity"),
        (lambda: Pruning(begin_step=5, end_step=5), "no span"),
        (lambda: Pruning(frequency=0), "frequency is 0"),
        (lambda: Pruning(end_step=500).resolved(100), "ends at step 500"),
        (lambda: Pruning(frequency=200).resolved(100), "longer than pruning lasts"),
        (lambda: Pruning().resolved(1), "the training has 1 steps"),
        (lambda: Clustering(clusters=1), "clusters is 1"),
        (lambda: TrainingPlan(methods=("prun",)), "no method called 'prun'"),
        (lambda: TrainingPlan(methods=()), "no method is named"),
        (lambda: TrainingPlan(methods=("qat",), loss="entropy"), "no loss called"),
        (lambda: TrainingPlan(methods=("qat",), epochs=0), "epochs is 0"),
        (lambda: TrainingPlan(methods=("qat",), learning_rate=3), "learning_rate is 3"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


def test_a_plan_survives_json() -> None:
    plan = TrainingPlan(methods=("prune", "qat"), prune=Pruning(final_sparsity=0.6), skip=("a",))
    assert TrainingPlan.from_dict(plan.to_dict()) == plan

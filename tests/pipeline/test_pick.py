"""The pick rules are pure functions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_sdk.configuration import Budget
from edge_sdk.pipeline.pick import Candidate, pareto, preference
from edge_sdk.validate.budget import Numbers


def variant(
    name: str, size: int, agreement: float | None, drop: float | None = None, p50: float | None = None
) -> Candidate:
    return Candidate(
        id=name, numbers=Numbers(size_bytes=size, agreement=agreement, metric_drop=drop, p50_ms=p50)
    )


FLOAT = variant("float32", 400, 1.0, 0.0)
HALF = variant("float16", 200, 1.0, 0.0)
DYNAMIC = variant("dynamic_int8", 110, 0.985, 0.01)
STATIC = variant("full_int8", 105, 0.97, 0.02)
ALL = [FLOAT, HALF, DYNAMIC, STATIC]


def test_the_smallest_that_agrees_well_then_the_others_by_agreement() -> None:
    assert preference(ALL) == ["dynamic_int8", "float16", "float32", "full_int8"]
    assert preference(ALL[::-1]) == preference(ALL)


def test_where_none_agrees_well_the_best_agreement_wins() -> None:
    weak = [variant("a", 10, 0.7), variant("b", 20, 0.9), variant("c", 15, 0.9), variant("d", 1, None)]
    assert preference(weak) == ["c", "b", "a", "d"]


def test_budgets() -> None:
    assert preference(ALL, Budget(min_agreement=0.95))[0] == "full_int8"
    assert preference(ALL, Budget(max_metric_drop=0.005))[0] == "float16"
    assert preference(ALL, Budget(max_size_bytes=107)) == ["full_int8"]
    assert preference(ALL, Budget(max_size_bytes=10)) == []


def test_the_measured_rule_takes_the_fastest_and_of_equally_fast_ones_the_smallest() -> None:
    dynamic = variant("dynamic_int8", 500, 1.0, 0.0, p50=94.0)
    static = variant("full_int8", 527, 1.0, 0.0, p50=20.0)
    static_io = variant("full_int8_io", 520, 1.0, 0.0, p50=21.0)
    assert preference([dynamic, static, static_io])[0] == "dynamic_int8"
    assert preference([dynamic, static, static_io], rule="measured") == [
        "full_int8_io",
        "full_int8",
        "dynamic_int8",
    ]


def test_the_measured_rule_leaves_beaten_variants_behind_and_what_was_not_measured_last() -> None:
    better = variant("better", 100, 1.0, 0.0, p50=10.0)
    beaten = variant("beaten", 120, 0.99, 0.01, p50=10.5)
    unknown = variant("unknown", 50, 1.0, 0.0)
    assert pareto([better, beaten, unknown]) == [better, unknown]
    assert preference([beaten, unknown, better], rule="measured") == ["better", "unknown", "beaten"]


numbers = some.builds(
    variant,
    some.uuids().map(str),
    some.integers(1, 5),
    some.sampled_from([None, 0.5, 0.97, 0.99, 1.0]),
    some.sampled_from([None, 0.0, 0.01]),
    some.sampled_from([None, 1.0, 1.05, 2.0]),
)


@pytest.mark.parametrize("rule", ["size", "measured"])
@given(candidates=some.lists(numbers, max_size=6), seed=some.integers(0, 99))
def test_every_variant_comes_once_whatever_the_order(
    rule: str, candidates: list[Candidate], seed: int
) -> None:
    shuffled = candidates[:]
    random.Random(seed).shuffle(shuffled)
    order = preference(candidates, rule=rule)
    assert sorted(order) == sorted(item.id for item in candidates)
    assert preference(shuffled, rule=rule) == order
    front = {item.id for item in pareto(candidates)}
    assert not candidates or front

"""A miss says which number, by how much, and never lets an unmeasured number pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_sdk.configuration import Budget
from edge_sdk.validate.budget import Numbers, misses, quality_only

MEASURED = Numbers(
    size_bytes=1_500_000,
    metric_drop=0.03,
    agreement=0.9,
    p50_ms=10.0,
    p99_ms=12.5,
    peak_memory_bytes=80_000_000,
    delegate_coverage=0.75,
)


@pytest.mark.parametrize(
    ("budget", "sentence", "by"),
    [
        (Budget(max_metric_drop=0.01), "metric drop 0.03, 0.02 over the budget of 0.01", 0.02),
        (Budget(min_agreement=0.98), "agreement 0.9, 0.08 under the budget of 0.98", 0.08),
        (
            Budget(max_size_bytes=1_000_000),
            "size 1,500,000 bytes, 500,000 bytes over the budget of 1,000,000 bytes",
            500_000,
        ),
        (Budget(max_p99_ms=10), "p99 latency 12.5 ms, 2.5 ms over the budget of 10 ms", 2.5),
        (
            Budget(max_peak_memory_bytes=64_000_000),
            "peak memory 80,000,000 bytes, 16,000,000 bytes over the budget of 64,000,000 bytes",
            16_000_000,
        ),
        (
            Budget(min_delegate_coverage=1.0),
            "delegate coverage 0.75, 0.25 under the budget of 1",
            0.25,
        ),
    ],
)
def test_every_limit_is_judged(budget: Budget, sentence: str, by: float) -> None:
    (miss,) = misses(MEASURED, budget)
    assert miss.sentence == sentence
    assert miss.by == pytest.approx(by)


def test_a_number_on_the_limit_meets_it() -> None:
    on_it = Budget(
        max_metric_drop=0.03,
        min_agreement=0.9,
        max_size_bytes=1_500_000,
        max_p99_ms=12.5,
        max_peak_memory_bytes=80_000_000,
        min_delegate_coverage=0.75,
    )
    assert misses(MEASURED, on_it) == ()


def test_a_number_that_was_not_measured_misses_its_limit() -> None:
    found = misses(
        Numbers(size_bytes=1), Budget(min_agreement=0.5, max_metric_drop=0.1, max_p99_ms=1, max_size_bytes=1)
    )
    assert [(miss.limit, miss.value, miss.by) for miss in found] == [
        ("min_agreement", None, None),
        ("max_metric_drop", None, None),
        ("max_p99_ms", None, None),
    ]
    assert "was not measured" in found[0].sentence


def test_only_precision_can_repair_quality() -> None:
    budget = Budget(min_agreement=0.9, max_metric_drop=0.1, max_size_bytes=5, max_p99_ms=1)
    assert quality_only(budget) == Budget(min_agreement=0.9, max_metric_drop=0.1)


@given(some.floats(0, 1), some.floats(0, 1))
def test_by_is_the_distance_and_is_positive(agreement: float, limit: float) -> None:
    found = misses(Numbers(size_bytes=1, agreement=agreement), Budget(min_agreement=limit))
    assert bool(found) == (agreement < limit)
    assert all(miss.by is not None and miss.by > 0 for miss in found)

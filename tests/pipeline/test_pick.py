"""The pick rule is a pure function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_sdk.configuration import Budget
from edge_sdk.pipeline.pick import over_budget, preference
from edge_sdk.pipeline.result import VariantReport


def variant(name: str, size: int, agreement: float | None, **more: Any) -> VariantReport:
    fields = {
        "format": "tflite",
        "recipe": name,
        "path": Path(name),
        "sha256": "ab" * 32,
        "verdict": "passed",
    }
    return VariantReport(id=name, size_bytes=size, agreement=agreement, **{**fields, **more})


FLOAT = variant("float32", 400, 1.0, metric_drop=0.0)
HALF = variant("float16", 200, 1.0, metric_drop=0.0)
DYNAMIC = variant("dynamic_int8", 110, 0.985, metric_drop=0.01)
STATIC = variant("full_int8", 105, 0.97, metric_drop=0.02)
ALL = [FLOAT, HALF, DYNAMIC, STATIC]


def names(variants: list[VariantReport]) -> list[str]:
    return [item.id for item in variants]


def test_the_smallest_that_agrees_well_then_the_others_by_agreement() -> None:
    assert names(preference(ALL)) == ["dynamic_int8", "float16", "float32", "full_int8"]
    assert names(preference(ALL[::-1])) == names(preference(ALL))


def test_where_none_agrees_well_the_best_agreement_wins() -> None:
    weak = [variant("a", 10, 0.7), variant("b", 20, 0.9), variant("c", 15, 0.9), variant("d", 1, None)]
    assert names(preference(weak)) == ["c", "b", "a", "d"]


def test_rejected_variants_are_never_picked() -> None:
    assert names(preference([FLOAT, variant("x", 1, 1.0, verdict="rejected")])) == ["float32"]
    assert preference([variant("x", 1, 1.0, verdict="rejected")]) == []


def test_budgets() -> None:
    assert names(preference(ALL, Budget(min_agreement=0.95)))[0] == "full_int8"
    assert names(preference(ALL, Budget(max_metric_drop=0.005)))[0] == "float16"
    assert names(preference(ALL, Budget(max_size_bytes=107))) == ["full_int8"]
    assert preference(ALL, Budget(max_size_bytes=10)) == []
    assert over_budget(STATIC, Budget(max_size_bytes=10)) == ["105 bytes, the budget is 10"]
    assert over_budget(STATIC, Budget(min_agreement=0.98)) == ["agreement 0.97, the budget is 0.98"]


def test_a_number_that_was_not_measured_breaks_its_budget() -> None:
    unknown = variant("x", 1, None)
    assert len(over_budget(unknown, Budget(min_agreement=0.5, max_metric_drop=0.1))) == 2
    assert over_budget(unknown, Budget()) == []

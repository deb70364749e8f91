"""Budgets: the limits of `[budget]`, and by how much a variant misses them.

A limit on a number that was not measured is missed: nobody ships on faith. Guards
(`edge_sdk.validate.guards`) ask whether a file is broken; budgets ask whether it is good enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_sdk.configuration import Budget
from edge_sdk.contract.document import Document


@dataclass(frozen=True, kw_only=True)
class Numbers(Document):
    """What a variant is for one target; None where it was not measured.

    Attributes:
        size_bytes: Of the file.
        metric_drop: What the source model has more of the metric; negative where the variant is better.
        agreement: 0 to 1 with the source model, worst output.
        p50_ms: Median latency on this machine, in the target's runtime.
        p99_ms: The 99th percentile.
        peak_memory_bytes: Of the process that ran it.
        delegate_coverage: 0 to 1, the share of operators that the target's first delegate is predicted to
            take.
    """

    size_bytes: int
    metric_drop: float | None = None
    agreement: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    peak_memory_bytes: int | None = None
    delegate_coverage: float | None = None


@dataclass(frozen=True, kw_only=True)
class Miss(Document):
    """One limit that is not met.

    Attributes:
        limit: Name in `Budget`.
        allowed: The limit.
        value: What was measured, or None.
        by: How far beyond the limit, above 0; None where nothing was measured.
        sentence: The same for people.
    """

    limit: str
    allowed: float
    value: float | None
    by: float | None
    sentence: str


@dataclass(frozen=True)
class _Limit:
    number: str
    title: str
    form: Callable[[float], str]
    upper: bool


def _plain(value: float) -> str:
    return f"{value:.4g}"


def _bytes(value: float) -> str:
    return f"{value:,.0f} bytes"


def _milliseconds(value: float) -> str:
    return f"{value:.3g} ms"


#: Budget field: how it is judged.
_LIMITS: dict[str, _Limit] = {
    "max_metric_drop": _Limit("metric_drop", "metric drop", _plain, True),
    "min_agreement": _Limit("agreement", "agreement", _plain, False),
    "max_size_bytes": _Limit("size_bytes", "size", _bytes, True),
    "max_p99_ms": _Limit("p99_ms", "p99 latency", _milliseconds, True),
    "max_peak_memory_bytes": _Limit("peak_memory_bytes", "peak memory", _bytes, True),
    "min_delegate_coverage": _Limit("delegate_coverage", "delegate coverage", _plain, False),
}


def misses(numbers: Numbers, budget: Budget) -> tuple[Miss, ...]:
    """Return every limit that a variant misses, in the order of `Budget`."""
    found = []
    for name, allowed in budget.as_numbers().items():
        limit = _LIMITS[name]
        value = getattr(numbers, limit.number)
        if value is None:
            sentence = f"{limit.title} was not measured, the budget is {limit.form(allowed)}"
            found.append(Miss(limit=name, allowed=allowed, value=None, by=None, sentence=sentence))
            continue
        by = value - allowed if limit.upper else allowed - value
        if by <= 0:
            continue
        side = "over" if limit.upper else "under"
        sentence = (
            f"{limit.title} {limit.form(value)}, {limit.form(by)} {side} the budget of {limit.form(allowed)}"
        )
        found.append(Miss(limit=name, allowed=allowed, value=float(value), by=float(by), sentence=sentence))
    return tuple(found)


def quality_only(budget: Budget) -> Budget:
    """Return the limits that more precision can meet: metric drop and agreement."""
    return Budget(min_agreement=budget.min_agreement, max_metric_drop=budget.max_metric_drop)

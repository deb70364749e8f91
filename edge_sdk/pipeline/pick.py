"""Which variant a target gets. docs/reference/build.md states the same rules for people.

Both rules look at variants that passed every guard and that the target's runtime can load, and among them at
those within the budgets of `[budget]`; where none is, there is no pick and the build says so. Those with an
agreement of at least `GOOD_AGREEMENT` (or the budget's own `min_agreement`) come first; the others follow,
best agreement first.

"size" (the default): the smallest file; ties go to the better agreement, then to the first name. It uses
nothing that depends on the machine's speed, so the same build picks the same on a busy day.

"measured": variants that another one beats are left behind (worse or equal in quality loss, median latency
and size, worse in one of them; Pareto). Of the rest the fastest; those within `SAME_SPEED` of it count as
equally fast, and the smallest of them is the pick. It needs the latency that this build measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.configuration import Budget
from edge_sdk.validate.budget import Numbers, misses

GOOD_AGREEMENT = 0.98
#: Two medians this close are one speed: machines are noisy.
SAME_SPEED = 1.10


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A variant that one target could run.

    Attributes:
        id: Of the variant.
        numbers: What it is on that target.
    """

    id: str
    numbers: Numbers


def preference(
    candidates: Sequence[Candidate], budget: Budget | None = None, *, rule: str = "size"
) -> list[str]:
    """Return the ids of the variants that a target may get, the pick first.

    Args:
        candidates: Those that passed and that the target's runtime can load.
        budget: Limits that the user set.
        rule: "size" or "measured".
    """
    budget = budget or Budget()
    fitting = [item for item in candidates if not misses(item.numbers, budget)]
    enough = GOOD_AGREEMENT if budget.min_agreement is None else budget.min_agreement
    good = [item for item in fitting if (item.numbers.agreement or 0.0) >= enough]
    rest = [item for item in fitting if item not in good]
    ordered = sorted(good, key=lambda item: (item.numbers.size_bytes, -_agreement(item), item.id))
    if rule == "measured":
        ordered = _by_speed(ordered)
    ordered += sorted(rest, key=lambda item: (-_agreement(item), item.numbers.size_bytes, item.id))
    return [item.id for item in ordered]


def pareto(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those that no other one beats, in their order."""
    return [item for item in candidates if not any(_beats(other, item) for other in candidates)]


def _beats(one: Candidate, other: Candidate) -> bool:
    mine, its = _costs(one), _costs(other)
    return all(a <= b for a, b in zip(mine, its, strict=True)) and mine != its


def _costs(item: Candidate) -> tuple[float, float, float]:
    numbers = item.numbers
    loss = numbers.metric_drop if numbers.metric_drop is not None else 1.0 - _agreement(item)
    return loss, _speed(item), float(numbers.size_bytes)


def _by_speed(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the front by speed, then the others by speed; who is equally fast stays in the order by size."""
    front = pareto(candidates)
    left = [item for item in candidates if item not in front]
    return [*_fastest_first(front), *_fastest_first(left)]


def _fastest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    left, ordered = list(candidates), []
    while left:
        limit = min(_speed(item) for item in left) * SAME_SPEED
        fastest = [item for item in left if _speed(item) <= limit]
        ordered += fastest
        left = [item for item in left if item not in fastest]
    return ordered


def _speed(item: Candidate) -> float:
    return float("inf") if item.numbers.p50_ms is None else item.numbers.p50_ms


def _agreement(item: Candidate) -> float:
    return item.numbers.agreement or 0.0

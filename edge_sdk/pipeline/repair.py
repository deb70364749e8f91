"""Repair: which few layers must stay in float for a quantized variant to meet its budget.

A search over a ranking of the layers, worst first, with few evaluations; it knows nothing of models. Each
evaluation makes and compares a variant, which takes seconds, so there are at most `EVALUATIONS`:

1. Reach: keep the worst 1, 2, 4, 8... layers in float until the budget holds.
2. Tighten: binary search between the last count that failed and the first that held.
3. Shrink: drop kept layers again, the mildest half of them first, wherever the budget holds without them.

More layers in float rarely make a variant worse, but they can (a boundary between float and integers rounds
too): the result is the best set that was *evaluated* and met the budget, never one that was assumed to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.contract.document import Document
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.validate.budget import Numbers

EVALUATIONS = 12


@dataclass(frozen=True, kw_only=True)
class Attempt(Document):
    """One variant that was tried.

    Attributes:
        kept: Layers in float, by the name of their first output in the float file.
        met: It passed every guard and meets the budget.
        numbers: What it is; None where it could not be made or run.
        reasons: Why it does not meet the budget.
    """

    kept: tuple[str, ...]
    met: bool
    numbers: Numbers | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RepairResult(Document):
    """What the search did.

    Attributes:
        recipe: That was repaired.
        variant: Id of the variant that came out; None where nothing met the budget.
        success: Whether one did.
        kept: Layers in float of that variant, in the order of execution.
        layers: How many layers could have been kept.
        before: The recipe's own numbers.
        after: The repaired variant's.
        attempts: Everything that was tried, in order.
        reason: One sentence on how it ended.
    """

    recipe: str
    variant: str | None
    success: bool
    kept: tuple[str, ...]
    layers: int
    before: Numbers
    after: Numbers | None
    attempts: tuple[Attempt, ...]
    reason: str


class _Spent(Exception):  # noqa: N818 - ends the search; never seen outside
    """There are no evaluations left."""


def search(
    ranking: Sequence[str],
    attempt: Callable[[tuple[str, ...]], Attempt],
    *,
    limit: int = EVALUATIONS,
    progress: Progress = silent,
) -> list[Attempt]:
    """Look for a small set of layers that meets the budget.

    Args:
        ranking: Layers, the one that makes most error first.
        attempt: Makes and judges the variant that keeps these layers in float.
        limit: At most so many calls of it.
        progress: Told of each.

    Returns:
        Every attempt in order; `best_of` finds the one to take.
    """
    done: dict[frozenset[str], Attempt] = {}

    def holds(kept: Sequence[str]) -> bool:
        key = frozenset(kept)
        if key not in done:
            if len(done) >= limit:
                raise _Spent
            progress(
                Step("repair", f"keeping {len(kept)} of {len(ranking)} layers in float", len(done) / limit)
            )
            done[key] = attempt(tuple(kept))
        return done[key].met

    try:
        reached = _tighten(ranking, holds)
        if reached:
            _shrink(list(ranking[:reached]), holds)
    except _Spent:
        pass
    return list(done.values())


def best_of(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt to take: it meets the budget with the fewest bytes, then the fewest layers."""
    met = [item for item in attempts if item.met and item.numbers is not None]
    return min(
        met, key=lambda item: (item.numbers.size_bytes if item.numbers else 0, len(item.kept)), default=None
    )


def _tighten(ranking: Sequence[str], holds: Callable[[Sequence[str]], bool]) -> int:
    """Return the smallest count of worst layers that was found to hold; 0 where not even all do."""
    failed, count = 0, 1
    while not holds(ranking[: min(count, len(ranking))]):
        if count >= len(ranking):
            return 0
        failed, count = count, count * 2
    held = min(count, len(ranking))
    while held - failed > 1:
        middle = (failed + held) // 2
        if holds(ranking[:middle]):
            held = middle
        else:
            failed = middle
    return held


def _shrink(kept: list[str], holds: Callable[[Sequence[str]], bool]) -> None:
    """Drop what is not needed, the mildest layers first, in halves that get smaller."""
    size = len(kept) // 2
    while size >= 1:
        position = len(kept) - size
        while position >= 0 and len(kept) > size:
            without = kept[:position] + kept[position + size :]
            if holds(without):
                kept = without
            position -= size
        size //= 2

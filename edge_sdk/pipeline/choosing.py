"""Chooses the variants that each target gets: what its runtime can run, within the budget, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_sdk.configuration import Budget
from edge_sdk.pipeline.foresight import Foresight
from edge_sdk.pipeline.judging import Judged
from edge_sdk.pipeline.pick import Candidate, preference
from edge_sdk.pipeline.result import TargetChoice
from edge_sdk.targets import Target
from edge_sdk.validate.budget import misses


def choose(
    judged: Sequence[Judged],
    target: Target,
    foresight: Mapping[str, Foresight],
    budget: Budget,
    *,
    rule: str,
) -> TargetChoice:
    """Return what one target gets.

    Args:
        judged: Every variant of the build; rejected ones are not considered.
        target: What for.
        foresight: What is predicted on that target, by variant.
        budget: Limits.
        rule: Of the pick; see `edge_sdk.pipeline.pick`.
    """
    incompatible, missed, numbers = {}, {}, {}
    candidates = []
    for item in judged:
        if not item.report.passed or item.made.recipe.format != target.format:
            continue
        name = item.report.id
        seen = foresight[name]
        if seen.refusals:
            incompatible[name] = seen.refusals
            continue
        numbers[name] = item.report.numbers(delegate_coverage=seen.coverage, latency_ms=seen.latency)
        candidates.append(Candidate(id=name, numbers=numbers[name]))
        if found := misses(numbers[name], budget):
            missed[name] = found
    return TargetChoice(
        target=target.name,
        order=tuple(preference(candidates, budget, rule=rule)),
        incompatible=incompatible,
        misses=missed,
        numbers=numbers,
    )


def explain(choice: TargetChoice, *, any_passed: bool) -> list[str]:
    """Return sentences on what a target does not get."""
    obstacles = {name: ", ".join(found) for name, found in choice.obstacles().items()}
    if choice.picked is None:
        if not any_passed:
            return []  # the rejections say it
        return [
            f"target {choice.target} gets no variant:",
            *(f"  not {name}: {found}" for name, found in obstacles.items()),
        ]
    return [f"target {choice.target}: not {name}: {found}" for name, found in obstacles.items()]

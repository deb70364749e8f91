"""`edge build --repair`: makes a mixed-precision variant of a static recipe that misses its budget.

The error map ranks the layers, `edge_sdk.pipeline.repair` searches, and every try is a real variant:
quantized, run on all samples through the Runner, judged by the guards and the budget.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.configuration import Budget
from edge_sdk.convert.worker import Failure
from edge_sdk.pipeline.cache import Entry
from edge_sdk.pipeline.checks import Checks
from edge_sdk.pipeline.judging import Case, Judged, evaluate, report_of
from edge_sdk.pipeline.making import as_made
from edge_sdk.pipeline.materials import Made
from edge_sdk.pipeline.output import Output
from edge_sdk.pipeline.pick import GOOD_AGREEMENT
from edge_sdk.pipeline.repair import Attempt, RepairResult, best_of, search
from edge_sdk.pipeline.result import VariantReport
from edge_sdk.pipeline.steps import Steps
from edge_sdk.progress import Progress
from edge_sdk.quantize.recipe import Recipe, keep_float
from edge_sdk.validate.budget import misses, quality_only
from edge_sdk.validate.error_map import ErrorMap
from edge_sdk.validate.facts import VariantFacts

SUFFIX = "_repaired"
#: What counts as good where the user set no limit on quality: one point of the metric.
DEFAULT_METRIC_DROP = 0.01


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What came of it.

    Attributes:
        base: The variant that was repaired.
        made: The new variant; None where nothing met the budget.
        tried: Every attempt, in order.
        layers: How many layers could have been kept.
        kept: Layers in float of the new variant, in the order of execution.
    """

    base: Judged
    made: Made | None
    tried: tuple[Attempt, ...]
    layers: int
    kept: tuple[str, ...] = ()

    def result(self, judged: Judged | None) -> RepairResult:
        """Return the record of the search.

        Args:
            judged: The new variant, measured like all others.
        """
        name = self.base.report.id
        if judged is None and self.made is not None:
            reason = f"{self.made.recipe.name} met the budget, but could not be measured"
        elif judged is None:
            reason = (
                f"no set of layers in float made {name} meet the budget within {len(self.tried)} evaluations"
            )
        else:
            grown = judged.report.size_bytes - self.base.report.size_bytes
            reason = (
                f"{len(self.kept)} of {self.layers} layers stay in float; that costs {grown:,} bytes"
                f"{_slower(self.base.report, judged.report)}; {len(self.tried)} evaluations"
            )
        return RepairResult(
            recipe=name,
            variant=None if judged is None else judged.report.id,
            success=judged is not None,
            kept=self.kept,
            layers=self.layers,
            before=self.base.report.numbers(),
            after=None if judged is None else judged.report.numbers(),
            attempts=self.tried,
            reason=reason,
        )


def repair(
    judged: Sequence[Judged],
    case: Case,
    ranges: Entry | None,
    budget: Budget,
    output: Output,
    *,
    steps: Steps,
    checks: Checks,
    progress: Progress,
) -> Repaired | None:
    """Repair the first static variant that misses its budget.

    Args:
        judged: Every variant of the build.
        case: What they were judged with.
        ranges: Of the calibration.
        budget: Its limits on quality count; more precision helps against nothing else.
        output: Of the build.
        steps: To quantize.
        checks: To evaluate.
        progress: Told of each evaluation.

    Returns:
        None where nothing needs a repair, or none is possible (no calibration that can be trusted).
    """
    if ranges is None or case.calibration_errors:
        return None
    for base in judged:
        limits = _limits(budget, base)
        static = base.made.recipe.method == "static" and base.made.recipe.backend == "litert"
        if static and base.error_map is not None and _reasons(base.report, limits):
            break
    else:
        return None
    error_map = ErrorMap.from_dict(base.error_map)
    order = {layer.name: layer.index for layer in error_map.layers}
    ranking = [layer.name for layer in error_map.worst()]

    def in_order(kept: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(kept, key=lambda name: order[name]))

    def attempt(kept: tuple[str, ...]) -> Attempt:
        kept = in_order(kept)
        recipe = _mixed(base.made.recipe, kept)
        outcome = steps.quantize(case.source, recipe, ranges)
        if isinstance(outcome, Failure):
            return Attempt(kept=kept, met=False, reasons=(outcome.cause,))
        made = as_made(recipe, outcome)
        entry = evaluate(made, case, checks)
        if isinstance(entry, Failure):
            return Attempt(kept=kept, met=False, reasons=(entry.cause,))
        report = report_of(made, VariantFacts.from_dict(entry.value), case, output, None)
        reasons = _reasons(report, limits)
        return Attempt(kept=kept, met=not reasons, numbers=report.numbers(), reasons=reasons)

    tried = tuple(search(ranking, attempt, progress=progress)) if ranking else ()
    best = best_of(tried)
    if best is None:
        return Repaired(base=base, made=None, tried=tried, layers=len(ranking))
    recipe = _mixed(base.made.recipe, best.kept)
    outcome = steps.quantize(case.source, recipe, ranges)
    if isinstance(outcome, Failure):  # it was made a moment ago: the cache's disk is gone, or the like
        return Repaired(base=base, made=None, tried=tried, layers=len(ranking))
    return Repaired(
        base=base, made=as_made(recipe, outcome), tried=tried, layers=len(ranking), kept=best.kept
    )


def _mixed(recipe: Recipe, kept: Sequence[str]) -> Recipe:
    return dataclasses.replace(recipe, name=recipe.name + SUFFIX, rules=(*recipe.rules, *keep_float(kept)))


def _limits(budget: Budget, base: Judged) -> Budget:
    limits = quality_only(budget)
    if limits.as_numbers():
        return limits
    if base.report.metric_drop is not None:
        return Budget(max_metric_drop=DEFAULT_METRIC_DROP)
    return Budget(min_agreement=GOOD_AGREEMENT)


def _reasons(report: VariantReport, limits: Budget) -> tuple[str, ...]:
    return (*report.reasons, *(miss.sentence for miss in misses(report.numbers(), limits)))


def _slower(before: VariantReport, after: VariantReport) -> str:
    if before.latency_ms is None or after.latency_ms is None:
        return ""
    return f" and {after.latency_ms['p50'] - before.latency_ms['p50']:+.3g} ms (median)"

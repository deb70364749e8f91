"""Finds out about every variant, and judges it: facts, error map, latency, guards, calibration."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import Failure
from edge_sdk.pipeline.cache import Entry
from edge_sdk.pipeline.checks import Checks, integer_io
from edge_sdk.pipeline.materials import Made, Reference, Samples, Source
from edge_sdk.pipeline.output import Output
from edge_sdk.pipeline.result import VariantReport
from edge_sdk.pipeline.workers import WORKER_BYTES, Workers, jobs_for
from edge_sdk.quantize.recipe import AS_IS, Recipe
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.validate.guards import REJECTED, Evidence, Verdict, judge


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A variant with its report.

    Attributes:
        made: The file.
        facts: What its evaluation found.
        evaluated: The evaluation, with the golden vectors.
        report: For people.
        error_map: Of its layers, as plain data; None for the float file itself, or where it failed.
    """

    made: Made
    facts: VariantFacts
    evaluated: Entry
    report: VariantReport
    error_map: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """What all variants of a build are judged with.

    Attributes:
        source: What they were made from.
        contract: What they must keep.
        samples: What they are compared on.
        reference: What the source answers.
        calibration_errors: Why no statically calibrated variant can be trusted, one sentence each.
    """

    source: Source
    contract: Contract
    samples: Samples
    reference: Reference
    calibration_errors: tuple[str, ...] = ()


def judge_variants(
    made: Sequence[Made], case: Case, output: Output, *, checks: Checks, workers: Workers
) -> tuple[list[Judged], list[Failure]]:
    """Evaluate and map side by side, measure one at a time (a busy machine measures nonsense), and judge."""
    size = max((item.size_bytes for item in made), default=0)
    need = WORKER_BYTES + 4 * size
    need += 3 * case.samples.inputs.stat().st_size + 3 * case.reference.file.stat().st_size
    evaluated = workers.together(
        [functools.partial(evaluate, item, case, checks) for item in made],
        jobs=jobs_for(len(made), need),
    )
    maps = _map_errors(made, evaluated, case, checks, workers)
    judged, failures = [], []
    for item, entry in zip(made, evaluated, strict=True):
        if isinstance(entry, Failure):
            failures.append(entry)
            continue
        facts = VariantFacts.from_dict(entry.value)
        measured: Entry | Failure | None = None
        if facts.samples and item.recipe.format == "tflite":
            measured = checks.measure(item.path, item.sha256, item.recipe, case.contract, case.samples)
        if isinstance(measured, Failure):
            failures.append(measured)
            continue
        judged.append(
            Judged(
                made=item,
                facts=facts,
                evaluated=entry,
                report=report_of(item, facts, case, output, measured),
                error_map=maps.get(item.recipe.name),
            )
        )
    return judged, failures


def evaluate(item: Made, case: Case, checks: Checks) -> Entry | Failure:
    """Return what comparing one variant with the source found, or how it failed."""
    return checks.evaluate(item, case.contract, case.samples, case.reference)


def report_of(
    item: Made, facts: VariantFacts, case: Case, output: Output, measured: Entry | None
) -> VariantReport:
    """Judge one variant and put its numbers together."""
    verdict = judge(
        Evidence(
            facts=facts,
            contract=item.keeps(case.contract),
            weight_bits=_weight_bits(item.recipe),
            integer_io=integer_io(item.recipe),
            parameters=case.source.parameters,
        )
    )
    if item.recipe.needs_calibration and case.calibration_errors:
        verdict = Verdict(REJECTED, (*verdict.reasons, *case.calibration_errors))
    return VariantReport(
        id=item.recipe.name,
        format=item.recipe.format,
        recipe=item.recipe.name,
        path=output.variant(item.recipe, verdict.verdict),
        sha256=item.sha256,
        size_bytes=facts.size_bytes,
        metric=facts.metric,
        metric_name=facts.metric_name,
        metric_drop=facts.metric_drop,
        metric_interval=facts.metric_interval,
        metric_drop_interval=facts.metric_drop_interval,
        metric_higher_is_better=facts.metric_higher_is_better,
        reference_metric=facts.reference_metric,
        agreement=facts.agreement,
        agreement_interval=facts.agreement_interval,
        max_abs_error=facts.max_abs_error,
        snr_db=facts.snr_db,
        latency_ms=measured.value["latency_ms"] if measured else None,
        peak_memory_bytes=measured.value["peak_memory_bytes"] if measured else None,
        verdict=verdict.verdict,
        reasons=verdict.reasons,
    )


def _map_errors(
    made: Sequence[Made],
    evaluated: Sequence[Entry | Failure],
    case: Case,
    checks: Checks,
    workers: Workers,
) -> dict[str, Mapping[str, Any]]:
    """Return the error map of every variant that runs and is not the float file itself.

    A map that cannot be made is a missing page of the report, not a failed variant.
    """
    mapped = [
        item
        for item, entry in zip(made, evaluated, strict=True)
        if isinstance(entry, Entry)
        and entry.value["samples"]
        and item.recipe.format == "tflite"
        and item.path != case.source.file
    ]
    tasks = [
        functools.partial(
            checks.map_errors, case.source, item.path, item.sha256, item.recipe, case.contract, case.samples
        )
        for item in mapped
    ]
    size = max((item.size_bytes for item in mapped), default=0)
    done = workers.together(tasks, jobs=jobs_for(len(tasks), WORKER_BYTES + 12 * size))
    return {
        item.recipe.name: entry.value
        for item, entry in zip(mapped, done, strict=True)
        if isinstance(entry, Entry)
    }


def _weight_bits(recipe: Recipe) -> int | None:
    if recipe.name == AS_IS:
        return None
    return 32 if recipe.method == "none" else recipe.weight_bits


def variant_files(judged: Sequence[Judged]) -> dict[str, Path]:
    """Return where each variant's content is, by id."""
    return {item.report.id: item.made.path for item in judged}

"""Makes the variants of a build: what needs no ranges beside the calibration, then what needs them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import Failure
from edge_sdk.pipeline.cache import Entry
from edge_sdk.pipeline.materials import Made, Samples, Source
from edge_sdk.pipeline.packages import Packages
from edge_sdk.pipeline.plan import RecipePlan
from edge_sdk.pipeline.steps import MODEL_FILE, Steps
from edge_sdk.pipeline.workers import WORKER_BYTES, Workers, jobs_for
from edge_sdk.quantize.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Making:
    """What came out.

    Attributes:
        made: In the order of the plan.
        failures: Of recipes that gave nothing.
        ranges: The calibration's, for the recipes that need them; None where there are none.
    """

    made: tuple[Made, ...]
    failures: tuple[Failure, ...]
    ranges: Entry | None


def make_variants(
    plan: RecipePlan,
    source: Source,
    contract: Contract,
    calibration: Samples | None,
    *,
    steps: Steps,
    packages: Packages,
    workers: Workers,
) -> Making:
    """Make every variant of a plan, as many side by side as cores and memory allow."""
    own = [recipe for recipe in plan.recipes if recipe.method != "none" and recipe.backend == "litert"]
    plain = [recipe for recipe in own if not recipe.needs_calibration]
    static = [recipe for recipe in own if recipe.needs_calibration]
    apples = [recipe for recipe in plan.recipes if recipe.backend == "coreml"]
    theirs = [recipe for recipe in plan.recipes if recipe.backend == "tensorflow"]
    ready: dict[str, Made | Failure] = {}
    if apples:
        assert plan.deployment_target is not None
        found = packages.make(source, contract, apples, plan.deployment_target)
        ready = {recipe.name: item for recipe, item in zip(apples, found, strict=True)}
    tasks: list[Callable[[], list[Entry | Failure]]] = [
        lambda: [] if calibration is None or not static else [steps.calibrate(source, calibration)],
        lambda: steps.quantize_all(source, plain, None),
        *(functools.partial(_with_tensorflow, steps, source, recipe, calibration) for recipe in theirs),
    ]
    need = WORKER_BYTES + (6 * source.file.stat().st_size if own or theirs else 0)
    calibrated, *done = workers.together(tasks, jobs=jobs_for(len(tasks), need))
    outcomes: dict[str, Entry | Failure] = {}
    for recipes, group in zip([plain, *([recipe] for recipe in theirs)], done, strict=True):
        outcomes.update({recipe.name: outcome for recipe, outcome in zip(recipes, group, strict=True)})
    measured = calibrated[0] if calibrated else None
    ranges = measured if isinstance(measured, Entry) else None
    if isinstance(measured, Failure):
        outcomes.update({item.name: dataclasses.replace(measured, recipe=item.name) for item in static})
    else:
        group = steps.quantize_all(source, static, ranges)
        outcomes.update({recipe.name: outcome for recipe, outcome in zip(static, group, strict=True)})
    made, failures = [], []
    for recipe in plan.recipes:
        outcome = outcomes.get(recipe.name) or ready.get(recipe.name)
        if outcome is None:
            made.append(Made(recipe=recipe, path=source.file, sha256=source.file_sha256))
        elif isinstance(outcome, Failure):
            failures.append(outcome)
        elif isinstance(outcome, Made):
            made.append(outcome)
        else:
            made.append(as_made(recipe, outcome))
    return Making(made=tuple(made), failures=tuple(failures), ranges=ranges)


def _with_tensorflow(
    steps: Steps, source: Source, recipe: Recipe, calibration: Samples | None
) -> list[Entry | Failure]:
    return [steps.quantize_with_tensorflow(source, recipe, calibration)]


def as_made(recipe: Recipe, outcome: Entry) -> Made:
    """Return a quantized file with what the quantizer said about it."""
    return Made(
        recipe=recipe,
        path=outcome.file(MODEL_FILE),
        sha256=outcome.digests[MODEL_FILE],
        notes=_quantizer_notes(recipe, outcome),
    )


def _quantizer_notes(recipe: Recipe, entry: Entry) -> tuple[str, ...]:
    notes = []
    if not entry.value.get("changed", True):
        notes.append(f"{recipe.name}: found nothing to quantize; the file is as good as the float one")
    notes += [
        f"{recipe.name}: the rule for {pattern!r} fits no operator; edge inspect --all shows the names"
        for pattern in entry.value.get("idle_rules") or ()
    ]
    left: Sequence[str] = entry.value.get("not_calibrated") or ()
    if left:
        notes.append(
            f"{recipe.name}: signatures that the samples do not fit got int8 weights and float activations: "
            + ", ".join(left)
        )
    return tuple(notes)

"""One build from plan to bundle. `edge_sdk.pipeline.build` is the door; this is the room behind it."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk import __version__
from edge_sdk.bundle.manifest import check_name
from edge_sdk.configuration import Budget
from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import Failure
from edge_sdk.errors import BundleError, ConfigError, ModelError
from edge_sdk.model.load import Model
from edge_sdk.model.tflite_file import default_signature
from edge_sdk.pack import Ingredient, Plan, pack
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.identity import versions
from edge_sdk.pipeline.materials import Reference, Samples, Seen, Source
from edge_sdk.pipeline.output import Output
from edge_sdk.pipeline.pick import over_budget, preference
from edge_sdk.pipeline.plan import RecipePlan, plan_recipes
from edge_sdk.pipeline.result import BuildResult, VariantReport
from edge_sdk.pipeline.steps import GOLDEN_FILE, MODEL_FILE, Steps, integer_io
from edge_sdk.pipeline.workers import WORKER_BYTES, Workers, jobs_for
from edge_sdk.progress import Progress, Step
from edge_sdk.quantize.recipe import AS_IS, Recipe
from edge_sdk.targets import Target
from edge_sdk.validate.compatibility import incompatibilities
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.validate.guards import Evidence, judge

#: More calibration samples change ranges little and cost time; more evaluation samples cost memory.
CALIBRATION_LIMIT = 500
EVALUATION_LIMIT = 2000

_TOOLS = ("tensorflow", "tensorflow-cpu", "keras", "litert-quantizer", "ai-edge-litert")


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A variant that exists as a file."""

    recipe: Recipe
    path: Path
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """A variant with its report."""

    made: _Made
    facts: VariantFacts
    evaluated: Entry
    report: VariantReport


@dataclass(frozen=True, kw_only=True)
class Job:
    """A build that is ready to run; the attributes are `build`'s arguments, resolved."""

    model: Model
    targets: tuple[Target, ...]
    requested: tuple[str, ...]
    calibration: str | None
    evaluation: str | None
    out: Path
    name: str | None
    version: str
    contract_of: Callable[..., Contract]
    budget: Budget
    steps: Steps
    workers: Workers
    cache: StepCache
    progress: Progress

    def run(self) -> BuildResult:
        """Do it.

        Raises:
            EdgeError: What stops the whole build; see `edge_sdk.build`.
        """
        self.cache.sweep()
        name = bundle_name(self.name, self.model)
        output = Output(self.out, name)
        if self.model.kind == "bundle":
            raise ModelError(
                f"{self.model.location} is a bundle already",
                hint="edge verify checks it, edge push brings it to a board; build from the source model",
            )
        seen = self.steps.look(self.model)
        plan = plan_recipes(
            targets=self.targets,
            requested=self.requested,
            has_calibration=self.calibration is not None,
            source_is_tflite=self.model.kind == "tflite",
            source_is_float=seen.is_float,
        )
        source, contract, samples = self._open(seen)
        calibration = self._calibration(plan, contract, samples)
        reference = self.steps.reference(source, contract, samples)
        made, failures = self._make(plan, source, calibration)
        judged, more = self._judge(made, source, contract, samples, reference, output)
        failures = _in_order([*failures, *more], plan)
        picks, notes = self._pick(judged)
        packing = None
        if any(picks.values()):
            packing = pack(
                name=name,
                version=self.version,
                contract=contract,
                ingredients=[_ingredient(item) for item in judged if item.report.passed],
                plans=[
                    Plan(target=target, variants=tuple(picks[target.name]))
                    for target in self.targets
                    if picks[target.name]
                ],
                provenance=self._provenance(plan, source, samples, reference, calibration),
                budgets=self.budget.as_numbers(),
            )
        output.reserve(packing, [item.report for item in judged], self.cache)
        bundle, digest = output.write_bundle(packing, self.cache) if packing else (None, None)
        best = {target: (order[0] if order else None) for target, order in picks.items()}
        result = BuildResult(
            name=name,
            version=self.version,
            bundle=bundle,
            bundle_sha256=digest,
            picked=best[self.targets[0].name],
            picks=best,
            variants=tuple(item.report for item in judged),
            failures=tuple(failures),
            skipped=plan.skipped,
            data=samples.data,
            samples=samples.count,
            notes=(*self._notes(samples, reference, made), *notes),
        )
        output.write_variants({item.report.id: item.made.path for item in judged}, result)
        return result

    def _open(self, seen: Seen) -> tuple[Source, Contract, Samples]:
        """Return source, contract and the samples to compare on.

        A SavedModel tells its signatures without TensorFlow, so its samples are read first and one run of
        TensorFlow both converts and answers. Other sources tell them once they are converted.
        """
        first = None
        if self.model.kind == "saved_model":
            early = self.contract_of(seen.signatures, default_signature(seen.signatures))
            samples = self._samples(early)
            first = {"file": str(samples.inputs), "sha256": samples.sha256}
        self.progress(Step("source", "looking at the model"))
        source = self.steps.source(self.model, seen, first)
        contract = self.contract_of(source.signatures, source.default_signature)
        if first is None or contract != early:
            samples = self._samples(contract)
        return source, contract, samples

    def _samples(self, contract: Contract) -> Samples:
        if self.evaluation is not None:
            return self.steps.samples(
                self.evaluation, contract, data="evaluation", limit=EVALUATION_LIMIT, labels=True
            )
        if self.calibration is not None:
            return self.steps.samples(
                self.calibration, contract, data="calibration", limit=CALIBRATION_LIMIT, labels=False
            )
        return self.steps.samples(None, contract, data="synthetic", limit=0, labels=False)

    def _calibration(self, plan: RecipePlan, contract: Contract, samples: Samples) -> Samples | None:
        if self.calibration is None or not any(recipe.needs_calibration for recipe in plan.recipes):
            return None
        if samples.data == "calibration":
            return samples
        return self.steps.samples(
            self.calibration, contract, data="calibration", limit=CALIBRATION_LIMIT, labels=False
        )

    def _make(
        self, plan: RecipePlan, source: Source, calibration: Samples | None
    ) -> tuple[list[_Made], list[Failure]]:
        """Make all variants: ranges and what needs none side by side, then what needs them."""
        quantized = [recipe for recipe in plan.recipes if recipe.method != "none"]
        size = source.file.stat().st_size
        tasks: list[Callable[[], Entry | Failure]] = []
        if calibration is not None:
            tasks.append(functools.partial(self.steps.calibrate, source, calibration))
        plain = [recipe for recipe in quantized if not recipe.needs_calibration]
        tasks += [functools.partial(self.steps.quantize, source, recipe, None) for recipe in plain]
        jobs = jobs_for(len(tasks), WORKER_BYTES + 6 * size)
        done = self.workers.together(tasks, jobs=jobs)
        ranges = done.pop(0) if calibration is not None else None
        outcomes = {recipe.name: outcome for recipe, outcome in zip(plain, done, strict=True)}
        static = [recipe for recipe in quantized if recipe.needs_calibration]
        if isinstance(ranges, Failure):
            outcomes.update({item.name: dataclasses.replace(ranges, recipe=item.name) for item in static})
        else:
            tasks = [functools.partial(self.steps.quantize, source, recipe, ranges) for recipe in static]
            done = self.workers.together(tasks, jobs=jobs_for(len(tasks), WORKER_BYTES + 6 * size))
            outcomes.update({recipe.name: outcome for recipe, outcome in zip(static, done, strict=True)})
        made, failures = [], []
        for recipe in plan.recipes:
            outcome = outcomes.get(recipe.name)
            if outcome is None:
                made.append(_Made(recipe=recipe, path=source.file, sha256=source.file_sha256))
            elif isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                made.append(
                    _Made(
                        recipe=recipe,
                        path=outcome.file(MODEL_FILE),
                        sha256=outcome.digests[MODEL_FILE],
                        notes=_quantizer_notes(recipe, outcome),
                    )
                )
        return made, failures

    def _judge(
        self,
        made: Sequence[_Made],
        source: Source,
        contract: Contract,
        samples: Samples,
        reference: Reference,
        output: Output,
    ) -> tuple[list[_Judged], list[Failure]]:
        """Evaluate side by side, measure one at a time (a busy machine measures nonsense), and judge."""
        size = source.file.stat().st_size
        need = WORKER_BYTES + 4 * size + 3 * samples.inputs.stat().st_size + 3 * reference.file.stat().st_size
        evaluated = self.workers.together(
            [
                functools.partial(
                    self.steps.evaluate, item.path, item.sha256, item.recipe, contract, samples, reference
                )
                for item in made
            ],
            jobs=jobs_for(len(made), need),
        )
        judged, failures = [], []
        for item, entry in zip(made, evaluated, strict=True):
            if isinstance(entry, Failure):
                failures.append(entry)
                continue
            facts = VariantFacts.from_dict(entry.value)
            verdict = judge(
                Evidence(
                    facts=facts,
                    contract=contract,
                    weight_bits=_weight_bits(item.recipe),
                    integer_io=integer_io(item.recipe),
                    parameters=source.parameters,
                )
            )
            measured: Entry | Failure | None = None
            if facts.samples:
                measured = self.steps.measure(item.path, item.sha256, item.recipe, contract, samples)
            if isinstance(measured, Failure):
                failures.append(measured)
                continue
            report = VariantReport(
                id=item.recipe.name,
                format="tflite",
                recipe=item.recipe.name,
                path=output.variant(item.recipe.name, passed=verdict.passed),
                sha256=item.sha256,
                size_bytes=facts.size_bytes,
                metric=facts.metric,
                metric_name=facts.metric_name,
                metric_drop=facts.metric_drop,
                agreement=facts.agreement,
                max_abs_error=facts.max_abs_error,
                snr_db=facts.snr_db,
                latency_ms=measured.value["latency_ms"] if measured else None,
                peak_memory_bytes=measured.value["peak_memory_bytes"] if measured else None,
                verdict=verdict.verdict,
                reasons=verdict.reasons,
            )
            judged.append(_Judged(made=item, facts=facts, evaluated=entry, report=report))
        return judged, failures

    def _pick(self, judged: Sequence[_Judged]) -> tuple[dict[str, list[str]], list[str]]:
        """Return the order of variants by target, and why a target has none."""
        picks: dict[str, list[str]] = {}
        notes = []
        for target in self.targets:
            obstacles: dict[str, list[str]] = {}
            fitting = []
            for item in judged:
                if not item.report.passed:
                    continue
                problems = incompatibilities(item.facts, target.runtime)
                if problems:
                    obstacles[item.report.id] = problems
                else:
                    fitting.append(item.report)
                    if over := over_budget(item.report, self.budget):
                        obstacles[item.report.id] = over
            picks[target.name] = [item.id for item in preference(fitting, self.budget)]
            if not picks[target.name] and any(item.report.passed for item in judged):
                reasons = "; ".join(f"{name}: {', '.join(found)}" for name, found in obstacles.items())
                notes.append(f"target {target.name} gets no variant ({reasons})")
            else:
                notes += [
                    f"target {target.name}: not {name} ({', '.join(found)})"
                    for name, found in obstacles.items()
                ]
        return picks, notes

    def _provenance(
        self,
        plan: RecipePlan,
        source: Source,
        samples: Samples,
        reference: Reference,
        calibration: Samples | None,
    ) -> dict[str, Any]:
        tools = {name: found for name, found in versions(*_TOOLS).items() if found is not None}
        return {
            "edge_sdk": __version__,
            "source": {"kind": source.model.kind, "sha256": source.sha256},
            "tools": tools,
            "recipes": {recipe.name: recipe.to_dict() for recipe in plan.recipes},
            "calibration_sha256": None if calibration is None else calibration.sha256,
            "compared_on": {"data": samples.data, "samples": samples.count, "sha256": samples.sha256},
            "reference": reference.origin,
        }

    def _notes(self, samples: Samples, reference: Reference, made: Sequence[_Made]) -> list[str]:
        notes = []
        if reference.origin == "tflite" and self.model.kind != "tflite":
            notes.append(
                "TensorFlow can convert this model but not run it: compared with its float32 .tflite"
            )
        if samples.data == "evaluation" and samples.count == EVALUATION_LIMIT:
            notes.append(f"compared on the first {EVALUATION_LIMIT:,} samples")
        return notes + [note for item in made for note in item.notes]


def bundle_name(chosen: str | None, model: Model) -> str:
    """Return the bundle's name: the chosen one, checked, or the model's, made fit for a file name.

    Raises:
        ConfigError: The chosen name cannot be a file name.
    """
    name = (
        chosen if chosen is not None else re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("-.") or "model"
    )
    try:
        check_name(name)
    except BundleError as failure:
        raise ConfigError(f"{name!r} cannot name a bundle", why=failure.why, hint="--name NAME") from failure
    if "/" in name:
        raise ConfigError(f"{name!r} cannot name a bundle", why="it has a slash", hint="--name NAME")
    return name[:100]


def _weight_bits(recipe: Recipe) -> int | None:
    if recipe.name == AS_IS:
        return None
    return 32 if recipe.method == "none" else recipe.weight_bits


def _quantizer_notes(recipe: Recipe, entry: Entry) -> tuple[str, ...]:
    notes = []
    if not entry.value.get("changed", True):
        notes.append(f"{recipe.name}: found nothing to quantize; the file is as good as the float one")
    left = entry.value.get("not_calibrated") or ()
    if left:
        notes.append(
            f"{recipe.name}: signatures that the samples do not fit got int8 weights and float activations: "
            + ", ".join(left)
        )
    return tuple(notes)


def _ingredient(item: _Judged) -> Ingredient:
    return Ingredient(
        id=item.report.id,
        recipe=item.made.recipe.name,
        model=item.made.path,
        model_sha256=item.made.sha256,
        facts=item.facts,
        golden=item.evaluated.file(GOLDEN_FILE) if item.facts.golden_cases else None,
        golden_sha256=item.evaluated.digests.get(GOLDEN_FILE),
    )


def _in_order(failures: Sequence[Failure], plan: RecipePlan) -> list[Failure]:
    order = [recipe.name for recipe in plan.recipes]
    return sorted(failures, key=lambda failure: order.index(failure.recipe))

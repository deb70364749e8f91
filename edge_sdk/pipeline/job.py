"""One build from plan to bundle. `edge_sdk.pipeline.build` is the door; this is the room behind it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
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
from edge_sdk.pack import Ingredient, Packing, Plan, pack
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.checks import GOLDEN_FILE, Checks
from edge_sdk.pipeline.choosing import choose, explain
from edge_sdk.pipeline.details import details
from edge_sdk.pipeline.foresight import Foresight, foresee, slow_notes
from edge_sdk.pipeline.identity import versions
from edge_sdk.pipeline.judging import Case, Judged, judge_variants, variant_files
from edge_sdk.pipeline.making import Making, make_variants
from edge_sdk.pipeline.materials import Made, Reference, Samples, Seen, Source
from edge_sdk.pipeline.output import Output
from edge_sdk.pipeline.packages import Packages
from edge_sdk.pipeline.plan import RecipePlan, plan_recipes
from edge_sdk.pipeline.repairing import repair
from edge_sdk.pipeline.result import BuildResult, TargetChoice
from edge_sdk.pipeline.steps import Steps
from edge_sdk.pipeline.workers import Workers
from edge_sdk.progress import Progress, Step
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.targets import Target

#: More calibration samples change ranges little and cost time; more evaluation samples cost memory.
CALIBRATION_LIMIT = 500
EVALUATION_LIMIT = 2000

#: The runtime of the host extra: the one that every variant is evaluated and measured in.
MEASURED_IN = "litert"
_TOOLS = ("tensorflow", "tensorflow-cpu", "keras", "coremltools", "litert-quantizer", "ai-edge-litert")


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
    rule: str
    repair: bool
    prove: bool | None
    command: tuple[str, ...]
    steps: Steps
    checks: Checks
    packages: Packages
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
        source, contract, samples = self._open(seen, plan)
        calibration = self._calibration(plan, contract)
        reference = self.steps.reference(source, contract, samples)
        if samples.data == "evaluation":
            self.checks.check_metric(contract, samples, reference)
        making = make_variants(
            plan,
            source,
            contract,
            calibration,
            steps=self.steps,
            packages=self.packages,
            workers=self.workers,
        )
        case, examined = self._case(source, contract, samples, reference, calibration, making)
        judged, failures = judge_variants(making.made, case, output, checks=self.checks, workers=self.workers)
        failures = _in_order([*making.failures, *failures], plan)
        record = self._repair(judged, case, making.ranges, output) if self.repair else None
        foresight = {target.name: self._foresee(judged, target, contract) for target in self.targets}
        choices = tuple(
            choose(judged, target, foresight[target.name], self.budget, rule=self.rule)
            for target in self.targets
        )
        packing = self._pack(name, contract, judged, choices, plan, source, samples, reference, calibration)
        output.reserve(packing, [item.report for item in judged], self.cache)
        bundle, digest = output.write_bundle(packing, self.cache) if packing else (None, None)
        any_passed = any(item.report.passed for item in judged)
        result = BuildResult(
            name=name,
            version=self.version,
            bundle=bundle,
            bundle_sha256=digest,
            choices=choices,
            variants=tuple(item.report for item in judged),
            failures=tuple(failures),
            skipped=plan.skipped,
            data=samples.data,
            samples=samples.count,
            calibration=examined,
            repair=record,
            notes=(
                *self._notes(samples, reference, making.made),
                *(note for item in judged for note in _cross_check_notes(item)),
                *plan.repairs,
                *(note for item in choices for note in slow_notes(foresight[item.target])),
                *(() if record is None else (f"repair of {record['recipe']}: {record['reason']}",)),
                *(note for choice in choices for note in explain(choice, any_passed=any_passed)),
            ),
        )
        found = details(
            result,
            command=self.command,
            source=source,
            samples=samples,
            contract=contract,
            targets=self.targets,
            judged=judged,
            foresight=foresight,
            budget=self.budget,
            thumbnails=self._thumbnails(judged, contract, samples),
        )
        output.write_variants(variant_files(judged), result, found)
        return result

    def _open(self, seen: Seen, plan: RecipePlan) -> tuple[Source, Contract, Samples]:
        """Return source, contract and the samples to compare on.

        A SavedModel tells its signatures without TensorFlow, so its samples are read first and one run of
        TensorFlow both converts and answers. Other sources tell them once they are converted.
        """
        first = None
        if all(recipe.format != "tflite" for recipe in plan.recipes):
            self.progress(Step("source", "looking at the model"))
            source = self.steps.source_for_packages(self.model, seen)
            contract = self.contract_of(source.signatures, source.default_signature)
            return source, contract, self._samples(contract)
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
            # What a variant was calibrated on is no test of it: there is no metric on such samples.
            return dataclasses.replace(self._calibration_samples(contract), labels=None)
        return self.steps.samples(None, contract, data="synthetic", limit=0, labels=False)

    def _calibration(self, plan: RecipePlan, contract: Contract) -> Samples | None:
        if self.calibration is None or not any(recipe.needs_calibration for recipe in plan.recipes):
            return None
        return self._calibration_samples(contract)

    def _calibration_samples(self, contract: Contract) -> Samples:
        return self.steps.samples(
            self.calibration, contract, data="calibration", limit=CALIBRATION_LIMIT, labels=True
        )

    def _case(
        self,
        source: Source,
        contract: Contract,
        samples: Samples,
        reference: Reference,
        calibration: Samples | None,
        making: Making,
    ) -> tuple[Case, Mapping[str, Any] | None]:
        """Examine the calibration data, and return what variants are judged with and what was found."""
        examined: Entry | Failure | None = None
        if calibration is not None:
            evaluation = samples if samples.data == "evaluation" else None
            examined = self.checks.examine(source, contract, calibration, evaluation, making.ranges)
        errors: tuple[str, ...] = ()
        if isinstance(examined, Failure):
            # Data that cannot be looked at is no data to trust.
            errors = (f"calibration: the data could not be examined: {examined.cause}",)
        elif examined is not None:
            errors = tuple(
                f"calibration: {finding['code']}: {finding['what']}"
                for finding in examined.value["findings"]
                if finding["level"] == "error"
            )
        case = Case(
            source=source,
            contract=contract,
            samples=samples,
            reference=reference,
            calibration_errors=errors,
        )
        return case, examined.value if isinstance(examined, Entry) else None

    def _repair(
        self, judged: list[Judged], case: Case, ranges: Entry | None, output: Output
    ) -> Mapping[str, Any] | None:
        """Search mixed precision, add what it found to the variants, and return what was done."""
        repaired = repair(
            judged,
            case,
            ranges,
            self.budget,
            output,
            steps=self.steps,
            checks=self.checks,
            progress=self.progress,
        )
        if repaired is None:
            return None
        more: list[Judged] = []
        if repaired.made is not None:
            more, _ = judge_variants([repaired.made], case, output, checks=self.checks, workers=self.workers)
            judged += more
        return repaired.result(more[0] if more else None).to_dict()

    def _foresee(self, judged: Sequence[Judged], target: Target, contract: Contract) -> dict[str, Foresight]:
        return {
            item.report.id: foresee(
                item, target, contract, self.cache, proved=self._proves(target), progress=self.progress
            )
            for item in judged
            if item.report.passed and item.made.recipe.format == target.format
        }

    def _proves(self, target: Target) -> bool:
        """Tell whether variants are run in the target's own runtime version too.

        Unless the user decides, they are where it is another runtime than the one that measured here.
        """
        if target.format != "tflite":
            return False  # Core ML runs on Apple's systems alone; the reference evaluator has answered
        return target.runtime.name != MEASURED_IN if self.prove is None else self.prove

    def _thumbnails(
        self, judged: Sequence[Judged], contract: Contract, samples: Samples
    ) -> Mapping[str, str]:
        """Return small pictures of the samples that variants answer worst; none is no failure."""
        indices = sorted({sample.index for item in judged for sample in item.facts.worst})
        if not indices:
            return {}
        made = self.checks.thumbnails(contract, samples, indices)
        return {} if isinstance(made, Failure) else made.value

    def _pack(
        self,
        name: str,
        contract: Contract,
        judged: Sequence[Judged],
        choices: Sequence[TargetChoice],
        plan: RecipePlan,
        source: Source,
        samples: Samples,
        reference: Reference,
        calibration: Samples | None,
    ) -> Packing | None:
        orders = {choice.target: choice.order for choice in choices}
        if not any(orders.values()):
            return None
        recipes = [
            *plan.recipes,
            *(item.made.recipe for item in judged if item.made.recipe not in plan.recipes),
        ]
        return pack(
            name=name,
            version=self.version,
            contract=contract,
            ingredients=[_ingredient(item) for item in judged if item.report.passed],
            plans=[
                Plan(target=target, variants=orders[target.name])
                for target in self.targets
                if orders[target.name]
            ],
            provenance=self._provenance(recipes, plan.repairs, source, samples, reference, calibration),
            budgets=self.budget.as_numbers(),
        )

    def _provenance(
        self,
        recipes: Sequence[Recipe],
        repairs: Sequence[str],
        source: Source,
        samples: Samples,
        reference: Reference,
        calibration: Samples | None,
    ) -> dict[str, Any]:
        tools = {name: found for name, found in versions(*_TOOLS).items() if found is not None}
        return {
            **({"repairs": list(repairs)} if repairs else {}),
            "edge_sdk": __version__,
            "source": {"kind": source.model.kind, "sha256": source.sha256},
            "tools": tools,
            "recipes": {recipe.name: recipe.to_dict() for recipe in recipes},
            "calibration_sha256": None if calibration is None else calibration.sha256,
            "compared_on": {"data": samples.data, "samples": samples.count, "sha256": samples.sha256},
            "reference": reference.origin,
        }

    def _notes(self, samples: Samples, reference: Reference, made: Sequence[Made]) -> list[str]:
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


def _ingredient(item: Judged) -> Ingredient:
    return Ingredient(
        id=item.report.id,
        recipe=item.made.recipe.name,
        model=item.made.path,
        model_sha256=item.made.sha256,
        facts=item.facts,
        golden=item.evaluated.file(GOLDEN_FILE) if item.facts.golden_cases else None,
        golden_sha256=item.evaluated.digests.get(GOLDEN_FILE),
        format=item.made.recipe.format,
        coreml=item.made.coreml,
    )


def _cross_check_notes(item: Judged) -> list[str]:
    """Return how far Core ML and the reference evaluator are apart, on a Mac."""
    found = item.facts.cross_check
    if not found:
        return []
    if "unknown" in found:
        return [f"{item.report.id}: answered by Core ML alone; {found['unknown']}"]
    return [
        f"{item.report.id}: output {entry['output']!r} of Core ML ({found['compute_units']}) is at most "
        f"{entry['max_abs_error']:.3g} from the reference evaluator's, {entry['snr_db']} dB"
        for entry in found["outputs"]
        if entry["max_abs_error"] is not None
    ]


def _in_order(failures: Sequence[Failure], plan: RecipePlan) -> list[Failure]:
    order = [recipe.name for recipe in plan.recipes]
    return sorted(failures, key=lambda failure: order.index(failure.recipe))

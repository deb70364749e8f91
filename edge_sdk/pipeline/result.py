"""What a build found, as values, and their JSON form (docs/reference/build.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.convert.worker import Failure
from edge_sdk.validate.budget import Miss, Numbers
from edge_sdk.validate.guards import PASSED

#: What variants were compared on, by the word in `BuildResult.data`.
DATA_TITLES: Mapping[str, str] = {
    "evaluation": "evaluation data",
    "calibration": "calibration data (no evaluation data was given, so there is no metric)",
    "synthetic": "synthetic inputs, random from a fixed seed (no data was given): agreement and errors are "
    "measured, but say little about real inputs",
}


@dataclass(frozen=True, kw_only=True)
class VariantReport:
    """One variant with everything that was measured; None is "not measured".

    Attributes:
        id: Unique in the build, e.g. "full_int8".
        format: "tflite" or "mlpackage".
        recipe: What made it.
        path: The file; of an mlpackage the folder.
        sha256: Of the file; of a folder as `edge_sdk.bundle.digest.folder_digest` makes it.
        size_bytes: Of the file, or of all files of the folder.
        metric: The user's metric.
        metric_name: "top1"...
        metric_drop: What the source model has more; negative where the variant is better.
        metric_interval: 95 % confidence interval of the metric, (low, high).
        metric_drop_interval: The same of the drop, from paired samples.
        metric_higher_is_better: Which way the metric goes.
        reference_metric: The source model's metric.
        agreement: 0 to 1 with the source model, worst output.
        agreement_interval: 95 % confidence interval of it.
        max_abs_error: Largest difference from the source model, worst output.
        snr_db: Decibels, worst output.
        latency_ms: "p50", "p90", "p99" on this machine.
        peak_memory_bytes: Of the process that ran it.
        verdict: "passed", "rejected", or "unverified" where its answers could not be computed here.
        reasons: Why it did not pass.
    """

    id: str
    format: str
    recipe: str
    path: Path
    sha256: str
    size_bytes: int
    metric: float | None = None
    metric_name: str | None = None
    metric_drop: float | None = None
    metric_interval: tuple[float, float] | None = None
    metric_drop_interval: tuple[float, float] | None = None
    metric_higher_is_better: bool | None = None
    reference_metric: float | None = None
    agreement: float | None = None
    agreement_interval: tuple[float, float] | None = None
    max_abs_error: float | None = None
    snr_db: float | None = None
    latency_ms: Mapping[str, float] | None = None
    peak_memory_bytes: int | None = None
    verdict: str
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no guard fired."""
        return self.verdict == PASSED

    def numbers(
        self, *, delegate_coverage: float | None = None, latency_ms: Mapping[str, float] | None = None
    ) -> Numbers:
        """Return what budgets and the pick look at.

        Args:
            delegate_coverage: Of one target's first delegate.
            latency_ms: In that target's own runtime; else what was measured in the host's.
        """
        latency = latency_ms or self.latency_ms or {}
        return Numbers(
            size_bytes=self.size_bytes,
            metric_drop=self.metric_drop,
            agreement=self.agreement,
            p50_ms=latency.get("p50"),
            p99_ms=latency.get("p99"),
            peak_memory_bytes=self.peak_memory_bytes,
            delegate_coverage=delegate_coverage,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of `edge build --json`."""
        names = [name for name in self.__dataclass_fields__ if name not in ("path", "latency_ms", "reasons")]
        values = {name: getattr(self, name) for name in names}
        return {
            **{name: list(item) if isinstance(item, tuple) else item for name, item in values.items()},
            "path": str(self.path),
            "latency_ms": None
            if self.latency_ms is None
            else {name: self.latency_ms.get(name) for name in ("p50", "p90", "p99")},
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class TargetChoice(Document):
    """What one target gets, and why it does not get the rest.

    Attributes:
        target: Its name.
        order: Ids of the variants it may get, the pick first; empty where none will do.
        incompatible: Why its runtime cannot run a variant, by id.
        misses: Which limits of the budget a variant misses, by id.
        numbers: What each variant is on this target, by id.
    """

    target: str
    order: tuple[str, ...]
    incompatible: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    misses: Mapping[str, tuple[Miss, ...]] = field(default_factory=dict)
    numbers: Mapping[str, Numbers] = field(default_factory=dict)

    @property
    def picked(self) -> str | None:
        """The variant it gets; None where none will do."""
        return self.order[0] if self.order else None

    def whole(self) -> dict[str, Any]:
        """Return the entry of `edge build --json`: every field, also where it is empty."""
        return {
            "target": self.target,
            "picked": self.picked,
            "order": list(self.order),
            "incompatible": {name: list(found) for name, found in self.incompatible.items()},
            "misses": {name: [miss.to_dict() for miss in found] for name, found in self.misses.items()},
            "numbers": {
                name: {field: value for field, value in vars(numbers).items() if field != "extra"}
                for name, numbers in self.numbers.items()
            },
        }

    def obstacles(self) -> dict[str, list[str]]:
        """Return the sentences by id of every variant that it cannot get."""
        found: dict[str, list[str]] = {name: list(reasons) for name, reasons in self.incompatible.items()}
        for name, missed in self.misses.items():
            found.setdefault(name, []).extend(miss.sentence for miss in missed)
        return found


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What `edge_sdk.build` returns.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        bundle: The `.edge` file; None where no variant passed.
        bundle_sha256: Its digest.
        choices: What each target gets, in the order they were asked for.
        variants: Everything that was made, in the order of the recipes.
        failures: Recipes that gave nothing.
        skipped: Recipes of the targets' own lists that were left out, with the reason.
        data: What variants were compared on: "evaluation", "calibration" or "synthetic".
        samples: How many samples that were.
        calibration: What was found about the calibration data (`CalibrationReport`), as plain data.
        repair: What the search for mixed precision did (`RepairResult`), as plain data.
        notes: What a reader should know about the numbers.
    """

    name: str
    version: str
    bundle: Path | None
    bundle_sha256: str | None
    choices: tuple[TargetChoice, ...]
    variants: tuple[VariantReport, ...]
    failures: tuple[Failure, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    data: str
    samples: int
    calibration: Mapping[str, Any] | None = None
    repair: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()

    @property
    def picks(self) -> dict[str, str | None]:
        """The picked variant by target name."""
        return {choice.target: choice.picked for choice in self.choices}

    @property
    def picked(self) -> str | None:
        """Id of the variant for the first target; None where none will do."""
        return self.choices[0].picked

    @property
    def ok(self) -> bool:
        """Whether every recipe gave a variant that passed, and every target has a pick.

        A rejected variant that was repaired counts by what came of it.
        """
        mended = self.repair["recipe"] if self.repair and self.repair["success"] else None
        return (
            not self.failures
            and all(variant.passed or variant.id == mended for variant in self.variants)
            and None not in self.picks.values()
        )

    def variant(self, identifier: str) -> VariantReport:
        """Return a variant by id; KeyError where there is none."""
        return {variant.id: variant for variant in self.variants}[identifier]

    def to_dict(self) -> dict[str, Any]:
        """Return the document of `edge build --json`."""
        return {
            "bundle": None if self.bundle is None else str(self.bundle),
            "picked": self.picked,
            "targets": [choice.whole() for choice in self.choices],
            "variants": [variant.to_dict() for variant in self.variants],
            "failures": [
                {name: getattr(failure, name) for name in ("recipe", "format", "stage", "cause", "hint")}
                for failure in self.failures
            ],
            "calibration": None if self.calibration is None else self.calibration["findings"],
            "repair": self.repair,
            "notes": list(self.notes),
        }

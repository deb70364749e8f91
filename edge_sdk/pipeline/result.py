"""What a build found, as values, and their JSON form (docs/reference/build.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.convert.worker import Failure
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
        format: "tflite".
        recipe: What made it.
        path: The file.
        sha256: Of the file.
        size_bytes: Of the file.
        metric: The user's metric; more is better.
        metric_name: "top1".
        metric_drop: What the source model has more.
        agreement: 0 to 1 with the source model, worst output.
        max_abs_error: Largest difference from the source model, worst output.
        snr_db: Decibels, worst output.
        latency_ms: "p50", "p90", "p99" on this machine.
        peak_memory_bytes: Of the process that ran it.
        verdict: "passed" or "rejected".
        reasons: Why it was rejected.
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
    agreement: float | None = None
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

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of `edge build --json`."""
        names = [name for name in self.__dataclass_fields__ if name not in ("path", "latency_ms", "reasons")]
        return {
            **{name: getattr(self, name) for name in names},
            "path": str(self.path),
            "latency_ms": None
            if self.latency_ms is None
            else {name: self.latency_ms.get(name) for name in ("p50", "p90", "p99")},
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What `edge_sdk.build` returns.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        bundle: The `.edge` file; None where no variant passed.
        bundle_sha256: Its digest.
        picked: Id of the variant for the first target; None where none will do.
        picks: The same by target name.
        variants: All that were made, rejected ones too, in the order of the recipes.
        failures: Recipes that could not be made.
        skipped: Recipes of the targets' own lists that were left out, with the reason.
        data: What variants were compared on: "evaluation", "calibration" or "synthetic".
        samples: How many samples that were.
        notes: What a reader should know about the numbers.
    """

    name: str
    version: str
    bundle: Path | None
    bundle_sha256: str | None
    picked: str | None
    picks: Mapping[str, str | None]
    variants: tuple[VariantReport, ...]
    failures: tuple[Failure, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    data: str
    samples: int
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every recipe gave a variant that passed, and every target has a pick."""
        return (
            not self.failures
            and all(variant.passed for variant in self.variants)
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
            "variants": [variant.to_dict() for variant in self.variants],
            "failures": [
                {name: getattr(failure, name) for name in ("recipe", "format", "stage", "cause", "hint")}
                for failure in self.failures
            ],
        }

"""What can be told about a variant on a target before it runs there.

Delegates and memory come from rules and are called predicted; compatibility from tables and facts; the proof
from a run in the target's own runtime version, on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Contract
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.checks import GOLDEN_FILE
from edge_sdk.pipeline.identity import code_digest
from edge_sdk.pipeline.judging import Judged
from edge_sdk.pipeline.proof import prove_variant
from edge_sdk.progress import Progress, silent
from edge_sdk.quantize.recipe import AS_IS
from edge_sdk.targets import Target
from edge_sdk.validate.compatibility import examine_compatibility
from edge_sdk.validate.compatibility.proof import FAILED, SKIPPED, Proof, slow_on


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """One variant on one target, as plain data.

    Attributes:
        delegates: A `DelegatePlan` for each delegate of the target, in its order.
        memory: A `MemoryForecast`; None where none can be made.
        compatibility: Verdicts (`CompatibilityItem`) on what the variant needs of the target.
        proof: The run in the target's own runtime version (`Proof`); None where there was none.
    """

    delegates: Sequence[Mapping[str, Any]] = ()
    memory: Mapping[str, Any] | None = None
    compatibility: Sequence[Mapping[str, Any]] | None = None
    proof: Mapping[str, Any] | None = None

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the target cannot run the variant, one sentence each."""
        found = [str(entry["what"]) for entry in self.compatibility or () if entry["verdict"] == "failed"]
        # Where tables say it already, the proof adds nothing but another wording.
        if not found and self.proof is not None and self.proof["status"] == FAILED:
            found.append(
                f"in {self.proof['runtime']} {self.proof.get('version')}: {self.proof.get('reason')}"
            )
        return tuple(found)

    @property
    def latency(self) -> Mapping[str, float] | None:
        """Of one call in the target's own runtime, where it was proven: "p50" and "p99" milliseconds."""
        proof = self.proof or {}
        if proof.get("latency_ms") is None:
            return None
        return {"p50": proof["latency_ms"], "p99": proof["p99_ms"]}

    @property
    def coverage(self) -> float | None:
        """The share of operators that the first delegate is predicted to take; None without a delegate."""
        return self.delegates[0]["coverage"] if self.delegates else None


def foresee(
    item: Judged,
    target: Target,
    contract: Contract,
    cache: StepCache,
    *,
    proved: bool,
    progress: Progress = silent,
) -> Foresight:
    """Return what the rules say, and the proof, now or before.

    Args:
        item: The variant.
        target: Where it is to run.
        contract: Of the source model.
        cache: Of the build.
        proved: Whether it is run in the target's own runtime version.
        progress: Told of the proof.
    """
    key = {
        "model": item.made.sha256,
        "target": target.to_dict(),
        "code": code_digest(
            "model",
            "validate/coreml_placement",
            "validate/arena.py",
            "validate/delegates",
            "validate/kernels.py",
            "validate/memory.py",
        ),
    }
    value = cache.make("foresee", key, lambda folder: _look_ahead(item.made.path, target)).value
    proof = None
    if proved:
        proof = prove_variant(
            model=item.made.path,
            digest=item.made.sha256,
            facts=item.facts,
            contract=contract,
            golden=item.evaluated.file(GOLDEN_FILE) if item.facts.golden_cases else None,
            golden_sha256=item.evaluated.digests.get(GOLDEN_FILE),
            runtime=target.runtime,
            cache=cache,
            progress=progress,
            subject=item.report.id,
        )
    return Foresight(
        delegates=value["delegates"],
        memory=value["memory"],
        compatibility=[entry.to_dict() for entry in examine_compatibility(item.facts, target).items],
        proof=None if proof is None else proof.to_dict(),
    )


def slow_notes(foresight: Mapping[str, Foresight]) -> list[str]:
    """Return sentences on what a target's own runtime runs slowly, and on what was not proven in it."""
    proofs = {name: Proof.from_dict(item.proof) for name, item in foresight.items() if item.proof is not None}
    reference = next((name for name in ("float32", AS_IS) if name in proofs), "float32")
    slow = [f"{name} {sentence}" for name, sentence in slow_on(proofs, reference=reference).items()]
    skipped = {proof.reason for proof in proofs.values() if proof.status == SKIPPED}
    return slow + [f"not proven in the target's runtime: {reason}" for reason in sorted(map(str, skipped))]


def _look_ahead(model: Path, target: Target) -> dict[str, Any]:
    if target.format == "mlpackage":
        return _look_into(model, target)
    from edge_sdk.validate.delegates.plan import plan_delegates
    from edge_sdk.validate.memory import forecast_memory

    threads = target.limits.cores or 2
    return {
        "delegates": [plan.to_dict() for plan in plan_delegates(model, target)],
        # Other delegates keep their memory in a driver of the vendor's; the CPU is the ladder's last rung.
        "memory": forecast_memory(
            model, runtime=target.runtime.name, delegate="xnnpack", threads=min(threads, 4)
        ).to_dict(),
    }


def _look_into(model: Path, target: Target) -> dict[str, Any]:
    """Return where Core ML is expected to run a package, for each of the target's compute units."""
    from edge_sdk.validate.coreml_placement import plan_placements

    # What Core ML keeps in memory is its own business, and cannot be measured here.
    return {"delegates": [plan.to_dict() for plan in plan_placements(model, target)], "memory": None}

"""What can be told about a variant on a target before it runs there: delegates and memory, from rules.

Nothing here runs the model; everything is called predicted. The rules are in `edge_sdk.validate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.identity import code_digest
from edge_sdk.targets import Target


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
    def coverage(self) -> float | None:
        """The share of operators that the first delegate is predicted to take; None without a delegate."""
        return self.delegates[0]["coverage"] if self.delegates else None


def foresee(model: Path, digest: str, target: Target, cache: StepCache) -> Foresight:
    """Return what the rules say, now or before.

    Args:
        model: The variant's file.
        digest: Its SHA-256.
        target: Where it is to run.
        cache: Of the build.
    """
    key = {
        "model": digest,
        "target": target.to_dict(),
        "code": code_digest(
            "model", "validate/arena.py", "validate/delegates", "validate/kernels.py", "validate/memory.py"
        ),
    }
    value = cache.make("foresee", key, lambda folder: _look_ahead(model, target)).value
    return Foresight(delegates=value["delegates"], memory=value["memory"])


def _look_ahead(model: Path, target: Target) -> dict[str, Any]:
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

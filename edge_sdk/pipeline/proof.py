"""Proves the variants of a build in the runtime versions of its targets, each pair once.

Most targets name the same runtime version; a pair of variant and version is run once and remembered in
the step cache. A proof that was skipped (no interpreter, no network) is tried again by the next build.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.contract.spec import Contract
from edge_sdk.errors import EdgeError
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.identity import code_digest, machine
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.validate.compatibility.proof import SKIPPED, Proof, prove
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.wheels.environment import NEWEST


class _SkippedError(EdgeError):
    """Carries a proof past the cache, which stores nothing when a step raises."""

    def __init__(self, proof: Mapping[str, Any]) -> None:
        super().__init__("the proof was skipped")
        self.proof = proof


def prove_variant(
    *,
    model: Path,
    digest: str,
    facts: VariantFacts,
    contract: Contract,
    golden: Path | None,
    golden_sha256: str | None,
    runtime: RuntimeRequirement,
    cache: StepCache,
    progress: Progress = silent,
    subject: str = "",
) -> Proof:
    """Run a variant in the very version that a target promises, now or before.

    Args:
        model: The variant's file.
        digest: Its SHA-256.
        facts: Of its evaluation; gives the tolerances of the golden vectors.
        contract: Of the source model.
        golden: Its golden vectors, or None.
        golden_sha256: Their digest.
        runtime: Of the target; without a minimum version, what boards are given today.
        cache: Of the build.
        progress: Told what happens.
        subject: For progress: the variant.

    Raises:
        NoSpaceError: The disk is full.
        ConfigError: The cache folder cannot be written.
    """
    version = runtime.minimum_version or NEWEST.get(runtime.name)
    key = {
        "model": digest,
        "label": subject,
        "golden": golden_sha256,
        "tolerance": [facts.golden_atol, facts.golden_rtol],
        "contract": contract.to_dict(),
        "runtime": runtime.name,
        "version": version,
        "machine": list(machine()),
        "code": code_digest("validate/compatibility", "wheels", "runtime", "contract"),
    }

    def work(folder: Path) -> Mapping[str, Any]:
        progress(Step("prove", f"in {runtime.name} {version}", subject=subject))
        proof = prove(
            {
                "model": str(model),
                "label": subject,
                "golden": None if golden is None else str(golden),
                "atol": facts.golden_atol,
                "rtol": facts.golden_rtol,
                "contract": contract.to_dict(),
                "runtime": runtime.name,
                "version": version,
            }
        )
        if proof["status"] == SKIPPED:
            raise _SkippedError(proof)
        return proof

    try:
        return Proof.from_dict(cache.make("prove", key, work).value)
    except _SkippedError as skipped:
        return Proof.from_dict(skipped.proof)

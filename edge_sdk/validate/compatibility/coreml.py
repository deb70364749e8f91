"""Answers whether a Core ML package can run on a target, from what the package says of itself."""

from __future__ import annotations

from edge_sdk.targets import DEPLOYMENT_TARGETS, Target
from edge_sdk.validate.compatibility.document import (
    FAILED,
    PASSED,
    UNKNOWN,
    CompatibilityItem,
    CompatibilityReport,
)


def examine_package(minimum_ios: str | None, target: Target) -> CompatibilityReport:
    """Return every question with its answer.

    Args:
        minimum_ios: Lowest system that loads the package ("iOS16"); None where it does not tell.
        target: That takes Core ML packages.
    """
    have = target.runtime.minimum_version or DEPLOYMENT_TARGETS[0]
    if minimum_ios not in DEPLOYMENT_TARGETS:
        return _report(
            "DEPLOYMENT-TARGET",
            UNKNOWN,
            f"the package needs {minimum_ios or 'a system that it does not name'}",
            "edge inspect PACKAGE shows its specification version",
        )
    if DEPLOYMENT_TARGETS.index(minimum_ios) > DEPLOYMENT_TARGETS.index(have):
        return _report(
            "DEPLOYMENT-TARGET",
            FAILED,
            f"the package needs {minimum_ios}, and the target starts at {have}",
            f"build with --deployment-target {have}, or raise the target to {minimum_ios}",
        )
    return _report("DEPLOYMENT-TARGET", PASSED, f"the package loads on {minimum_ios} and newer")


def _report(code: str, verdict: str, what: str, hint: str | None = None) -> CompatibilityReport:
    return CompatibilityReport(items=(CompatibilityItem(code=code, verdict=verdict, what=what, hint=hint),))

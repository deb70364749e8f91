"""Which variant of a bundle runs here, and how: a function of values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.bundle.manifest import (
    COREML,
    DelegateSpec,
    Manifest,
    RuntimeRequirement,
    TargetPlan,
    Variant,
)
from edge_sdk.bundle.release_record import ReleaseRecord
from edge_sdk.errors import BundleError, IncompatibleTargetError

#: The format of variants that a runner, and so a board, can run.
RUNNABLE = "tflite"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to run and how.

    Attributes:
        variant: The variant.
        target: Name of the target whose plan is followed, or None.
        delegates: The ladder.
        runtime: What must be installed, or None where any runtime will do.
    """

    variant: Variant
    target: str | None
    delegates: Sequence[DelegateSpec]
    runtime: RuntimeRequirement | None


def select(
    manifest: Manifest,
    release: ReleaseRecord | None,
    *,
    variant: str | None = None,
    target: str | None = None,
) -> Selection:
    """Choose.

    The plan is that of the target that is given, else the release's, else "host", else the first one.
    The variant is the one that is given, else the release's (unless another target is given), else the
    plan's first, else the bundle's first. A plan that nobody asked for does not bind the runtime: a bundle
    for a board can be tried on a laptop. Variants that no runner can run (Core ML packages), and plans that
    have no others, are passed over unless they are asked for.

    Raises:
        BundleError: No variant at all, or none of that name.
        IncompatibleTargetError: No such target in the bundle, nothing in it that a runner can run, or a
            variant that was asked for is of another format.
    """
    asked = target or (release.target if release else None)
    plan_name, plan = _plan(manifest, asked, strict=target is not None)
    recorded = release.variant if release and target in (None, release.target) else None
    named = variant or recorded
    chosen = runnable_variant(manifest, named) if named else _first(manifest, plan_name, plan)
    if plan is not None and plan.runtime.name == COREML:
        # Its delegates are Core ML's compute units, and its version is a phone's.
        return Selection(variant=chosen, target=plan_name, delegates=(), runtime=None)
    binding = plan is not None and plan_name == asked
    return Selection(
        variant=chosen,
        target=plan_name,
        delegates=plan.delegates if plan else (),
        runtime=plan.runtime if plan and binding else None,
    )


def runnable(manifest: Manifest) -> list[str]:
    """Return the ids of the variants that a runner can run, in the bundle's order."""
    return [variant.id for variant in manifest.variants if variant.format == RUNNABLE]


def runnable_variant(manifest: Manifest, identifier: str) -> Variant:
    """Return a variant by id that a runner can run.

    Raises:
        BundleError: There is none of that id.
        IncompatibleTargetError: It is of another format.
    """
    variant = manifest.variant(identifier)
    if variant.format == RUNNABLE:
        return variant
    raise IncompatibleTargetError(
        f"variant {variant.id!r} is {variant.format}, which a runner cannot run",
        why=f"it runs {RUNNABLE}" + _APPLE.get(variant.format, ""),
        hint="choose another variant: " + (", ".join(runnable(manifest)) or _NO_OTHER),
    )


_APPLE = {"mlpackage": "; Core ML packages run on iPhones, iPads and Macs"}
_NO_OTHER = "none here; edge build --target host adds some"


def _first(manifest: Manifest, target: str | None, plan: TargetPlan | None) -> Variant:
    """Return the variant to run where none is named."""
    if not manifest.variants:
        raise BundleError(f"bundle {manifest.name!r} has no variant")
    names = plan.variants if plan and plan.variants else [variant.id for variant in manifest.variants]
    variants = [manifest.variant(name) for name in names]
    for variant in variants:
        if variant.format == RUNNABLE:
            return variant
    here = f"target {target!r}" if plan and plan.variants else f"bundle {manifest.name!r}"
    raise IncompatibleTargetError(
        f"{here} has only {variants[0].format} variants, which a runner cannot run",
        why=f"it runs {RUNNABLE}" + _APPLE.get(variants[0].format, ""),
        hint="choose a variant: " + (", ".join(runnable(manifest)) or _NO_OTHER),
    )


def _plan(manifest: Manifest, asked: str | None, *, strict: bool) -> tuple[str | None, TargetPlan | None]:
    if asked is not None and asked in manifest.targets:
        return asked, manifest.targets[asked]
    if strict:
        raise IncompatibleTargetError(
            f"bundle {manifest.name!r} is not built for {asked!r}",
            why="it is built for: " + (", ".join(manifest.targets) or "no target"),
            hint=f"edge build --target {asked}",
        )
    if "host" in manifest.targets:
        return "host", manifest.targets["host"]
    can = set(runnable(manifest))
    for name, plan in manifest.targets.items():
        if not plan.variants or can.intersection(plan.variants):
            return name, plan
    return None, None

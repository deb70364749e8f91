"""Which variant of a bundle runs here, and how: a function of values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.bundle.manifest import DelegateSpec, Manifest, RuntimeRequirement, TargetPlan, Variant
from edge_sdk.bundle.release_record import ReleaseRecord
from edge_sdk.errors import BundleError, IncompatibleTargetError


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
    for a board can be tried on a laptop.

    Raises:
        BundleError: No variant at all, or none of that name.
        IncompatibleTargetError: No such target in the bundle, or a variant of another format.
    """
    asked = target or (release.target if release else None)
    plan_name, plan = _plan(manifest, asked, strict=target is not None)
    recorded = release.variant if release and target in (None, release.target) else None
    identifier = variant or recorded or (plan.variants[0] if plan and plan.variants else None)
    if identifier is None:
        if not manifest.variants:
            raise BundleError(f"bundle {manifest.name!r} has no variant")
        identifier = manifest.variants[0].id
    chosen = manifest.variant(identifier)
    if chosen.format != "tflite":
        raise IncompatibleTargetError(
            f"variant {chosen.id!r} is {chosen.format}, which this runner cannot run",
            why="it runs tflite",
            hint="choose another variant: "
            + (", ".join(other.id for other in manifest.variants if other.format == "tflite") or "none here"),
        )
    binding = plan is not None and plan_name == asked
    return Selection(
        variant=chosen,
        target=plan_name,
        delegates=plan.delegates if plan else (),
        runtime=plan.runtime if plan and binding else None,
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
    return next(iter(manifest.targets.items()), (None, None))

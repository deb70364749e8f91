"""Variants, contract and targets become one bundle.

Only what does not change from run to run goes in: no times, no latencies, no paths. So the same model,
recipes and data give a bundle with the same SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import folder_files, listing_digest, sha256_of
from edge_sdk.bundle.manifest import (
    FOLDER_FORMATS,
    CoreMLFacts,
    FileEntry,
    Golden,
    Manifest,
    Requirements,
    TargetPlan,
    Variant,
)
from edge_sdk.contract.spec import Contract
from edge_sdk.errors import BundleError, DigestMismatchError
from edge_sdk.targets import Target
from edge_sdk.validate.facts import VariantFacts


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """One variant on its way into a bundle.

    Attributes:
        id: Unique; also its file name.
        recipe: What made it.
        model: The `.tflite`, or the folder of an `.mlpackage`.
        model_sha256: Its digest (of a folder: `folder_digest`); writing the bundle checks it.
        facts: What was found about this very file.
        golden: Its golden vectors (`GoldenVectors.to_bytes`), or None.
        golden_sha256: Their digest, or None.
        format: "tflite" or "mlpackage"; also the ending of its name in the bundle.
        files: Digests of a folder's files by relative name; where there are none, they are computed.
        coreml: What an app has to know of an `.mlpackage`.
    """

    id: str
    recipe: str
    model: Path
    model_sha256: str
    facts: VariantFacts
    golden: Path | None = None
    golden_sha256: str | None = None
    format: str = "tflite"
    files: Mapping[str, str] = field(default_factory=dict)
    coreml: CoreMLFacts | None = None

    @property
    def name(self) -> str:
        """Logical name of the model in the bundle."""
        return f"models/{self.id}.{self.format}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one target runs.

    Attributes:
        target: The target.
        variants: Ids in order of preference, the pick first; at least one.
    """

    target: Target
    variants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Packing:
    """A manifest with the files it names, ready to be written.

    Attributes:
        manifest: Of the bundle.
        files: Content by logical name.
    """

    manifest: Manifest
    files: Mapping[str, Path] = field(default_factory=dict)

    def write(self, path: Path) -> str:
        """Write the bundle and return its SHA-256.

        Raises:
            NoSpaceError: The disk is full.
            ConfigError: The folder cannot be written.
        """
        return write_bundle(path, self.manifest, self.files)


def pack(
    *,
    name: str,
    version: str,
    contract: Contract,
    ingredients: Sequence[Ingredient],
    plans: Sequence[Plan],
    provenance: Mapping[str, Any],
    budgets: Mapping[str, float] | None = None,
) -> Packing:
    """Put a bundle together.

    Args:
        name: Of the bundle.
        version: For people.
        contract: What the source model promises.
        ingredients: The variants, every one of which some plan may name.
        plans: By target; a target without a variant cannot be in a bundle.
        provenance: Facts about the source, the tools and the data.
        budgets: Limits that the build was asked to meet.

    Raises:
        BundleError: No variant, or a rule of the manifest is broken (names, ids, references), or a folder
            holds other files than it was said to.
        DigestMismatchError: A folder's files are not those whose digest was given.
    """
    if not ingredients:
        raise BundleError("a bundle needs at least one variant")
    files: dict[str, Path] = {}
    entries: dict[str, FileEntry] = {}
    variants = []
    for item in ingredients:
        variants.append(_variant(item))
        content = _model_files(item)
        if item.golden is not None and item.golden_sha256 is not None:
            content[f"golden/{item.id}.npz"] = (item.golden, item.golden_sha256)
        for logical, (path, digest) in content.items():
            files[logical] = path
            entries[logical] = FileEntry(sha256=digest, size=path.stat().st_size)
    manifest = Manifest(
        name=name,
        version=version,
        contract=contract,
        files=entries,
        variants=tuple(variants),
        targets={plan.target.name: _plan(plan) for plan in plans},
        provenance=provenance,
        budgets=dict(budgets or {}),
    )
    manifest.check()
    return Packing(manifest=manifest, files=files)


def _model_files(item: Ingredient) -> dict[str, tuple[Path, str]]:
    """Return path and digest of each file of a model by logical name."""
    if item.format not in FOLDER_FORMATS:
        return {item.name: (item.model, item.model_sha256)}
    here = folder_files(item.model)
    digests = dict(item.files) or {name: sha256_of(path) for name, path in here.items()}
    for name in sorted(set(here) ^ set(digests)):
        raise BundleError(
            f"{item.model / name} {'was not there before' if name in here else 'is gone'}",
            why="the folder changed after it was checked",
            hint="run the same command again",
        )
    actual = listing_digest((name, path.stat().st_size, digests[name]) for name, path in here.items())
    if actual != item.model_sha256:
        raise DigestMismatchError(str(item.model), expected=item.model_sha256, actual=actual)
    return {f"{item.name}/{name}": (path, digests[name]) for name, path in here.items()}


def _variant(item: Ingredient) -> Variant:
    facts = item.facts
    golden = None
    if item.golden is not None:
        golden = Golden(
            file=f"golden/{item.id}.npz",
            cases=facts.golden_cases,
            atol=facts.golden_atol,
            rtol=facts.golden_rtol,
        )
    return Variant(
        id=item.id,
        format=item.format,
        recipe=item.recipe,
        file=item.name,
        signatures=facts.signatures,
        requirements=Requirements(
            op_versions=facts.op_versions, custom_ops=facts.custom_ops, flex_ops=facts.flex_ops
        ),
        golden=golden,
        measurements={
            "size_bytes": facts.size_bytes,
            "data": facts.data,
            "samples": facts.samples,
            "metric_name": facts.metric_name,
            "metric": facts.metric,
            "metric_higher_is_better": facts.metric_higher_is_better,
            "metric_interval": _listed(facts.metric_interval),
            "metric_drop": facts.metric_drop,
            "agreement": facts.agreement,
            "max_abs_error": facts.max_abs_error,
            "snr_db": facts.snr_db,
        },
        coreml=item.coreml,
    )


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _plan(plan: Plan) -> TargetPlan:
    return TargetPlan(
        platform=plan.target.platform,
        architecture=plan.target.architecture,
        runtime=plan.target.runtime,
        delegates=plan.target.delegates,
        variants=plan.variants,
    )

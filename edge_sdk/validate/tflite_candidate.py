"""A `.tflite` under test: the `Runner` opens it as it would on a board, inside of a bundle of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.contract.spec import Contract
from edge_sdk.validate.candidate import Array, Description

if TYPE_CHECKING:
    from edge_sdk.runtime.runner import Runner


def describe(model: Path, contract: Contract, coreml: CoreMLFacts | None) -> Description:
    """Read what the file tells; see `CandidateFormat`."""
    from edge_sdk.model.tflite_file import read_tflite

    file = read_tflite(model)
    return Description(
        signatures=file.signatures,
        size_bytes=file.size_bytes,
        parameters=file.parameters,
        op_versions=file.op_versions,
        custom_ops=file.custom_ops,
        flex_ops=file.flex_ops,
    )


def open_candidate(
    model: Path,
    contract: Contract,
    coreml: CoreMLFacts | None,
    *,
    recipe: str,
    custom_ops: Sequence[str],
    threads: int | None,
) -> Runner:
    """Open it in the host's runtime; see `CandidateFormat`."""
    from edge_sdk.runtime.runner import Runner

    with tempfile.TemporaryDirectory(prefix="edge-validate-") as scratch:
        candidate = Path(scratch) / "candidate.edge"
        write_candidate(candidate, model, contract, recipe)
        return Runner.open(candidate, variant=recipe, threads=threads, custom_ops=list(custom_ops))


def cross_check(
    model: Path, contract: Contract, coreml: CoreMLFacts | None, feeds: Sequence[Mapping[str, Array]]
) -> None:
    """Say nothing: the runtime that answers here is the one that ships; see `CandidateFormat`."""


def write_candidate(path: Path, model: Path, contract: Contract, recipe: str) -> None:
    """Write a bundle that holds one variant and nothing else, for the `Runner` to open."""
    from edge_sdk.bundle.archive import write_bundle
    from edge_sdk.bundle.digest import sha256_of
    from edge_sdk.bundle.manifest import FileEntry, Manifest, Variant
    from edge_sdk.model.tflite_file import read_tflite

    variant = Variant(
        id=recipe,
        format="tflite",
        recipe=recipe,
        file="model.tflite",
        signatures=read_tflite(model).signatures,
    )
    manifest = Manifest(
        name="candidate",
        version="0",
        contract=contract,
        files={"model.tflite": FileEntry(sha256=sha256_of(model), size=model.stat().st_size)},
        variants=(variant,),
        targets={},
    )
    write_bundle(path, manifest, {"model.tflite": model})

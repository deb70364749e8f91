"""Releases to install: made-up content for the file mechanics, the tiny model for real trials."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_sdk.bundle.manifest import (
    FileEntry,
    Golden,
    Manifest,
    RuntimeRequirement,
    TargetPlan,
    Variant,
)
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import Contract, Signature, TensorSpec

MODELS = Path(__file__).parent.parent / "data/models"
_SIGNATURE = Signature(
    name="serving_default",
    inputs=(TensorSpec(name="x", dtype="float32", shape=(1, 4)),),
    outputs=(TensorSpec(name="y", dtype="float32", shape=(1, 2)),),
)


@dataclass(frozen=True)
class Pack:
    """A manifest and the content that it names.

    Attributes:
        manifest: Its bytes.
        files: Content by logical name.
    """

    manifest: bytes
    files: dict[str, bytes]

    @property
    def sha256(self) -> str:
        return digest(self.manifest)

    @property
    def blobs(self) -> dict[str, bytes]:
        """All content by digest, the manifest first."""
        return {digest(data): data for data in (self.manifest, *self.files.values())}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made_up(version: str = "1", *, size: int = 3000, variants: tuple[str, ...] = ("float32",)) -> Pack:
    """Return a release whose model is not a model: for everything but the trial."""
    files = {"labels.txt": b"zero\none\n"}
    for variant in variants:
        files[f"models/{variant}.tflite"] = f"{variant} {version} ".encode() * (size // 10 + 1)
        files[f"golden/{variant}.npz"] = f"golden of {variant} {version}".encode()
    contract = Contract(signatures=(_SIGNATURE,), default_signature="serving_default")
    return _pack(version, contract, files, {name: f"models/{name}.tflite" for name in variants})


def tiny_model(
    version: str = "1",
    *,
    model: str = "conv_float.tflite",
    spoil: bool = False,
    break_model: bool = False,
    runtime: str = "litert",
) -> Pack:
    """Return a release of the tiny picture classifier.

    Args:
        version: Another version is another release.
        model: File of tests/data/models.
        spoil: Record golden outputs that the model does not give.
        break_model: Damage the model before it is packed (its digest fits, but it is no model).
        runtime: What the target asks for.
    """
    from edge_sdk.runtime.runner import Runner

    raw = (MODELS / model).read_bytes()
    # Every version has golden vectors of its own, so that there is a blob to send.
    images = np.random.default_rng(list(version.encode())).random((3, 1, 16, 16, 3), dtype=np.float32)
    with Runner.open(MODELS / model) as runner:
        contract = runner.contract
        outputs = np.stack([runner.predict(image=image)["probabilities"] for image in images])
    vectors = GoldenVectors(
        inputs={"image": images}, outputs={"probabilities": 1.0 - outputs if spoil else outputs}
    )
    files = {
        "models/float32.tflite": raw[:100] + bytes(len(raw) - 100) if break_model else raw,
        "golden/float32.npz": vectors.to_bytes(),
    }
    return _pack(version, contract, files, {"float32": "models/float32.tflite"}, runtime=runtime)


def with_files(pack: Pack, files: dict[str, FileEntry]) -> Pack:
    """Return the pack with other entries in its manifest, without any check."""
    import json

    data = json.loads(pack.manifest)
    data["files"].update({name: entry.to_dict() for name, entry in files.items()})
    return replace(pack, manifest=(json.dumps(data, sort_keys=True, indent=2) + "\n").encode())


def _pack(
    version: str,
    contract: Contract,
    files: dict[str, bytes],
    models: dict[str, str],
    *,
    runtime: str = "litert",
) -> Pack:
    variants = tuple(
        Variant(
            id=name,
            format="tflite",
            recipe=name,
            file=file,
            signatures=contract.signatures,
            golden=Golden(file=f"golden/{name}.npz", cases=3, atol=1e-4, rtol=1e-3),
        )
        for name, file in models.items()
    )
    manifest = Manifest(
        name="tiny",
        version=version,
        contract=contract,
        files={name: FileEntry(sha256=digest(data), size=len(data)) for name, data in files.items()},
        variants=variants,
        targets={
            "host": TargetPlan(
                platform="linux",
                architecture="any",
                runtime=RuntimeRequirement(name=runtime),
                variants=tuple(models),
            )
        },
    )
    return Pack(manifest.to_bytes(), files)

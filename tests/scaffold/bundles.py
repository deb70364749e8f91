"""Small bundles for projects, made in memory from tests/data/models and a hand-written Core ML package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import (
    CoreMLFacts,
    DelegateSpec,
    FileEntry,
    Golden,
    Manifest,
    Requirements,
    RuntimeRequirement,
    TargetPlan,
    Variant,
)
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from tests.bundle.packages import tiny_package

MODELS = Path(__file__).parents[1] / "data" / "models"
SIGNATURE = Signature(
    name="serving_default",
    inputs=(TensorSpec(name="x", dtype="float32", shape=(None, 4)),),
    outputs=(TensorSpec(name="y", dtype="float32", shape=(None, 4)),),
)


def variant(identifier: str, signature: Signature = SIGNATURE, **changes: Any) -> Variant:
    """Return a .tflite variant whose file is `models/<identifier>.tflite`."""
    fields: dict[str, Any] = {
        "format": "tflite",
        "recipe": identifier,
        "file": f"models/{identifier}.tflite",
        "golden": Golden(file="golden/g.npz", cases=2, atol=1e-4, rtol=1e-3),
        "requirements": Requirements(op_versions={"ADD": 1}),
    }
    return Variant(id=identifier, signatures=(signature,), **{**fields, **changes})


def package(identifier: str = "coreml_float16", **facts: Any) -> Variant:
    """Return a variant that is a Core ML package."""
    fields = {"deployment_target": "iOS16", "precision": "float16", **facts}
    return variant(
        identifier,
        format="mlpackage",
        file=f"models/{identifier}.mlpackage",
        requirements=Requirements(),
        coreml=CoreMLFacts(**fields),
    )


def make_bundle(
    folder: Path,
    *variants: Variant,
    model: bytes = b"",
    contract: Contract | None = None,
    name: str = "sample",
    android: tuple[str, ...] | None = None,
) -> Path:
    """Write a bundle with these variants, for targets "android" and, where there is a package, "ios"."""
    contract = contract or Contract(signatures=(SIGNATURE,), default_signature="serving_default")
    random = np.random.default_rng(1)

    def arrays(specs: tuple[TensorSpec, ...]) -> dict[str, np.ndarray]:
        return {
            spec.name: random.normal(size=(2, *(size or 1 for size in spec.shape or ()))).astype(
                "float32" if spec.dtype.startswith("float") else spec.dtype
            )
            for spec in specs
        }

    vectors = GoldenVectors(
        inputs=arrays(contract.signature.inputs), outputs=arrays(contract.signature.outputs)
    )
    content = {"golden/g.npz": vectors.to_bytes()}
    for item in variants:
        if item.format == "tflite":
            content[item.file] = model or (MODELS / "dynamic_batch.tflite").read_bytes()
        else:
            content |= {f"{item.file}/{inner}": data for inner, data in tiny_package().items()}
    files = tuple(item.id for item in variants if item.format == "tflite")
    packages = tuple(item.id for item in variants if item.format == "mlpackage")
    targets = {
        "android": TargetPlan(
            platform="android",
            architecture="any",
            runtime=RuntimeRequirement(name="litert"),
            variants=files if android is None else android,
        )
    }
    if packages:
        targets["ios"] = TargetPlan(
            platform="ios",
            architecture="any",
            runtime=RuntimeRequirement(name="coreml", minimum_version="iOS16"),
            delegates=(DelegateSpec(name="all"), DelegateSpec(name="cpu_and_gpu")),
            variants=packages,
        )
    manifest = Manifest(
        name=name,
        version="0.1.0",
        contract=contract,
        files={key: FileEntry(sha256=sha256_of(data), size=len(data)) for key, data in content.items()},
        variants=variants,
        targets=targets,
    )
    path = folder / f"{name}.edge"
    write_bundle(path, manifest, content)
    return path

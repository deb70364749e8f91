"""Projects of the real templates, with golden vectors that hold a step of postprocessing."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.spec import Contract, Postprocess, Signature, TensorSpec
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import render_bundle
from edge_sdk.scaffold.spec import default_options
from tests.scaffold.bundles import make_bundle, package, variant


def _contract(given: int, result: int) -> Contract:
    signature = Signature(
        name="serving_default",
        inputs=(TensorSpec(name="x", dtype="float32", shape=(None, given)),),
        outputs=(TensorSpec(name="y", dtype="float32", shape=(None, result)),),
    )
    return Contract(
        signatures=(signature,),
        default_signature="serving_default",
        postprocess={"y": Postprocess(activation="softmax", top_k=2)},
        labels=tuple(f"class {index}" for index in range(result)),
    )


def render_project(folder: Path, platform: str, runtime: str | None = None) -> Path:
    """Write a project of a model with a softmax; return its folder."""
    android = platform == "android"
    # As tests/data/models/dynamic_batch.tflite and tests/bundle/packages.py have it.
    contract = _contract(8, 3) if android else _contract(4, 4)
    chosen = variant("float32", contract.signature) if android else package()
    path = make_bundle(folder, chosen, contract=contract, name="relu")
    with Bundle.open(path) as bundle:
        options = default_options(bundle, platform=platform, runtime=runtime)
        return create_project(folder / "project", render_bundle(bundle, options)).folder

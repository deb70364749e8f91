"""Fixtures of the runtime's tests: a bundle with golden vectors, a compiled extension, board environments."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.manifest import (
    DelegateSpec,
    FileEntry,
    Golden,
    Manifest,
    RuntimeRequirement,
    TargetPlan,
    Variant,
)
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import (
    Contract,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Signature,
    TensorSpec,
)
from edge_sdk.runtime.runner import Runner
from tests.board_environments import BoardEnvironment, board_environment

LABELS = ("cat", "dog", "fox", "owl", "yak")
VARIANTS = {
    "float32": "conv_float.tflite",
    "full_int8_io": "conv_int8.tflite",
    "uint8_io": "conv_uint8.tflite",
}


def image_contract(**changes: Any) -> Contract:
    """The contract of the convolution models: a picture in, the two best of five classes out."""
    signature = Signature(
        name="serving_default",
        inputs=(TensorSpec(name="image", dtype="float32", shape=(1, 16, 16, 3)),),
        outputs=(TensorSpec(name="probabilities", dtype="float32", shape=(1, 5)),),
    )
    return Contract(
        **{
            "signatures": (signature,),
            "default_signature": "serving_default",
            "preprocess": {
                "image": Preprocess(image=ImagePreprocess(height=16, width=16, scale=1 / 255)),
            },
            "postprocess": {"probabilities": Postprocess(top_k=2)},
            "labels": LABELS,
            **changes,
        }
    )


def golden_of(model: Path, cases: int = 4) -> GoldenVectors:
    """Record golden vectors of a convolution model with the host's own runtime."""
    generator = np.random.default_rng(11)
    images = generator.random((cases, 1, 16, 16, 3), dtype=np.float32)
    with Runner.open(model) as runner:
        outputs = np.stack([runner.predict(image=image)["probabilities"] for image in images])
    return GoldenVectors(inputs={"image": images}, outputs={"probabilities": outputs})


def image_manifest(
    models: Path, *, contract: Contract | None = None, targets: Mapping[str, TargetPlan] | None = None
) -> tuple[Manifest, dict[str, bytes]]:
    """A manifest with three variants of the convolution, and its files."""
    contract = contract or image_contract()
    files: dict[str, bytes] = {}
    variants = []
    for identifier, name in VARIANTS.items():
        files[f"{identifier}/model.tflite"] = (models / name).read_bytes()
        files[f"{identifier}/golden.npz"] = golden_of(models / name).to_bytes()
        variants.append(
            Variant(
                id=identifier,
                format="tflite",
                recipe=identifier,
                file=f"{identifier}/model.tflite",
                signatures=contract.signatures,
                # Runtimes' int8 kernels differ by a step or two of the output's scale, 1/256.
                golden=Golden(
                    file=f"{identifier}/golden.npz",
                    cases=4,
                    atol=1e-5 if identifier == "float32" else 2.1 / 256,
                    rtol=0,
                ),
            )
        )
    plans = targets or {
        "host": TargetPlan(
            platform="linux",
            architecture="any",
            runtime=RuntimeRequirement(name="litert", minimum_version="2.1"),
            delegates=(DelegateSpec(name="xnnpack", options={"threads": "1"}),),
            variants=("full_int8_io", "float32"),
        ),
        "old-board": TargetPlan(
            platform="linux",
            architecture="x86_64",
            runtime=RuntimeRequirement(name="tflite-runtime"),
            variants=("uint8_io",),
        ),
    }
    manifest = Manifest(
        name="convolution",
        version="1.0.0",
        contract=contract,
        files={
            name: FileEntry(sha256=hashlib.sha256(raw).hexdigest(), size=len(raw))
            for name, raw in files.items()
        },
        variants=tuple(variants),
        targets=plans,
    )
    return manifest, files


@pytest.fixture
def bundle(models: Path, tmp_path: Path) -> Path:
    """A bundle with three variants of one model."""
    manifest, files = image_manifest(models)
    path = tmp_path / "convolution.edge"
    write_bundle(path, manifest, files)
    return path


@pytest.fixture
def release(models: Path, tmp_path: Path) -> Path:
    """The release directory that a keeper makes of that bundle for "old-board"."""
    manifest, files = image_manifest(models)
    raw = manifest.to_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    folder = tmp_path / "releases" / f"7-{digest[:12]}"
    for name, content in files.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "manifest.json").write_bytes(raw)
    record = {
        "target": "old-board",
        "variant": "uint8_io",
        "release": folder.name,
        "sequence": 7,
        "manifest_sha256": digest,
    }
    (folder / "release.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small PNG."""
    from PIL import Image

    pixels = np.random.default_rng(3).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled test delegate and custom operator."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler: delegates and custom operators cannot be tried")
    source = Path(__file__).parent / "native" / "extension.c"
    library = tmp_path_factory.mktemp("native") / "libextension.so"
    subprocess.run(
        [
            compiler,
            "-shared",
            "-fPIC",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            library,
            source,
            "-lm",
            "-ldl",
        ],
        check=True,
    )
    return library


@pytest.fixture(scope="session", params=["litert", "tflite-runtime"])
def board(request: pytest.FixtureRequest) -> BoardEnvironment:
    """A Python that holds only a board's packages, with each runtime in turn."""
    return board_environment(request.param)

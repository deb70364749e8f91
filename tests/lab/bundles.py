"""Small real bundles to push: tiny models, golden vectors recorded on this host."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import FileEntry, Golden, Manifest, TargetPlan, Variant
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import Signature
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.runtime.runner import Runner
from edge_sdk.targets import load_target

MODELS = Path(__file__).parent.parent / "data/models"


def sample_image(seed: int = 7) -> np.ndarray:
    """Return one input for `conv_float` and `conv_int8`: float32[1,16,16,3] in 0..1."""
    return np.random.default_rng(seed).random((1, 16, 16, 3), dtype=np.float32)


def make_bundle(
    path: Path,
    *,
    version: str = "1",
    targets: Sequence[str] = ("host",),
    variants: Mapping[str, str] | None = None,
    ballast: int = 0,
    spoil_golden: bool = False,
) -> Path:
    """Pack the tiny picture classifier.

    Args:
        path: The bundle to write.
        version: For people; another version is another release.
        targets: Names of the targets it is for.
        variants: Model files of tests/data/models by variant id; the first one is the pick.
        ballast: Random bytes appended to the first model, which TFLite ignores: a bundle large enough to
            be caught in flight.
        spoil_golden: Record wrong outputs, so that the board must refuse the release.
    """
    chosen = dict(variants or {"float32": "conv_float.tflite"})
    files: dict[str, bytes] = {}
    packed: list[Variant] = []
    with Runner.open(MODELS / "conv_float.tflite") as source:
        contract = source.contract
    inputs = {"image": np.stack([sample_image(seed) for seed in range(3)])}
    for position, (identifier, model) in enumerate(chosen.items()):
        raw = (MODELS / model).read_bytes() + (os.urandom(ballast) if position == 0 else b"")
        files[f"variants/{identifier}.tflite"] = raw
        with Runner.open(MODELS / model) as runner:
            outputs = [runner.predict(image=image)["probabilities"] for image in inputs["image"]]
        recorded = {"probabilities": np.stack(outputs)}
        if spoil_golden:
            recorded["probabilities"] = 1.0 - recorded["probabilities"]
        files[f"golden/{identifier}.npz"] = GoldenVectors(inputs=inputs, outputs=recorded).to_bytes()
        signatures = read_tflite(MODELS / model).signatures
        packed.append(
            Variant(
                id=identifier,
                format="tflite",
                recipe=identifier,
                file=f"variants/{identifier}.tflite",
                signatures=signatures,
                golden=Golden(
                    file=f"golden/{identifier}.npz",
                    cases=len(outputs),
                    atol=_tolerance(signatures[0]),
                    rtol=1e-4,
                ),
            )
        )
    manifest = Manifest(
        name="tiny",
        version=version,
        contract=contract,
        files={name: FileEntry(sha256=sha256_of(raw), size=len(raw)) for name, raw in files.items()},
        variants=tuple(packed),
        targets={load_target(name).name: _plan(name, tuple(chosen)) for name in targets},
    )
    write_bundle(path, manifest, files)
    return path


def _tolerance(signature: Signature) -> float:
    """Return what another runtime may differ by: rounding for floats, one step for integers.

    tflite-runtime 2.14 and LiteRT 2.3 do not round every int8 product alike; one step of the output is what
    was seen between them.
    """
    steps = [max(spec.quantization.scales) for spec in signature.outputs if spec.quantization]
    return 1.5 * max(steps) if steps else 1e-5


def _plan(name: str, variants: tuple[str, ...]) -> TargetPlan:
    target = load_target(name)
    return TargetPlan(
        platform=target.platform,
        architecture=target.architecture,
        runtime=target.runtime,
        delegates=target.delegates,
        variants=variants,
    )

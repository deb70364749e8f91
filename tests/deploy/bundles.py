"""Real bundles, made from the tiny models of tests/data with golden vectors of this machine's LiteRT."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.manifest import FileEntry, Golden, Manifest, RuntimeRequirement, TargetPlan, Variant
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import Contract, ImagePreprocess, Postprocess, Preprocess, Signature, TensorSpec

MODELS = Path(__file__).parents[1] / "data" / "models"


def make_bundle(
    path: Path,
    *,
    version: str = "1.0",
    wrong_golden: bool = False,
    padding: bytes = b"",
    runtimes: dict[str, str] | None = None,
    image: bool = True,
) -> Path:
    """Write a bundle of conv_float.tflite.

    Args:
        path: Where to.
        version: For people; another version makes another release.
        wrong_golden: Record outputs that the model does not give.
        padding: Content of a file that belongs to no variant, to give the bundle a size.
        runtimes: Runtime by target name.
        image: Describe the input as a picture.
    """
    content = (MODELS / "conv_float.tflite").read_bytes()
    interpreter = Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    ((input_name, input_details),) = runner.get_input_details().items()
    ((output_name, output_details),) = runner.get_output_details().items()
    input_shape = tuple(int(size) for size in input_details["shape"])
    output_shape = tuple(int(size) for size in output_details["shape"])
    cases = np.random.default_rng(1).random((3, *input_shape), dtype=np.float32)
    outputs = np.stack([runner(**{input_name: case})[output_name] for case in cases])
    golden = GoldenVectors(
        {input_name: cases}, {output_name: outputs + (9 if wrong_golden else 0)}
    ).to_bytes()
    signature = Signature(
        name="serving_default",
        inputs=(TensorSpec(name=input_name, dtype="float32", shape=input_shape),),
        outputs=(TensorSpec(name=output_name, dtype="float32", shape=output_shape),),
    )
    picture = Preprocess(
        image=ImagePreprocess(
            height=input_shape[1],
            width=input_shape[2],
            color="rgb" if input_shape[3] == 3 else "gray",
            scale=1 / 255,
        )
    )
    runtimes = runtimes or {"host": "litert", "host-tflite-runtime": "tflite-runtime"}
    files = {"float32.tflite": content, "float32.npz": golden, **({"extra": padding} if padding else {})}
    manifest = Manifest(
        name="conv",
        version=version,
        contract=Contract(
            signatures=(signature,),
            default_signature="serving_default",
            preprocess={input_name: picture} if image else {},
            postprocess={output_name: Postprocess(activation="softmax", top_k=3)},
            labels=tuple(f"class {index}" for index in range(output_shape[-1])),
        ),
        files={
            name: FileEntry(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in files.items()
        },
        variants=(
            Variant(
                id="float32",
                format="tflite",
                recipe="float32",
                file="float32.tflite",
                signatures=(signature,),
                golden=Golden(file="float32.npz", cases=3, atol=1e-4, rtol=1e-4),
            ),
        ),
        targets={
            name: TargetPlan(
                platform="linux",
                architecture="any",
                runtime=RuntimeRequirement(name=runtime),
                variants=("float32",),
            )
            for name, runtime in (
                runtimes or {"host": "litert", "host-tflite-runtime": "tflite-runtime"}
            ).items()
        },
    )
    write_bundle(path, manifest, files)
    return path

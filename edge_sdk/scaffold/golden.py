"""Golden vectors for apps: one JSON file that Kotlin, Swift and Python read.

Two parts. `model` holds cases for the model itself, run on the device before an accelerator is trusted.
`steps` holds cases for everything around the model (preprocess, quantize, activation, top_classes,
detections), computed here by `edge_sdk.contract`, and run by the tests of the project on any computer.
docs/reference/mobile-core.md has the format.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.boxes import detect
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.postprocess import activate, top_classes
from edge_sdk.contract.preprocess import preprocess_image, preprocess_inputs
from edge_sdk.contract.spec import (
    Contract,
    Detections,
    ImagePreprocess,
    Preprocess,
    Quantization,
    Signature,
    TensorSpec,
)
from edge_sdk.errors import BundleError, ConfigError
from edge_sdk.runtime.tensors import Affine, dequantize, quantize
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor

FORMAT, FORMAT_VERSION = "edge-golden", "1.0"
#: Golden files travel in every checkout and every app.
_MAX_MODEL_BYTES = 1_400_000
_MAX_CASES = 3
#: Larger expectations are thinned out: every k-th value, k odd and no multiple of 3, so that every channel of
#: a picture is met.
_MAX_EXPECTED = 6_000
#: Odd sizes, both ways round, one pixel wide, and larger than most tensors.
_PICTURES = ((37, 23), (23, 37), (1, 9), (301, 203))


def golden_json(bundle: Bundle, spec: MobileSpec) -> bytes:
    """Return the golden file of a project; the same bundle gives the same bytes.

    Raises:
        BundleError: The variant has no golden vectors, or they are damaged.
    """
    golden = bundle.manifest.variant(spec.variant).golden
    if golden is None:
        raise BundleError(
            f"variant {spec.variant!r} has no golden vectors",
            why="a project proves with them that the phone computes what the host computed",
            hint="build the bundle with edge build, which records them",
        )
    vectors = GoldenVectors.from_bytes(bundle.read(golden.file))
    return golden_document(
        model=_model_cases(vectors, spec),
        steps=list(_steps(vectors, spec)),
        atol=golden.atol,
        rtol=golden.rtol,
    )


def golden_document(
    *, model: list[dict[str, Any]], steps: list[dict[str, Any]], atol: float = 0.0, rtol: float = 0.0
) -> bytes:
    """Return the canonical JSON of a golden file."""
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tolerance": {"atol": atol, "rtol": rtol},
        "model": model,
        "steps": steps,
    }
    return (json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n").encode()


def tensor_json(array: np.ndarray, *, thin: bool = False) -> dict[str, Any]:
    """Return an array as JSON: little-endian bytes in base64.

    Args:
        array: Numbers or truth values.
        thin: Keep only every k-th value of a large array (an expectation).
    """
    stride = 1
    if thin and array.size > _MAX_EXPECTED:
        stride = -(-array.size // _MAX_EXPECTED)
        while stride % 2 == 0 or stride % 3 == 0:
            stride += 1
    data = np.ascontiguousarray(array).reshape(-1)[::stride]
    return {
        "dtype": str(array.dtype),
        "shape": [int(size) for size in array.shape],
        "stride": stride,
        "data": base64.b64encode(data.astype(array.dtype.newbyteorder("<")).tobytes()).decode(),
    }


def tensor_of(data: Mapping[str, Any]) -> np.ndarray:
    """Return the values of a tensor in a golden file: the array, or what remains of a thinned one, flat."""
    raw = base64.b64decode(data["data"], validate=True)
    values = np.frombuffer(raw, dtype=np.dtype(data["dtype"]).newbyteorder("<"))
    return values.reshape(data["shape"]) if data["stride"] == 1 else values


def preprocess_step(
    name: str,
    picture: np.ndarray,
    image: ImagePreprocess,
    *,
    dtype: str = "float32",
    override: bool = False,
) -> dict[str, Any]:
    """Return one case of preprocessing.

    Args:
        name: Of the input.
        picture: uint8[height, width, 1 or 3].
        image: The steps.
        dtype: Of the input in the contract; an integer one adds the integers that the picture becomes.
        override: Whether the case carries the steps with it, in place of the model's.
    """
    step = {
        "step": "preprocess",
        "input": name,
        "picture": tensor_json(picture),
        "expected": tensor_json(preprocess_image(picture, image), thin=True),
    }
    if np.dtype(dtype).kind in "iu":
        step["stored"] = tensor_json(_as_input(picture, image, dtype), thin=True)
    return {**step, "spec": whole(image)} if override else step


def _as_input(picture: np.ndarray, image: ImagePreprocess, dtype: str) -> np.ndarray:
    tensor = TensorSpec(name="x", dtype=dtype, shape=None)
    contract = Contract(
        signatures=(Signature(name="call", inputs=(tensor,), outputs=()),),
        default_signature="call",
        preprocess={"x": Preprocess(image=image)},
    )
    return preprocess_inputs(contract, {"x": picture})["x"]


def quantize_step(
    name: str, side: str, real: np.ndarray, dtype: str, quantization: Quantization, *, override: bool = False
) -> dict[str, Any]:
    """Return one case of quantizing real numbers and restoring them."""
    stored = quantized(real, dtype, quantization)
    step: dict[str, Any] = {
        "step": "quantize",
        "tensor": name,
        "side": side,
        "real": tensor_json(real),
        "stored": tensor_json(stored),
        "restored": tensor_json(restored(stored, quantization)),
    }
    return {**step, "spec": whole(quantization)} if override else step


def activation_step(name: str, raw: np.ndarray, activation: str, *, override: bool = False) -> dict[str, Any]:
    """Return one case of an activation."""
    step: dict[str, Any] = {
        "step": "activation",
        "output": name,
        "raw": tensor_json(raw),
        "expected": tensor_json(activate(raw, activation)),
    }
    return {**step, "spec": {"activation": activation}} if override else step


def detections_step(
    outputs: Mapping[str, np.ndarray], rule: Detections, labels: tuple[str, ...], *, override: bool = False
) -> dict[str, Any]:
    """Return one case of boxes; the outputs hold one sample."""
    step: dict[str, Any] = {
        "step": "detections",
        "outputs": {name: tensor_json(values) for name, values in outputs.items()},
        "labels": list(labels),
        "expected": detect(outputs, rule, labels)[0],
    }
    return {**step, "spec": whole(rule)} if override else step


def whole(document: Any) -> dict[str, Any]:
    """Return a document's fields, those at their default too: readers in other languages need no defaults."""
    import dataclasses

    return {
        item.name: _plain(getattr(document, item.name))
        for item in dataclasses.fields(document)
        if item.name != "extra"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return whole(value) if hasattr(value, "to_dict") else value


def quantized(real: np.ndarray, dtype: str, quantization: Quantization) -> np.ndarray:
    """Return the stored integers of real numbers, as the runner makes them: half away from zero, clipped."""
    stored = quantize(real, _affine(quantization), np.dtype(dtype))
    if stored is None:
        raise ConfigError("NaN cannot be quantized")
    return stored


def restored(stored: np.ndarray, quantization: Quantization) -> np.ndarray:
    """Return the float32 numbers that stored integers stand for, as the runner makes them."""
    return dequantize(stored, _affine(quantization), np.dtype(np.float32))


def _affine(quantization: Quantization) -> Affine:
    return Affine(
        scales=np.asarray(quantization.scales[0], dtype=np.float32),
        zero_points=np.asarray(quantization.zero_points[0], dtype=np.int32),
    )


def _model_cases(vectors: GoldenVectors, spec: MobileSpec) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    size = 0
    for index, inputs in enumerate(vectors.cases()):
        expected = vectors.expected(index)
        case = {
            "inputs": {item.name: tensor_json(inputs[item.name]) for item in spec.inputs},
            "outputs": {
                item.name: tensor_json(expected[item.name], thin=True)
                for item in spec.outputs
                if item.name in expected
            },
        }
        size += sum(array.nbytes for array in inputs.values()) * 4 // 3
        if cases and (size > _MAX_MODEL_BYTES or len(cases) >= _MAX_CASES):
            break
        cases.append(case)
    return cases


def _steps(vectors: GoldenVectors, spec: MobileSpec) -> Iterator[dict[str, Any]]:
    # One stream of numbers for all steps, from the contract's names alone: a retrained model keeps them.
    random = np.random.default_rng(20261123)
    for item in spec.inputs:
        if item.image is not None:
            for rows, columns in _sizes(item.image):
                channels = 1 if item.image.color == "gray" and rows % 2 else 3
                picture = random.integers(0, 256, (rows, columns, channels), dtype=np.uint8)
                yield preprocess_step(item.name, picture, item.image, dtype=item.dtype)
    for side, tensors in (("input", spec.inputs), ("output", spec.outputs)):
        for item in tensors:
            if item.quantization is not None:
                yield quantize_step(
                    item.name, side, _reals(item, random), item.stored_dtype, item.quantization
                )
    outputs = vectors.expected(0)
    yield from _meanings(outputs, spec)


def _meanings(outputs: Mapping[str, np.ndarray], spec: MobileSpec) -> Iterator[dict[str, Any]]:
    for item in spec.outputs:
        rule = item.postprocess
        values = outputs.get(item.name)
        if rule is None or values is None or values.ndim == 0:
            continue
        rows = values.reshape(-1, values.shape[-1])[:8]
        yield activation_step(item.name, rows, rule.activation)
        if rule.top_k is not None:
            scores = activate(rows[0], rule.activation)
            yield {
                "step": "top_classes",
                "output": item.name,
                "scores": tensor_json(scores),
                "labels": list(spec.labels),
                "expected": top_classes(scores.astype(np.float64), rule, spec.labels),
            }
    if spec.detections is not None:
        yield detections_step(
            {name: outputs[name] for name in spec.detections.outputs()}, spec.detections, spec.labels
        )


def _sizes(image: ImagePreprocess) -> tuple[tuple[int, int], ...]:
    if image.resize != "none":
        return _PICTURES
    return ((image.height, image.width),) if image.crop_fraction == 1 and image.fit == "stretch" else ()


def _reals(item: MobileTensor, random: np.random.Generator) -> np.ndarray:
    """Return float32 numbers in, at the ends of, and outside of what the tensor can store, and ties."""
    assert item.quantization is not None
    scale, zero = item.quantization.scales[0], item.quantization.zero_points[0]
    limits = np.iinfo(item.stored_dtype)
    low, high = (limits.min - zero) * scale, (limits.max - zero) * scale
    values = [low, high, low * 2 - 1, high * 2 + 1, 0.0, *(scale * (step + 0.5) for step in range(-3, 3))]
    return np.asarray([*values, *random.uniform(low, high, 21)], dtype=np.float32)

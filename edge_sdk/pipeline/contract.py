"""The contract of a build: the source model's signatures plus what the user says about them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence

from edge_sdk.contract.spec import (
    Contract,
    Detections,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Signature,
    TensorSpec,
)
from edge_sdk.errors import ConfigError

_INTEGERS = ("int4", "int8", "uint8", "int16", "uint16")


def make_contract(
    signatures: Sequence[Signature],
    default_signature: str,
    *,
    inputs: Mapping[str, Preprocess],
    outputs: Mapping[str, Postprocess],
    labels: Sequence[str] = (),
    detections: Detections | None = None,
) -> Contract:
    """Put a contract together and check that the parts speak of the same tensors.

    Args:
        signatures: Of the source model.
        default_signature: The one that `predict` calls.
        inputs: Preprocessing by input name of the default signature.
        outputs: Postprocessing by output name of the default signature.
        labels: Class names by index.
        detections: How outputs become boxes.

    Raises:
        ConfigError: A name that the signature does not have, a picture that does not fit its input, or a
            number of labels that no output has.
    """
    contract = Contract(
        signatures=tuple(signatures),
        default_signature=default_signature,
        preprocess=inputs,
        postprocess=outputs,
        labels=tuple(labels),
        detections=detections,
    )
    signature = contract.signature
    _check_names("input", inputs, [spec.name for spec in signature.inputs], signature)
    _check_names("output", outputs, [spec.name for spec in signature.outputs], signature)
    for name, entry in inputs.items():
        if entry.image is not None:
            _check_picture(signature.input(name), entry.image)
    if detections is not None:
        _check_detections(detections, signature)
    elif labels:
        _check_labels(len(labels), signature, outputs)
    return contract


def as_promised(signatures: Iterable[Signature]) -> tuple[Signature, ...]:
    """Return the signatures of a `.tflite` source as callers should see them.

    Integers that stand for real numbers become float32, as the runner shows them; everything else stays.
    """
    return tuple(
        dataclasses.replace(
            signature,
            inputs=tuple(_real(spec) for spec in signature.inputs),
            outputs=tuple(_real(spec) for spec in signature.outputs),
        )
        for signature in signatures
    )


def _real(spec: TensorSpec) -> TensorSpec:
    if spec.quantization is not None and spec.dtype in _INTEGERS:
        return dataclasses.replace(spec, dtype="float32", quantization=None)
    return dataclasses.replace(spec, quantization=None)


def _check_names(kind: str, given: Iterable[str], known: Sequence[str], signature: Signature) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            raise ConfigError(
                f"[{kind}.{name}]: the model has no {kind} called {name!r}",
                why=f"{kind}s of signature {signature.name!r}: " + ", ".join(known),
                hint=f"did you mean {near[0]!r}?" if near else "edge inspect MODEL shows the names",
            )


def _check_detections(detections: Detections, signature: Signature) -> None:
    known = [spec.name for spec in signature.outputs]
    for name in detections.outputs():
        if name not in known:
            raise ConfigError(
                f"[detections]: the model has no output called {name!r}",
                why=f"outputs of signature {signature.name!r}: " + ", ".join(known),
            )
    if "detections" in known and "detections" not in detections.outputs():
        raise ConfigError(
            "[detections]: the model has an output of that name, and no box is made of it",
            hint="rename the output, or leave [detections] out",
        )
    shape = signature.output(detections.boxes).shape
    width = 4 + 2 * detections.keypoints
    if shape and shape[-1] is not None and shape[-1] != width:
        raise ConfigError(
            f"[detections]: output {detections.boxes!r} has {shape[-1]} numbers a box, not {width}",
            why=f"four numbers and {detections.keypoints} keypoints of two",
            hint="set detections.keypoints",
        )
    anchors = sum(grid.rows * grid.columns * len(grid.sizes) for grid in detections.anchors)
    if anchors and shape and len(shape) > 1 and shape[-2] not in (None, anchors):
        raise ConfigError(
            f"[detections]: {anchors} anchors for {shape[-2]} boxes",
            why="each box belongs to an anchor: rows x columns x sizes of every grid",
        )


def _check_picture(spec: TensorSpec, image: ImagePreprocess) -> None:
    channels = 1 if image.color == "gray" else 3
    sizes = (
        (image.height, image.width, channels)
        if image.layout == "nhwc"
        else (channels, image.height, image.width)
    )
    if not spec.dtype.startswith("float"):
        raise ConfigError(
            f"[input.{spec.name}]: a picture becomes float32, and this input is {spec.dtype}",
            hint="leave the image entry out and give tensors",
        )
    if spec.shape is None:
        return
    if len(spec.shape) != 4 or any(
        want is not None and want != have for want, have in zip(spec.shape[1:], sizes, strict=False)
    ):
        raise ConfigError(
            f"[input.{spec.name}]: the picture does not fit the input",
            why=f"the model takes {spec}, the picture is float32[1,{','.join(map(str, sizes))}]",
            hint="change height, width, color or layout",
        )


def _check_labels(count: int, signature: Signature, outputs: Mapping[str, Postprocess]) -> None:
    named = [spec for spec in signature.outputs if (entry := outputs.get(spec.name)) and entry.top_k]
    sizes = {spec.shape[-1] for spec in named or signature.outputs if spec.shape}
    if sizes and None not in sizes and count not in sizes:
        raise ConfigError(
            f"there are {count} labels, and no output with as many classes",
            why="outputs: " + ", ".join(f"{spec.name} {spec}" for spec in signature.outputs),
        )

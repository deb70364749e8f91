"""Decides which inputs become Core ML images, and with what scale and bias.

Core ML hands the program `pixel * scale + bias`, with one scale for all channels and a bias for each, and the
contract says `(pixel * scale - mean) / std`. The two are the same where `std` is one number. Everything else
stays a multi-array, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_sdk.contract.spec import Contract, ImagePreprocess, Signature, TensorSpec
from edge_sdk.convert.coreml.shapes import Shapes

_COLORS = {"rgb": "RGB", "bgr": "BGR", "gray": "GRAY"}


@dataclass(frozen=True)
class Image:
    """How Core ML fills an input from a picture.

    Attributes:
        color: "RGB", "BGR" or "GRAY": the order of the channels that the program sees.
        scale: Factor for all channels.
        bias: Added after it, one a channel, in the order of `color`.
        channels_first: Layout of the source's own input.
    """

    color: str
    scale: float
    bias: tuple[float, ...]
    channels_first: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what a bundle keeps of it."""
        return {"scale": self.scale, "bias": list(self.bias), "color": self.color}


def choose_images(
    signature: Signature, contract: Contract | None, shapes: dict[str, Shapes]
) -> tuple[dict[str, Image], list[str]]:
    """Return the inputs that become images, and a sentence for each that cannot.

    Args:
        signature: To convert; the contract speaks about the default one only.
        contract: With the preprocessing, or None.
        shapes: Of the inputs.
    """
    images: dict[str, Image] = {}
    notes: list[str] = []
    if contract is None or signature.name != contract.default_signature:
        return images, notes
    for spec in signature.inputs:
        preprocess = contract.preprocess.get(spec.name)
        if preprocess is None or preprocess.image is None:
            continue
        reason = why_not(spec, preprocess.image, shapes[spec.name])
        if reason is None:
            images[spec.name] = _express(preprocess.image)
        else:
            notes.append(f"input {spec.name!r} is a multi-array, not an image: {reason}")
    return images, notes


def why_not(spec: TensorSpec, image: ImagePreprocess, shapes: Shapes) -> str | None:
    """Return why an input cannot become an image, or None where it can."""
    if len(set(image.std)) > 1:
        return "its std differs from channel to channel, and Core ML has one scale for all"
    if spec.dtype != "float32" and (image.scale, *image.mean, *image.std) != (
        1.0,
        *(0.0 for _ in image.mean),
        *(1.0 for _ in image.std),
    ):
        return f"its scaled pixels would have to be rounded to {spec.dtype}"
    channels = 1 if image.color == "gray" else 3
    for shape in shapes.all:
        if len(shape) != 4:
            return f"an image has 4 dimensions, not {len(shape)}"
        height, width, depth = (
            (shape[1], shape[2], shape[3]) if image.layout == "nhwc" else (shape[2], shape[3], shape[1])
        )
        if shape[0] != 1:
            return f"an image is a batch of 1, not {shape[0]}"
        if depth != channels:
            return f"the preprocessing gives {channels} channels, the model takes {depth}"
        if shape == shapes.default and (height, width) != (image.height, image.width):
            return (
                f"the preprocessing gives {image.height} x {image.width} pixels, "
                f"the model takes {height} x {width}"
            )
    return None


def _express(image: ImagePreprocess) -> Image:
    std = image.std[0]
    channels = 1 if image.color == "gray" else 3
    means = image.mean if len(image.mean) == channels else image.mean * channels
    return Image(
        color=_COLORS[image.color],
        scale=image.scale / std,
        bias=tuple(-mean / std if mean else 0.0 for mean in means),
        channels_first=image.layout == "nchw",
    )

"""Models and cases that are hard for the core of a project, whatever its language."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.boxes import boxes_in_picture
from edge_sdk.contract.spec import (
    AnchorGrid,
    Contract,
    Detections,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Quantization,
    Signature,
    TensorSpec,
)
from edge_sdk.scaffold.golden import golden_json
from edge_sdk.scaffold.selection import mobile_spec
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor, default_options
from tests.scaffold.bundles import make_bundle, variant
from tests.scaffold.parity import parity_vectors
from tests.scaffold.tiny import spec_of

KINDS = ("preprocess", "quantize", "activation", "top_classes", "detections")
#: One of each kind of tensor: a picture stored as integers, a picture that is integers, a single number,
#: five axes and a name of the worst kind; classes, boxes and plain numbers come out.
PHOTO = ImagePreprocess(height=5, width=4, color="bgr", fit="pad", scale=1 / 127.5, mean=(1.0, 0.9, 0.8))
ICON = ImagePreprocess(height=3, width=3, color="gray", crop_fraction=0.5, orientation="ignore")
ODD = 'x"$y `${1}` \\ */ \u202e😀'
INPUTS = (
    TensorSpec(name="photo", dtype="float32", shape=(None, 5, 4, 3)),
    TensorSpec(name="icon", dtype="int8", shape=(None, 3, 3, 1)),
    TensorSpec(name="when", dtype="int32", shape=()),
    TensorSpec(name=ODD, dtype="float32", shape=(1, 2, 1, 2, 3)),
)
OUTPUTS = (
    TensorSpec(name="boxes", dtype="float32", shape=(None, 6, 6)),
    TensorSpec(name="scores", dtype="float32", shape=(None, 6, 2)),
    TensorSpec(name="class", dtype="float32", shape=(None, 3)),
    TensorSpec(name="Class", dtype="int64", shape=(None, 2)),
)
CONTRACT = Contract(
    signatures=(Signature(name="serving_default", inputs=INPUTS, outputs=OUTPUTS),),
    default_signature="serving_default",
    preprocess={"photo": Preprocess(image=PHOTO), "icon": Preprocess(image=ICON)},
    postprocess={"class": Postprocess(activation="softmax", top_k=2, threshold=1e-9)},
    labels=tuple(f'"{place}" $x ü' for place in range(450)),
    detections=Detections(
        boxes="boxes",
        scores="scores",
        form="cxcywh",
        box_scale=(4.0, 5.0, 4.0, 5.0),
        anchors=(AnchorGrid(rows=1, columns=3, sizes=((0.1, 1 / 3), (1.0, 1.0))),),
        exponential=True,
        keypoints=1,
        activation="sigmoid",
        background=0,
        threshold=0.1,
        suppression="weighted",
        overlap=0.3,
        limit=4,
    ),
)


def rich_model(folder: Path) -> tuple[MobileSpec, bytes]:
    """Return the facts and golden vectors of a model that implements `CONTRACT`, from a bundle."""
    quantized = Quantization(scales=(0.0078125,), zero_points=(-1,))
    stored = replace(
        CONTRACT.signature,
        inputs=(replace(INPUTS[0], dtype="int8", quantization=quantized), *INPUTS[1:]),
        outputs=(
            *OUTPUTS[:2],
            replace(OUTPUTS[2], dtype="int8", quantization=replace(quantized, zero_points=(3,))),
            OUTPUTS[3],
        ),
    )
    path = make_bundle(folder, variant("int8", stored), contract=CONTRACT)
    with Bundle.open(path) as bundle:
        facts = mobile_spec(bundle, default_options(bundle, platform="android"))
        return facts, golden_json(bundle, facts)


def check_parity(output: str) -> None:
    """Check what a core said of four files with 150 random steps of each kind."""
    assert output.count("750 steps, 0 failures") == 4
    # Integers are the same here, and floats nearly; a step of tolerance is for other processors.
    found = re.findall(r"(\w+): 150 steps, largest difference (\S+)", output)
    worst = {kind: max(float(value) for name, value in found if name == kind) for kind, _ in found}
    assert worst.keys() == set(KINDS)
    assert worst["quantize"] == worst["preprocess"] == 0
    assert max(worst.values()) < 1e-6, worst


def wrong_steps(kind: str) -> tuple[bytes, int]:
    """Return a golden file whose expectations are wrong, all of one kind, and how many there are."""
    document = json.loads(parity_vectors(0, 30))
    steps = [step for step in document["steps"] if step["step"] == kind]
    # One class or box less, or the tensor of another case.
    for step in steps:
        if isinstance(step["expected" if "expected" in step else "stored"], list):
            step["expected"] = step["expected"][:-1] if step["expected"] else [{"index": 0}]
        else:
            key = "expected" if "expected" in step else "restored"
            step[key] = {**step[key], "data": _other(step[key]["data"])}
    return json.dumps({**document, "steps": steps}).encode(), len(steps)


def _other(data: str) -> str:
    raw = bytearray(base64.b64decode(data))
    for index in range(3, len(raw), 4):
        raw[index] ^= 0x40  # of a float32: its exponent
    return base64.b64encode(raw).decode()


#: A box, and the rows and columns of the picture that it belongs into.
PlacedBox = tuple[tuple[float, ...], int, int]


def placed_boxes(random: np.random.Generator) -> list[tuple[PlacedBox, ImagePreprocess]]:
    """Return boxes of models' inputs, and how pictures became these inputs."""
    images = [_rule(random) for _ in range(20)]
    boxes = [
        (tuple(random.uniform(-0.5, 1.5, 4).tolist()), int(r), int(c))
        for r, c in random.integers(1, 900, (20, 2))
    ]
    return list(zip(boxes, images, strict=True))


def check_placed_boxes(lines: Sequence[str], cases: Sequence[tuple[PlacedBox, ImagePreprocess]]) -> None:
    """Check four numbers a line against where Python finds the boxes in their pictures."""
    for line, ((box, rows, columns), image) in zip(lines, cases, strict=True):
        assert [float(word) for word in line.split()] == pytest.approx(
            boxes_in_picture(box, rows, columns, image), abs=1e-12
        )


def _rule(random: np.random.Generator) -> ImagePreprocess:
    height, width = (int(size) for size in random.integers(1, 300, 2))
    fit = ("stretch", "crop", "pad")[int(random.integers(3))]
    return ImagePreprocess(
        height=height, width=width, fit=fit, crop_fraction=float(random.choice([1.0, 0.875, 0.3]))
    )


_PIECES = (
    '"', "$", "${x}", "\\", "\n", "\t", "\0", "\u2028", "\u202e", "é", "😀", "*/", "/*", "//", "`",
    "'", "class", "val", "object", "fun", "in", "is", "null", "1", "9a", " ", "-", ".", ":", "[[", "]]", "[%",
    "%]", "{#", "image", "Image", "StatefulPartitionedCall:0", "serving_default_x", "inputs", "outputs",
    "toString", "_", "__",
)  # fmt: skip


def hostile_name(random: np.random.Generator) -> str:
    """Return a name that could break out of a string, a comment or an identifier."""
    return "".join(_PIECES[int(random.integers(len(_PIECES)))] for _ in range(int(random.integers(1, 5))))


def hostile_spec(random: np.random.Generator, index: int) -> MobileSpec:
    """Return facts of such names and of extreme numbers; lists of labels have 0 to 7,000, by index."""

    def tensors(count: int, *, inputs: bool) -> tuple[MobileTensor, ...]:
        names = list(dict.fromkeys(hostile_name(random) for _ in range(count)))
        return tuple(_tensor(random, name, inputs=inputs) for name in names)

    return replace(
        spec_of(),
        name=hostile_name(random),
        version=hostile_name(random),
        inputs=tensors(int(random.integers(0, 9)), inputs=True),
        outputs=tensors(int(random.integers(0, 9)), inputs=False),
        labels=tuple(hostile_name(random) for _ in range((0, 1, 199, 200, 201, 7000)[index % 6])),
        signature=hostile_name(random),
        model_file=hostile_name(random),
        accelerators=("npu", "gpu", "gpu_cpu", "cpu")[index % 5 :],
        golden_atol=float(random.choice([0.0, 1e-5, 5e-324, 1.7e308])),
    )


def _tensor(random: np.random.Generator, name: str, *, inputs: bool) -> MobileTensor:
    dtype = str(random.choice(["float32", "int8", "uint8", "int32", "int64", "bool"]))
    quantized = bool(random.integers(2))
    channels = (1, 3)[int(random.integers(2))]
    extremes = (0.1, -1e-45, 3.4028234e38, 1 / 3, 16777217.0, 1e-7)
    return MobileTensor(
        name=name,
        dtype="float32" if quantized else dtype,
        shape=tuple(int(size) for size in random.integers(1, 1000, int(random.integers(0, 6)) % 4)),
        stored_name=hostile_name(random),
        stored_dtype="int8" if quantized else dtype,
        quantization=Quantization(
            scales=(float(random.choice(extremes)),), zero_points=(int(random.integers(-(2**31), 2**31)),)
        )
        if quantized
        else None,
        image=ImagePreprocess(
            height=3, width=4, mean=tuple(float(value) for value in random.choice(extremes, channels))
        )
        if inputs and random.integers(2)
        else None,
        postprocess=None
        if inputs or random.integers(2)
        else Postprocess(activation="sigmoid", top_k=None if random.integers(2) else 3, threshold=1e-300),
    )


def utf16(text: str) -> str:
    """Return the UTF-16 units of a text."""
    raw = text.encode("utf-16-be", "surrogatepass")
    return ".".join(f"{raw[place] << 8 | raw[place + 1]:x}" for place in range(0, len(raw), 2))


def float_bits(value: float) -> int:
    """Return the bits of float32(value)."""
    return int(np.float32(value).view(np.uint32))

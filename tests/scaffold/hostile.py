"""Bundles whose names, labels and shapes are the worst that a model may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
from tests.scaffold.bundles import make_bundle, package, variant

#: What ends a literal, a comment, an element or an expression somewhere, hides, or is a word of a language.
PIECES = (
    '"', "'", '"""', "$", "${x}", "\\", "\\(x)", "\\u{41}", "\n", "\r\n", "\t", "\0", "\u2028", "\u202e",
    "\ufeff", "é", "日本", "😀", "*/", "/*", "//", "<!--", "-->", "]]>", "<b>", "&amp;", "%s", "%1$d", "`",
    "class", "val", "object", "fun", "in", "is", "null", "self", "Self", "Type", "init", "func", "protocol",
    "1", "9a", " ", "-", ".", ":", "/", "[[", "]]", "[%", "%]", "[#", "{{", "image", "Image", "labels",
    "StatefulPartitionedCall:0", "serving_default_x", "inputs", "outputs", "Inputs", "ModelSpec", "Tensor",
    "String", "toString", "hashCode", "description", "_", "__", "@string/app_name", "?attr/x", "@objc",
)  # fmt: skip
#: Names of bundles, which hold letters, digits and "._-" alone.
BUNDLE_NAMES = (
    "3d", "class", "swift", "UIKit", "Tensor", "main", "test", "A..b", "0", "_", "com", "ModelSpec", "x" * 90,
    "Con", "App", "Foundation", "edge", "kotlin", "packages", "String", "Any", "self",
)  # fmt: skip
TITLES = (
    "It's \"quoted\" & <b>bold</b>", "$HOME ${x} \\(x) \\n %s %1$d", "日本語 😀 é", "@string/app_name", "?x",
    "]]> --> */ //", "[[ spec.name ]] [% if %]", "a" * 60, "$(PRODUCT_NAME)", "'", '"', "\\", "&amp;",
    ": - # yaml", "{{ github.token }}", "${{ secrets.X }}",
)  # fmt: skip
SHAPES = ((), (1,), (1, 4), (1, 2, 1, 2, 3), (2, 3), (1, 1, 1, 1, 1), (1, 7, 5, 3))
#: dtypes that both platforms take.
DTYPES = ("float32", "int32")


@dataclass(frozen=True)
class Hostile:
    """Everything that somebody may choose.

    Attributes:
        inputs: Names; the first one is a picture, and the second one is stored as integers on Android.
        outputs: Names; boxes are made of the first two, and classes of the third.
        labels: Names of classes.
        shapes: Sizes of the tensors that mean nothing, in their order, again and again.
        signature: Key of the signature.
        name: Of the bundle.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    labels: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...] = SHAPES
    signature: str = "serving_default"
    name: str = "sample"


#: All of it together.
WORST = Hostile(
    inputs=(
        '"pic"$ture ${x} \\(y)', "class", "@x", "3d", "Class", "self", "日本", "*/ // \u202e/*", 'a\n"b`',
    ),
    outputs=(
        "val", '"""', "Type", "%s $in", "\\", "init", "Init", "outputs", "hashCode", "<b>&amp;]]>", "😀",
    ),
    labels=(*PIECES, *TITLES, ""),
    signature='$"sig\n\\(x)*/',
    name="3-class.Model_v2",
)  # fmt: skip


def hostile_bundle(folder: Path, hostile: Hostile) -> Path:
    """Write a bundle for Android and iOS with these names."""
    inputs = [
        TensorSpec(name=hostile.inputs[0], dtype="float32", shape=(1, 8, 6, 3)),
        *_tensors(hostile.inputs[1:], hostile.shapes),
    ]
    boxes, scores, classes, *rest = hostile.outputs
    outputs = [
        TensorSpec(name=boxes, dtype="float32", shape=(1, 4, 6)),
        TensorSpec(name=scores, dtype="float32", shape=(1, 4, 2)),
        TensorSpec(name=classes, dtype="float32", shape=(1, max(len(hostile.labels), 1))),
        *_tensors(rest, hostile.shapes),
    ]
    signature = Signature(name=hostile.signature, inputs=tuple(inputs), outputs=tuple(outputs))
    contract = Contract(
        signatures=(signature,),
        default_signature=hostile.signature,
        preprocess={
            hostile.inputs[0]: Preprocess(
                image=ImagePreprocess(
                    height=8, width=6, fit="pad", mean=(1.0, 2.0, 3.0), std=(1e-3, 1 / 3, 7.0)
                )
            )
        },
        postprocess={classes: Postprocess(activation="softmax", top_k=3, threshold=1e-9)},
        labels=hostile.labels,
        detections=Detections(
            boxes=boxes,
            scores=scores,
            form="cxcywh",
            anchors=(AnchorGrid(rows=2, columns=2, sizes=((0.1, 1 / 3),)),),
            keypoints=1,
            activation="sigmoid",
        ),
    )
    names = {spec.name: f"{spec.name} {place}" for place, spec in enumerate((*inputs, *outputs))}
    scale = Quantization(scales=(0.0078125,), zero_points=(-1,))
    stored = [
        replace(spec, dtype="int8", quantization=scale) if place < 2 and spec.dtype == "float32" else spec
        for place, spec in enumerate(inputs)
    ]
    return make_bundle(
        folder,
        variant("int8", replace(signature, inputs=tuple(stored))),
        replace(package(input_names=names, output_names=names), signatures=(signature,)),
        contract=contract,
        name=hostile.name,
    )


def _tensors(names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> list[TensorSpec]:
    return [
        TensorSpec(name=name, dtype=DTYPES[place % 2], shape=shapes[place % len(shapes)])
        for place, name in enumerate(names)
    ]

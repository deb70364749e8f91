"""Projects for iOS of every kind of model, each with the tiny Core ML package of tests.bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.manifest import CoreMLImage
from edge_sdk.contract.spec import (
    AnchorGrid,
    Contract,
    Detections,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Signature,
    TensorSpec,
)
from edge_sdk.scaffold.golden import golden_json
from edge_sdk.scaffold.render import Content, RenderedProject, labels_text, render_platform, spec_json
from edge_sdk.scaffold.selection import mobile_spec, model_content
from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions, default_options
from tests.scaffold.bundles import make_bundle, package

IMAGE = TensorSpec(name="image", dtype="float32", shape=(None, 8, 6, 3))
SCORES = TensorSpec(name="scores", dtype="float32", shape=(None, 3))
LABELS = ("cat", 'do"g', "\\(name) \u202e")
PHOTO = ImagePreprocess(height=8, width=6, fit="crop", scale=1 / 255)
PIXELS = CoreMLImage(scale=1 / 255)
BOXES = Detections(
    boxes="boxes",
    scores="scores",
    form="cxcywh",
    anchors=(AnchorGrid(rows=1, columns=2, sizes=((0.5, 0.5),)),),
    threshold=0.3,
)


@dataclass(frozen=True)
class Kind:
    """One kind of project.

    Attributes:
        contract: Of the model.
        flags: What the template has to be told.
        images: Inputs that the package takes as images.
        name: Of the bundle.
        title: Of the app; None for the one that a user gets who names none.
        minimum_ios: Of the package.
        class_label: Output with the best label, of a classifier.
    """

    contract: Contract
    flags: frozenset[str]
    images: Mapping[str, CoreMLImage]
    name: str
    title: str | None = None
    minimum_ios: str = "iOS16"
    class_label: str | None = None


def _contract(
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    *,
    image: ImagePreprocess | None = None,
    scores: str = "",
    boxes: Detections | None = None,
) -> Contract:
    return Contract(
        signatures=(Signature(name="serving_default", inputs=inputs, outputs=outputs),),
        default_signature="serving_default",
        preprocess={inputs[0].name: Preprocess(image=image)} if image else {},
        postprocess={scores: Postprocess(activation="softmax", top_k=2, threshold=0.1)} if scores else {},
        labels=LABELS if scores or boxes else (),
        detections=boxes,
    )


KINDS: Mapping[str, Kind] = {
    "classifier": Kind(
        contract=_contract((IMAGE,), (SCORES,), image=PHOTO, scores="scores"),
        flags=frozenset(("picture", "camera", "vision")),
        images={"image": PIXELS},
        name="digits",
        title='Digits "$(HOME)" \\ /* é 😀',
        class_label="classLabel",
    ),
    "array": Kind(
        contract=_contract((IMAGE,), (SCORES,), image=replace(PHOTO, std=(1.0, 2.0, 3.0)), scores="scores"),
        flags=frozenset(("picture", "camera")),
        images={},
        name="Vision",
        minimum_ios="iOS18",
    ),
    "boxes": Kind(
        contract=_contract(
            (IMAGE,),
            (
                TensorSpec(name="boxes", dtype="float32", shape=(None, 2, 4)),
                TensorSpec(name="scores", dtype="float32", shape=(None, 2, 3)),
            ),
            image=PHOTO,
            boxes=BOXES,
        ),
        flags=frozenset(("picture", "camera", "vision", "boxes")),
        images={"image": PIXELS},
        name="faces-tests",
    ),
    "exact size": Kind(
        contract=_contract(
            (replace(IMAGE, shape=(None, 8, 6, 1)),),
            (SCORES,),
            image=replace(PHOTO, color="gray", resize="none"),
        ),
        flags=frozenset(("picture",)),
        images={},
        name="9lives",
        minimum_ios="iOS15",
    ),
    "plain": Kind(
        contract=_contract(
            (TensorSpec(name="samples", dtype="float32", shape=(None, 4, 1)),),
            (
                TensorSpec(name="onset", dtype="float32", shape=(None, 2, 2)),
                TensorSpec(name="class", dtype="int64", shape=()),
            ),
        ),
        flags=frozenset(),
        images={},
        name="packages",
        title="Töne",
    ),
    "two inputs": Kind(
        contract=_contract(
            (IMAGE, TensorSpec(name="when", dtype="int32", shape=(None,))),
            (SCORES,),
            image=PHOTO,
            scores="scores",
        ),
        flags=frozenset(),
        images={"image": PIXELS},
        name="two-inputs",
    ),
}


def facts_of(folder: Path, kind: Kind) -> tuple[MobileSpec, ScaffoldOptions, Content]:
    """Return what a project of one kind is rendered from; the bundle is written to a folder."""
    signature = kind.contract.signature
    # Core ML has no 64-bit integers.
    stored = tuple(
        replace(item, dtype="int32" if item.dtype == "int64" else item.dtype) for item in signature.outputs
    )
    variant = package(
        deployment_target=kind.minimum_ios,
        images=dict(kind.images),
        class_label=kind.class_label,
        class_probabilities="probabilities" if kind.class_label else None,
    )
    variant = replace(variant, signatures=(replace(signature, outputs=stored),))
    with Bundle.open(make_bundle(folder, variant, contract=kind.contract, name=kind.name)) as bundle:
        options = default_options(bundle, platform="ios")
        if kind.title:
            options = replace(options, title=kind.title)
        spec = mobile_spec(bundle, options)
        content = Content(
            model=model_content(bundle, spec),
            golden=golden_json(bundle, spec),
            spec=spec_json(spec),
            labels=labels_text(spec.labels),
        )
    return spec, options, content


def render_kind(folder: Path, kind: Kind) -> RenderedProject:
    """Render the project of one kind; the bundle is written to a folder."""
    return render_platform(*facts_of(folder, kind))

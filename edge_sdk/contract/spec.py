"""The values of a contract: tensors, signatures, processing as data. No computation here.

A contract speaks about the *source* model's tensors (usually float). A variant may hold other
dtypes (int8 I/O); the runner converts between the two, so a caller sees one contract whatever
variant was picked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError

#: dtype names, NumPy's spelling; the ones a TFLite tensor can have and a contract may use.
DTYPES = (
    "float32", "float16", "float64", "bfloat16", "int4", "int8", "uint8", "int16", "uint16", "int32",
    "uint32", "int64", "uint64", "bool", "string", "complex64",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Quantization(Document):
    """Affine quantization: real = scale * (stored - zero_point).

    Attributes:
        scales: One scale, or one per slice along `axis`.
        zero_points: As many as scales.
        axis: Axis of per-channel quantization; 0 where there is one scale.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, kw_only=True)
class TensorSpec(Document):
    """One named input or output.

    Attributes:
        name: Name in the signature.
        dtype: One of `DTYPES`.
        shape: Sizes; None where the size is free. An unknown rank is `None` as a whole.
        quantization: For tensors stored as integers that stand for real numbers.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    quantization: Quantization | None = None

    def __str__(self) -> str:
        sizes = "?" if self.shape is None else ",".join("?" if s is None else str(s) for s in self.shape)
        return f"{self.dtype}[{sizes}]"


@dataclass(frozen=True, kw_only=True)
class Signature(Document):
    """A callable of a model: named inputs and named outputs."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def input(self, name: str) -> TensorSpec:
        """Return the input called `name`; KeyError where there is none."""
        return {spec.name: spec for spec in self.inputs}[name]

    def output(self, name: str) -> TensorSpec:
        """Return the output called `name`; KeyError where there is none."""
        return {spec.name: spec for spec in self.outputs}[name]


COLORS = ("rgb", "bgr", "gray")
RESIZES = ("bilinear", "bilinear_antialias", "nearest", "none")
FITS = ("stretch", "crop", "pad")
ORIENTATIONS = ("exif", "ignore")
LAYOUTS = ("nhwc", "nchw")
ACTIVATIONS = ("none", "softmax", "sigmoid")
#: Order of a box's four numbers: corners, a corner and the size, or the centre and the size.
BOX_FORMS = ("yxyx", "xyxy", "xywh", "cxcywh", "cycxhw")
CENTRED_FORMS = ("cxcywh", "cycxhw")
SUPPRESSIONS = ("hard", "weighted", "none")


@dataclass(frozen=True, kw_only=True)
class ImagePreprocess(Document):
    """How a picture becomes a tensor, as data. The steps run in the order of the fields.

    value = (pixel * scale - mean) / std, pixel in 0..255, mean and std one value or one per channel.

    Attributes:
        orientation: "exif" turns the picture as its EXIF tag says; "ignore" leaves it.
        color: Channel order of the tensor; "gray" is ITU-R 601 luma (what Pillow's "L" computes).
        crop_fraction: Central crop of the source before resizing (0.875 is common for ImageNet).
        height: Rows of the tensor, in pixels.
        width: Columns of the tensor, in pixels.
        fit: "stretch" ignores the aspect ratio; "crop" fills and cuts the overhang evenly;
            "pad" fits inside and fills the rest with `pad_value`.
        resize: "bilinear" is half-pixel-centre bilinear without antialias = `tf.image.resize`;
            "bilinear_antialias" is the same with `antialias=True`; "nearest" is half-pixel-centre
            nearest; "none" demands a picture of the right size.
        pad_value: Pixel value (0..255) of the padding.
        scale: Factor applied first.
        mean: Subtracted after scaling.
        std: Divided by last.
        layout: Order of the tensor's axes, batch first.
    """

    height: int
    width: int
    orientation: str = "exif"
    color: str = "rgb"
    crop_fraction: float = 1.0
    fit: str = "stretch"
    resize: str = "bilinear"
    pad_value: float = 0.0
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: str = "nhwc"

    def __post_init__(self) -> None:
        _one_of("color", self.color, COLORS)
        _one_of("resize", self.resize, RESIZES)
        _one_of("fit", self.fit, FITS)
        _one_of("orientation", self.orientation, ORIENTATIONS)
        _one_of("layout", self.layout, LAYOUTS)
        channels = 1 if self.color == "gray" else 3
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise ConfigError(
                    f"image.{name} has {len(values)} values", why=f"{self.color} needs 1 or {channels}"
                )
        if any(value == 0 for value in self.std):
            raise ConfigError("image.std holds a zero", why="every value is divided by it")
        if not 0 < self.crop_fraction <= 1:
            raise ConfigError(
                f"image.crop_fraction is {self.crop_fraction}", why="it must be above 0 and at most 1"
            )
        if self.height < 1 or self.width < 1:
            raise ConfigError(f"image size {self.height}x{self.width} is not positive")


@dataclass(frozen=True, kw_only=True)
class Preprocess(Document):
    """What one input expects from the outside world.

    Attributes:
        image: Set where the input is a picture; None where the caller gives the tensor itself.
    """

    image: ImagePreprocess | None = None


@dataclass(frozen=True, kw_only=True)
class Postprocess(Document):
    """What one output means.

    Attributes:
        activation: Applied to the raw output over its last axis: "none", "softmax" or "sigmoid".
        top_k: How many classes to name, best first; None leaves the output a tensor.
        threshold: Classes below this value are left out.
    """

    activation: str = "none"
    top_k: int | None = None
    threshold: float = 0.0

    def __post_init__(self) -> None:
        _one_of("activation", self.activation, ACTIVATIONS)
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k is {self.top_k}", why="it must be 1 or more")


@dataclass(frozen=True, kw_only=True)
class AnchorGrid(Document):
    """Anchors of one feature map: cell by cell, row by row, one anchor for each size, in the cell's centre.

    Attributes:
        rows: Of the feature map.
        columns: Of the feature map.
        sizes: (height, width) of each anchor of a cell, as shares of the picture; (1, 1) where the model
            predicts sizes that refer to the whole picture.
    """

    rows: int
    columns: int
    sizes: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise ConfigError(f"an anchor grid of {self.rows} x {self.columns} has no cell")
        if not self.sizes or any(len(size) != 2 or min(size) <= 0 for size in self.sizes):
            raise ConfigError("sizes of an anchor grid are pairs (height, width) above 0")


@dataclass(frozen=True, kw_only=True)
class Detections(Document):
    """How output tensors become boxes; docs/reference/contract.md has the exact steps.

    Attributes:
        boxes: Output [batch, N, 4 + 2 * keypoints], any axes of size 1 beside: four numbers a box in the
            order of `form`, then x and y (y and x, for a form that begins with y) of each keypoint.
        scores: Output with one score a box, or one a box and class.
        classes: Output with the index of each box's class, beside one score a box; else None.
        count: Output that says how many boxes are meant, for models that suppress by themselves; else None.
        form: One of `BOX_FORMS`; with anchors one of `CENTRED_FORMS`.
        box_scale: What each of the four numbers is divided by, in the order of `form`; the size of the
            picture for a model that answers in pixels. Keypoints are divided like the first two.
        anchors: In the order of the boxes; empty for a model that answers with boxes of its own.
        exponential: Sizes are exp(number) times the anchor's, instead of number times the anchor's.
        keypoints: Points that follow each box.
        activation: Of the scores, one of `ACTIVATIONS`.
        background: Index of the class that means "nothing", or None.
        threshold: Boxes with a lower score are left out.
        suppression: One of `SUPPRESSIONS`; "weighted" averages what it suppresses, as MediaPipe does.
        overlap: Boxes of one class with a larger intersection over union are one thing.
        limit: How many boxes at most, best first.
    """

    boxes: str
    scores: str
    classes: str | None = None
    count: str | None = None
    form: str = "yxyx"
    box_scale: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    anchors: tuple[AnchorGrid, ...] = ()
    exponential: bool = False
    keypoints: int = 0
    activation: str = "none"
    background: int | None = None
    threshold: float = 0.5
    suppression: str = "hard"
    overlap: float = 0.5
    limit: int = 100

    def __post_init__(self) -> None:
        _one_of("detections.form", self.form, BOX_FORMS)
        _one_of("detections.activation", self.activation, ACTIVATIONS)
        _one_of("detections.suppression", self.suppression, SUPPRESSIONS)
        if self.anchors and self.form not in CENTRED_FORMS:
            raise ConfigError(
                f"detections.form is {self.form!r}",
                why="with anchors a box is its centre and its size: " + ", ".join(CENTRED_FORMS),
            )
        if self.exponential and not self.anchors:
            raise ConfigError(
                "detections.exponential needs anchors", why="sizes are multiples of an anchor's"
            )
        if len(self.box_scale) != 4 or min(self.box_scale) <= 0:
            raise ConfigError("detections.box_scale holds four numbers above 0")
        if self.keypoints < 0 or self.limit < 1:
            raise ConfigError(f"detections: keypoints {self.keypoints}, limit {self.limit}")
        if not 0 <= self.overlap < 1:
            raise ConfigError(f"detections.overlap is {self.overlap}", why="it must be 0 or more and below 1")

    def outputs(self) -> tuple[str, ...]:
        """Return the names of the outputs that are read."""
        return tuple(name for name in (self.boxes, self.scores, self.classes, self.count) if name is not None)


@dataclass(frozen=True, kw_only=True)
class Contract(Document):
    """What a model promises to its callers.

    Attributes:
        signatures: All callables of the source model.
        default_signature: The one that `predict` calls.
        preprocess: By input name of the default signature; an input that is not named is a tensor.
        postprocess: By output name of the default signature.
        labels: Class names by index, for outputs with `top_k` and for detections.
        detections: How outputs of the default signature become boxes; None where they do not.
    """

    signatures: tuple[Signature, ...]
    default_signature: str
    preprocess: Mapping[str, Preprocess] = field(default_factory=dict)
    postprocess: Mapping[str, Postprocess] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    detections: Detections | None = None

    @property
    def signature(self) -> Signature:
        """The default signature."""
        return self.signature_named(self.default_signature)

    def signature_named(self, name: str) -> Signature:
        """Return a signature by name.

        Raises:
            ConfigError: There is none of that name.
        """
        for signature in self.signatures:
            if signature.name == name:
                return signature
        raise ConfigError(
            f"no signature called {name!r}", why="signatures: " + ", ".join(s.name for s in self.signatures)
        )


def _one_of(field_name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{field_name} is {value!r}", why="allowed: " + ", ".join(allowed))

"""What a project for a phone knows of its model: one object, rendered to Kotlin, Swift and JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.manifest import COREML, CoreMLImage
from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import (
    Contract,
    Detections,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Quantization,
    Signature,
    TensorSpec,
)
from edge_sdk.errors import ConfigError

LITERT, LITERT1, PLAY = "litert", "litert1", "play"
#: Runtimes by platform; the first one is the default.
RUNTIMES: Mapping[str, tuple[str, ...]] = {"android": (LITERT, LITERT1, PLAY), "ios": (COREML,)}
#: Rungs of LiteRT's ladder: each one alone first, so that a silent fallback is never taken for speed.
_LADDER = ("npu", "gpu", "gpu_cpu", "cpu")
#: Rungs by runtime; the GPU delegate of LiteRT 1 always leaves to the CPU what it cannot do.
ANDROID_ACCELERATORS: Mapping[str, tuple[str, ...]] = {
    LITERT: _LADDER,
    PLAY: _LADDER,
    LITERT1: ("gpu_cpu", "cpu"),
}
COMPUTE_UNITS = ("all", "cpu_and_gpu", "cpu_only")
#: dtypes of inputs and outputs that a runtime's API has arrays for. CompiledModel's TensorBuffer reads and
#: writes FloatArray, IntArray, ByteArray (int8), LongArray and BooleanArray alone.
_COMPILED_MODEL = ("float32", "int8", "int32", "int64", "bool")
STORED_DTYPES: Mapping[str, tuple[str, ...]] = {
    LITERT: _COMPILED_MODEL,
    PLAY: _COMPILED_MODEL,
    LITERT1: (*_COMPILED_MODEL, "uint8"),
    COREML: ("float32", "float16", "int32"),
}
_APPLICATION_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_MAX_TITLE = 60


@dataclass(frozen=True, kw_only=True)
class ScaffoldOptions(Document):
    """What the user chose.

    Attributes:
        platform: "android" or "ios".
        runtime: One of `RUNTIMES` of the platform.
        application_id: Reverse domain name, "com.example.digits"; the bundle identifier on iOS.
        title: Name of the app for people.
        variant: Id of the variant, or None for the best one that the runtime can take.
        target: Target of the bundle, or None for its first one of the platform.
    """

    platform: str
    runtime: str
    application_id: str
    title: str
    variant: str | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        if self.platform not in RUNTIMES:
            raise ConfigError(f"platform is {self.platform!r}", why="allowed: " + ", ".join(RUNTIMES))
        if self.runtime not in RUNTIMES[self.platform]:
            raise ConfigError(
                f"runtime is {self.runtime!r}",
                why=f"on {self.platform}: " + ", ".join(RUNTIMES[self.platform]),
            )
        words = set(self.application_id.split("."))
        if not _APPLICATION_ID.fullmatch(self.application_id) or len(self.application_id) > 100:
            raise ConfigError(
                f"application id {self.application_id!r:.120} cannot be used",
                why="it is words of a-z, 0-9 and _ that begin with a letter, two or more, joined by dots",
                hint="--application-id com.example.myapp",
            )
        if words & _JAVA_WORDS:
            raise ConfigError(
                f"application id {self.application_id!r} has the word {min(words & _JAVA_WORDS)!r}",
                why="Java and Kotlin keep it for themselves",
                hint="--application-id with another word",
            )
        if not self.title.strip() or len(self.title) > _MAX_TITLE or not self.title.isprintable():
            raise ConfigError(f"title is {self.title!r:.80}", why=f"1 to {_MAX_TITLE} printable characters")


@dataclass(frozen=True, kw_only=True)
class MobileTensor(Document):
    """An input or output as the app sees it, and as the file stores it.

    Attributes:
        name: The contract's name.
        dtype: The contract's dtype: what the app gives or gets; float32 where the file stores integers
            that stand for real numbers.
        shape: Sizes, all fixed; () for a single number.
        stored_name: Name in the file.
        stored_dtype: dtype in the file.
        quantization: stored = round(real / scale) + zero point; None where numbers stand for themselves.
        image: How a picture becomes this input.
        coreml_image: Set where a Core ML package takes the input as an image.
        postprocess: What this output means.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    stored_name: str
    stored_dtype: str
    quantization: Quantization | None = None
    image: ImagePreprocess | None = None
    coreml_image: CoreMLImage | None = None
    postprocess: Postprocess | None = None


@dataclass(frozen=True, kw_only=True)
class MobileSpec(Document):
    """The facts of one model in one project.

    Attributes:
        name: Of the bundle.
        version: Of the bundle, for people.
        platform: "android" or "ios".
        target: Of the bundle.
        variant: Id.
        recipe: That made it.
        format: "tflite" or "mlpackage".
        model_file: Name in the project: "digits.tflite", "Digits.mlpackage".
        model_sha256: Of what the project holds; of a folder, its `folder_digest`.
        model_size: Bytes.
        bundle_sha256: Digest of the bundle's manifest.
        signature: Key of the signature in a .tflite ("" where it has none), or the Core ML function.
        inputs: In the contract's order.
        outputs: In the contract's order.
        labels: Class names by index.
        detections: How outputs become boxes.
        golden_atol: Absolute tolerance of an output value.
        golden_rtol: Relative tolerance of an output value.
        operators: Highest version of each builtin operator; empty for Core ML.
        custom_ops: Custom operators.
        flex_ops: TensorFlow operators that need the Flex delegate.
        accelerators: In the order in which the app tries them.
        deployment_target: Oldest iOS, "16.0"; None on Android.
        class_label: Core ML output that is the best class's label, for a classifier.
        class_probabilities: Core ML output that is a dictionary {label: score}, for a classifier.
    """

    name: str
    version: str
    platform: str
    target: str
    variant: str
    recipe: str
    format: str
    model_file: str
    model_sha256: str
    model_size: int
    bundle_sha256: str
    signature: str
    inputs: tuple[MobileTensor, ...]
    outputs: tuple[MobileTensor, ...]
    labels: tuple[str, ...] = ()
    detections: Detections | None = None
    golden_atol: float = 0.0
    golden_rtol: float = 0.0
    operators: Mapping[str, int] = field(default_factory=dict)
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()
    accelerators: tuple[str, ...] = ()
    deployment_target: str | None = None
    class_label: str | None = None
    class_probabilities: str | None = None

    def contract(self) -> Contract:
        """Return the contract that these facts came from, with fixed shapes; the board side reads it, too."""

        def specs(tensors: tuple[MobileTensor, ...]) -> tuple[TensorSpec, ...]:
            return tuple(TensorSpec(name=item.name, dtype=item.dtype, shape=item.shape) for item in tensors)

        name = self.signature or "serving_default"
        return Contract(
            signatures=(Signature(name=name, inputs=specs(self.inputs), outputs=specs(self.outputs)),),
            default_signature=name,
            preprocess={item.name: Preprocess(image=item.image) for item in self.inputs if item.image},
            postprocess={item.name: item.postprocess for item in self.outputs if item.postprocess},
            labels=self.labels,
            detections=self.detections,
        )

    def input(self, name: str) -> MobileTensor:
        """Return the input called `name`; KeyError where there is none."""
        return {item.name: item for item in self.inputs}[name]

    def output(self, name: str) -> MobileTensor:
        """Return the output called `name`; KeyError where there is none."""
        return {item.name: item for item in self.outputs}[name]


_JAVA_WORDS = frozenset(
    """
    abstract as assert boolean break byte case catch char class const continue default do double else
    enum extends false final finally float for fun goto if implements import in instanceof int interface
    is long native new null object package private protected public return short static strictfp super
    switch synchronized this throw throws transient true try typealias typeof val var void volatile when
    while
    """.split()  # noqa: SIM905
)


def default_options(bundle: Bundle, *, platform: str, runtime: str | None = None) -> ScaffoldOptions:
    """Return the choices of a user who made none: names after the bundle.

    Raises:
        ConfigError: An unknown platform or runtime.
    """
    if platform not in RUNTIMES:
        raise ConfigError(f"platform is {platform!r}", why="allowed: " + ", ".join(RUNTIMES))
    words = [word for word in re.split(r"[^A-Za-z0-9]+", bundle.manifest.name) if word]
    title = " ".join(word[:1].upper() + word[1:] for word in words)[:_MAX_TITLE] or "Model"
    last = re.sub(r"[^a-z0-9]", "", bundle.manifest.name.lower())[:40]
    if not last or not last[0].isalpha() or last in _JAVA_WORDS:
        last = f"model{last}"
    return ScaffoldOptions(
        platform=platform,
        runtime=runtime or RUNTIMES[platform][0],
        application_id=f"com.example.{last}",
        title=title,
    )


__all__ = [
    "ANDROID_ACCELERATORS",
    "COMPUTE_UNITS",
    "RUNTIMES",
    "MobileSpec",
    "MobileTensor",
    "ScaffoldOptions",
    "default_options",
]

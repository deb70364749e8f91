"""What a project for a phone knows of its model: one object, rendered to Kotlin, Swift and JSON.

`mobile_spec` picks a variant of a bundle and checks that the project's runtime can take it. Everything that
a phone would only find out at run time is refused here, with the way out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import COREML, CoreMLFacts, CoreMLImage, TargetPlan, Variant
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
from edge_sdk.errors import ConfigError, IncompatibleTargetError
from edge_sdk.scaffold.fixed_shapes import with_fixed_shapes
from edge_sdk.scaffold.identifiers import asset_name, type_name

LITERT, LITERT1, PLAY = "litert", "litert1", "play"
#: Runtimes by platform; the first one is the default.
RUNTIMES: Mapping[str, tuple[str, ...]] = {"android": (LITERT, LITERT1, PLAY), "ios": (COREML,)}
#: Rungs of LiteRT's ladder: each one alone first, so that a silent fallback is never taken for speed.
ANDROID_ACCELERATORS = ("npu", "gpu", "gpu_cpu", "cpu")
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
#: Custom operators that TFLite's own resolver registers.
_KNOWN_CUSTOM_OPS = frozenset(("TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "NumericVerify"))
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


def mobile_spec(bundle: Bundle, options: ScaffoldOptions) -> MobileSpec:
    """Return the facts of the variant that a project will hold.

    Args:
        bundle: Open.
        options: Platform, runtime and, where the user named one, the variant and target.

    Raises:
        IncompatibleTargetError: The bundle has no variant for the platform, or the runtime can take none.
        BundleError: There is no target or variant of that name, or the model is damaged.
    """
    target, plan = _plan(bundle, options)
    names = (options.variant,) if options.variant else plan.variants
    refusals: list[tuple[str, IncompatibleTargetError]] = []
    for name in names:
        try:
            return _spec_of(bundle, options, target, bundle.manifest.variant(name))
        except IncompatibleTargetError as failure:
            refusals.append((name, failure))
    first = refusals[0][1]
    if len(refusals) == 1:
        raise first
    raise IncompatibleTargetError(
        f"no variant of {bundle.manifest.name} fits runtime {options.runtime}",
        why="; ".join(f"{name}: {failure.what}" for name, failure in refusals),
        hint=first.hint,
    )


def model_content(bundle: Bundle, spec: MobileSpec) -> dict[str, bytes]:
    """Return the model's files by name below the folder that the project keeps models in.

    A .tflite gets its free batch fixed to what it runs with; a Core ML package comes as it is.

    Raises:
        DigestMismatchError: The content is not what the manifest says.
        BundleError: It cannot be read.
    """
    variant = bundle.manifest.variant(spec.variant)
    if spec.format == "tflite":
        return {spec.model_file: with_fixed_shapes(bundle.read(variant.file))}
    skipped = len(variant.file)
    return {
        spec.model_file + name[skipped:]: bundle.read(name)
        for name in bundle.manifest.model_files(spec.variant)
    }


def _plan(bundle: Bundle, options: ScaffoldOptions) -> tuple[str, TargetPlan]:
    manifest = bundle.manifest
    form = "mlpackage" if options.runtime == COREML else "tflite"
    known = ", ".join(f"{name} ({plan.platform})" for name, plan in manifest.targets.items()) or "none"
    fitting = {
        name: plan
        for name, plan in manifest.targets.items()
        if plan.platform == options.platform and (plan.runtime.name == COREML) == (form == "mlpackage")
    }
    way_out = f"edge build MODEL --target {options.platform}"
    if options.target is not None:
        if options.target not in fitting:
            raise IncompatibleTargetError(
                f"{manifest.name} has no target {options.target!r} that an {options.platform} app can run",
                why=f"targets: {known}",
                hint=way_out,
            )
        fitting = {options.target: fitting[options.target]}
    usable = {name: plan for name, plan in fitting.items() if plan.variants}
    if not usable and not options.variant:
        why = f"targets: {known}"
        if fitting:
            why = f"no variant passed its checks for {', '.join(fitting)}"
        raise IncompatibleTargetError(
            f"{manifest.name} has no variant for {options.platform}", why=why, hint=way_out
        )
    if not fitting:
        raise IncompatibleTargetError(
            f"{manifest.name} was not built for {options.platform}", why=f"targets: {known}", hint=way_out
        )
    name = next(iter(usable or fitting))
    return name, fitting[name]


def _spec_of(bundle: Bundle, options: ScaffoldOptions, target: str, variant: Variant) -> MobileSpec:
    form = "mlpackage" if options.runtime == COREML else "tflite"
    if variant.format != form:
        raise IncompatibleTargetError(
            f"variant {variant.id!r} is {variant.format}, and runtime {options.runtime} runs {form}",
            hint=f"edge inspect {bundle.path.name} lists the variants",
        )
    manifest = bundle.manifest
    contract = manifest.contract
    _refuse_operators(variant, options)
    called = _called(variant, contract)
    facts = variant.coreml
    inputs = tuple(
        _tensor(spec, called.input(spec.name), variant, options, facts, contract, is_input=True)
        for spec in contract.signature.inputs
    )
    outputs = tuple(
        _tensor(spec, called.output(spec.name), variant, options, facts, contract, is_input=False)
        for spec in contract.signature.outputs
    )
    if form == "tflite":
        content = with_fixed_shapes(bundle.read(variant.file))
        digest, size = sha256_of(content), len(content)
        model_file = asset_name(manifest.name) + ".tflite"
        signature, oldest = called.name, None
        ladder: tuple[str, ...] = ANDROID_ACCELERATORS
    else:
        digest, size = manifest.model_sha256(variant.id), manifest.model_size(variant.id)
        model_file = type_name(manifest.name) + ".mlpackage"
        signature, ladder, oldest = _coreml(facts, contract, manifest.targets[target])
    golden = variant.golden
    return MobileSpec(
        name=manifest.name,
        version=manifest.version,
        platform=options.platform,
        target=target,
        variant=variant.id,
        recipe=variant.recipe,
        format=variant.format,
        model_file=model_file,
        model_sha256=digest,
        model_size=size,
        bundle_sha256=sha256_of(manifest.to_bytes()),
        signature=signature,
        inputs=inputs,
        outputs=outputs,
        labels=contract.labels,
        detections=contract.detections,
        golden_atol=golden.atol if golden else 0.0,
        golden_rtol=golden.rtol if golden else 0.0,
        operators=dict(sorted(variant.requirements.op_versions.items())),
        custom_ops=variant.requirements.custom_ops,
        flex_ops=variant.requirements.flex_ops,
        accelerators=ladder,
        deployment_target=oldest,
        class_label=facts.class_label if facts else None,
        class_probabilities=facts.class_probabilities if facts else None,
    )


def _refuse_operators(variant: Variant, options: ScaffoldOptions) -> None:
    needs = variant.requirements
    if needs.flex_ops and options.runtime != LITERT1:
        raise IncompatibleTargetError(
            f"variant {variant.id!r} has TensorFlow operators: " + ", ".join(needs.flex_ops),
            why="LiteRT 2 has no Flex delegate on Android",
            hint="--runtime litert1 brings it (about 30 MB), or build from a model without them",
        )
    unknown = sorted(set(needs.custom_ops) - _KNOWN_CUSTOM_OPS)
    if unknown:
        raise IncompatibleTargetError(
            f"variant {variant.id!r} has custom operators: " + ", ".join(unknown),
            why="no runtime for Android registers them, and a project cannot bring their native code",
            hint="build from a model without them",
        )


def _called(variant: Variant, contract: Contract) -> Signature:
    """Return the file's signature that the contract's default one stands for."""
    wanted = contract.signature
    for signature in variant.signatures:
        if signature.name == wanted.name:
            return signature
    names = {spec.name for spec in (*wanted.inputs, *wanted.outputs)}
    for signature in variant.signatures:
        if names <= {spec.name for spec in (*signature.inputs, *signature.outputs)}:
            return signature
    raise IncompatibleTargetError(
        f"variant {variant.id!r} lacks signature {wanted.name!r}",
        why="it has: " + (", ".join(item.name or "(no name)" for item in variant.signatures) or "none"),
        hint="build the bundle again",
    )


def _tensor(
    promised: TensorSpec,
    stored: TensorSpec,
    variant: Variant,
    options: ScaffoldOptions,
    facts: CoreMLFacts | None,
    contract: Contract,
    *,
    is_input: bool,
) -> MobileTensor:
    side = "input" if is_input else "output"
    title = f"{side} {promised.name!r} of variant {variant.id!r}"
    names = (facts.input_names if is_input else facts.output_names) if facts else {}
    allowed = STORED_DTYPES[options.runtime]
    if stored.dtype not in allowed:
        raise IncompatibleTargetError(
            f"{title} is {stored.dtype}",
            why=f"runtime {options.runtime} passes {', '.join(allowed)}",
            hint=_dtype_way_out(stored.dtype, options),
        )
    quantization = stored.quantization
    if quantization is not None and len(quantization.scales) != 1:
        raise IncompatibleTargetError(
            f"{title} has {len(quantization.scales)} scales", why="inputs and outputs have one scale each"
        )
    rule = contract.preprocess.get(promised.name) if is_input else None
    return MobileTensor(
        name=promised.name,
        dtype=promised.dtype,
        shape=_fixed(stored, title),
        stored_name=names.get(promised.name, promised.name),
        stored_dtype=stored.dtype,
        quantization=quantization if stored.dtype != promised.dtype else None,
        image=rule.image if rule else None,
        coreml_image=facts.images.get(promised.name) if facts and is_input else None,
        postprocess=None if is_input else contract.postprocess.get(promised.name),
    )


def _dtype_way_out(dtype: str, options: ScaffoldOptions) -> str:
    if dtype == "uint8" and options.platform == "android":
        return "--runtime litert1, or build with float32 or int8 inputs and outputs (recipe full_int8)"
    return "build with float32 or int8 inputs and outputs: recipes float32, float16, dynamic_int8, full_int8"


def _fixed(spec: TensorSpec, title: str) -> tuple[int, ...]:
    """Return the sizes; a free batch is 1, any other free size is refused."""
    hint = "export the model with fixed sizes (batch 1), for example tf.keras.Input(shape, batch_size=1)"
    if spec.shape is None:
        raise IncompatibleTargetError(f"{title} has no fixed rank", hint=hint)
    sizes = tuple(1 if place == 0 and size is None else size for place, size in enumerate(spec.shape))
    if any(size is None for size in sizes):
        raise IncompatibleTargetError(
            f"{title} is {spec}: sizes besides the batch are free",
            why="buffers on phones are allocated once, and the API cannot resize them",
            hint=hint,
        )
    return tuple(size for size in sizes if size is not None)


def _coreml(
    facts: CoreMLFacts | None, contract: Contract, plan: TargetPlan
) -> tuple[str, tuple[str, ...], str]:
    if facts is None:
        raise IncompatibleTargetError(
            "the bundle does not tell what its Core ML package needs",
            why="it was built by an older version",
            hint="build it again",
        )
    function = facts.functions.get(contract.default_signature, facts.default_function)
    known = {"all", "cpu_and_ne", "cpu_and_gpu", "cpu_only"}
    ladder = tuple(item.name for item in plan.delegates if item.name in known) or COMPUTE_UNITS
    if ladder[-1] != "cpu_only":
        ladder = (*ladder, "cpu_only")
    return function, ladder, facts.deployment_target.removeprefix("iOS") + ".0"


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
    "mobile_spec",
    "model_content",
]

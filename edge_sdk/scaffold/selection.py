"""Picks the variant of a bundle that a project for a phone will hold.

`mobile_spec` checks that the project's runtime can take it: everything that a phone would only find out at
run time is refused here, with the way out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import COREML, CoreMLFacts, TargetPlan, Variant
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.errors import IncompatibleTargetError
from edge_sdk.scaffold.fixed_shapes import with_fixed_shapes
from edge_sdk.scaffold.identifiers import asset_name, type_name
from edge_sdk.scaffold.spec import (
    ANDROID_ACCELERATORS,
    COMPUTE_UNITS,
    LITERT1,
    STORED_DTYPES,
    MobileSpec,
    MobileTensor,
    ScaffoldOptions,
)

#: Custom operators that TFLite's own resolver registers.
_KNOWN_CUSTOM_OPS = frozenset(("TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "NumericVerify"))


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
    if options.platform == "ios":
        _refuse_same_names(inputs)
        _refuse_same_names(outputs)
    if form == "tflite":
        content = with_fixed_shapes(bundle.read(variant.file))
        digest, size = sha256_of(content), len(content)
        model_file = asset_name(manifest.name) + ".tflite"
        signature, oldest = called.name, None
        ladder: tuple[str, ...] = ANDROID_ACCELERATORS[options.runtime]
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


def _refuse_same_names(tensors: Sequence[MobileTensor]) -> None:
    """Refuse names that Swift takes for one: its strings are equal however their accents are composed."""
    seen: dict[str, str] = {}
    for tensor in tensors:
        composed = unicodedata.normalize("NFC", tensor.name)
        if composed in seen:
            raise IncompatibleTargetError(
                f"two tensors are both named {composed!r} for Swift",
                why=f"{seen[composed]!a} and {tensor.name!a} differ only in how accents are composed",
                hint="rename one of them in the model's signature",
            )
        seen[composed] = tensor.name


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

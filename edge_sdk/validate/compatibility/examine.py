"""Answers, from facts and tables alone, whether a variant can run on a target.

What only a device can tell (which CPU features it has, whether a custom operator's library is there) is
"unknown", never assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_sdk.bundle.manifest import Requirements, Variant
from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.targets import Target
from edge_sdk.validate.compatibility.coreml import examine_package
from edge_sdk.validate.compatibility.document import (
    FAILED,
    PASSED,
    UNKNOWN,
    CompatibilityItem,
    CompatibilityReport,
)
from edge_sdk.validate.compatibility.operators import operator_table
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.wheels.fetch import RUNTIMES, RuntimePackages, parse_version

#: What `TensorBuffer` of LiteRT's CompiledModel reads and writes in Kotlin (litert/kotlin, TensorBuffer.kt:
#: writeFloat, writeInt, writeInt8, writeBoolean, writeLong).
COMPILED_MODEL_DTYPES = ("float32", "int32", "int8", "bool", "int64")
#: CPU architectures for which both runtimes' wheels and AARs exist, and what a core must have.
_CPU_FEATURES = {
    "aarch64": "NEON is part of the architecture",
    "x86_64": "SSE2 is part of the architecture; AVX is used where it is found",
}


def examine_compatibility(variant: Variant | VariantFacts, target: Target) -> CompatibilityReport:
    """Return every question with its answer.

    Args:
        variant: Of a bundle's manifest, or what an evaluation found.
        target: Where it is to run.
    """
    if target.format == "mlpackage":
        return _package(variant, target)
    needs = (
        variant.requirements
        if isinstance(variant, Variant)
        else Requirements(
            op_versions=variant.op_versions, custom_ops=variant.custom_ops, flex_ops=variant.flex_ops
        )
    )
    items = [_operators(needs, target), _flex(needs, target), _custom(needs, target)]
    items += _tensors(variant.signatures, target)
    if target.platform == "linux":
        items += _system(target)
    return CompatibilityReport(items=tuple(items))


def _package(variant: Variant | VariantFacts, target: Target) -> CompatibilityReport:
    if isinstance(variant, VariantFacts):
        return examine_package(variant.minimum_ios, target)
    return examine_package(None if variant.coreml is None else variant.coreml.deployment_target, target)


def _operators(needs: Requirements, target: Target) -> CompatibilityItem:
    found = operator_table(target.runtime)
    if found is None:
        return _item("OPERATOR-VERSIONS", UNKNOWN, f"there is no operator table for {target.runtime.name}")
    version, table = found
    runtime = f"{target.runtime.name} {version}"
    missing = [
        f"{name} version {wanted} (it has {table.get(name) or 'none'})"
        for name, wanted in sorted(needs.op_versions.items())
        if wanted > table.get(name, 0)
    ]
    if missing:
        return _item(
            "OPERATOR-VERSIONS",
            FAILED,
            f"{runtime} lacks {', '.join(missing)}",
            "build for this target with another recipe, or name a newer runtime in the target",
        )
    return _item("OPERATOR-VERSIONS", PASSED, f"{runtime} has all {len(needs.op_versions)} operators")


def _flex(needs: Requirements, target: Target) -> CompatibilityItem:
    if not needs.flex_ops:
        return _item("FLEX", PASSED, "needs no Flex delegate")
    return _item(
        "FLEX",
        FAILED,
        f"needs Flex for {', '.join(needs.flex_ops)}, and {target.runtime.name} has no Flex",
        "replace these operators in the model, or cut the model before them",
    )


def _custom(needs: Requirements, target: Target) -> CompatibilityItem:
    if not needs.custom_ops:
        return _item("CUSTOM-OPERATORS", PASSED, "needs no custom operators")
    names = ", ".join(needs.custom_ops)
    if target.platform == "android":
        return _item(
            "CUSTOM-OPERATORS",
            FAILED,
            f"needs a library for {names}, and CompiledModel takes none in Kotlin",
            "replace these operators in the model",
        )
    return _item(
        "CUSTOM-OPERATORS",
        UNKNOWN,
        f"needs a library for {names} on the device",
        "put the library there and name it: edge-runner ... --custom-op LIBRARY",
    )


def _tensors(signatures: Sequence[Signature], target: Target) -> Iterator[CompatibilityItem]:
    ports = [
        (f"{side} {spec.name}", spec)
        for signature in signatures
        for side, specs in (("input", signature.inputs), ("output", signature.outputs))
        for spec in specs
    ]
    # Signatures often share their inputs: each is named once.
    free = list(dict.fromkeys(f"{name} {spec}" for name, spec in ports if _is_free(spec)))
    mobile = target.platform == "android"
    if not free:
        yield _item("DYNAMIC-SHAPES", PASSED, "all inputs and outputs have fixed sizes")
    elif mobile and not any(_is_free(spec, batch=False) for _, spec in ports):
        yield _item(
            "DYNAMIC-SHAPES",
            UNKNOWN,
            "only the batch is free; CompiledModel cannot resize in Kotlin, so it is 1: "
            + ", ".join(_few(free)),
            "give one sample a call, or fix the batch in the model",
        )
    elif mobile:
        yield _item(
            "DYNAMIC-SHAPES",
            FAILED,
            f"CompiledModel cannot resize in Kotlin: {', '.join(_few(free))}",
            "fix the sizes of the model's inputs (batch 1), then build again",
        )
    else:
        accelerators = [spec.name for spec in target.delegates if spec.name != "xnnpack"]
        yield _item(
            "DYNAMIC-SHAPES",
            UNKNOWN if accelerators else PASSED,
            f"free sizes ({', '.join(_few(free))}) are set at run time"
            + (f"; {', '.join(accelerators)} may refuse them" if accelerators else ""),
            "fix the sizes of the model's inputs for an accelerator" if accelerators else None,
        )
    if mobile:
        odd = list(
            dict.fromkeys(
                f"{name} {spec.dtype}" for name, spec in ports if spec.dtype not in COMPILED_MODEL_DTYPES
            )
        )
        if odd:
            yield _item(
                "IO-TYPES",
                FAILED,
                f"CompiledModel cannot read or write {', '.join(_few(odd))}",
                "use a recipe with float or int8 inputs and outputs, such as full_int8",
            )
        else:
            yield _item("IO-TYPES", PASSED, "CompiledModel takes the types of all inputs and outputs")


def _system(target: Target) -> Iterator[CompatibilityItem]:
    packages = RUNTIMES.get(target.runtime.name)
    if packages is None:
        return
    yield _architecture(target, packages)
    yield _python(target, packages)
    yield _c_library(target, packages)
    if target.runtime.name == "tflite-runtime":
        yield _item(
            "NUMPY",
            PASSED,
            "tflite-runtime fails with NumPy 2; edge board setup installs NumPy 1"
            if target.architecture != "armv7l"
            else "tflite-runtime fails with NumPy 2; Debian 12's python3-numpy is NumPy 1",
        )
    else:
        yield _item("NUMPY", PASSED, "litert takes NumPy 1.23 and newer")
    if feature := _CPU_FEATURES.get(target.architecture):
        yield _item("CPU-FEATURES", PASSED, feature)
    else:
        yield _item(
            "CPU-FEATURES",
            UNKNOWN,
            f"architecture {target.architecture}: only the device tells whether its CPU has NEON"
            if target.architecture == "armv7l"
            else "the target names no architecture",
            "grep neon /proc/cpuinfo on the board" if target.architecture == "armv7l" else None,
        )


def _architecture(target: Target, packages: RuntimePackages) -> CompatibilityItem:
    if target.architecture == "any":
        return _item("ARCHITECTURE", UNKNOWN, "the target names no architecture")
    if target.architecture in packages.architectures:
        return _item("ARCHITECTURE", PASSED, f"{target.runtime.name} has wheels for {target.architecture}")
    return _item(
        "ARCHITECTURE",
        FAILED,
        f"{target.runtime.name} has no wheel for {target.architecture}, only for "
        + ", ".join(packages.architectures),
        "use tflite-runtime for this target" if target.architecture == "armv7l" else None,
    )


def _python(target: Target, packages: RuntimePackages) -> CompatibilityItem:
    newest = packages.newest_python
    span = f"up to Python {'.'.join(map(str, newest))}" if newest else "for Python 3.10 and newer"
    if target.python is None:
        return _item(
            "PYTHON", UNKNOWN, f"the target names no Python; wheels are there {span}", "edge board setup asks"
        )
    version = parse_version(target.python)
    if version < (3, 10):
        # A Python can be put beside the system's; the C library cannot.
        return _item(
            "PYTHON",
            UNKNOWN,
            f"the usual system has Python {target.python}; edge_sdk needs 3.10 or newer, with wheels {span}",
            "install one beside it and name it: edge board add NAME ... --python PATH",
        )
    if newest is not None and version > newest:
        return _item(
            "PYTHON",
            FAILED,
            f"{target.runtime.name} has wheels {span}; the target has {target.python}",
            "choose a target that uses litert, or name an older Python there (python = ... in boards.toml)",
        )
    return _item("PYTHON", PASSED, f"Python {target.python}; wheels are there {span}")


def _c_library(target: Target, packages: RuntimePackages) -> CompatibilityItem:
    if target.glibc is None:
        return _item("GLIBC", UNKNOWN, "the target names no glibc", "edge board setup asks")
    needed = packages.oldest_glibc.get(target.python or "", packages.oldest_glibc[""])
    text = ".".join(map(str, needed))
    if parse_version(target.glibc) < needed:
        return _item(
            "GLIBC",
            FAILED,
            f"the wheels need glibc {text}; the target has {target.glibc}",
            "update its system",
        )
    return _item("GLIBC", PASSED, f"glibc {target.glibc}; the wheels need {text}")


def _is_free(spec: TensorSpec, *, batch: bool = True) -> bool:
    """Tell whether a size is left free; without `batch` the first axis does not count."""
    return spec.shape is None or any(size is None for size in spec.shape[0 if batch else 1 :])


def _few(names: Sequence[str]) -> list[str]:
    return [*names[:3], f"{len(names) - 3} more"] if len(names) > 4 else list(names)


def _item(code: str, verdict: str, what: str, hint: str | None = None) -> CompatibilityItem:
    return CompatibilityItem(code=code, verdict=verdict, what=what, hint=hint)

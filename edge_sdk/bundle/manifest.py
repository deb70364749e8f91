"""The manifest of a bundle: what is inside, what it needs, where it came from.

Standard library only, because the keeper reads manifests before NumPy is there.
docs/reference/bundle.md describes the format for other implementers.

Version rule: `format_version` is MAJOR.MINOR. A reader refuses another MAJOR and reads any MINOR,
keeping the fields it does not know.
"""

from __future__ import annotations

import bisect
import functools
import json
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from edge_sdk.bundle.digest import listing_digest
from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.errors import BundleError, ConfigError

FORMAT = "edge-bundle"
FORMAT_VERSION = "1.1"
#: Formats whose model is a folder, with a file that every such folder has at its top.
FOLDER_FORMATS = {"mlpackage": "Manifest.json"}
#: Name of the runtime that is a part of the phone's system; every other one is a TFLite runtime.
COREML = "coreml"
#: Where no variant of a format can run, whatever the runtime: a board is never sent what only phones use.
_NEVER_ON = {"mlpackage": ("linux", "android")}
#: No honest manifest comes near this; a reader stops here instead of filling the memory.
MAX_MANIFEST_BYTES = 16 * 2**20
MAX_NESTING = 64

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,7}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """Return `name` if it may name a file inside a bundle or a release.

    Relative, forward slashes, ASCII letters, digits, "._-", no part that starts with a dot or a
    dash: so no "..", no absolute path, no drive, no option look-alike.

    Raises:
        BundleError: The name breaks the rule.
    """
    if not _NAME.fullmatch(name):
        raise BundleError(
            f"unsafe file name in the bundle: {name!r:.120}",
            why="names are relative, made of letters, digits, '.', '_', '-' and '/', and have no '..'",
            hint="do not use this bundle; build it again from the model",
        )
    return name


@dataclass(frozen=True, kw_only=True)
class FileEntry(Document):
    """One file of the bundle.

    Attributes:
        sha256: Digest of the content, 64 hexadecimal digits.
        size: Bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class RuntimeRequirement(Document):
    """What runs a variant.

    Attributes:
        name: "litert" (package ai-edge-litert), "tflite-runtime", or "coreml" (a part of iOS and macOS).
        minimum_version: Lowest version that will do, or None; of "coreml" the system's, as "iOS16".
    """

    name: str
    minimum_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class DelegateSpec(Document):
    """An accelerator entry: one rung of the ladder from the fastest to plain CPU.

    Attributes:
        name: "xnnpack" is the CPU and needs no library; any other name is an external delegate.
        library: File name or absolute path of the shared library on the device.
        options: Passed to the delegate as strings; for "xnnpack": {"threads": "4"}.
    """

    name: str
    library: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Golden(Document):
    """Golden vectors of one variant.

    Attributes:
        file: Logical name of an .npz whose arrays are called "inputs.NAME" and "outputs.NAME", in the
            dtype of the *contract*, first axis = cases (each case is the batch of one call).
        cases: How many.
        atol: Absolute tolerance of an output value.
        rtol: Relative tolerance of an output value.
    """

    file: str
    cases: int
    atol: float
    rtol: float


@dataclass(frozen=True, kw_only=True)
class Requirements(Document):
    """What a variant needs from its runtime.

    Attributes:
        op_versions: Highest version used, by builtin operator name ("CONV_2D": 5).
        custom_ops: Custom operators that need a library.
        flex_ops: TensorFlow operators that need the Flex delegate.
    """

    op_versions: Mapping[str, int] = field(default_factory=dict)
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CoreMLImage(Document):
    """An input that a Core ML package takes as an image: value = pixel * scale + bias, pixel in 0..255.

    Attributes:
        scale: One factor for all channels.
        bias: Added after it, one value a channel, in the order of `color`.
        color: "RGB", "BGR" or "GRAY": the order of the channels that the program sees.
    """

    scale: float = 1.0
    bias: tuple[float, ...] = (0.0, 0.0, 0.0)
    color: str = "RGB"


@dataclass(frozen=True, kw_only=True)
class CoreMLFacts(Document):
    """What an app has to know of a Core ML package, apart from its tensors.

    Attributes:
        deployment_target: Lowest system that loads it: "iOS15", "iOS16", "iOS17", "iOS18" or "iOS26".
        precision: Of the computation: "float16" or "float32".
        compute_units: Where it may run: "all", "cpu_and_ne", "cpu_and_gpu" or "cpu_only".
        functions: Functions of the program by signature of the contract.
        default_function: The one that is run where none is named.
        images: By input name of the contract, the inputs that are images; the others are multi-arrays.
        class_label: Output that is the best class's label, for a classifier; else None.
        class_probabilities: Output that is a dictionary {label: score}, for a classifier; else None.
        input_names: By input name of the contract, its name in the package where that is another one.
        output_names: The same of outputs.
    """

    deployment_target: str
    precision: str
    compute_units: str = "all"
    functions: Mapping[str, str] = field(default_factory=lambda: {"serving_default": "main"})
    default_function: str = "main"
    images: Mapping[str, CoreMLImage] = field(default_factory=dict)
    class_label: str | None = None
    class_probabilities: str | None = None
    input_names: Mapping[str, str] = field(default_factory=dict)
    output_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Variant(Document):
    """One converted model.

    Attributes:
        id: Unique in the bundle, e.g. "full_int8".
        format: "tflite", a file, or "mlpackage", a folder.
        recipe: Name of the recipe that made it.
        file: Logical name of the model file; of a folder, its name: every file of the bundle whose name
            begins with it and a slash is the model's.
        signatures: The file's own tensors; dtype and quantization may differ from the contract's.
        requirements: What it needs from a runtime.
        golden: Recorded on the host from this very file.
        measurements: Numbers of the build that do not depend on the machine's speed (size_bytes,
            metric, agreement, max_abs_error, snr_db); null means not measured.
        coreml: What an app has to know of a Core ML package; None for another format.
    """

    id: str
    format: str
    recipe: str
    file: str
    signatures: tuple[Signature, ...]
    requirements: Requirements = field(default_factory=Requirements)
    golden: Golden | None = None
    measurements: Mapping[str, Any] = field(default_factory=dict)
    coreml: CoreMLFacts | None = None


@dataclass(frozen=True, kw_only=True)
class TargetPlan(Document):
    """How one target runs the bundle.

    Attributes:
        platform: "linux", "android" or "ios".
        architecture: "aarch64", "armv7l", "x86_64" or "any".
        runtime: What must be installed there.
        delegates: In order of preference; the CPU is the last rung even if it is not listed.
        variants: Variant ids in order of preference; the first one is the pick.
    """

    platform: str
    architecture: str
    runtime: RuntimeRequirement
    delegates: tuple[DelegateSpec, ...] = ()
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest(Document):
    """The whole manifest.

    Attributes:
        name: What the bundle is called; a file-name part.
        version: For people, e.g. "0.1.0".
        contract: What callers may rely on.
        files: Every file by logical name.
        variants: Every converted model.
        targets: By target name.
        provenance: source_sha256, tool versions, recipes, calibration_sha256; facts, not trusted input.
        budgets: Limits the build was asked to meet, by name.
    """

    format: str = FORMAT
    format_version: str = FORMAT_VERSION
    name: str
    version: str
    contract: Contract
    files: Mapping[str, FileEntry]
    variants: tuple[Variant, ...]
    targets: Mapping[str, TargetPlan]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)

    def variant(self, identifier: str) -> Variant:
        """Return a variant by id.

        Raises:
            BundleError: There is none of that id.
        """
        if identifier in self._variants:
            return self._variants[identifier]
        raise BundleError(
            f"no variant {identifier!r} in bundle {self.name!r}",
            why="variants: " + (", ".join(v.id for v in self.variants) or "none"),
        )

    # A manifest may have many thousands of both, and nobody should have to wait for a hostile one.
    @functools.cached_property
    def _variants(self) -> dict[str, Variant]:
        return {variant.id: variant for variant in self.variants}

    @functools.cached_property
    def _names(self) -> list[str]:
        return sorted(self.files)

    def model_files(self, identifier: str) -> dict[str, FileEntry]:
        """Return the files of one variant's model by logical name, sorted: one, or those of its folder.

        Raises:
            BundleError: There is none of that id.
        """
        file = self.variant(identifier).file
        if file in self.files:
            return {file: self.files[file]}
        # "0" is what follows "/", so these are the names that begin with the folder's name and a slash.
        inside = slice(bisect.bisect(self._names, file + "/"), bisect.bisect_left(self._names, file + "0"))
        return {name: self.files[name] for name in self._names[inside]}

    def model_size(self, identifier: str) -> int:
        """Return the bytes of one variant's model; of a folder, the sum of its files.

        Raises:
            BundleError: There is none of that id.
        """
        return sum(entry.size for entry in self.model_files(identifier).values())

    def model_sha256(self, identifier: str) -> str:
        """Return the digest of one variant's model; of a folder, its `edge_sdk.bundle.digest.folder_digest`.

        Raises:
            BundleError: There is none of that id.
        """
        variant = self.variant(identifier)
        if variant.file in self.files:
            return self.files[variant.file].sha256
        skipped = len(variant.file) + 1
        return listing_digest(
            (name[skipped:], entry.size, entry.sha256) for name, entry in self.model_files(identifier).items()
        )

    def needed_by(self, identifier: str) -> dict[str, FileEntry]:
        """Return the files that a device needs to run one variant, by logical name, sorted.

        That is the variant's model and golden vectors, and every file that belongs to no variant.

        Raises:
            BundleError: There is none of that id.
        """
        chosen = self.variant(identifier)
        own, all_own = _own_files((chosen,)), _own_files(self.variants)
        return {
            name: entry
            for name, entry in sorted(self.files.items())
            if (places := {name, *_folders_of(name)}) & own or not places & all_own
        }

    def to_bytes(self) -> bytes:
        """Return the one canonical form: UTF-8 JSON, sorted keys, two-space indent, final newline."""
        data = {"format": self.format, "format_version": self.format_version, **self.to_dict()}
        return (
            json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Manifest:
        """Read and check a manifest.

        Raises:
            BundleError: Not JSON, another format or major version, a broken rule, an unsafe name,
                or a reference to something that is not there.
        """
        if len(raw) > MAX_MANIFEST_BYTES:
            raise BundleError(
                f"the manifest is {len(raw):,} bytes", why=f"the limit is {MAX_MANIFEST_BYTES:,}"
            )
        _check_nesting(raw)
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as failure:
            raise BundleError("the manifest is not JSON", why=str(failure)) from failure
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise BundleError("this is not an edge bundle", why=f'the manifest has no "format": "{FORMAT}"')
        _check_version(data.get("format_version"))
        try:
            manifest = cls.from_dict(data, error=BundleError)
            manifest.check()
        except ConfigError as failure:
            # The contract's own rules speak of settings; here the same mistake is a broken bundle.
            raise BundleError(failure.what, why=failure.why, hint=failure.hint) from failure
        return manifest

    def check(self) -> None:
        """Check the rules that hold between fields.

        Raises:
            BundleError: The first rule that is broken.
        """
        check_name(self.name)
        if "/" in self.name:
            raise BundleError(f"bundle name {self.name!r} has a slash")
        lowered: dict[str, str] = {}
        for name in self.files:
            check_name(name)
            if lowered.setdefault(name.lower(), name) != name:
                raise BundleError(f"files {name!r} and {lowered[name.lower()]!r} differ only in case")
        folders = {folder for name in lowered for folder in _folders_of(name)}
        for name in folders & set(lowered):
            raise BundleError(f"{lowered[name]!r} is a file and a folder")
        for name, entry in self.files.items():
            if not _DIGEST.fullmatch(entry.sha256) or entry.size < 0:
                raise BundleError(f"file {name!r} has no proper digest and size")
        if len(self._variants) != len(self.variants):
            raise BundleError(
                "two variants have the same id", why=", ".join(variant.id for variant in self.variants)
            )
        self.contract.signature_named(self.contract.default_signature)
        self._check_variants(folders={folder for name in self.files for folder in _folders_of(name)})
        for target, plan in self.targets.items():
            check_name(target)
            for identifier in plan.variants:
                form = self.variant(identifier).format
                if plan.platform in _NEVER_ON.get(form, ()):
                    raise BundleError(
                        f"target {target!r} names variant {identifier!r}, which is {form}",
                        why=f"nothing runs {form} on {plan.platform}",
                        hint="build the bundle again",
                    )

    def _check_variants(self, *, folders: Set[str]) -> None:
        models = {variant.file for variant in self.variants}
        for variant in self.variants:
            title = f"variant {variant.id!r}"
            check_name(variant.id)
            check_name(variant.file)
            golden = [variant.golden.file] if variant.golden else []
            if variant.file not in self.files and variant.file not in folders:
                raise BundleError(f"{title} names {variant.file!r}, which is not in the bundle")
            if golden and golden[0] not in self.files:
                raise BundleError(f"{title} names {golden[0]!r}, which is not in the bundle")
            top = FOLDER_FORMATS.get(variant.format)
            if top is not None and f"{variant.file}/{top}" not in self.files:
                raise BundleError(
                    f"{title} is no {variant.format}: {variant.file!r} is not a folder with {top}",
                    hint="build the bundle again",
                )
            if variant.format == "tflite" and variant.file not in self.files:
                raise BundleError(f"{title} is {variant.format}, and {variant.file!r} is a folder")
            # A device gets all that belongs to no other variant: nothing may belong to two by accident.
            for name in (variant.file, *golden):
                for folder in models.intersection(_folders_of(name)):
                    raise BundleError(f"{name!r} of {title} lies in {folder!r}, another variant's model")


def _own_files(variants: Iterable[Variant]) -> set[str]:
    """Return the names of models and golden vectors, of a folder its own name."""
    return {
        name
        for variant in variants
        for name in (variant.file, *([variant.golden.file] if variant.golden else []))
    }


def _folders_of(name: str) -> list[str]:
    """Return "a" and "a/b" for "a/b/c"."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _check_version(version: Any) -> None:
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", version) if isinstance(version, str) else None
    if match is None:
        raise BundleError(f"the manifest's format_version is {version!r:.40}", why="MAJOR.MINOR is expected")
    major = int(FORMAT_VERSION.split(".")[0])
    if int(match[1]) != major:
        raise BundleError(
            f"this bundle has format {version}; this edge_sdk reads {major}.x",
            why="another major version means that old readers would misread it",
            hint="pip install -U edge-sdk"
            if int(match[1]) > major
            else "build the bundle again with this edge_sdk",
        )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def _check_nesting(raw: bytes) -> None:
    # json's C scanner recurses; a hostile nesting would end in RecursionError deep inside.
    depth = in_string = escaped = 0
    for byte in raw:
        if in_string:
            if escaped:
                escaped = 0
            elif byte == 0x5C:
                escaped = 1
            elif byte == 0x22:
                in_string = 0
        elif byte == 0x22:
            in_string = 1
        elif byte in b"[{":
            depth += 1
            if depth > MAX_NESTING:
                raise BundleError(f"the manifest is nested deeper than {MAX_NESTING}")
        elif byte in b"]}":
            depth -= 1

"""What the steps of a build hand to each other: values that name files and their digests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.configuration import MetricSection
from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.model.load import Model
from edge_sdk.pipeline.cache import Entry
from edge_sdk.quantize.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose that changes how steps are done.

    Attributes:
        select_tf_ops: Operators that need Flex are allowed.
        custom_ops: Libraries with custom operators, "PATH" or "PATH:FUNCTION".
        threads: CPU threads for measuring; None for the runner's own choice.
        metric: How answers are compared with labels.
    """

    select_tf_ops: bool = False
    custom_ops: tuple[str, ...] = ()
    threads: int | None = None
    metric: MetricSection = field(default_factory=MetricSection)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a source tells without TensorFlow.

    Attributes:
        sha256: Of the source.
        signatures: As callers should see them; empty where they are known after the conversion only.
        parameters: Trained values, or None where it does not tell.
        is_float: It can be quantized, as far as is known.
    """

    sha256: str
    signatures: tuple[Signature, ...]
    parameters: int | None
    is_float: bool


@dataclass(frozen=True)
class FloatFile:
    """A float `.tflite` with its digest."""

    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source model, converted where and when it needs that.

    Attributes:
        model: As it was opened.
        sha256: Of the source.
        float_file: Gives the float `.tflite`, the source itself where it is one; may convert when asked.
        signatures: What the source promises.
        default_signature: The one that is called by default.
        parameters: Trained values of the source as it was, so that a conversion which loses weights is
            found; of the `.tflite` where the source does not tell (a function), 0 where there is none.
        converted: The entry of the conversion; None for a `.tflite` source, and before it is needed.
    """

    model: Model
    sha256: str
    float_file: Callable[[], FloatFile]
    signatures: tuple[Signature, ...]
    default_signature: str
    parameters: int
    converted: Entry | None = None

    @property
    def file(self) -> Path:
        """The float `.tflite`."""
        return self.float_file().path

    @property
    def file_sha256(self) -> str:
        """Digest of the float `.tflite`."""
        return self.float_file().sha256


@dataclass(frozen=True, kw_only=True)
class Made:
    """A variant that exists.

    Attributes:
        recipe: What made it; its name is the variant's id.
        path: The file; of an mlpackage the folder.
        sha256: Of the file, or of the folder (`edge_sdk.bundle.digest.folder_digest`).
        notes: What a reader should know.
        coreml: What the conversion said about a Core ML package; None for other formats.
    """

    recipe: Recipe
    path: Path
    sha256: str
    notes: tuple[str, ...] = ()
    coreml: CoreMLFacts | None = None

    @property
    def size_bytes(self) -> int:
        """Of the file, or of all files of the folder."""
        if self.path.is_dir():
            return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())
        return self.path.stat().st_size

    def keeps(self, contract: Contract) -> Contract:
        """Return the part of a contract that this variant is to keep: a package may have fewer signatures."""
        if self.coreml is None:
            return contract
        kept = tuple(item for item in contract.signatures if item.name in self.coreml.functions)
        return dataclasses.replace(contract, signatures=kept)


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Checked samples on disk.

    Attributes:
        inputs: `.npz` of inputs, first axis = samples.
        labels: `.npy` of labels, or None.
        label_names: Class names that the data itself has (folder names).
        count: How many.
        sha256: Of the content.
        data: "evaluation", "calibration" or "synthetic".
    """

    inputs: Path
    labels: Path | None
    label_names: tuple[str, ...]
    count: int
    sha256: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the source model answers to the samples.

    Attributes:
        file: `.npz` of outputs, first axis = samples.
        origin: Who answered: "tensorflow" or "tflite".
        sha256: Of the file.
    """

    file: Path
    origin: str
    sha256: str

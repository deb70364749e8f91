"""The steps of a build, each stored in the cache under the hash of what it depends on.

    source -> samples -> reference -> calibrate -> quantize -> evaluate -> measure   (the last three each)

Every step that computes runs in a worker process; here are only the keys and the calls. A key holds
digests and settings, the versions of the tools that do the work, and a digest of edge_sdk's own code, so
an upgrade of any of them makes the step again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.convert.worker import Failure
from edge_sdk.errors import ConfigError, EdgeError, MissingExtraError
from edge_sdk.model.inspect import inspect_model
from edge_sdk.model.load import Model
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.contract import as_promised
from edge_sdk.pipeline.identity import code_digest, machine, versions
from edge_sdk.pipeline.samples import INPUTS_FILE, LABELS_FILE, SYNTHETIC, data_digest
from edge_sdk.pipeline.workers import Workers
from edge_sdk.quantize.recipe import AS_IS, Recipe
from edge_sdk.validate.tolerance import EIGHT_BITS, FLOAT, golden_tolerance

MODEL_FILE = "model.tflite"
REFERENCE_FILE = "reference.npz"
GOLDEN_FILE = "golden.npz"
RANGES_FILE = "ranges.json"
#: A measurement stops at whichever comes first.
MEASURE_RUNS = 200
MEASURE_SECONDS = 1.5

_NO_SPACE = "No space left on device"
# Tools and our own rooms that decide the outcome of each kind of step.
_CONVERTERS = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy")
_QUANTIZERS = ("litert-quantizer", "ai-edge-litert", "numpy")
_RUNTIMES = ("ai-edge-litert", "tflite-runtime", "numpy", "pillow")
_CONVERTING = ("convert", "model", "quantize/samples.py")
_SAMPLING = ("contract", "pipeline/samples.py", "quantize/calibration.py", "quantize/pictures.py")
_QUANTIZING = ("model", "pipeline/quantizing.py", "quantize")
_VALIDATING = ("bundle", "contract", "model", "quantize/samples.py", "runtime", "validate")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose that changes how steps are done.

    Attributes:
        select_tf_ops: Operators that need Flex are allowed.
        custom_ops: Libraries with custom operators, "PATH" or "PATH:FUNCTION".
        threads: CPU threads for measuring; None for the runner's own choice.
    """

    select_tf_ops: bool = False
    custom_ops: tuple[str, ...] = ()
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source model, converted where it needed that.

    Attributes:
        model: As it was opened.
        sha256: Of the source.
        file: The float `.tflite`, or the `.tflite` source itself.
        file_sha256: Its digest.
        signatures: What the source promises.
        default_signature: The one that is called by default.
        parameters: Trained values of the source as it was, so that a conversion which loses weights is
            found; of `file` where the source does not tell (a function).
        is_float: `file` can be quantized.
        converted: The entry of the conversion; None for a `.tflite` source.
    """

    model: Model
    sha256: str
    file: Path
    file_sha256: str
    signatures: tuple[Signature, ...]
    default_signature: str
    parameters: int
    is_float: bool
    converted: Entry | None = None


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


class StepFailed(Exception):  # noqa: N818 - a failed step is a value; this only carries it out of the cache
    """Carries a failure value past `StepCache.make`, which then stores nothing."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


class Steps:
    """The steps, bound to one cache, one set of workers and one set of options."""

    def __init__(self, cache: StepCache, workers: Workers, options: Options) -> None:
        self._cache = cache
        self._workers = workers
        self._options = options

    def source(self, model: Model, first_samples: Mapping[str, str] | None = None) -> Source:
        """Return the source as a `.tflite`, converted where needed.

        Args:
            model: The source.
            first_samples: {"file", "sha256"} of samples to answer in the same run of TensorFlow, where
                they are known before the conversion.

        Raises:
            ModelError: The source cannot be used.
            ConversionError: The conversion failed.
        """
        digest = model.sha256()
        if model.kind == "tflite":
            assert model.path is not None
            file = read_tflite(model.path)
            return Source(
                model=model,
                sha256=digest,
                file=model.path,
                file_sha256=digest,
                signatures=as_promised(file.signatures),
                default_signature=default_signature(file.signatures),
                parameters=file.parameters,
                is_float=file.is_float,
            )
        entry = self._cache.make(
            "convert",
            {
                "source": digest,
                "kind": model.kind,
                "function": model.location if model.kind == "function" else None,
                "select_tf_ops": self._options.select_tf_ops,
                "custom_ops": bool(self._options.custom_ops),
                "tools": versions(*_CONVERTERS),
                "code": code_digest(*_CONVERTING),
            },
            lambda folder: self._convert(model, folder, first_samples),
        )
        path = entry.file(MODEL_FILE)
        file = read_tflite(path)
        return Source(
            model=model,
            sha256=digest,
            file=path,
            file_sha256=entry.digests[MODEL_FILE],
            signatures=tuple(Signature.from_dict(item) for item in entry.value["signatures"]),
            default_signature=entry.value["default_signature"],
            parameters=entry.value["parameters"] or file.parameters,
            is_float=file.is_float,
            converted=entry,
        )

    def _convert(self, model: Model, folder: Path, first_samples: Mapping[str, str] | None) -> dict[str, Any]:
        arguments = {
            "kind": model.kind,
            "model": model.location,
            "output": str(folder / MODEL_FILE),
            "select_tf_ops": self._options.select_tf_ops,
            "custom_ops": bool(self._options.custom_ops),
        }
        if first_samples is not None:
            together = {
                **arguments,
                "samples": first_samples["file"],
                "reference": str(folder / REFERENCE_FILE),
            }
            result = self._workers.attempt(
                "edge_sdk.convert.tflite:convert", together, name="convert", recipe=""
            )
            if result.value is not None:
                return {
                    **result.value,
                    "reference_samples": first_samples["sha256"],
                    "parameters": _parameters(model),
                }
            assert result.failure is not None
            if result.failure.stage != "reference":
                raise result.failure.to_error()
            # The converter can read some models that TensorFlow itself cannot run; convert those alone.
        value = self._workers.run("edge_sdk.convert.tflite:convert", arguments, name="convert")
        return {**value, "reference_samples": None, "parameters": _parameters(model)}

    def samples(
        self, spec: str | None, contract: Contract, *, data: str, limit: int, labels: bool
    ) -> Samples:
        """Return samples for the contract's default signature.

        Args:
            spec: Data as the user gave it; None for synthetic inputs.
            contract: Its signature and preprocessing decide how the data is read.
            data: What the samples are: "evaluation", "calibration" or "synthetic".
            limit: At most so many.
            labels: Whether labels are wanted.

        Raises:
            ConfigError: The data cannot be read.
            SignatureMismatchError: It does not fit.
        """
        arguments = {"spec": spec, "contract": contract.to_dict(), "limit": limit, "labels": labels}
        function = "synthesize" if spec is None else "collect"
        digest = SYNTHETIC if spec is None else data_digest(spec)
        key = {
            "digest": digest,
            "signature": contract.signature.to_dict(),
            "preprocess": {name: entry.to_dict() for name, entry in contract.preprocess.items()},
            "labels": labels,
            "label_names": list(contract.labels),
            "limit": limit,
            "tools": versions("numpy", "pillow"),
            "code": code_digest(*_SAMPLING),
        }
        if digest is None:
            # A function may read anything: it is run every time, and its samples count by their content.
            key["run"] = os.urandom(16).hex()
        entry = self._cache.make(
            "samples",
            key,
            lambda folder: self._workers.run(
                f"edge_sdk.pipeline.samples:{function}",
                {**arguments, "folder": str(folder)},
                name=f"samples-{data}",
                subject=data,
            ),
        )
        return Samples(
            inputs=entry.file(INPUTS_FILE),
            labels=entry.file(LABELS_FILE) if entry.value["has_labels"] else None,
            label_names=tuple(entry.value["label_names"]),
            count=entry.value["count"],
            sha256=entry.value["sha256"],
            data=data,
        )

    def reference(self, source: Source, contract: Contract, samples: Samples) -> Reference:
        """Return the source model's own answers.

        TensorFlow answers for a source that it can run; for a `.tflite` source, and where TensorFlow can
        only convert, the float `.tflite` answers.

        Raises:
            EdgeError: The source cannot be run on these samples.
        """
        converted = source.converted
        if converted is not None and converted.value["reference_samples"] == samples.sha256:
            return Reference(
                file=converted.file(REFERENCE_FILE),
                origin="tensorflow",
                sha256=converted.digests[REFERENCE_FILE],
            )
        key = {"source": source.sha256, "samples": samples.sha256}
        if converted is not None:
            found = self._attempt(
                "reference",
                {**key, "tools": versions(*_CONVERTERS), "code": code_digest(*_CONVERTING)},
                "edge_sdk.convert.tflite:reference",
                lambda folder: {
                    "kind": source.model.kind,
                    "model": source.model.location,
                    "samples": str(samples.inputs),
                    "reference": str(folder / REFERENCE_FILE),
                },
                recipe="",
            )
            if isinstance(found, Entry):
                return Reference(
                    file=found.file(REFERENCE_FILE),
                    origin="tensorflow",
                    sha256=found.digests[REFERENCE_FILE],
                )
        entry = self._cache.make(
            "answer",
            {
                **key,
                "model": source.file_sha256,
                "tools": versions(*_RUNTIMES),
                "code": code_digest(*_VALIDATING),
            },
            lambda folder: self._workers.run(
                "edge_sdk.validate.compare:answer",
                {
                    "model": str(source.file),
                    "contract": contract.to_dict(),
                    "samples": str(samples.inputs),
                    "output": str(folder / REFERENCE_FILE),
                    "custom_ops": self._custom_ops(),
                },
                name="reference",
            ),
        )
        return Reference(
            file=entry.file(REFERENCE_FILE), origin="tflite", sha256=entry.digests[REFERENCE_FILE]
        )

    def calibrate(self, source: Source, calibration: Samples) -> Entry | Failure:
        """Return the measured ranges (`RANGES_FILE`), or how measuring failed."""
        return self._attempt(
            "calibrate",
            {
                "model": source.file_sha256,
                "samples": calibration.sha256,
                "signature": source.default_signature,
                "tools": versions(*_QUANTIZERS),
                "code": code_digest(*_QUANTIZING),
            },
            "edge_sdk.pipeline.quantizing:calibrate",
            lambda folder: {
                "source": str(source.file),
                "samples": str(calibration.inputs),
                "signature": source.default_signature,
                "output": str(folder / RANGES_FILE),
                # One thread: the order of a float sum must not depend on how many cores there are.
                "threads": 1,
            },
            recipe="",
        )

    def quantize(self, source: Source, recipe: Recipe, ranges: Entry | None) -> Entry | Failure:
        """Return one variant's file (`MODEL_FILE`), or how making it failed.

        Args:
            source: With a float file.
            recipe: What to make.
            ranges: Of `calibrate`, for a recipe that needs calibration.
        """
        return self._attempt(
            "quantize",
            {
                "model": source.file_sha256,
                "recipe": recipe.to_dict(),
                "signature": source.default_signature,
                "ranges": ranges.digests[RANGES_FILE] if ranges else None,
                "tools": versions(*_QUANTIZERS),
                "code": code_digest(*_QUANTIZING),
            },
            "edge_sdk.pipeline.quantizing:quantize",
            lambda folder: {
                "source": str(source.file),
                "destination": str(folder / MODEL_FILE),
                "recipe": recipe.to_dict(),
                "signature": source.default_signature,
                "ranges": str(ranges.file(RANGES_FILE)) if ranges else None,
            },
            recipe=recipe.name,
        )

    def evaluate(
        self,
        model: Path,
        digest: str,
        recipe: Recipe,
        contract: Contract,
        samples: Samples,
        reference: Reference,
    ) -> Entry | Failure:
        """Return one variant's facts (and `GOLDEN_FILE`), or how running it failed."""
        return self._attempt(
            "evaluate",
            {
                "model": digest,
                "recipe": recipe.to_dict(),
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "data": samples.data,
                "reference": reference.sha256,
                "tools": versions(*_RUNTIMES),
                "code": code_digest(*_VALIDATING),
            },
            "edge_sdk.validate.compare:evaluate",
            lambda folder: {
                "model": str(model),
                "recipe": recipe.name,
                "integer_io": integer_io(recipe),
                "contract": contract.to_dict(),
                "data": samples.data,
                "samples": str(samples.inputs),
                "labels": None if samples.labels is None else str(samples.labels),
                "reference": str(reference.file),
                "golden": str(folder / GOLDEN_FILE),
                "tolerance": _tolerance(model, recipe),
                "custom_ops": self._custom_ops(),
            },
            recipe=recipe.name,
        )

    def measure(
        self, model: Path, digest: str, recipe: Recipe, contract: Contract, samples: Samples
    ) -> Entry | Failure:
        """Return one variant's latency and memory on this machine, or how measuring failed.

        The numbers are stored: an unchanged build shows those of the build that measured.
        """
        return self._attempt(
            "measure",
            {
                "model": digest,
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "threads": self._options.threads,
                "machine": machine(),
                "tools": versions(*_RUNTIMES),
                "code": code_digest(*_VALIDATING),
            },
            "edge_sdk.validate.compare:measure",
            lambda folder: {
                "model": str(model),
                "recipe": recipe.name,
                "contract": contract.to_dict(),
                "samples": str(samples.inputs),
                "threads": self._options.threads,
                "runs": MEASURE_RUNS,
                "seconds": MEASURE_SECONDS,
                "custom_ops": self._custom_ops(),
            },
            recipe=recipe.name,
        )

    def _attempt(
        self, step: str, key: Mapping[str, Any], function: str, arguments: Any, *, recipe: str
    ) -> Entry | Failure:
        def work(folder: Path) -> Mapping[str, Any]:
            result = self._workers.attempt(
                function, arguments(folder), name=f"{step}-{recipe}" if recipe else step, recipe=recipe
            )
            if result.failure is not None:
                refuse_full_disk(result.failure.cause)
                error = result.failure.to_error()
                if isinstance(error, MissingExtraError):
                    raise error  # no other recipe would do better
                raise StepFailed(result.failure)
            return result.value or {}

        try:
            return self._cache.make(step, key, work)
        except StepFailed as failed:
            return failed.failure

    def _custom_ops(self) -> list[str]:
        return list(self._options.custom_ops)


def _parameters(model: Model) -> int | None:
    """Return how many values the source holds, read from its own file."""
    return None if model.kind == "function" else inspect_model(model).parameters


def integer_io(recipe: Recipe) -> bool:
    """Return whether inputs and outputs may be stored as integers that stand for real numbers."""
    return recipe.io == "int8" or recipe.name == AS_IS


def _tolerance(model: Path, recipe: Recipe) -> float:
    if recipe.name == AS_IS:
        return FLOAT if read_tflite(model).is_float else EIGHT_BITS
    return golden_tolerance(recipe.method, recipe.weight_bits, recipe.activation_bits)


def refuse_full_disk(cause: str) -> None:
    """Raise where a worker failed because a disk is full: no later step would do better.

    Raises:
        ConfigError: It was so.
    """
    if _NO_SPACE in cause:
        raise full_disk(EdgeError(cause))


def full_disk(error: EdgeError) -> ConfigError:
    """Return the error of a full disk on this machine: where to write is a setting."""
    return ConfigError(
        error.what if error.why else "the disk is full",
        why=error.why or error.what,
        hint="free some space, or write elsewhere (--out DIR; .edge/cache may be deleted at any time); "
        "nothing half-written was kept",
    )

"""The steps that make variants, each stored in the cache under the hash of what it depends on.

    look -> source -> samples -> reference -> calibrate -> quantize each

What is found out about a variant is in `edge_sdk.pipeline.checks`.

Every step that computes runs in a worker process; here are only the keys and the calls. A key holds
digests and settings, the versions of the tools that do the work, and a digest of edge_sdk's own code, so
an upgrade of any of them makes the step again.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.convert.formats import FORMATS
from edge_sdk.convert.worker import Failure
from edge_sdk.model.inspect import inspect_model
from edge_sdk.model.load import Model, check_model
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.pipeline.attempts import Attempts
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.contract import as_promised
from edge_sdk.pipeline.identity import (
    CONVERTERS,
    CONVERTING,
    QUANTIZERS,
    QUANTIZING,
    RUNTIMES,
    SAMPLING,
    VALIDATING,
    code_digest,
    versions,
)
from edge_sdk.pipeline.materials import FloatFile, Options, Reference, Samples, Seen, Source
from edge_sdk.pipeline.samples import INPUTS_FILE, LABELS_FILE, SYNTHETIC, data_digest
from edge_sdk.pipeline.workers import Workers
from edge_sdk.quantize.recipe import Recipe

MODEL_FILE = "model.tflite"
REFERENCE_FILE = "reference.npz"
RANGES_FILE = "ranges.json"


class Steps:
    """The steps, bound to one cache, one set of workers and one set of options."""

    def __init__(self, cache: StepCache, workers: Workers, options: Options) -> None:
        self._cache = cache
        self._workers = workers
        self._options = options
        self._attempt = Attempts(cache, workers).attempt

    def look(self, model: Model) -> Seen:
        """Read what a source tells by itself, and refuse one that can never be converted.

        Raises:
            ModelError: It is damaged, holds code or weights only, has no signature, or takes text.
        """
        digest = model.sha256()
        entry = self._cache.make(
            "look",
            {"source": digest, "kind": model.kind, "code": code_digest("model")},
            lambda folder: _look(model),
        )
        return Seen(
            sha256=digest,
            signatures=tuple(Signature.from_dict(item) for item in entry.value["signatures"]),
            parameters=entry.value["parameters"],
            is_float=entry.value["is_float"],
        )

    def source(self, model: Model, seen: Seen, first_samples: Mapping[str, str] | None = None) -> Source:
        """Return the source as a `.tflite`, converted where needed.

        Args:
            model: The source.
            seen: What `look` found.
            first_samples: {"file", "sha256"} of samples to answer in the same run of TensorFlow, where
                they are known before the conversion.

        Raises:
            ModelError: The source cannot be used.
            ConversionError: The conversion failed.
        """
        if model.kind == "tflite":
            assert model.path is not None
            return Source(
                model=model,
                sha256=seen.sha256,
                float_file=_given(FloatFile(model.path, seen.sha256)),
                signatures=seen.signatures,
                default_signature=default_signature(seen.signatures),
                parameters=seen.parameters or 0,
            )
        entry = self._cache.make(
            "convert",
            {
                "source": seen.sha256,
                "kind": model.kind,
                "function": model.location if model.kind == "function" else None,
                "select_tf_ops": self._options.select_tf_ops,
                "custom_ops": bool(self._options.custom_ops),
                "tools": versions(*CONVERTERS),
                "code": code_digest(*CONVERTING),
            },
            lambda folder: self._convert(model, folder, first_samples),
        )
        return Source(
            model=model,
            sha256=seen.sha256,
            float_file=_given(FloatFile(entry.file(MODEL_FILE), entry.digests[MODEL_FILE])),
            signatures=tuple(Signature.from_dict(item) for item in entry.value["signatures"]),
            default_signature=entry.value["default_signature"],
            parameters=seen.parameters or entry.value["parameters"],
            converted=entry,
        )

    def source_for_packages(self, model: Model, seen: Seen) -> Source:
        """Return the source for targets that take no `.tflite`: it is converted only if somebody needs that.

        Core ML may have what TFLite lacks, and a conversion that nobody uses takes as long as the other.

        Raises:
            ModelError: The source cannot be used.
        """
        signatures = seen.signatures
        if not signatures:  # Keras files and functions tell their names once they are loaded
            entry = self._cache.make(
                "read",
                {
                    "source": seen.sha256,
                    "kind": model.kind,
                    "function": model.location if model.kind == "function" else None,
                    "tools": versions(*CONVERTERS),
                    "code": code_digest(*CONVERTING),
                },
                lambda folder: self._workers.run(
                    "edge_sdk.convert.tflite:read",
                    {"kind": model.kind, "model": model.location},
                    name="read",
                ),
            )
            signatures = tuple(Signature.from_dict(item) for item in entry.value["signatures"])

        @functools.cache
        def convert() -> FloatFile:
            found = self.source(model, seen)
            return FloatFile(found.file, found.file_sha256)

        return Source(
            model=model,
            sha256=seen.sha256,
            float_file=convert,
            signatures=signatures,
            default_signature=default_signature(signatures),
            parameters=seen.parameters or 0,
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
            result = self._workers.attempt(FORMATS["tflite"].convert, together, name="convert", recipe="")
            if result.value is not None:
                return {
                    **result.value,
                    "reference_samples": first_samples["sha256"],
                    "parameters": read_tflite(folder / MODEL_FILE).parameters,
                }
            assert result.failure is not None
            if result.failure.stage != "reference":
                raise result.failure.to_error()
            # The converter can read some models that TensorFlow itself cannot run; convert those alone.
        value = self._workers.run(FORMATS["tflite"].convert, arguments, name="convert")
        return {
            **value,
            "reference_samples": None,
            "parameters": read_tflite(folder / MODEL_FILE).parameters,
        }

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
            "code": code_digest(*SAMPLING),
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
        if source.model.kind != "tflite":
            found = self._attempt(
                "reference",
                {**key, "tools": versions(*CONVERTERS), "code": code_digest(*CONVERTING)},
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
                "tools": versions(*RUNTIMES),
                "code": code_digest(*VALIDATING),
            },
            lambda folder: self._workers.run(
                "edge_sdk.validate.compare:answer",
                {
                    "model": str(source.file),
                    "contract": contract.to_dict(),
                    "samples": str(samples.inputs),
                    "output": str(folder / REFERENCE_FILE),
                    "custom_ops": list(self._options.custom_ops),
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
                "tools": versions(*QUANTIZERS),
                "code": code_digest(*QUANTIZING),
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

    def quantize_all(
        self, source: Source, recipes: Sequence[Recipe], ranges: Entry | None
    ) -> list[Entry | Failure]:
        """Return each recipe's file (`MODEL_FILE`), or how making it failed, in order.

        What is not there yet is made by one worker, which starts and reads the source once. Where a recipe
        fails or takes the worker with it, the missing ones are made one by one, so that each failure is its
        own and the others are none.

        Args:
            source: With a float file.
            recipes: For the quantizer.
            ranges: Of `calibrate`, for recipes that need calibration.
        """
        missing = [
            recipe
            for recipe in recipes
            if self._cache.find("quantize", self._quantize_key(source, recipe, ranges)) is None
        ]
        if len(missing) > 1:
            with self._cache.scratch() as scratch:
                self._quantize_together(source, missing, ranges, scratch)
        return [self.quantize(source, recipe, ranges) for recipe in recipes]

    def _quantize_together(
        self, source: Source, recipes: Sequence[Recipe], ranges: Entry | None, scratch: Path
    ) -> None:
        files = {recipe.name: scratch / f"{index}.tflite" for index, recipe in enumerate(recipes)}
        done = self._workers.attempt(
            "edge_sdk.pipeline.quantizing:quantize_several",
            {
                "source": str(source.file),
                "signature": source.default_signature,
                "ranges": str(ranges.file(RANGES_FILE)) if ranges else None,
                "recipes": [
                    {"recipe": recipe.to_dict(), "destination": str(files[recipe.name])} for recipe in recipes
                ],
            },
            name="quantize",
            recipe="",
        )
        results = done.value["results"] if done.value is not None else []
        for recipe, result in zip(recipes, results, strict=False):
            if "value" not in result:
                continue

            def keep(folder: Path, name: str = recipe.name, value: Any = result["value"]) -> dict[str, Any]:
                files[name].rename(folder / MODEL_FILE)
                return dict(value)

            self._cache.make("quantize", self._quantize_key(source, recipe, ranges), keep)

    def quantize(self, source: Source, recipe: Recipe, ranges: Entry | None) -> Entry | Failure:
        """Return one variant's file (`MODEL_FILE`), or how making it failed.

        Args:
            source: With a float file.
            recipe: What to make.
            ranges: Of `calibrate`, for a recipe that needs calibration.
        """
        return self._attempt(
            "quantize",
            self._quantize_key(source, recipe, ranges),
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

    def _quantize_key(self, source: Source, recipe: Recipe, ranges: Entry | None) -> dict[str, Any]:
        return {
            "model": source.file_sha256,
            "recipe": recipe.to_dict(),
            "signature": source.default_signature,
            "ranges": ranges.digests[RANGES_FILE] if ranges else None,
            "tools": versions(*QUANTIZERS),
            "code": code_digest(*QUANTIZING),
        }

    def quantize_with_tensorflow(
        self, source: Source, recipe: Recipe, calibration: Samples | None
    ) -> Entry | Failure:
        """Return the file that TensorFlow's converter makes from the source model, or how that failed.

        Args:
            source: No `.tflite`.
            recipe: With backend "tensorflow".
            calibration: Samples for a recipe that needs them.
        """
        samples = calibration if recipe.needs_calibration else None
        return self._attempt(
            "quantize",
            {
                "source": source.sha256,
                "kind": source.model.kind,
                "function": source.model.location if source.model.kind == "function" else None,
                "recipe": recipe.to_dict(),
                "samples": None if samples is None else samples.sha256,
                "select_tf_ops": self._options.select_tf_ops,
                "custom_ops": bool(self._options.custom_ops),
                "tools": versions(*CONVERTERS, *QUANTIZERS),
                "code": code_digest("convert", "model", "quantize"),
            },
            "edge_sdk.convert.tflite:quantize_with_tensorflow",
            lambda folder: {
                "kind": source.model.kind,
                "model": source.model.location,
                "output": str(folder / MODEL_FILE),
                "recipe": recipe.to_dict(),
                "samples": None if samples is None else str(samples.inputs),
                "select_tf_ops": self._options.select_tf_ops,
                "custom_ops": bool(self._options.custom_ops),
            },
            recipe=recipe.name,
        )


def _given(file: FloatFile) -> Callable[[], FloatFile]:
    return lambda: file


def _look(model: Model) -> dict[str, Any]:
    if model.kind == "function":
        return {"signatures": [], "parameters": None, "is_float": True}
    check_model(model)
    report = inspect_model(model)
    is_tflite = model.kind == "tflite" and model.path is not None
    # The names that Keras files end up with are known once they are converted.
    known = () if model.kind in ("keras", "h5") else report.signatures
    return {
        "signatures": [item.to_dict() for item in (as_promised(known) if is_tflite else known)],
        "parameters": report.parameters,
        "is_float": read_tflite(model.path).is_float if is_tflite and model.path else True,
    }

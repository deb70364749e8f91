"""The steps that find out about variants, each stored in the cache under the hash of what it depends on.

    examine the calibration -> (evaluate -> map errors -> measure) each variant

Here are only the keys and the calls; the work is done by `edge_sdk.validate` in worker processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import Failure
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.pipeline.attempts import Attempts
from edge_sdk.pipeline.cache import Entry
from edge_sdk.pipeline.identity import (
    QUANTIZERS,
    RUNTIMES,
    VALIDATING,
    code_digest,
    machine,
    versions,
)
from edge_sdk.pipeline.materials import Made, Options, Reference, Samples, Source
from edge_sdk.pipeline.steps import RANGES_FILE
from edge_sdk.quantize.recipe import AS_IS, Recipe
from edge_sdk.validate.metrics.table import metric_key
from edge_sdk.validate.tolerance import EIGHT_BITS, FLOAT, golden_tolerance

GOLDEN_FILE = "golden.npz"
#: A measurement stops at whichever comes first.
MEASURE_RUNS = 200
MEASURE_SECONDS = 1.5
#: The error map reads every tensor of every layer: a few samples tell which layer is worst.
MAP_SAMPLES = 8
THUMBNAIL_PIXELS = 96


class Checks:
    """The steps, bound to one cache, one set of workers and one set of options."""

    def __init__(self, attempts: Attempts, options: Options) -> None:
        self._attempts = attempts
        self._attempt = attempts.attempt
        self._options = options

    def examine(
        self,
        source: Source,
        contract: Contract,
        calibration: Samples,
        evaluation: Samples | None,
        ranges: Entry | None,
    ) -> Entry | Failure:
        """Return what is found about the calibration data (`CalibrationReport`), or how looking failed.

        Args:
            source: With a float file.
            contract: Its signature and preprocessing say how inputs should look.
            calibration: What is examined.
            evaluation: What the model is meant for, where there is any.
            ranges: Of `Steps.calibrate`.
        """
        return self._attempt(
            "examine",
            {
                "model": source.file_sha256,
                "contract": contract.to_dict(),
                "calibration": calibration.sha256,
                "evaluation": None if evaluation is None else evaluation.sha256,
                "tools": versions(*QUANTIZERS),
                "code": code_digest(
                    "contract",
                    "model",
                    "quantize",
                    "validate/calibration",
                    "validate/facts.py",
                    "validate/metrics",
                ),
            },
            "edge_sdk.validate.calibration.examine:examine",
            lambda folder: {
                "model": str(source.file),
                "signature": source.default_signature,
                "contract": contract.to_dict(),
                "calibration": str(calibration.inputs),
                "calibration_labels": _path(calibration.labels),
                "evaluation": None if evaluation is None else str(evaluation.inputs),
                "evaluation_labels": None if evaluation is None else _path(evaluation.labels),
                "ranges": None if ranges is None else str(ranges.file(RANGES_FILE)),
                "threads": 1,
            },
            recipe="",
        )

    def check_metric(self, contract: Contract, samples: Samples, reference: Reference) -> Entry:
        """Score the source model itself, so that a metric that cannot work ends the build at once.

        Raises:
            ConfigError: The metric or its labels do not fit, or the user's metric fails.
        """
        chosen = self._options.metric.to_dict()
        return self._attempts.cache.make(
            "metric",
            {
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "reference": reference.sha256,
                "metric": metric_key(chosen),
                "code": code_digest("contract", "quantize/labels.py", "validate/metrics"),
            },
            lambda folder: self._attempts.workers.run(
                "edge_sdk.validate.metrics.evaluation:check",
                {
                    "metric": chosen,
                    "contract": contract.to_dict(),
                    "labels": _path(samples.labels),
                    "reference": str(reference.file),
                },
                name="metric",
                subject=f"metric {self._options.metric.name or ''}".strip(),
            ),
        )

    def evaluate(
        self, made: Made, contract: Contract, samples: Samples, reference: Reference
    ) -> Entry | Failure:
        """Return one variant's facts (and `GOLDEN_FILE`), or how running it failed."""
        recipe, contract = made.recipe, made.keeps(contract)
        return self._attempt(
            "evaluate",
            {
                "model": made.sha256,
                "recipe": recipe.to_dict(),
                "coreml": None if made.coreml is None else made.coreml.to_dict(),
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "data": samples.data,
                "reference": reference.sha256,
                "metric": metric_key(self._options.metric.to_dict()),
                "tools": versions(*RUNTIMES),
                "code": code_digest(*VALIDATING),
            },
            "edge_sdk.validate.compare:evaluate",
            lambda folder: {
                "model": str(made.path),
                "recipe": recipe.name,
                "coreml": None if made.coreml is None else made.coreml.to_dict(),
                "integer_io": integer_io(recipe),
                "contract": contract.to_dict(),
                "data": samples.data,
                "samples": str(samples.inputs),
                "labels": _path(samples.labels),
                "reference": str(reference.file),
                "golden": str(folder / GOLDEN_FILE),
                "tolerance": _tolerance(made.path, recipe),
                "metric": self._options.metric.to_dict(),
                "custom_ops": list(self._options.custom_ops),
            },
            recipe=recipe.name,
        )

    def map_errors(
        self, source: Source, model: Path, digest: str, recipe: Recipe, contract: Contract, samples: Samples
    ) -> Entry | Failure:
        """Return the error of every layer of a variant (`ErrorMap`), or how finding it failed."""
        return self._attempt(
            "map",
            {
                "source": source.file_sha256,
                "model": digest,
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "limit": MAP_SAMPLES,
                "tools": versions(*RUNTIMES),
                "code": code_digest(
                    "model",
                    "quantize/samples.py",
                    "runtime/tensors.py",
                    "validate/error_map.py",
                    "validate/metrics/outputs.py",
                ),
            },
            "edge_sdk.validate.error_map:map_errors",
            lambda folder: {
                "float_model": str(source.file),
                "model": str(model),
                "contract": contract.to_dict(),
                "samples": str(samples.inputs),
                "limit": MAP_SAMPLES,
                "threads": 1,
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
                "tools": versions(*RUNTIMES),
                "code": code_digest(*VALIDATING),
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
                "custom_ops": list(self._options.custom_ops),
            },
            recipe=recipe.name,
        )

    def thumbnails(self, contract: Contract, samples: Samples, indices: Sequence[int]) -> Entry | Failure:
        """Return small pictures of some samples by index, as data URIs; none where inputs are no pictures."""
        return self._attempt(
            "thumbnails",
            {
                "contract": contract.to_dict(),
                "samples": samples.sha256,
                "indices": list(indices),
                "size": THUMBNAIL_PIXELS,
                "tools": versions("numpy", "pillow"),
                "code": code_digest("validate/report/thumbnails.py"),
            },
            "edge_sdk.validate.report.thumbnails:make",
            lambda folder: {
                "samples": str(samples.inputs),
                "contract": contract.to_dict(),
                "indices": list(indices),
                "size": THUMBNAIL_PIXELS,
            },
            recipe="",
        )


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def integer_io(recipe: Recipe) -> bool:
    """Return whether inputs and outputs may be stored as integers that stand for real numbers."""
    return recipe.io == "int8" or recipe.name == AS_IS


def _tolerance(model: Path, recipe: Recipe) -> float:
    if recipe.name == AS_IS:
        return FLOAT if read_tflite(model).is_float else EIGHT_BITS
    return golden_tolerance(recipe.method, recipe.weight_bits, recipe.activation_bits)

"""Examine calibration data without building anything: what stands behind `edge check --calibration`.

    report = check_calibration("digits_model", "calibration.npz", evaluation="evaluation.npz")
    report.errors

The steps are those of a build, and so is the cache: a build after the check does not do them again.
"""

from __future__ import annotations

from pathlib import Path

from edge_sdk.configuration import Configuration, read_labels
from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import Failure
from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.model.load import open_model
from edge_sdk.pipeline.attempts import Attempts
from edge_sdk.pipeline.build import DEFAULT_CACHE, DEFAULT_TIMEOUT_SECONDS
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.checks import Checks
from edge_sdk.pipeline.contract import make_contract
from edge_sdk.pipeline.job import CALIBRATION_LIMIT, EVALUATION_LIMIT
from edge_sdk.pipeline.materials import Options, Samples
from edge_sdk.pipeline.steps import Steps
from edge_sdk.pipeline.workers import Workers
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.validate.calibration.report import CalibrationReport
from edge_sdk.validate.calibration.samples import not_finite_finding


def check_calibration(
    model: str | Path,
    calibration: str | Path,
    *,
    evaluation: str | Path | None = None,
    configuration: Configuration | None = None,
    cache: str | Path = DEFAULT_CACHE,
    progress: Progress = silent,
) -> CalibrationReport:
    """Examine calibration data for a model.

    Args:
        model: SavedModel folder, `.keras`, `.h5`, `.tflite`, or `module:function`.
        calibration: .npz, folder of pictures, or module:function.
        evaluation: What the model is meant for, with or without labels; the configured data where None.
        configuration: Preprocessing, outputs, labels and limits; see `edge_sdk.configuration`.
        cache: Folder of finished steps.
        progress: Told what happens.

    Raises:
        ConfigError: Data cannot be read.
        ModelError: The source cannot be used, is quantized already, or data does not fit it.
        ConversionError: The conversion or the examination failed.
        MissingExtraError: A package is not installed.
    """
    settings = configuration or Configuration()
    meant = evaluation if evaluation is not None else settings.build.evaluation
    timeout = settings.build.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    folder = Path(cache)
    workers = Workers(timeout_seconds=timeout, logs=folder.parent / "log", progress=progress)
    store, options = StepCache(folder, progress), Options(metric=settings.metric)
    steps, checks = Steps(store, workers, options), Checks(Attempts(store, workers), options)
    opened = open_model(model, check=False)
    if opened.kind == "bundle":
        raise ModelError(
            f"{opened.location} is a bundle already",
            hint="name the model that it was built from; calibration happens before",
        )
    seen = steps.look(opened)
    if not seen.is_float:
        raise ModelError(
            f"{opened.location} is quantized already",
            why="calibration is for a float model",
            hint="name the float model",
        )
    progress(Step("source", "looking at the model"))
    source = steps.source(opened, seen)
    contract = make_contract(
        source.signatures,
        source.default_signature,
        inputs=settings.input,
        outputs=settings.output,
        detections=settings.detections,
        labels=read_labels(settings.labels),
    )
    try:
        samples = _samples(steps, calibration, contract, "calibration", CALIBRATION_LIMIT)
    except ConfigError as error:
        report = _not_finite(error)
        if report is None:
            raise
        return report
    compared = None if meant is None else _samples(steps, meant, contract, "evaluation", EVALUATION_LIMIT)
    ranges = steps.calibrate(source, samples)
    found = checks.examine(
        source, contract, samples, compared, None if isinstance(ranges, Failure) else ranges
    )
    if isinstance(found, Failure):
        raise found.to_error()
    return CalibrationReport.from_dict(found.value)


def _samples(steps: Steps, spec: str | Path, contract: Contract, data: str, limit: int) -> Samples:
    return steps.samples(str(spec), contract, data=data, limit=limit, labels=True)


def _not_finite(error: ConfigError) -> CalibrationReport | None:
    """Return the finding where data was refused because of NaN; reading stops there."""
    details = error.details.get("not_finite")
    if not isinstance(details, dict):
        return None
    finding = not_finite_finding(details["input"], details["samples"], details["of"], details["first"])
    return CalibrationReport(
        findings=(finding,),
        samples=details["of"],
        not_checked=("everything else: these samples have to go first",),
    )

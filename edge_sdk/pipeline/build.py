"""`edge_sdk.build`: from a model to checked variants in one bundle.

    result = edge_sdk.build("digits_model", evaluation="evaluation.npz", calibration="calibration.npz")
    result.bundle, result.picked, result.variants

The flow: plan -> convert once -> samples -> reference -> quantize many, side by side -> examine the
calibration -> evaluate, side by side -> measure, one at a time -> judge -> pick -> pack. A recipe that cannot
be made and a variant that a guard rejects are values in the result; what stops the whole build is an
EdgeError.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.configuration import (
    PICK_RULES,
    Budget,
    Configuration,
    CoreMLSection,
    MetricSection,
    read_labels,
)
from edge_sdk.contract.spec import Detections, Postprocess, Preprocess
from edge_sdk.errors import ConfigError, ConversionError, NoSpaceError
from edge_sdk.model.load import open_model
from edge_sdk.pipeline.attempts import Attempts
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.checks import Checks
from edge_sdk.pipeline.command import repeat_command
from edge_sdk.pipeline.contract import make_contract
from edge_sdk.pipeline.disk import full_disk, refuse_full_disk
from edge_sdk.pipeline.job import Job
from edge_sdk.pipeline.materials import Options
from edge_sdk.pipeline.packages import Packages
from edge_sdk.pipeline.result import BuildResult
from edge_sdk.pipeline.steps import Steps
from edge_sdk.pipeline.workers import Workers
from edge_sdk.progress import Progress, silent
from edge_sdk.targets import Target, load_target
from edge_sdk.validate.metrics.table import check_name

DEFAULT_OUT = Path("build")
DEFAULT_CACHE = Path(".edge/cache")
DEFAULT_TARGET = "host"
DEFAULT_VERSION = "0.1.0"
DEFAULT_TIMEOUT_SECONDS = 1800.0


def build(
    model: str | Path,
    *,
    targets: Sequence[str] = ("host",),
    recipes: Sequence[str] | None = None,
    calibration: str | Path | None = None,
    evaluation: str | Path | None = None,
    out: str | Path = DEFAULT_OUT,
    name: str | None = None,
    version: str = DEFAULT_VERSION,
    inputs: Mapping[str, Preprocess] | None = None,
    outputs: Mapping[str, Postprocess] | None = None,
    detections: Detections | None = None,
    labels: Sequence[str] | str | Path = (),
    metric: MetricSection | str | None = None,
    budget: Budget | None = None,
    coreml: CoreMLSection | None = None,
    pick: str = "size",
    repair: bool = False,
    prove: bool | None = None,
    threads: int | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    select_tf_ops: bool = False,
    custom_ops: Sequence[str | Path] = (),
    cache: str | Path = DEFAULT_CACHE,
    fresh: bool = False,
    progress: Progress = silent,
) -> BuildResult:
    """Build a model: convert, quantize, validate, pick, pack.

    Args:
        model: SavedModel folder, `.keras`, `.h5`, `.tflite`, or `module:function`.
        targets: Names in `edge targets`, or paths of TOML files; the first one's pick is the result's.
        recipes: Names in `edge recipes`, or paths; None builds what the targets ask for and can be made.
        calibration: Samples for static recipes: .npz, folder of pictures, or module:function.
        evaluation: Samples to compare on, with labels for a metric; else calibration data, else synthetic.
        out: Folder for `NAME.edge` and `NAME/<id>.tflite`.
        name: Of the bundle; the model's name by default.
        version: Of the bundle, for people.
        inputs: Preprocessing by input name.
        outputs: Postprocessing by output name.
        detections: How outputs become boxes.
        labels: Class names by index, or a text file with one a line.
        metric: How answers are compared with labels: a name, or a section with outputs and options.
        budget: Limits for the pick.
        coreml: How Core ML packages are made.
        pick: Rule of the pick, "size" or "measured".
        repair: Search mixed precision where a static variant misses the budget.
        prove: Run variants in each target's own runtime version too; None does where that is another
            runtime than the host's. The first time, packages are fetched from PyPI.
        threads: CPU threads for measuring latency.
        timeout_seconds: Limit of each worker.
        select_tf_ops: Allow operators that need the Flex delegate.
        custom_ops: Libraries with custom operators ("PATH" or "PATH:FUNCTION").
        cache: Folder of finished steps.
        fresh: Make every step again.
        progress: Told what happens.

    Returns:
        The variants with their numbers and verdicts, the failures, the pick and the bundle.

    Raises:
        ConfigError: A setting cannot be used, data cannot be read, or a disk of this machine is full.
        ModelError: The source cannot be used.
        SignatureMismatchError: Data does not fit the model.
        ConversionError: The conversion failed.
        MissingExtraError: A package is not installed.
    """
    folder = Path(cache)
    workers = Workers(timeout_seconds=timeout_seconds, logs=folder.parent / "log", progress=progress)
    store = StepCache(folder, progress, fresh=fresh)
    options = Options(
        select_tf_ops=select_tf_ops,
        custom_ops=tuple(str(item) for item in custom_ops),
        threads=threads,
        metric=MetricSection(name=metric) if isinstance(metric, str) else metric or MetricSection(),
    )
    coreml = coreml or CoreMLSection()
    attempts = Attempts(store, workers)
    if options.metric.name is not None:
        check_name(options.metric.name)
    if pick not in PICK_RULES:
        raise ConfigError(f"pick is {pick!r}", why="allowed: " + ", ".join(PICK_RULES))
    job = Job(
        model=open_model(model, check=False),
        targets=tuple(
            _for_deployment(load_target(target), coreml)
            for target in dict.fromkeys(targets or (DEFAULT_TARGET,))
        ),
        requested=tuple(recipes or ()),
        calibration=None if calibration is None else str(calibration),
        evaluation=None if evaluation is None else str(evaluation),
        out=Path(out),
        name=name,
        version=version,
        contract_of=functools.partial(
            make_contract,
            inputs=inputs or {},
            outputs=outputs or {},
            detections=detections,
            labels=read_labels(labels if isinstance(labels, (str, Path)) else tuple(labels)),
        ),
        budget=budget or Budget(),
        rule=pick,
        repair=repair,
        prove=prove,
        command=tuple(
            repeat_command(
                model,
                targets=tuple(dict.fromkeys(targets or (DEFAULT_TARGET,))),
                recipes=tuple(recipes or ()),
                options={
                    "calibration": calibration,
                    "evaluation": evaluation,
                    "out": out,
                    "name": name,
                    "version": version,
                    "threads": threads,
                    "deployment-target": coreml.deployment_target,
                },
                metric=options.metric,
                budget=budget or Budget(),
                flags={
                    "pick": pick == "measured",
                    "repair": repair,
                    "select-tf-ops": select_tf_ops,
                },
            )
        ),
        steps=Steps(store, workers, options),
        checks=Checks(attempts, options),
        packages=Packages(attempts, coreml, version),
        workers=workers,
        cache=store,
        progress=progress,
    )
    try:
        return job.run()
    except NoSpaceError as error:
        raise full_disk(error) from error
    except ConversionError as error:
        refuse_full_disk(f"{error.what} {error.why or ''}")
        raise


def _for_deployment(target: Target, section: CoreMLSection) -> Target:
    """Return a target with the deployment target that the user chose, where it takes Core ML packages."""
    if target.format != "mlpackage" or section.deployment_target is None:
        return target
    runtime = dataclasses.replace(target.runtime, minimum_version=section.deployment_target)
    return dataclasses.replace(target, runtime=runtime)


def build_configured(
    configuration: Configuration,
    model: str | Path | None = None,
    /,
    *,
    progress: Progress = silent,
    **chosen: Any,
) -> BuildResult:
    """Build what an `edge.toml` says; every verb that needs a bundle calls this.

    Args:
        configuration: From `edge_sdk.configuration.find_configuration`.
        model: Another model than the configured one.
        progress: Told what happens.
        chosen: Options of `build` that win over the configuration; None leaves the configured value.

    Raises:
        ConfigError: No model is named anywhere.
        EdgeError: As `build`.
    """
    source = model if model is not None else configuration.model.path
    if source is None:
        raise ConfigError(
            "no model is named",
            why="there is none on the command line and no edge.toml with [model] path here",
            hint="edge build MODEL, or edge init MODEL to write an edge.toml",
        )
    section = configuration.build
    settings: dict[str, Any] = {
        "targets": section.targets or None,
        "recipes": section.recipes or None,
        "calibration": section.calibration,
        "evaluation": section.evaluation,
        "out": section.out,
        "name": configuration.model.name,
        "version": configuration.model.version,
        "threads": section.threads,
        "timeout_seconds": section.timeout_seconds,
        "inputs": configuration.input,
        "outputs": configuration.output,
        "detections": configuration.detections,
        "labels": configuration.labels,
        "metric": configuration.metric,
        "budget": configuration.budget,
        "coreml": configuration.coreml,
        "pick": section.pick,
        "repair": section.repair,
    }
    settings.update({option: value for option, value in chosen.items() if value is not None})
    return build(
        source,
        **{option: value for option, value in settings.items() if value is not None},
        progress=progress,
    )

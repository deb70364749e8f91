"""`edge_sdk.pipeline.optimizing.optimize`: advice with measured numbers, training, and what it gave.

    look -> convert -> samples -> int8 as it is now -> thin (a prediction) -> measure        the advice
    train in its own process -> convert -> int8 -> measure                                   the result

Everything but the training is a cached step. The training keeps its checkpoints in `.edge/optimize` under
the hash of what decides it, so the same call goes on where a stopped one was.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.durable import durable_file
from edge_sdk.configuration import read_labels
from edge_sdk.contract.spec import Contract, Postprocess, Preprocess
from edge_sdk.convert.worker import Failure
from edge_sdk.errors import ConfigError, MissingExtraError, ModelError
from edge_sdk.model.load import Model, open_model
from edge_sdk.optimize.objective import choose_objective
from edge_sdk.optimize.plan import TrainingPlan
from edge_sdk.pipeline.advice import Advice, Numbers, OptimizeResult, advise
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.contract import make_contract
from edge_sdk.pipeline.identity import code_digest, versions
from edge_sdk.pipeline.materials import FloatFile, Options, Samples, Source
from edge_sdk.pipeline.samples import data_digest
from edge_sdk.pipeline.steps import MODEL_FILE, Steps
from edge_sdk.pipeline.workers import Workers
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.quantize.recipe import load_recipe

DEFAULT_OUT = Path("optimized")
DEFAULT_CACHE = Path(".edge/cache")
DEFAULT_CHECKPOINTS = Path(".edge/optimize")
#: Training takes what it takes; this only ends one that hangs.
_TRAINING_SECONDS = 14 * 86400.0
#: All training samples are held in memory.
TRAINING_LIMIT = 200_000
EVALUATION_LIMIT = 5000
_CALIBRATION_LIMIT = 200
_INT8 = "full_int8"
_TOOLS = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "tensorflow-model-optimization", "numpy")


@dataclass(frozen=True)
class _Variants:
    """The files that are compared: by label, with the source they came from."""

    source: Source
    files: Mapping[str, Path]


def optimize(
    model: str | Path,
    plan: TrainingPlan,
    *,
    train: str | Path,
    evaluation: str | Path | None = None,
    out: str | Path = DEFAULT_OUT,
    name: str | None = None,
    advice_only: bool = False,
    inputs: Mapping[str, Preprocess] | None = None,
    outputs: Mapping[str, Postprocess] | None = None,
    labels: Sequence[str] | str | Path = (),
    timeout_seconds: float = 1800.0,
    cache: str | Path = DEFAULT_CACHE,
    checkpoints: str | Path = DEFAULT_CHECKPOINTS,
    fresh: bool = False,
    told: Any = None,
    progress: Progress = silent,
) -> OptimizeResult:
    """Prune, cluster or train a model for quantization.

    Args:
        model: `.keras`, `.h5` or `module:function`: a model that can still be trained.
        plan: Methods, schedules, epochs.
        train: Training data with labels: .npz, folder of pictures, or module:function.
        evaluation: To measure on; without it a tenth of the training data is held back.
        out: Folder for the result.
        name: Of the result; the model's name and the methods by default.
        advice_only: Stop before the training.
        inputs: Preprocessing by input name.
        outputs: Postprocessing by output name.
        labels: Class names by index, or a text file with one a line.
        timeout_seconds: Limit of each step but the training.
        cache: Folder of finished steps.
        checkpoints: Folder of trainings under way.
        fresh: Train from the start, whatever was trained before.
        told: Called with the `Advice` before the training starts, or None.
        progress: Told what happens.

    Raises:
        ConfigError: A setting, the data or the schedule cannot be used.
        ModelError: The model cannot be trained; the layer is named.
        MissingExtraError: The extra `optimize` is not installed.
    """
    source = open_model(model)
    _refuse(source)
    for spec in (train, evaluation):
        if spec is not None:
            data_digest(str(spec))
    workers = Workers(timeout_seconds=timeout_seconds, logs=Path(cache).parent / "log", progress=progress)
    store = StepCache(Path(cache), progress)
    run = _Run(source, plan, store, workers, Steps(store, workers, Options()), progress)
    looked = run.look()
    before = run.convert(source)
    contract = make_contract(
        before.signatures,
        before.default_signature,
        inputs=inputs or {},
        outputs=outputs or {},
        labels=read_labels(labels if isinstance(labels, (str, Path)) else tuple(labels)),
    )
    data = run.samples(str(train), contract, "training", TRAINING_LIMIT)
    other = (
        None if evaluation is None else run.samples(str(evaluation), contract, "evaluation", EVALUATION_LIMIT)
    )
    for samples in (data, other):
        if samples is not None:
            check_data(plan, contract, samples)
    check_schedule(plan, data.count)
    calibration = run.steps.samples(
        str(train), contract, data="calibration", limit=_CALIBRATION_LIMIT, labels=False
    )
    now = run.variants(before, calibration)
    judge = other or data
    advice = run.advice(before, now, calibration, judge, looked)
    if told is not None:
        told(advice)
    if advice_only:
        return OptimizeResult(advice=advice)
    out_name = name or f"{source.name}-{'-'.join(plan.stages)}"
    trained = run.train(data, other, Path(out) / out_name, Path(checkpoints), fresh=fresh)
    after = run.variants(run.convert(open_model(trained["output"])), calibration)
    compared = run.measure(
        {
            **{f"{label} before": path for label, path in now.files.items()},
            **{f"{label} after": path for label, path in after.files.items()},
        },
        judge,
        judged=None,
    )
    result = OptimizeResult(
        advice=advice,
        output=trained["output"],
        before={label: compared[f"{label} before"] for label in now.files},
        after={label: compared[f"{label} after"] for label in after.files},
        training={key: value for key, value in trained.items() if key != "output"},
        measured_on=judge.data,
    )
    summary = Path(out) / f"{out_name}.json"
    with durable_file(summary) as stream:
        stream.write(json.dumps(result.to_dict(), indent=2).encode())
    return dataclasses.replace(result, summary=str(summary))


def check_schedule(plan: TrainingPlan, samples: int) -> None:
    """Refuse a schedule that does not fit the data, before anything is trained.

    Raises:
        ConfigError: Pruning would not end in time.
    """
    if "prune" in plan.stages:
        plan.prune.resolved(plan.steps(samples))


def check_data(plan: TrainingPlan, contract: Contract, samples: Samples) -> None:
    """Refuse labels that do not fit the outputs, before anything is trained.

    Raises:
        ConfigError: They do not, or are missing where the loss needs them.
    """
    import numpy as np

    outputs = contract.signature.outputs
    if any(spec.shape is None or None in spec.shape[1:] for spec in outputs):
        return  # known once the model answers
    labels = None if samples.labels is None else np.load(samples.labels, allow_pickle=False)
    count = min(samples.count, 2)
    like = [
        np.zeros((count, *(size or 1 for size in spec.shape[1:])), np.float32)
        for spec in outputs
        if spec.shape
    ]
    choose_objective(plan.loss, labels, like, [spec.name for spec in outputs])


def _refuse(model: Model) -> None:
    hints = {
        "tflite": "a .tflite file has no layers to train; give the Keras model that it was converted from",
        "saved_model": "a SavedModel is a graph, its layers are gone; give the .keras or .h5 file, or "
        "module:function that builds the model and loads its weights",
        "bundle": "give the source model",
    }
    if model.kind in hints:
        raise ModelError(f"{model.location} cannot be trained: it is a {model.kind}", hint=hints[model.kind])
    for module, package in (
        ("tensorflow", "tensorflow-cpu"),
        ("tf_keras", "tf-keras"),
        ("tensorflow_model_optimization", "tensorflow-model-optimization"),
    ):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(package, extra="optimize,tensorflow", purpose="prune, cluster or train")


class _Run:
    """The steps of one call."""

    def __init__(
        self,
        model: Model,
        plan: TrainingPlan,
        store: StepCache,
        workers: Workers,
        steps: Steps,
        progress: Progress,
    ) -> None:
        self.model = model
        self.plan = plan
        self.store = store
        self.workers = workers
        self.steps = steps
        self.progress = progress
        self.sha256 = model.sha256()

    def look(self) -> Mapping[str, Any]:
        """Rebuild the model, so that what cannot be trained is refused before any effort."""
        entry = self.store.make(
            "rebuild",
            {
                "model": self.sha256,
                "kind": self.model.kind,
                "methods": self.plan.stages,
                "skip": self.plan.skip,
                "clusters": self.plan.cluster.clusters,
                "tools": versions(*_TOOLS),
                "code": _code(),
            },
            lambda folder: self.workers.run(
                "edge_sdk.pipeline.training:look",
                {"kind": self.model.kind, "model": self.model.location, "plan": self.plan.to_dict()},
                name="rebuild",
            ),
        )
        return entry.value

    def convert(self, model: Model) -> Source:
        """Return the float `.tflite` of a model."""
        return self.steps.source(model, self.steps.look(model))

    def samples(self, spec: str, contract: Contract, data: str, limit: int) -> Samples:
        """Return the data as checked tensors."""
        return self.steps.samples(spec, contract, data=data, limit=limit, labels=True)

    def variants(self, source: Source, calibration: Samples) -> _Variants:
        """Return the float file and its int8 twin."""
        ranges = _done(self.steps.calibrate(source, calibration))
        made = _done(self.steps.quantize(source, load_recipe(_INT8), ranges))
        return _Variants(source, {"float32": source.file, "int8": made.file(MODEL_FILE)})

    def advice(
        self,
        source: Source,
        now: _Variants,
        calibration: Samples,
        judge: Samples,
        looked: Mapping[str, Any],
    ) -> Advice:
        """Measure what there is, and what thinned weights would give."""
        files = {f"{label} now": path for label, path in now.files.items()}
        share = None
        sparsity = self.plan.prune.final_sparsity if "prune" in self.plan.stages else None
        clusters = self.plan.cluster.clusters if "cluster" in self.plan.stages else None
        if sparsity is not None or clusters is not None:
            thinned = self.store.make(
                "thin",
                {
                    "model": source.file_sha256,
                    "sparsity": sparsity,
                    "clusters": clusters,
                    "code": code_digest("pipeline/thinning.py", "quantize/flatfile.py"),
                },
                lambda folder: self.workers.run(
                    "edge_sdk.pipeline.thinning:thin",
                    {
                        "source": str(source.file),
                        "destination": str(folder / MODEL_FILE),
                        "sparsity": sparsity,
                        "clusters": clusters,
                    },
                    name="thin",
                ),
            )
            share = thinned.value["weights"] / source.parameters if source.parameters else None
            predicted = self.variants(
                dataclasses.replace(
                    source,
                    float_file=functools.partial(
                        FloatFile, thinned.file(MODEL_FILE), thinned.digests[MODEL_FILE]
                    ),
                ),
                calibration,
            )
            files.update({f"{label} predicted": path for label, path in predicted.files.items()})
        found = self.measure(files, judge, judged=[f"{label} now" for label in now.files])
        return advise(
            self.plan,
            now={label: found[f"{label} now"] for label in now.files},
            predicted={
                label: found[f"{label} predicted"] for label in now.files if f"{label} predicted" in found
            },
            share=share,
            equal_within=looked["equal_within"],
            measured_on=judge.data,
        )

    def measure(
        self, files: Mapping[str, Path], judge: Samples, *, judged: Sequence[str] | None
    ) -> dict[str, Numbers]:
        """Measure files side by side; `judged` are those whose metric is wanted, None for all."""
        found = self.workers.run(
            "edge_sdk.pipeline.numbers:measure",
            {
                "files": {label: str(path) for label, path in files.items()},
                "samples": str(judge.inputs),
                "labels": None if judge.labels is None else str(judge.labels),
                "judged": list(files if judged is None else judged),
            },
            name="numbers",
        )
        return {label: Numbers.from_dict(value) for label, value in found.items()}

    def train(
        self, data: Samples, other: Samples | None, output: Path, checkpoints: Path, *, fresh: bool
    ) -> dict[str, Any]:
        """Train, or go on with a training that was stopped."""
        key = {
            "model": self.sha256,
            "plan": self.plan.to_dict(),
            "train": data.sha256,
            "evaluation": None if other is None else other.sha256,
            "tools": versions(*_TOOLS),
            "code": code_digest("optimize"),
        }
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        folder = checkpoints / f"{self.model.name}-{digest}"
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        self.progress(Step("train", f"checkpoints in {folder}"))
        trainer = Workers(
            timeout_seconds=_TRAINING_SECONDS, logs=self.workers.log("train").parent, progress=self.progress
        )
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise ConfigError(
                f"the folder {output.parent} cannot be made", why=failure.strerror or str(failure)
            ) from failure
        value: dict[str, Any] = trainer.run(
            "edge_sdk.pipeline.training:train",
            {
                "kind": self.model.kind,
                "model": self.model.location,
                "plan": self.plan.to_dict(),
                "train": str(data.inputs),
                "train_labels": None if data.labels is None else str(data.labels),
                "evaluation": None if other is None else str(other.inputs),
                "evaluation_labels": None if other is None or other.labels is None else str(other.labels),
                "folder": str(folder),
                "output": str(output),
            },
            name="train",
        )
        return value


def _done(found: Entry | Failure) -> Entry:
    if isinstance(found, Failure):
        raise found.to_error()
    return found


def _code() -> str:
    return code_digest("optimize", "pipeline/training.py")

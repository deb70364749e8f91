"""The two jobs of `edge optimize` that need TensorFlow, as worker functions.

look        rebuild the model in tf_keras and prove that it answers the same; nothing is trained
train       the same, then every stage, then the file for `edge build`
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.child import report, stage
from edge_sdk.errors import ConfigError, MissingExtraError, ModelError
from edge_sdk.optimize.plan import Pruning, TrainingPlan
from edge_sdk.quantize.functions import import_function

#: Samples that the proof of equality runs.
_PROOF_SAMPLES = 32
#: Share of the training data that is held back to measure on where there is no evaluation data.
_HELD_BACK = 0.1


def look(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether a model can be trained, and what the methods would act on.

    Args:
        arguments: kind, model, plan.

    Returns:
        {"layers": n, "legacy": bool, "equal_within": number}; equality is tested on random inputs.

    Raises:
        ModelError: It cannot; the layer is named.
        ConfigError: A layer to skip does not exist.
    """
    source, rebuilt = _open(arguments)
    import numpy as np

    from edge_sdk.optimize.rebuild import prove_equal
    from edge_sdk.optimize.stages import wrap

    random = np.random.default_rng(0)
    inputs = {}
    for name, tensor in zip(rebuilt.input_names, rebuilt.model.inputs, strict=True):
        shape = [2 if axis == 0 else size or 16 for axis, size in enumerate(tensor.shape)]
        if tensor.shape[0]:
            shape[0] = int(tensor.shape[0])
        kind = np.dtype(tensor.dtype.as_numpy_dtype).kind
        inputs[name] = (
            random.normal(size=shape).astype(np.float32)
            if kind == "f"
            else random.integers(0, 2, shape).astype(tensor.dtype.as_numpy_dtype)
        )
    stage("rebuild", "comparing the rebuilt model with the source")
    difference = prove_equal(source, rebuilt, inputs)
    plan = TrainingPlan.from_dict(arguments["plan"])
    for method in plan.stages:
        stage("rebuild", f"preparing the model for {method}")
        # Whether the schedule fits is known with the data; here only the layers count.
        wrap(method, rebuilt.model, dataclasses.replace(plan, prune=Pruning()), steps=10_000)
    return {
        "layers": len(rebuilt.model.layers),
        "legacy": rebuilt.legacy,
        "equal_within": difference,
    }


def train(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Train and write the result.

    Args:
        arguments: kind, model (as for a conversion), plan (`TrainingPlan.to_dict()`), train and evaluation
            (.npz of inputs by name; evaluation may be None), train_labels and evaluation_labels (.npy or
            None), folder (checkpoints), output (path without suffix), tools that matter nowhere else.

    Returns:
        {"output", "kind", "objective", "metric_before", "metric_after", "stages", "resumed_from",
        "equal_within", "samples", "evaluated_on"}.

    Raises:
        ModelError: The model cannot be trained.
        ConfigError: Labels or schedule do not fit.
    """
    import numpy as np

    source, rebuilt = _open(arguments)
    from edge_sdk.optimize.moving import export, give_back, save
    from edge_sdk.optimize.objective import answers_of, check_labels, choose_objective
    from edge_sdk.optimize.rebuild import prove_equal
    from edge_sdk.optimize.training import Data
    from edge_sdk.optimize.training import train as run

    plan = TrainingPlan.from_dict(arguments["plan"])
    inputs, labels = _data(arguments["train"], arguments["train_labels"])
    names = _match(rebuilt.input_names, list(inputs))
    columns = [
        _batched(inputs[name], tensor) for name, tensor in zip(names, rebuilt.model.inputs, strict=True)
    ]
    stage("rebuild", "comparing the rebuilt model with the source")
    first = {own: column[:_PROOF_SAMPLES] for own, column in zip(rebuilt.input_names, columns, strict=True)}
    equal = prove_equal(source, rebuilt, first)
    stage("reference", "asking the source model for its answers")
    teacher = answers_of(rebuilt.model, columns)
    objective = choose_objective(plan.loss, labels, teacher, rebuilt.output_names)
    targets = objective.targets(labels, teacher)
    if arguments["evaluation"] is not None:
        other, other_labels = _data(arguments["evaluation"], arguments["evaluation_labels"])
        other_columns = [
            _batched(other[name], tensor) for name, tensor in zip(names, rebuilt.model.inputs, strict=True)
        ]
        other_teacher = answers_of(rebuilt.model, other_columns)
        check_labels(objective, other_labels, other_teacher, rebuilt.output_names[0], "the evaluation data")
        evaluation = Data(other_columns, objective.targets(other_labels, other_teacher))
        training = Data(columns, targets)
        evaluated_on = "evaluation"
    else:
        order = np.random.default_rng(plan.seed).permutation(len(columns[0]))
        held = max(1, int(len(order) * _HELD_BACK))
        if len(order) - held < 1:
            raise ConfigError("one training sample is too few", hint="give more, or --evaluation DATA")
        evaluation = Data([item[order[:held]] for item in columns], [item[order[:held]] for item in targets])
        training = Data([item[order[held:]] for item in columns], [item[order[held:]] for item in targets])
        evaluated_on = "held back"
    before = objective.measure(answers_of(rebuilt.model, evaluation.inputs), evaluation.targets)
    done = run(
        rebuilt.model,
        plan,
        objective,
        training,
        evaluation,
        folder=Path(arguments["folder"]),
        progress=report,
    )
    stage("write", "writing the result")
    after = objective.measure(answers_of(done.final, evaluation.inputs), evaluation.targets)
    output = Path(arguments["output"])
    if "qat" in plan.stages:
        kind, path = "saved_model", export(done.final, output, names, rebuilt.output_names)
    else:
        give_back(source, rebuilt, done.plain)
        _prove_moved(source, rebuilt, done.plain, first)
        kind = "h5" if rebuilt.legacy else "keras"
        path = save(source, output.with_name(f"{output.name}.{kind}"))
    return {
        "output": str(path),
        "kind": kind,
        "objective": objective.loss,
        "metric_name": objective.metric,
        "higher_is_better": objective.higher_is_better,
        "metric_before": before,
        "metric_after": after,
        "stages": done.stages,
        "resumed_from": done.resumed_from,
        "equal_within": equal,
        "samples": training.count,
        "evaluated_on": evaluated_on,
        "evaluation_samples": evaluation.count,
    }


def _open(arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    # Decides which Keras TensorFlow and tfmot speak of; read when TensorFlow is imported.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    stage("import", "loading TensorFlow")
    for module, package in (("tf_keras", "tf-keras"), ("tensorflow_model_optimization", None)):
        try:
            __import__(module)
        except ModuleNotFoundError as failure:
            raise MissingExtraError(
                package or "tensorflow-model-optimization", extra="optimize", purpose="train"
            ) from failure
    from edge_sdk.optimize.moving import load_source
    from edge_sdk.optimize.rebuild import rebuild

    kind, location = arguments["kind"], arguments["model"]
    stage("load", f"loading {Path(location).name}")
    build = import_function(location, error=ModelError) if kind == "function" else None
    source = load_source(kind, location, build)
    stage("rebuild", "rebuilding the model in tf_keras")
    return source, rebuild(source)


def _data(inputs: str, labels: str | None) -> tuple[dict[str, Any], Any]:
    import numpy as np

    with np.load(inputs, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, None if labels is None else np.load(labels, allow_pickle=False)


def _match(own: tuple[str, ...], given: list[str]) -> list[str]:
    """Return the data's name for each input; a single input needs no name."""
    if len(own) == 1 and len(given) == 1:
        return given
    missing = [name for name in own if name not in given]
    if missing:
        raise ConfigError(
            f"the data has no input called {missing[0]!r}",
            why="the data has " + ", ".join(given),
            hint="name the model's inputs: keras.Input(shape, name=...)",
        )
    return list(own)


def _batched(array: Any, tensor: Any) -> Any:
    """Return samples as one batch: a sample may carry a batch axis of one, which is dropped."""
    rank = len(tensor.shape)
    if array.ndim == rank + 1 and array.shape[1] == 1:
        return array[:, 0]
    return array


def _prove_moved(source: Any, rebuilt: Any, trained: Any, first: Mapping[str, Any]) -> None:
    from edge_sdk.optimize.rebuild import prove_equal

    prove_equal(source, dataclasses.replace(rebuilt, model=trained), first)

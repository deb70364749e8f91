"""Trains one stage after the other, epoch by epoch, with a checkpoint after each.

The folder of a training:
    state.json              {"stage", "epoch", "history", ...}: replaced last, as a whole
    <stage>-start.npz       weights that the stage started from
    <stage>-<epoch>/        TensorFlow checkpoint of wrappers and optimizer after that many epochs

A training that was stopped goes on after the last whole epoch. What is not whole is never read: the state
names the checkpoint, and is replaced only when the checkpoint is complete.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.bundle.durable import durable_file
from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.optimize.objective import Objective, answers_of
from edge_sdk.optimize.plan import TrainingPlan
from edge_sdk.optimize.stages import Wrapped, measured_sparsity, most_clusters, strip, wrap
from edge_sdk.optimize.starting_ranges import set_starting_ranges
from edge_sdk.progress import Progress, Step, silent

_STATE = "state.json"


@dataclass(frozen=True)
class Data:
    """Samples for training or evaluation.

    Attributes:
        inputs: In the order of the model's inputs; first axis = samples.
        targets: One array per output.
    """

    inputs: list[Any]
    targets: list[Any]

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.inputs[0])


@dataclass
class Trained:
    """The outcome.

    Attributes:
        plain: Model without wrappers, with the weights of the last stage that strips ("prune", "cluster").
        final: The model to export: `plain`, or with "qat" the one with fake-quantization.
        stages: What each stage did, JSON-ready.
        resumed_from: "stage, epoch n" where the training went on, or None.
    """

    plain: Any
    final: Any
    stages: list[dict[str, Any]] = field(default_factory=list)
    resumed_from: str | None = None


def train(
    model: Any,
    plan: TrainingPlan,
    objective: Objective,
    training: Data,
    evaluation: Data,
    *,
    folder: Path,
    progress: Progress = silent,
) -> Trained:
    """Train all stages of a plan.

    Args:
        model: Plain tf_keras model.
        plan: What to do.
        objective: Loss and metric.
        training: To learn from.
        evaluation: To measure on after every epoch.
        folder: Of the checkpoints; used again to resume.
        progress: Gets the stage, epoch, loss and metric.

    Raises:
        ModelError: A stage cannot take the model, or the loss is no number any more.
        ConfigError: A layer to skip does not exist, or the schedule does not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = _read_state(folder)
    result = Trained(plain=model, final=model)
    if state is not None:
        result.resumed_from = f"{state['stage']}, epoch {state['epoch']} of {plan.epochs}"
        result.stages = list(state["finished"])
    first = 0 if state is None else plan.stages.index(state["stage"])
    for index, stage in enumerate(plan.stages):
        if index < first:
            continue
        run = _Stage(stage, result.plain, plan, objective, training, evaluation, folder, progress)
        current = state if state is not None and index == first else None
        wrapped = run.train(current, result.stages)
        if stage == "qat":
            result.final = wrapped.model
        else:
            result.plain = result.final = strip(stage, wrapped.model, result.plain)
        result.stages.append(run.report(wrapped, result))
    return result


def _read_state(folder: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return state


def _restore(checkpoint: Any, folder: Path) -> None:
    import tensorflow as tf

    try:
        checkpoint.restore(str(folder / "checkpoint")).expect_partial()
    except (tf.errors.OpError, ValueError, OSError) as failure:
        raise _damaged(folder, failure) from failure


def _damaged(path: Path, failure: Exception) -> ConfigError:
    return ConfigError(
        f"the stopped training cannot go on: {path} is missing or damaged",
        why=str(failure).strip()[:300] or type(failure).__name__,
        hint="--fresh trains from the start",
    )


class _Stage:
    """One stage under way."""

    def __init__(
        self,
        stage: str,
        model: Any,
        plan: TrainingPlan,
        objective: Objective,
        training: Data,
        evaluation: Data,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.stage = stage
        self.model = model
        self.plan = plan
        self.objective = objective
        self.training = training
        self.evaluation = evaluation
        self.folder = folder
        self.progress = progress
        self.history: list[dict[str, float]] = []

    def train(self, state: dict[str, Any] | None, finished: Sequence[dict[str, Any]]) -> Wrapped:
        import tensorflow as tf
        import tf_keras

        start = self.folder / f"{self.stage}-start.npz"
        if state is None:
            with durable_file(start) as stream:
                np.savez(stream, **{str(i): value for i, value in enumerate(self.model.get_weights())})
        else:
            try:
                with np.load(start, allow_pickle=False) as archive:
                    self.model.set_weights([archive[str(i)] for i in range(len(archive.files))])
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as failure:
                raise _damaged(start, failure) from failure
        tf_keras.utils.set_random_seed(self.plan.seed)
        wrapped = wrap(self.stage, self.model, self.plan, steps=self.plan.steps(self.training.count))
        optimizer = tf_keras.optimizers.Adam(self.plan.rate(self.stage))
        losses = self.objective.losses()
        wrapped.model.compile(optimizer=optimizer, loss=losses[0] if len(losses) == 1 else losses)
        optimizer.build(wrapped.model.trainable_variables)
        checkpoint = tf.train.Checkpoint(model=wrapped.model, optimizer=optimizer)
        done = 0
        if state is not None:
            done = int(state["epoch"])
            self.history = list(state["history"])
            if done:
                _restore(checkpoint, self.folder / f"{self.stage}-{done}")
        if self.stage == "qat" and not done:
            set_starting_ranges(wrapped.model, self.model, self.training.inputs)
        for epoch in range(done, self.plan.epochs):
            message = self._epoch(wrapped, epoch)
            self._save(checkpoint, epoch + 1, finished)
            # Only now: an epoch that was reported is one that is kept.
            self.progress(Step("train", message, (epoch + 1) / self.plan.epochs, self.stage))
        return wrapped

    def _epoch(self, wrapped: Wrapped, epoch: int) -> str:
        import tf_keras

        # Seeded by the epoch, so that a training that goes on sees the samples in the same order.
        order = np.random.default_rng((self.plan.seed, epoch)).permutation(self.training.count)
        inputs = [item[order] for item in self.training.inputs]
        targets = [item[order] for item in self.training.targets]
        title = f"epoch {epoch + 1} of {self.plan.epochs}"
        batches = -(-self.training.count // self.plan.batch_size)
        share = self.progress

        class Report(tf_keras.callbacks.Callback):  # type: ignore[misc]  # tf_keras has no types
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if batch % max(1, batches // 20) == 0:
                    share(Step("train", title, (epoch + (batch + 1) / batches) / epochs, stage))

        stage, epochs = self.stage, self.plan.epochs
        found = wrapped.model.fit(
            inputs[0] if len(inputs) == 1 else inputs,
            targets[0] if len(targets) == 1 else targets,
            batch_size=self.plan.batch_size,
            epochs=1,
            shuffle=False,
            verbose=0,
            callbacks=[*wrapped.callbacks, Report()],
        )
        loss = float(found.history["loss"][-1])
        if not np.isfinite(loss):
            raise ModelError(
                f"the training diverged in stage {self.stage!r}, epoch {epoch + 1}: the loss is {loss}",
                hint="a smaller --learning-rate; are the inputs scaled as the model was trained?",
            )
        metric = self.objective.measure(
            answers_of(wrapped.model, self.evaluation.inputs), self.evaluation.targets
        )
        self.history.append({"epoch": epoch + 1, "loss": loss, "metric": metric})
        return f"{title}: loss {loss:.4g}, {self.objective.metric} {metric:.4g}"

    def _save(self, checkpoint: Any, epoch: int, finished: Sequence[dict[str, Any]]) -> None:
        folder = self.folder / f"{self.stage}-{epoch}"
        checkpoint.write(str(folder / "checkpoint"))
        state = {"stage": self.stage, "epoch": epoch, "history": self.history, "finished": list(finished)}
        with durable_file(self.folder / _STATE) as stream:
            stream.write(json.dumps(state).encode())
        shutil.rmtree(self.folder / f"{self.stage}-{epoch - 1}", ignore_errors=True)

    def report(self, wrapped: Wrapped, result: Trained) -> dict[str, Any]:
        """Return what the stage did."""
        report: dict[str, Any] = {
            "method": self.stage,
            "history": self.history,
            "metric": self.history[-1]["metric"] if self.history else None,
            "layers": list(wrapped.trained),
            "left_as_they_are": list(wrapped.left),
            "sparsity": None,
            "clusters": None,
        }
        if self.stage != "qat":
            report["sparsity"] = measured_sparsity(result.plain, wrapped.trained)
        if self.stage == "cluster":
            report["clusters"] = most_clusters(result.plain, wrapped.trained)
        return report

"""What a training aims at: chosen from the labels and the outputs, checked before any epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.errors import ConfigError

#: Samples that one call answers.
BATCH = 256


@dataclass(frozen=True)
class Objective:
    """A loss and a metric.

    Attributes:
        loss: "sparse_crossentropy", "categorical_crossentropy", "binary_crossentropy", "mse" or "teacher"
            (mean squared error against the source model's own answers, as a share of their variance).
        from_logits: The output has no softmax or sigmoid of its own.
        metric: "top1", "accuracy" or "mse".
        scales: Variance of each output, for "teacher"; ones else.
    """

    loss: str
    from_logits: bool
    metric: str
    scales: tuple[float, ...] = (1.0,)

    @property
    def higher_is_better(self) -> bool:
        """True for accuracies."""
        return self.metric != "mse"

    def losses(self) -> list[Any]:
        """Return one tf_keras loss per output."""
        import tensorflow as tf
        import tf_keras

        made: dict[str, Any] = {
            "sparse_crossentropy": tf_keras.losses.SparseCategoricalCrossentropy,
            "categorical_crossentropy": tf_keras.losses.CategoricalCrossentropy,
            "binary_crossentropy": tf_keras.losses.BinaryCrossentropy,
        }
        if self.loss in made:
            return [made[self.loss](from_logits=self.from_logits)]

        def scaled(scale: float) -> Any:
            def distance(wanted: Any, given: Any) -> Any:
                return tf.reduce_mean(tf.square(tf.cast(wanted, given.dtype) - given)) / scale

            return distance

        return [scaled(scale) for scale in self.scales]

    def measure(self, answers: Sequence[Any], targets: Sequence[Any]) -> float:
        """Return the metric.

        Args:
            answers: Outputs of a model, first axis = samples.
            targets: As `targets` returns them.
        """
        given, wanted = np.asarray(answers[0]), np.asarray(targets[0])
        if self.loss == "sparse_crossentropy":
            return float(np.mean(given.argmax(-1).reshape(len(given)) == wanted))
        if self.loss == "categorical_crossentropy":
            return float(np.mean(given.argmax(-1) == wanted.argmax(-1)))
        if self.loss == "binary_crossentropy":
            edge = 0.0 if self.from_logits else 0.5
            return float(np.mean((given.reshape(len(given)) > edge) == (wanted.reshape(len(wanted)) > 0.5)))
        errors = [
            float(np.mean(np.square(np.asarray(want, np.float64) - have))) / scale
            for have, want, scale in zip(answers, targets, self.scales, strict=True)
        ]
        return float(np.mean(errors))

    def targets(self, labels: Any, teacher: Sequence[Any]) -> list[Any]:
        """Return what each output is compared with.

        Args:
            labels: Of the data, or None.
            teacher: The source model's answers to the same data.
        """
        if self.loss == "teacher":
            return [np.asarray(item) for item in teacher]
        if self.loss == "sparse_crossentropy":
            return [np.asarray(labels).reshape(-1)]
        return [np.asarray(labels, np.float32).reshape(np.shape(teacher[0]))]


def answers_of(model: Any, inputs: Sequence[Any]) -> list[Any]:
    """Return the outputs of a model, first axis = samples.

    Args:
        model: tf_keras model.
        inputs: In the order of its inputs.
    """
    import tensorflow as tf

    parts: list[list[Any]] = []
    call = tf.function(lambda feed: model(feed, training=False), reduce_retracing=True)
    for start in range(0, len(inputs[0]), BATCH):
        feed = [tf.constant(item[start : start + BATCH]) for item in inputs]
        answer = call(feed[0] if len(feed) == 1 else feed)
        parts.append([np.asarray(item) for item in tf.nest.flatten(answer)])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def choose_objective(loss: str, labels: Any, answers: Sequence[Any], names: Sequence[str]) -> Objective:
    """Choose loss and metric.

    Args:
        loss: As in `TrainingPlan.loss`.
        labels: Of the training data, or None.
        answers: The source model's answers to (some of) the training data.
        names: Of its outputs.

    Raises:
        ConfigError: Labels are missing or do not fit the output.
    """
    if loss == "auto" and (labels is None or len(answers) > 1):
        loss = "teacher"
    if loss == "teacher":
        return Objective("teacher", False, "mse", tuple(max(float(np.var(item)), 1e-12) for item in answers))
    if labels is None:
        raise ConfigError(
            f"loss {loss!r} needs labels, and the training data has none",
            hint="name them 'y' in the .npz, or train without: --loss teacher",
        )
    if len(answers) > 1:
        raise ConfigError(
            f"loss {loss!r} is for one output, and the model has {len(answers)}: {', '.join(names)}",
            hint="--loss teacher trains every output to answer as the source model does",
        )
    return _for_labels(loss, np.asarray(labels), np.asarray(answers[0]), names[0])


def check_labels(objective: Objective, labels: Any, answers: Sequence[Any], name: str, source: str) -> None:
    """Refuse evaluation labels that do not fit what was chosen for the training.

    Raises:
        ConfigError: They are missing, or of another kind.
    """
    if objective.loss == "teacher":
        return
    if labels is None:
        raise ConfigError(f"{source} has no labels", why="the training data has some", hint="name them 'y'")
    kind = "mse" if objective.loss == "mse" else "crossentropy"
    found = _for_labels(kind, np.asarray(labels), np.asarray(answers[0]), name)
    if found.loss != objective.loss:
        raise ConfigError(
            f"the labels of {source} are of another kind than those of the training data",
            why=f"{found.loss} there, {objective.loss} here",
        )


def _for_labels(loss: str, labels: Any, answer: Any, name: str) -> Objective:
    shape, count = answer.shape, len(labels)
    flat = labels.reshape(count, -1)
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and flat.shape[1] == 1 and bool(np.all(labels == np.round(labels)))
    )
    logits = _is_logits(answer)
    misfit = ConfigError(
        f"the labels do not fit output {name!r}",
        why=f"per sample: labels {labels.dtype.name}{list(labels.shape[1:])}, output {list(shape[1:])}",
        hint="class numbers for [classes], 0/1 for [1], or values of the output's own shape",
    )
    if labels.dtype.kind not in "iubf":
        raise misfit
    if loss in ("auto", "crossentropy") and answer.ndim == 2:
        classes = shape[1]
        if classes > 1 and flat.shape[1] == 1 and whole:
            low, high = int(labels.min()), int(labels.max())
            if low < 0 or high >= classes:
                raise ConfigError(
                    f"the labels are {low} to {high}, and output {name!r} has {classes} classes",
                    why=f"a class number is 0 to {classes - 1}",
                )
            return Objective("sparse_crossentropy", logits, "top1")
        if classes == 1 and flat.shape[1] == 1 and set(np.unique(labels)) <= {0, 1}:
            return Objective("binary_crossentropy", logits, "accuracy")
        shares = flat.shape[1] == classes > 1 and bool(np.all((labels >= 0) & (labels <= 1)))
        if shares and np.allclose(flat.sum(1), 1, atol=1e-3):
            return Objective("categorical_crossentropy", logits, "top1")
    if loss == "crossentropy":
        raise misfit
    if flat.shape[1] == int(np.prod(shape[1:])):
        return Objective("mse", False, "mse")
    raise misfit


def _is_logits(answer: Any) -> bool:
    """Tell whether an output is scores before a softmax or sigmoid, from what it answers."""
    if float(np.min(answer)) < -1e-6 or float(np.max(answer)) > 1 + 1e-6:
        return True
    return answer.shape[-1] > 1 and not np.allclose(answer.sum(-1), 1, atol=1e-2)


def as_columns(inputs: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return the arrays in the order of the model's inputs."""
    return [np.asarray(inputs[name]) for name in names]

"""What the float model answers to samples, as a few numbers that tell sound inputs from unsound ones.

A trained classifier was fitted until its answers differ from input to input and are about as sure as they
are right. Inputs on another scale break that: on too small a scale all answers are the same, on too large a
one they are absurdly sure. The same samples brought to the scale it was trained on do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge_sdk.contract.spec import Contract
from edge_sdk.validate.calibration.evidence import Array
from edge_sdk.validate.calibration.model import FloatModel
from edge_sdk.validate.calibration.statistics import chosen, short

#: Positions of a map of scores that are looked at.
_POSITIONS = 256
#: Layers near the input that are asked whether they are driven into their ceiling.
_FIRST_LAYERS = 3
_CEILING = 6.0
_MULTIPLYING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RELU6")


@dataclass(frozen=True)
class Answers:
    """How a model answers a set.

    Attributes:
        information: Mutual information of sample and class in nats: 0 where every sample gets the same
            answer, at most the logarithm of the number of classes.
        confidence: Probability of the best class, one value a sample.
        margin: Median of log(best) - log(second best).
        best: Best class of every sample at the first position.
        classes: How many there are to choose from; 2 for a probability that stands alone.
        positions: How many such answers a sample gets.
        varies: Mean distance of an answer from the mean answer, 0 to 1.
    """

    information: float
    confidence: Array
    margin: float
    best: Array
    varies: float
    classes: int
    positions: int

    @property
    def sure(self) -> float:
        """Mean confidence."""
        return float(self.confidence.mean())


@dataclass(frozen=True)
class Preference:
    """Whether a model is surer about one version of the samples than about another, sample by sample.

    Attributes:
        gain: Mean difference of the confidence.
        share: Share of the samples that gain.
        strength: The gain in units of its standard error.
    """

    gain: float
    share: float
    strength: float


def probabilities_of(
    answers: Mapping[str, Array], contract: Contract, *, scores_known: bool
) -> tuple[str, Array] | None:
    """Return an output's name and its log probabilities [samples, positions, classes], or None.

    Softmax outputs count, outputs of which every value is a probability of its own, and scores of classes
    where the contract or the caller says that they are scores. Other outputs have no scale of their own.

    Args:
        answers: By output name, first axis = samples.
        contract: Its postprocessing may call an output logits.
        scores_known: An output that could hold scores of classes does so.
    """
    for name, values in answers.items():
        if values.dtype.kind != "f" or values[0].size < 2 or values.shape[-1] < 2:
            continue
        scores = values.reshape(len(values), -1, values.shape[-1]).astype(np.float64)
        if np.all(scores >= 0) and np.allclose(scores.sum(axis=-1), 1.0, atol=1e-3):
            return name, np.log(np.maximum(_some(scores), 1e-44))
        rule = contract.postprocess.get(name)
        said = rule is not None and (rule.activation == "softmax" or rule.top_k is not None)
        said = said or len(contract.labels) == scores.shape[-1]
        if (said or scores_known) and scores.shape[1] == 1 and not np.all((scores >= 0) & (scores <= 1)):
            return name, _log_softmax(scores)
    for name, values in answers.items():
        if values.dtype.kind == "f" and np.all((values >= 0) & (values <= 1)):
            alone = _some(values.reshape(len(values), -1, 1).astype(np.float64))
            return name, np.log(np.maximum(np.concatenate([1 - alone, alone], axis=-1), 1e-44))
    return None


def describe(log_probabilities: Array) -> Answers:
    """Return the numbers of [samples, positions, classes]."""
    probabilities = np.exp(log_probabilities)
    entropy = -(probabilities * log_probabilities).sum(axis=-1)
    mean = probabilities.mean(axis=0)
    of_mean = -(mean * np.log(np.maximum(mean, 1e-44))).sum(axis=-1)
    ordered = np.sort(log_probabilities, axis=-1)
    return Answers(
        information=max(0.0, short((of_mean - entropy.mean(axis=0)).mean())),
        confidence=probabilities.max(axis=-1).mean(axis=1),
        margin=short(np.median(ordered[..., -1] - ordered[..., -2])),
        best=log_probabilities[:, 0].argmax(axis=-1),
        varies=short(np.abs(probabilities - mean).sum(axis=-1).mean() / 2),
        classes=log_probabilities.shape[2],
        positions=log_probabilities.shape[1],
    )


def prefers(new: Answers, old: Answers) -> Preference:
    """Return whether the model is surer about `new` than about `old`; both of the same samples."""
    gains = new.confidence - old.confidence
    error = float(gains.std(ddof=1)) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return Preference(
        gain=short(gains.mean()),
        share=short(np.mean(gains > 0)),
        strength=short(gains.mean() / (error + 1e-6)),
    )


def ceiling_share(model: FloatModel, inputs: Mapping[str, Array]) -> float:
    """Return how much of what the first layers let through is cut at 6: the largest share of any of them.

    0 where no layer has a ceiling.

    Args:
        model: Opened with `keep`.
        inputs: A few samples.
    """
    layers = [item for item in model.activations() if item.op in _MULTIPLYING][:_FIRST_LAYERS]
    cut, through, highest = [0] * len(layers), [0] * len(layers), [0.0] * len(layers)
    for feed in model.feeds(inputs):
        model.call(feed)
        for place, layer in enumerate(layers):
            value = model.read(layer)
            if value is None:
                continue
            cut[place] += int(np.count_nonzero(value == _CEILING))
            through[place] += int(np.count_nonzero(value > 0))
            highest[place] = max(highest[place], float(value.max()))
    shares = [c / t for c, t, top in zip(cut, through, highest, strict=True) if t and top == _CEILING]
    return short(max(shares, default=0.0))


def _some(scores: Array) -> Array:
    return scores[:, chosen(scores.shape[1], _POSITIONS)]


def _log_softmax(scores: Array) -> Array:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))

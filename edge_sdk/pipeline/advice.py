"""What `edge optimize` found, as values, and what it says before the effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.optimize.plan import TrainingPlan

#: A metric that int8 loses less of than this is not worth a training.
_WORTH = 0.005


@dataclass(frozen=True, kw_only=True)
class Numbers(Document):
    """One `.tflite` file, measured.

    Attributes:
        bytes: Size of the file.
        gzip_bytes: The same, compressed (level 9).
        zeros: Share of zeros among the weights.
        metric: On the data that `measured_on` names, or None.
        metric_name: "top1"...
        latency_ms: Median of one call on this machine, one thread, measured in turns with the other files.
    """

    bytes: int
    gzip_bytes: int
    zeros: float | None = None
    metric: float | None = None
    metric_name: str | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Advice(Document):
    """What is known before any training.

    Attributes:
        now: The source model as "float32" and "int8" (quantized after training).
        predicted: The same with weights thinned as the plan says, without training: sizes and latency are
            what a trained model will have; the metric is not. Empty for "qat" alone.
        sentences: For people.
        share: Of all parameters, the share that pruning and clustering act on.
        equal_within: Largest difference between the source and the model rebuilt for training.
        measured_on: "training" or "evaluation" data.
    """

    now: Mapping[str, Numbers]
    predicted: Mapping[str, Numbers] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    share: float | None = None
    equal_within: float | None = None
    measured_on: str = ""


@dataclass(frozen=True, kw_only=True)
class OptimizeResult(Document):
    """The whole outcome.

    Attributes:
        advice: What was said before.
        output: The trained model, for `edge build`; None where only advice was wanted.
        before: The source as "float32" and "int8", measured beside `after`.
        after: The trained model, the same way.
        training: Objective, metric before and after in TensorFlow, and what each stage did.
        measured_on: "training" or "evaluation" data.
        summary: The JSON file with all this.
    """

    advice: Advice
    output: str | None = None
    before: Mapping[str, Numbers] = field(default_factory=dict)
    after: Mapping[str, Numbers] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    measured_on: str = ""
    summary: str | None = None


def advise(
    plan: TrainingPlan,
    *,
    now: Mapping[str, Numbers],
    predicted: Mapping[str, Numbers],
    share: float | None,
    equal_within: float,
    measured_on: str,
) -> Advice:
    """Say what the plan will give, from measured numbers."""
    sentences = []
    what = _what(plan)
    for label, then in predicted.items():
        here = now[label]
        sentences.append(
            f"{label} compressed: {size(here.gzip_bytes)} now, about {size(then.gzip_bytes)} with {what} "
            f"(x{then.gzip_bytes / here.gzip_bytes:.2f}); uncompressed it stays {size(then.bytes)}"
        )
    if predicted:
        sentences.append(
            "only what is compressed gets smaller (a download, an archive): the file on the device and its "
            "memory stay as they are"
        )
        sentences.append(
            "no latency is gained: "
            + ", ".join(
                f"{label} {now[label].latency_ms:.3g} ms now, {then.latency_ms:.3g} ms with {what}"
                for label, then in predicted.items()
            )
            + "; the kernels multiply zeros like other numbers"
        )
    if share is not None and share < 0.5:
        sentences.append(f"only {share:.0%} of the parameters are in kernels that this acts on")
    if "qat" in plan.stages:
        sentences.append(_quantization(now))
    return Advice(
        now=now,
        predicted=predicted,
        sentences=tuple(sentences),
        share=share,
        equal_within=equal_within,
        measured_on=measured_on,
    )


def size(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def _what(plan: TrainingPlan) -> str:
    parts = []
    if "prune" in plan.stages:
        parts.append(f"{plan.prune.final_sparsity:.0%} zeros")
    if "cluster" in plan.stages:
        parts.append(f"{plan.cluster.clusters} values a kernel")
    return " and ".join(parts)


def _quantization(now: Mapping[str, Numbers]) -> str:
    plain, quantized = now["float32"].metric, now["int8"].metric
    if plain is None or quantized is None:
        return "quantization-aware training wins back what int8 loses; without labels that is not known"
    name = now["int8"].metric_name
    loss = plain - quantized if name != "mse" else quantized - plain
    text = f"int8 without training: {name} {quantized:.4f}, float {plain:.4f}"
    if loss <= _WORTH:
        return f"{text}: there is next to nothing for quantization-aware training to win back"
    return f"{text}: quantization-aware training can win back up to {loss:.4f}"

"""What was found about a variant, as documents that survive a cache and a process border.

Facts hold no judgement: `edge_sdk.validate.guards` draws the verdict, so that a stricter guard does not
need a new measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Signature


@dataclass(frozen=True, kw_only=True)
class OutputFacts(Document):
    """One output of a variant beside the reference's.

    Attributes:
        name: Of the output.
        class_like: It holds scores of classes.
        dtype: Of the variant's answers.
        reference_dtype: Of the source model's answers.
        shape: Of one answer.
        reference_shape: Of one answer of the source model.
        nan_values: How many values are not a number.
        infinite_values: How many values are infinite.
        reference_finite: The source model's answers have neither.
        constant: Every sample got the same answer, bit for bit.
        reference_constant: The same for the source model.
        agreement: 0 to 1; see `edge_sdk.validate.metrics`.
        agreement_interval: Its 95 % interval; see `edge_sdk.validate.metrics.intervals`.
        correlation: 0 to 1.
        max_abs_error: In units of the output.
        snr_db: Decibels.
    """

    name: str
    class_like: bool = False
    dtype: str
    reference_dtype: str
    shape: tuple[int, ...]
    reference_shape: tuple[int, ...]
    nan_values: int = 0
    infinite_values: int = 0
    reference_finite: bool = True
    constant: bool = False
    reference_constant: bool = False
    agreement: float | None = None
    agreement_interval: tuple[float, float] | None = None
    correlation: float | None = None
    max_abs_error: float | None = None
    snr_db: float | None = None


@dataclass(frozen=True, kw_only=True)
class ConfusedPair(Document):
    """How often one class was taken for another.

    Attributes:
        label: What was right.
        predicted: What was answered.
        count: How many samples.
    """

    label: int
    predicted: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Confusion(Document):
    """Labels against predicted classes.

    Attributes:
        classes: How many classes the output has.
        output: Its name.
        counts: A row a label, a column a predicted class; empty for more than 100 classes.
        pairs: The pairs of different classes that were confused most, most first; at most 50.
    """

    classes: int
    output: str
    counts: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[ConfusedPair, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WorstSample(Document):
    """One sample that a variant answers badly.

    Attributes:
        index: Of the sample in the evaluation set, as it was read (after the limit).
        label: What was right: a class, a number or a short text; None where it is too long to print.
        reference: What the source model answered, in the same form; the sample's score where too long.
        given: What the variant answered.
        error: How wrong the variant is; larger is worse. What it counts is in docs/reference/metrics.md.
    """

    index: int
    label: int | float | str | None = None
    reference: int | float | str | None = None
    given: int | float | str | None = None
    error: float


@dataclass(frozen=True, kw_only=True)
class VariantFacts(Document):
    """Everything that one evaluation found.

    Attributes:
        samples: How many samples were run.
        distinct_samples: The samples are not all the same.
        data: Where the samples came from: "evaluation", "calibration" or "synthetic".
        outputs: One entry an output that both have.
        missing_outputs: Outputs of the reference that the variant did not give.
        metric_name: Name in `METRICS`, "topK", or "module:function"; None where nothing was measured.
        metric: Of the variant.
        reference_metric: Of the source model.
        metric_interval: 95 % interval of the variant's metric.
        reference_metric_interval: 95 % interval of the source model's metric.
        metric_drop_interval: 95 % interval of `metric_drop`, both models on the same samples.
        metric_higher_is_better: The metric's direction.
        confusion: Labels against predicted classes; None where the metric is not about classes.
        worst: The samples that the variant answers worst, worst first.
        signatures: The file's own.
        op_versions: Highest version used, by builtin operator.
        custom_ops: Custom operators.
        flex_ops: TensorFlow operators that need Flex.
        parameters: Values in the file's constant tensors.
        size_bytes: Of the file.
        minimum_ios: Lowest system that loads it ("iOS16"); None for what is no Core ML package.
        cross_check: How far two ways to run the file are apart (`DeviceComparison`), where there are two.
        unverified: Why its answers cannot be computed here, one sentence each.
        golden_cases: How many golden vectors were recorded.
        golden_atol: Their absolute tolerance.
        golden_rtol: Their relative tolerance.
    """

    samples: int
    distinct_samples: bool
    data: str
    outputs: tuple[OutputFacts, ...]
    missing_outputs: tuple[str, ...] = ()
    metric_name: str | None = None
    metric: float | None = None
    reference_metric: float | None = None
    metric_interval: tuple[float, float] | None = None
    reference_metric_interval: tuple[float, float] | None = None
    metric_drop_interval: tuple[float, float] | None = None
    metric_higher_is_better: bool = True
    confusion: Confusion | None = None
    worst: tuple[WorstSample, ...] = ()
    signatures: tuple[Signature, ...] = ()
    op_versions: Mapping[str, int] = field(default_factory=dict)
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()
    parameters: int | None = None
    size_bytes: int = 0
    minimum_ios: str | None = None
    unverified: tuple[str, ...] = ()
    cross_check: Mapping[str, Any] | None = None
    golden_cases: int = 0
    golden_atol: float = 0.0
    golden_rtol: float = 0.0

    @property
    def agreement(self) -> float | None:
        """The worst output's agreement; None where one could not be measured."""
        return _worst(min, [output.agreement for output in self.outputs])

    @property
    def agreement_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `agreement`: that of the worst output."""
        if self.agreement is None:
            return None
        return min(self.outputs, key=lambda output: output.agreement or 0.0).agreement_interval

    @property
    def max_abs_error(self) -> float | None:
        """The worst output's largest error; None where one could not be measured."""
        return _worst(max, [output.max_abs_error for output in self.outputs])

    @property
    def snr_db(self) -> float | None:
        """The worst SNR of the outputs that have one (integers have none)."""
        real = [output for output in self.outputs if output.reference_dtype.startswith("float")]
        return _worst(min, [output.snr_db for output in real])

    @property
    def metric_drop(self) -> float | None:
        """How much worse than the source model's the metric is; negative where the variant is better."""
        if self.metric is None or self.reference_metric is None:
            return None
        lost = self.reference_metric - self.metric
        return round(lost if self.metric_higher_is_better else -lost, 6)


def _worst(choose: Callable[[list[float]], float], values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return choose(known) if known and len(known) == len(values) else None

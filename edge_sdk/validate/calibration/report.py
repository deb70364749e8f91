"""What the calibration doctor found, as documents that cross a process border and go into a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_sdk.contract.document import Document

#: An error rejects every variant that is calibrated on the data; a warning and a note never do.
ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)


@dataclass(frozen=True, kw_only=True)
class Finding(Document):
    """One thing that was found.

    Attributes:
        code: Stable name, "CALIBRATION-NOISE"; docs/reference/calibration.md explains each.
        level: `ERROR`, `WARNING` or `NOTE`.
        what: One sentence without a full stop.
        numbers: The measurements behind it, by name: numbers or short texts.
        hint: What to do.
        input: Name of the input it is about; None where it is about the whole set.
    """

    code: str
    level: str
    what: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    input: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class InputStatistics(Document):
    """Numbers of one input in one set of samples. NaN and infinity are counted, then left out.

    Attributes:
        samples: How many.
        distinct: How many different ones.
        not_finite: Samples with NaN or infinity.
        minimum: Smallest value; None where there is no finite one.
        maximum: Largest value.
        mean: Of all values.
        std: Standard deviation of all values.
        low: 1st percentile.
        high: 99th percentile.
        zeros: Share of values that are exactly 0.
        channel_means: By channel, for inputs shaped like colour pictures; else empty.
    """

    samples: int
    distinct: int
    not_finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    zeros: float | None = None
    channel_means: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Histogram(Document):
    """How often values fall between neighbouring edges.

    Attributes:
        edges: One more than there are bins, rising.
        calibration: Share of the calibration's values in each bin; they add up to 1.
        evaluation: The same for the evaluation data; empty where there is none.
    """

    edges: tuple[float, ...]
    calibration: tuple[float, ...]
    evaluation: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InputReport(Document):
    """One input.

    Attributes:
        name: In the signature.
        dtype: As the contract has it.
        calibration: Numbers of the calibration data.
        evaluation: Numbers of the evaluation data, or None.
        histogram: Of the values; None where there are no finite ones.
    """

    name: str
    dtype: str
    calibration: InputStatistics
    evaluation: InputStatistics | None = None
    histogram: Histogram | None = None


@dataclass(frozen=True, kw_only=True)
class LayerRange(Document):
    """One activation: the range that calibration gave it and what evaluation data does there.

    Attributes:
        name: Of the tensor in the float file.
        op: Operator that computes it; "INPUT" for an input of the model.
        index: Place in the graph's order of execution, from 0.
        low: Lower end of the calibrated range.
        high: Upper end.
        evaluation_low: Lowest value on evaluation data, or None without such data.
        evaluation_high: Highest value.
        clipped: Share of the evaluation's values outside of the range, 0 to 1.
        lost_db: How many decibels of signal-to-noise ratio 8 bits with this range give less on evaluation
            data than 8 bits with the evaluation's own range; 0 or more.
    """

    name: str
    op: str
    index: int
    low: float
    high: float
    evaluation_low: float | None = None
    evaluation_high: float | None = None
    clipped: float | None = None
    lost_db: float | None = None


@dataclass(frozen=True, kw_only=True)
class CalibrationReport(Document):
    """Everything that one examination found.

    Attributes:
        findings: Errors first, then warnings, then notes.
        samples: Calibration samples looked at.
        evaluation_samples: Evaluation samples looked at; None without such data.
        inputs: One entry an input.
        layers: The activations, the one that suffers most first.
        not_checked: What could not be seen with what was given, one sentence each.
    """

    findings: tuple[Finding, ...]
    samples: int
    evaluation_samples: int | None = None
    inputs: tuple[InputReport, ...] = ()
    layers: tuple[LayerRange, ...] = ()
    not_checked: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that reject what was calibrated on this data."""
        return tuple(finding for finding in self.findings if finding.level == ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are worth a look."""
        return tuple(finding for finding in self.findings if finding.level == WARNING)

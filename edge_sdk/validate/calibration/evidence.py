"""What the checks look at: the samples, read once, and what the model made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Contract
from edge_sdk.validate.calibration.statistics import finite_samples

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class SampleSet:
    """Samples in memory.

    Attributes:
        inputs: By input name, first axis = samples.
        labels: One a sample, first axis = samples, or None.
    """

    inputs: Mapping[str, Array] = field(repr=False)
    labels: Array | None = field(default=None, repr=False)

    @property
    def count(self) -> int:
        """Number of samples."""
        return min((len(values) for values in self.inputs.values()), default=0)

    def take(self, places: Any) -> SampleSet:
        """Return some of the samples."""
        return SampleSet(
            inputs={name: values[places] for name, values in self.inputs.items()},
            labels=None if self.labels is None else self.labels[places],
        )

    def finite(self) -> SampleSet:
        """Return the samples without NaN and infinity."""
        keep = np.ones(self.count, bool)
        for values in self.inputs.values():
            keep &= finite_samples(values[: self.count])
        return self if keep.all() else self.take(np.flatnonzero(keep))

    def classes(self) -> Array | None:
        """Return the labels as classes, int64 (samples,); None where they are something else, or missing."""
        labels = self.labels
        if labels is None or labels.dtype.kind not in "iu" or labels.size != self.count:
            return None
        return labels.reshape(-1).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that a check may look at.

    Attributes:
        contract: What the model promises.
        calibration: The samples under examination, finite ones only.
        evaluation: What the model is meant for, finite ones only; None where there is no such data.
    """

    contract: Contract
    calibration: SampleSet
    evaluation: SampleSet | None = None


def read_samples(inputs: str | None, labels: str | None) -> SampleSet | None:
    """Read a set from its `.npz` and `.npy`; None where there is none."""
    if inputs is None:
        return None
    with np.load(Path(inputs), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    values = None if labels is None else np.load(Path(labels), allow_pickle=False)
    return SampleSet(inputs=arrays, labels=values)

"""Compares the range that calibration gave every activation with what evaluation data does there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.convert.child import stage
from edge_sdk.validate.calibration.evidence import Evidence
from edge_sdk.validate.calibration.model import Activation, FloatModel
from edge_sdk.validate.calibration.report import WARNING, Finding, LayerRange
from edge_sdk.validate.calibration.statistics import chosen, short

#: Samples asked, and what a slow model may cost: multiply-accumulates of all calls.
MOST, MOST_MACS, LEAST = 32, 1e10, 6
#: Share of an activation's values that may lie outside of its range before it counts as cut off.
CUT_OFF = 0.01
#: A range that costs this many decibels against the best one costs accuracy.
COSTLY_DB = 6.0

Range = tuple[float, float]


def compare_layers(evidence: Evidence, path: Path, ranges: Mapping[str, Range]) -> tuple[LayerRange, ...]:
    """Return all activations, the one that loses most first; in order of execution without evaluation data.

    Args:
        evidence: The samples.
        path: The float model.
        ranges: Calibrated ranges by tensor name.

    Raises:
        ConversionError: This machine cannot run it.
    """
    model = FloatModel(path, evidence.contract.default_signature, keep=True)
    most = int(min(MOST, max(LEAST, MOST_MACS / max(1, model.macs))))
    # Where the samples overflow the model, its ranges are no numbers; the checks of its answers say so.
    activations = [
        item for item in model.activations() if item.name in ranges and np.isfinite(ranges[item.name]).all()
    ]
    if evidence.evaluation is None:
        return tuple(_row(item, ranges[item.name]) for item in activations)
    seen = [_Seen(ranges[item.name]) for item in activations]
    meant = evidence.evaluation.take(list(chosen(evidence.evaluation.count, most)))
    for place, feed in enumerate(model.feeds(meant.inputs)):
        stage("examine", "comparing activations with evaluation data", place / meant.count)
        model.call(feed)
        for item, tally in zip(activations, seen, strict=True):
            value = model.read(item)
            if value is not None:
                tally.add(value)
    rows = [tally.row(item) for item, tally in zip(activations, seen, strict=True)]
    return tuple(sorted(rows, key=lambda row: (-(row.lost_db or 0.0), row.index)))


def cut_off(layers: tuple[LayerRange, ...]) -> list[Finding]:
    """Find ranges that evaluation data leaves, or that waste most of the 8 bits on values that never come."""
    compared = [row for row in layers if row.clipped is not None and row.lost_db is not None]
    narrow = [row for row in compared if _is_narrow(row)]
    wide = [row for row in compared if not _is_narrow(row) and (row.lost_db or 0.0) >= 2 * COSTLY_DB]
    findings = []
    if len(narrow) > max(1, len(compared) / 10):
        worst = narrow[0]
        findings.append(
            Finding(
                code="CALIBRATION-NARROW",
                level=WARNING,
                what=f"evaluation data leaves the calibrated range in {len(narrow)} of {len(compared)} "
                f"activations; worst {_short_name(worst)}: {worst.clipped:.1%} of its values are cut off, "
                f"{worst.lost_db:.0f} dB lost",
                numbers=_numbers(narrow, len(compared)),
                hint="add samples like the evaluation data, of every kind and class",
            )
        )
    if len(wide) > len(compared) / 2:
        worst = wide[0]
        findings.append(
            Finding(
                code="CALIBRATION-WIDE",
                level=WARNING,
                what=f"calibrated ranges are far wider than evaluation data needs in {len(wide)} of "
                f"{len(compared)} activations; worst {_short_name(worst)}: {worst.lost_db:.0f} dB lost",
                numbers=_numbers(wide, len(compared)),
                hint="8 bits are spread over values that never come: look for outliers or another scale",
            )
        )
    return findings


class _Seen:
    """What evaluation data does in one activation."""

    def __init__(self, limits: Range) -> None:
        self._limits = limits
        self._low, self._high = np.inf, -np.inf
        self._outside = 0
        self._count = 0
        self._cut_power = 0.0
        self._power = 0.0

    def add(self, values: Any) -> None:
        real = values.astype(np.float64)
        low, high = self._limits
        excess = real - np.clip(real, low, high)
        self._low, self._high = min(self._low, float(real.min())), max(self._high, float(real.max()))
        self._outside += int(np.count_nonzero(excess))
        self._cut_power += float(np.sum(np.square(excess)))
        self._power += float(np.sum(np.square(real)))
        self._count += real.size

    def row(self, item: Activation) -> LayerRange:
        if not self._count or not np.isfinite([self._low, self._high]).all():
            return _row(item, self._limits)
        # Rounding to steps of s has the error power s^2 / 12; no error is worse than giving nothing at all.
        power = self._power / self._count
        given = min(power, self._cut_power / self._count + _rounding(*self._limits))
        best = min(power, _rounding(self._low, self._high))
        lost = 0.0 if given <= best or best <= 0.0 else 10.0 * np.log10(given / best)
        return LayerRange(
            name=item.name,
            op=item.op,
            index=item.index,
            low=short(self._limits[0]),
            high=short(self._limits[1]),
            evaluation_low=short(self._low),
            evaluation_high=short(self._high),
            clipped=short(self._outside / self._count),
            lost_db=short(lost),
        )


def _rounding(low: float, high: float) -> float:
    step = (max(high, 0.0) - min(low, 0.0)) / 255.0
    return step * step / 12.0


def _row(item: Activation, limits: Range) -> LayerRange:
    return LayerRange(
        name=item.name, op=item.op, index=item.index, low=short(limits[0]), high=short(limits[1])
    )


def _is_narrow(row: LayerRange) -> bool:
    return (row.clipped or 0.0) >= CUT_OFF and (row.lost_db or 0.0) >= COSTLY_DB


def _numbers(rows: list[LayerRange], total: int) -> dict[str, float | int | str]:
    return {
        "activations": len(rows),
        "of": total,
        "worst": rows[0].name,
        "worst_clipped": rows[0].clipped or 0.0,
        "worst_lost_db": rows[0].lost_db or 0.0,
    }


def _short_name(row: LayerRange) -> str:
    """Return the first of the names that the converter has fused."""
    return row.name.partition(";")[0]

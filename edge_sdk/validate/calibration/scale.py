"""Checks of the scale on which values are given: against the contract, and against evaluation data."""

from __future__ import annotations

import numpy as np

from edge_sdk.contract.spec import ImagePreprocess
from edge_sdk.validate.calibration.evidence import Array, Evidence
from edge_sdk.validate.calibration.report import ERROR, WARNING, Finding
from edge_sdk.validate.calibration.statistics import evenly, picture_batch, short

CODE = "CALIBRATION-SCALE"
BYTES, UNIT, SIGNED = "0..255", "0..1", "-1..1"
#: Spreads that differ by this factor are different units, whatever the samples show.
OTHER_UNIT = 50.0
#: Spreads that differ by this factor are worth a look.
OTHER_SPREAD = 8.0


def convention_of(pictures: Array) -> str | None:
    """Return on which of the usual scales pixels are; None where it is another one.

    Args:
        pictures: Finite values of a set of pictures.
    """
    low, high = float(pictures.min()), float(pictures.max())
    if low < -1.01:
        return None
    if low < -0.2 and high <= 1.01:
        return SIGNED
    if low >= -0.01 and 0.05 < high <= 1.01:
        return UNIT
    if low >= -0.01 and 8.0 < high <= 256.0:
        return BYTES
    return None


def against_contract(evidence: Evidence) -> list[Finding]:
    """Compare with the values that the contract's preprocessing of pictures can give."""
    findings = []
    for name, rule in evidence.contract.preprocess.items():
        values = evidence.calibration.inputs.get(name)
        if rule.image is None or values is None:
            continue
        pictures = picture_batch(values, name, evidence.contract)
        if pictures is None:
            continue
        low, high = _possible(rule.image)
        given = float(pictures.min()), float(pictures.max())
        span = high - low
        what = None
        if given[0] < low - 0.05 * span or given[1] > high + 0.05 * span:
            what = "reaches beyond what the contract's preprocessing can give"
        elif given[1] - given[0] < 0.02 * span and span > 0:
            what = "uses next to nothing of what the contract's preprocessing gives"
        elif convention_of(pictures) == UNIT and low < -0.9 <= -0.9 * high < 0 and len(pictures) >= 5:
            what = "has nothing below 0, although the contract's preprocessing puts dark pixels there"
        if what is None:
            continue
        findings.append(
            Finding(
                code=CODE,
                level=ERROR,
                what=f"{name!r} is in {given[0]:.4g}..{given[1]:.4g} and {what} ({low:.4g}..{high:.4g})",
                numbers={
                    "minimum": short(given[0]),
                    "maximum": short(given[1]),
                    "expected_minimum": short(low),
                    "expected_maximum": short(high),
                },
                hint="give uint8 pixels or picture files, which are scaled as the contract says, or scale "
                "arrays by (pixel * scale - mean) / std with the numbers of the contract",
                input=name,
            )
        )
    return findings


def against_evaluation(evidence: Evidence) -> list[Finding]:
    """Compare the extent of every float input with the evaluation data's."""
    if evidence.evaluation is None:
        return []
    findings = []
    for name, values in evidence.calibration.inputs.items():
        meant = evidence.evaluation.inputs.get(name)
        if values.dtype.kind != "f" or meant is None or not meant.size or not values.size:
            continue
        pictures = picture_batch(values, name, evidence.contract)
        here, there = (None, None) if pictures is None else (convention_of(values), convention_of(meant))
        ours, theirs = _spread(values), _spread(meant)
        if ours == 0.0 or theirs == 0.0:
            continue
        ratio = max(ours / theirs, theirs / ours)
        if here is not None and there is not None and here != there:
            level, what = ERROR, f"{name!r} is on the scale {here}, the evaluation data on {there}"
        elif pictures is not None and None in (here, there) and _shifted(values, meant) > 0.35:
            level = ERROR if here != there else WARNING
            what = (
                f"{name!r} mostly lies in {_extent(values)}, the evaluation data in {_extent(meant)}: "
                "the pictures are normalized in another way"
            )
        elif ratio > OTHER_UNIT:
            level = ERROR
            what = f"{name!r} spreads {ours / theirs:.3g} times as far as the evaluation data"
        elif ratio > OTHER_SPREAD or _apart(values, meant):
            level = WARNING
            what = (
                f"{name!r} has mean {values.mean():.3g} and spread {ours:.3g}; the evaluation data has "
                f"{meant.mean():.3g} and {theirs:.3g}"
            )
        else:
            continue
        findings.append(
            Finding(
                code=CODE,
                level=level,
                what=what,
                numbers={
                    "minimum": short(values.min()),
                    "maximum": short(values.max()),
                    "spread": short(ours),
                    "evaluation_minimum": short(meant.min()),
                    "evaluation_maximum": short(meant.max()),
                    "evaluation_spread": short(theirs),
                },
                hint="preprocess the calibration data exactly as the evaluation data",
                input=name,
            )
        )
    return findings


def _possible(image: ImagePreprocess) -> tuple[float, float]:
    """Return the lowest and the highest value that pixels of 0..255 become."""
    mean, std = np.asarray(image.mean, np.float64), np.asarray(image.std, np.float64)
    ends = [(pixel * image.scale - mean) / std for pixel in (0.0, 255.0)]
    return float(np.min(ends)), float(np.max(ends))


def _spread(values: Array) -> float:
    return float(evenly(values).std(dtype=np.float64))


def _shifted(values: Array, meant: Array) -> float:
    """Return by how much the ends of the bulk differ, in units of the evaluation data's extent."""
    ours, theirs = (np.percentile(evenly(item), [1, 99]) for item in (values, meant))
    return float(np.max(np.abs(ours - theirs)) / max(1e-9, float(theirs[1] - theirs[0])))


def _extent(values: Array) -> str:
    low, high = np.percentile(evenly(values), [1, 99])
    return f"{low:.3g}..{high:.3g}"


def _apart(values: Array, meant: Array) -> bool:
    """Return whether most of one set lies outside of where nearly all of the other lies."""
    ours, theirs = evenly(values), evenly(meant)
    low, high = np.percentile(theirs, [0.5, 99.5])
    room = 0.5 * (high - low)
    return bool(np.mean((ours < low - room) | (ours > high + room)) > 0.5)

"""The proof, where there is evaluation data: does calibration on these samples cost what it need not?

Two int8 files are made, one calibrated on the samples, one on the evaluation data itself. Both answer the
evaluation data. What the first loses against the second is the calibration's doing and nobody else's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.convert.child import stage
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.ranges import Ranges, measure_ranges
from edge_sdk.quantize.recipe import load_recipe
from edge_sdk.validate.calibration.evidence import Array, Evidence, SampleSet
from edge_sdk.validate.calibration.model import FloatModel
from edge_sdk.validate.calibration.report import ERROR, WARNING, Finding
from edge_sdk.validate.calibration.statistics import chosen, short
from edge_sdk.validate.metrics import compare_output

#: Samples asked, and what a slow model may cost: multiply-accumulates of all calls of one file.
MOST, MOST_MACS, LEAST = 96, 2e10, 8
RECIPE = "full_int8"
#: Agreement that calibration may cost (and twice its standard error): beyond, the variant is another model.
RUINED, HARMED = 0.1, 0.03
#: The same for outputs that are no classes, in decibels, where what is left is below `POOR_DB`.
RUINED_DB, HARMED_DB, POOR_DB = 8.0, 5.0, 15.0


@dataclass(frozen=True)
class _Score:
    """How near a file is to the float model: its worst output."""

    agreement: float
    snr_db: float
    class_like: bool


def try_out(evidence: Evidence, path: Path, ranges: Ranges) -> list[Finding]:
    """Make both files and compare.

    Args:
        evidence: With evaluation data.
        path: The float model.
        ranges: The calibration's.

    Raises:
        EdgeError: The model cannot be quantized or run here.
    """
    meant = evidence.evaluation
    assert meant is not None
    name = evidence.contract.default_signature
    model = FloatModel(path, name)
    most = int(min(MOST, max(LEAST, MOST_MACS / max(1, model.macs))))
    meant = meant.take(list(chosen(meant.count, most)))
    with tempfile.TemporaryDirectory(prefix="edge-examine-") as scratch:
        folder = Path(scratch)
        stage("examine", "calibrating on evaluation data")
        best = ranges_of_samples(meant, path, name)
        stage("examine", "comparing both calibrations")
        reference = model.answers(meant.inputs)
        given = _score(path, folder / "given.tflite", ranges, name, meant, reference)
        possible = _score(path, folder / "possible.tflite", best, name, meant, reference)
    return _judge(given, possible, meant.count)


def ranges_of_samples(samples: SampleSet, path: Path, signature: str) -> Ranges:
    """Return what calibration on samples measures.

    Raises:
        EdgeError: The model cannot be calibrated here.
    """
    with tempfile.TemporaryDirectory(prefix="edge-examine-") as scratch:
        file = Path(scratch) / "samples.npz"
        arrays: dict[str, Any] = dict(samples.inputs)
        np.savez(file, **arrays)
        return measure_ranges(path, file, signature=signature, threads=1)


def _judge(given: _Score, possible: _Score, count: int) -> list[Finding]:
    lost, lost_db = possible.agreement - given.agreement, possible.snr_db - given.snr_db
    chance = 2.0 * np.sqrt(max(possible.agreement * (1 - possible.agreement), 0.25 / count) / count)
    poor = given.snr_db < POOR_DB
    if given.class_like:
        level = ERROR if lost > max(RUINED, chance) else WARNING if lost > max(HARMED, chance) else None
    else:
        ruined = (lost > RUINED or lost_db > RUINED_DB) and poor
        level = ERROR if ruined else WARNING if lost_db > HARMED_DB and poor else None
    if level is None:
        return []
    return [
        Finding(
            code="CALIBRATION-HARM",
            level=level,
            what=f"int8 calibrated on this data agrees with the float model to {given.agreement:.3f} "
            f"({given.snr_db:.0f} dB), calibrated on the evaluation data to {possible.agreement:.3f} "
            f"({possible.snr_db:.0f} dB)",
            numbers={
                "agreement": short(given.agreement),
                "agreement_possible": short(possible.agreement),
                "snr_db": short(given.snr_db),
                "snr_db_possible": short(possible.snr_db),
                "evaluation_samples": count,
            },
            hint="the data is of another kind or scale than what the model is meant for; the other findings "
            "say which, and the ranges of the layers where",
        )
    ]


def _score(
    source: Path,
    file: Path,
    ranges: Ranges,
    signature: str,
    samples: SampleSet,
    reference: Mapping[str, Array],
) -> _Score:
    quantize_file(source, file, load_recipe(RECIPE), None, signature=signature, ranges=ranges)
    answers = FloatModel(file, signature).answers(samples.inputs)
    facts = [
        compare_output(name, reference[name], answers[name])
        for name in reference
        if name in answers and reference[name].dtype.kind == "f"
    ]
    agreements = [item.agreement for item in facts if item.agreement is not None]
    decibels = [item.snr_db for item in facts if item.snr_db is not None]
    return _Score(
        agreement=min(agreements, default=0.0),
        snr_db=min(decibels, default=-150.0),
        class_like=bool(facts) and all(item.class_like for item in facts),
    )

"""The worker function: examine calibration data.

    run_in_worker("edge_sdk.validate.calibration.examine:examine", {
        "model": path of the float .tflite, "signature": name, "contract": Contract.to_dict(),
        "calibration": .npz of inputs, "calibration_labels": .npy or None,
        "evaluation": .npz or None, "evaluation_labels": .npy or None,
        "ranges": path of the calibration's ranges (`Ranges.save`) or None})

gives `CalibrationReport.to_dict()`. What cannot be done (a model that this machine cannot run, an output
without a known meaning) is listed as not checked and is no failure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Contract
from edge_sdk.convert.child import stage
from edge_sdk.errors import ConfigError, EdgeError
from edge_sdk.quantize.ranges import Ranges
from edge_sdk.validate.calibration import behaviour, layers, samples, scale, trial
from edge_sdk.validate.calibration.evidence import Evidence, SampleSet, read_samples
from edge_sdk.validate.calibration.report import (
    LEVELS,
    WARNING,
    CalibrationReport,
    Finding,
    InputReport,
    LayerRange,
)
from edge_sdk.validate.calibration.statistics import histogram_of, picture_batch, statistics_of

#: In the order of the report.
CHECKS = (
    samples.amount,
    samples.variation,
    samples.noise,
    scale.against_contract,
    scale.against_evaluation,
    samples.classes,
    samples.outliers,
    samples.order,
    samples.overlap,
)
#: After one of these the model's answers to the samples say nothing more.
_MEANINGLESS = ("CALIBRATION-REPEATED", "CALIBRATION-CONSTANT", "CALIBRATION-NOISE")


def examine(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Examine calibration data; see the module's text.

    Raises:
        ConfigError: There are no samples.
    """
    contract = Contract.from_dict(arguments["contract"])
    if arguments.get("signature"):
        contract = dataclasses.replace(contract, default_signature=str(arguments["signature"]))
    given = read_samples(arguments["calibration"], arguments.get("calibration_labels"))
    meant = read_samples(arguments.get("evaluation"), arguments.get("evaluation_labels"))
    if given is None or given.count == 0:
        raise ConfigError("there are no calibration samples to examine")
    stage("examine", f"looking at {given.count} calibration samples")
    path = Path(arguments["model"])
    ranges = Ranges.load(Path(arguments["ranges"])) if arguments.get("ranges") else None
    report = CalibrationReport(
        findings=(),
        samples=given.count,
        evaluation_samples=None if meant is None else meant.count,
        inputs=_inputs(contract, given, meant),
    )
    findings = samples.not_finite(given)
    kept = given.finite()
    kept_meant = None if meant is None else meant.finite()
    if kept.count == 0:
        return dataclasses.replace(
            report, findings=tuple(findings), not_checked=("everything else: no sample is finite",)
        ).to_dict()
    evidence = Evidence(
        contract=contract,
        calibration=kept,
        evaluation=kept_meant if kept_meant is not None and kept_meant.count else None,
    )
    for check in CHECKS:
        findings += check(evidence)
    rows, more, not_checked = _by_model(evidence, path, ranges, findings)
    findings += more
    if evidence.evaluation is None:
        not_checked.append(
            "whether the ranges fit what the model will see: needs evaluation data (--evaluation)"
        )
    return dataclasses.replace(
        report, findings=_in_order(findings), layers=rows, not_checked=tuple(not_checked)
    ).to_dict()


def _by_model(
    evidence: Evidence, path: Path, ranges: Ranges | None, known: list[Finding]
) -> tuple[tuple[LayerRange, ...], list[Finding], list[str]]:
    """Return the layers, more findings and what could not be checked."""
    findings: list[Finding] = []
    not_checked: list[str] = []
    rows: tuple[LayerRange, ...] = ()
    try:
        if ranges is None:
            name = evidence.contract.default_signature
            ranges = trial.ranges_of_samples(evidence.calibration, path, name)
        rows = layers.compare_layers(evidence, path, _limits(ranges))
        findings += layers.cut_off(rows)
    except EdgeError as failure:
        not_checked.append(f"the layers' ranges: {_first_line(failure)}")
    codes = {finding.code for finding in known if finding.level != WARNING}
    if not codes & set(_MEANINGLESS) and not any(finding.code == scale.CODE for finding in known):
        stage("examine", "asking the model")
        try:
            asked = behaviour.by_behaviour(evidence, path)
            findings += asked.findings
            not_checked += asked.not_checked
        except EdgeError as failure:
            not_checked.append(f"scale by the model's answers: {_first_line(failure)}")
    if ranges is not None and evidence.evaluation is not None and evidence.evaluation.count >= trial.LEAST:
        try:
            findings += trial.try_out(evidence, path, ranges)
        except EdgeError as failure:
            not_checked.append(f"int8 calibrated on both sets: {_first_line(failure)}")
    return rows, findings, not_checked


def _inputs(contract: Contract, given: SampleSet, meant: SampleSet | None) -> tuple[InputReport, ...]:
    reports = []
    for spec in contract.signature.inputs:
        values = given.inputs.get(spec.name)
        if values is None:
            continue
        other = None if meant is None else meant.inputs.get(spec.name)
        reports.append(
            InputReport(
                name=spec.name,
                dtype=spec.dtype,
                calibration=_statistics(contract, spec.name, values),
                evaluation=None if other is None else _statistics(contract, spec.name, other),
                histogram=histogram_of(values, other),
            )
        )
    return tuple(reports)


def _statistics(contract: Contract, name: str, values: Any) -> Any:
    pictures = picture_batch(values, name, contract)
    return statistics_of(values if pictures is None else pictures, pictures=pictures is not None)


def _limits(ranges: Ranges) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value by tensor name."""
    return {name: (float(np.min(low)), float(np.max(high))) for name, (low, high) in ranges.values.items()}


def _first_line(failure: EdgeError) -> str:
    return failure.what.splitlines()[0] if failure.what else type(failure).__name__


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))

"""Examines arrays directly: writes them where the worker function finds them, and reads its report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Preprocess
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.validate.calibration.examine import examine
from edge_sdk.validate.calibration.report import CalibrationReport

Examine = Callable[..., CalibrationReport]


@pytest.fixture
def report_on(tmp_path: Path) -> Examine:
    """Return a function that examines arrays for a model.

    `report_on(model, calibration, evaluation=None, labels=None, evaluation_labels=None, preprocess={})`,
    arrays by input name or, for a model with one input, alone.
    """

    def store(name: str, arrays: Any, inputs: tuple[str, ...]) -> str | None:
        if arrays is None:
            return None
        values = arrays if isinstance(arrays, Mapping) else {inputs[0]: arrays}
        np.savez(tmp_path / f"{name}.npz", **values)
        return str(tmp_path / f"{name}.npz")

    def store_labels(name: str, labels: Any) -> str | None:
        if labels is None:
            return None
        np.save(tmp_path / f"{name}.npy", labels)
        return str(tmp_path / f"{name}.npy")

    def report(
        model: Path,
        calibration: Any,
        evaluation: Any = None,
        *,
        labels: Any = None,
        evaluation_labels: Any = None,
        preprocess: Mapping[str, Preprocess] | None = None,
    ) -> CalibrationReport:
        file = read_tflite(model)
        contract = Contract(
            signatures=file.signatures,
            default_signature=default_signature(file.signatures),
            preprocess=preprocess or {},
        )
        inputs = tuple(spec.name for spec in contract.signature.inputs)
        found = examine(
            {
                "model": str(model),
                "signature": contract.default_signature,
                "contract": contract.to_dict(),
                "calibration": store("calibration", calibration, inputs),
                "calibration_labels": store_labels("labels", labels),
                "evaluation": store("evaluation", evaluation, inputs),
                "evaluation_labels": store_labels("evaluation_labels", evaluation_labels),
                "ranges": None,
            }
        )
        result = CalibrationReport.from_dict(json.loads(json.dumps(found, allow_nan=False)))
        assert CalibrationReport.from_dict(result.to_dict()) == result
        return result

    return report

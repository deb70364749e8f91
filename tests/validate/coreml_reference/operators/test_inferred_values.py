"""Operators against coremltools: the values it works out when it folds constants, and its definitions."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference.constants import CONSTANTS
from edge_sdk.validate.coreml_reference.machine import _OWN, TABLE, _parameters
from edge_sdk.validate.coreml_reference.operators import OPERATORS
from tests.validate.coreml_reference.operators import array_cases, number_cases

FILES = ("cases.json", "answers.npz", "operators.json")
SCRIPT = Path(__file__).with_name("infer_values.py")
OPSETS = {"iOS15": "CoreML5", "iOS16": "CoreML6", "iOS17": "CoreML7", "iOS18": "CoreML8", "iOS26": "CoreML9"}

CASES = [*array_cases.CASES, *number_cases.CASES]


def written(value: Any) -> Any:
    """Return a value of a case as JSON, as the script reads it."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "data": value.tolist()}
    if isinstance(value, list):
        return [written(part) for part in value]
    return value


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of coremltools' answers."""
    folder = tmp_path_factory.mktemp("inferred")
    cases = [
        {"kind": kind, "opset": opset, "inputs": {name: written(value) for name, value in inputs.items()}}
        for kind, opset, inputs in CASES
    ]
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), *(str(folder / name) for name in FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def inferred(answered: Path) -> dict[str, np.ndarray]:
    """The values by "case.output"."""
    with np.load(answered / "answers.npz") as answers:
        return dict(answers)


@pytest.fixture(scope="module")
def defined(answered: Path) -> dict[str, dict[str, Any]]:
    """Inputs and defaults by operator."""
    found: dict[str, dict[str, Any]] = json.loads((answered / "operators.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.tensorflow
def test_every_operator_is_known_with_all_its_inputs(defined: dict[str, dict[str, Any]]) -> None:
    unknown = set(defined) - set(TABLE) - set(CONSTANTS) - _OWN
    # The one is a helper of coremltools' own passes, the other of the days before ML Programs.
    assert unknown == {"_const_symbolic", "conv_quantized"}
    for kind in set(defined) & set(TABLE):
        found = inspect.signature(TABLE[kind]).parameters
        if any(item.kind is item.VAR_KEYWORD for item in found.values()):
            assert kind.startswith("random_")
            continue
        assert set(defined[kind]["inputs"]) == set(found) - {"opset", "output_types"}, kind


@pytest.mark.tensorflow
def test_inputs_left_out_are_what_coremltools_takes(defined: dict[str, dict[str, Any]]) -> None:
    compared = 0
    for kind in set(defined) & set(TABLE):
        found = inspect.signature(TABLE[kind]).parameters
        for name, default in defined[kind]["defaults"].items():
            if name in found and found[name].default not in (inspect.Parameter.empty, None):
                assert found[name].default == default, f"{kind} {name}"
                compared += 1
    assert compared > 50


@pytest.mark.tensorflow
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{n}-{CASES[n][0]}-{CASES[n][1]}")
def test_value_is_that_of_coremltools(inferred: dict[str, np.ndarray], number: int) -> None:
    kind, opset, inputs = CASES[number]
    function = OPERATORS[kind]
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in inputs.items()}
    if "opset" in _parameters(function):
        given["opset"] = OPSETS[opset]
    result = function(**given)
    results = result if isinstance(result, tuple) else (result,)
    expected = [value for name, value in inferred.items() if name.split(".")[0] == str(number)]
    assert len(results) == len(expected)
    for have, want in zip(results, expected, strict=True):
        assert np.shape(have) == want.shape
        assert np.asarray(have).dtype.kind == want.dtype.kind
        np.testing.assert_allclose(have, want, rtol=2e-5, atol=1e-6)

"""The proof runs in the very runtime version, and says what it could not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.runtime.runner import Runner
from edge_sdk.validate.compatibility.proof import Proof, prove, slow_on
from edge_sdk.wheels import environment as places
from edge_sdk.wheels import interpreter

VERSIONS = (("tflite-runtime", "2.14.0"), ("litert", "2.1.0"))


@pytest.fixture
def golden(models: Path, tmp_path: Path) -> dict[str, Any]:
    """Golden vectors of conv_int8_float_io.tflite, recorded in the runtime of this environment."""
    model = models / "conv_int8_float_io.tflite"
    rng = np.random.default_rng(0)
    with Runner.open(model, threads=1) as runner:
        spec = runner.signature.inputs[0]
        cases = rng.normal(size=(2, *[size or 1 for size in spec.shape or ()])).astype(np.float32)
        outputs = [runner.predict({spec.name: case}) for case in cases]
        recorded = {name: np.stack([answer[name] for answer in outputs]) for name in outputs[0]}
        contract = runner.contract.to_dict()
    path = tmp_path / "golden.npz"
    path.write_bytes(GoldenVectors(inputs={spec.name: cases}, outputs=recorded).to_bytes())
    largest = max(float(np.abs(values).max()) for values in recorded.values())
    return {
        "model": str(model), "golden": str(path), "contract": contract, "atol": 0.05 * largest, "rtol": 0.05,
    }  # fmt: skip


def proof_of(arguments: dict[str, Any]) -> Proof:
    found = Proof.from_dict(prove(arguments))
    if found.status == "skipped" and "no packages" in (found.reason or ""):
        pytest.skip(found.reason or "")
    if found.status == "skipped" and "no Python" in (found.reason or ""):
        pytest.skip(found.reason or "")
    return found


@pytest.mark.parametrize(("runtime", "version"), VERSIONS)
def test_golden_answers_are_given_by_that_very_version(
    golden: dict[str, Any], runtime: str, version: str
) -> None:
    found = proof_of({**golden, "runtime": runtime, "version": version})
    assert (found.status, found.runtime, found.version, found.cases) == ("passed", runtime, version, 2)
    assert found.reason is None
    assert found.max_abs_error is not None
    assert found.latency_ms is not None
    assert found.latency_ms > 0
    assert found.runs >= 5
    assert found.architecture
    # NumPy 2 would break the old runtime: the environment is its own, not the host's.
    assert (found.numpy or "").startswith("1." if runtime == "tflite-runtime" else "2.")


def test_other_answers_fail_the_proof(golden: dict[str, Any]) -> None:
    vectors = GoldenVectors.from_bytes(Path(golden["golden"]).read_bytes())
    wrong = {name: values + 10 for name, values in vectors.outputs.items()}
    Path(golden["golden"]).write_bytes(GoldenVectors(inputs=vectors.inputs, outputs=wrong).to_bytes())
    found = proof_of({**golden, "runtime": "litert", "version": "2.1.0"})
    assert found.status == "failed"
    assert "other answers" in (found.reason or "")
    assert found.max_abs_error == pytest.approx(10, rel=0.1)


def test_what_the_version_lacks_is_named(models: Path) -> None:
    request = {"runtime": "tflite-runtime", "version": "2.14.0"}
    future = proof_of({**request, "model": str(models / "future_version.tflite")})
    assert future.status == "failed"
    assert "FULLY_CONNECTED version 99" in (future.reason or "")
    flex = proof_of({**request, "model": str(models / "flex_operator.tflite")})
    assert flex.status == "failed"
    assert "FlexMatrixDeterminant" in (flex.reason or "")
    custom = proof_of({**request, "model": str(models / "custom_operator.tflite")})
    assert custom.status == "skipped"
    assert "EdgeTanh" in (custom.reason or "")
    named = proof_of({**request, "model": str(models / "future_version.tflite"), "label": "full_int8"})
    assert "cannot run full_int8:" in (named.reason or "")
    assert "future_version" not in (named.reason or "")
    assert "cannot run future_version.tflite:" in (future.reason or "")
    bare = proof_of({**request, "model": str(models / "conv_int8.tflite")})
    assert (bare.status, bare.cases) == ("passed", 0)
    assert "not compared" in (bare.reason or "")


def test_a_file_that_is_no_model_fails_without_a_traceback(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\x1c\0\0\0TFL3" + b"\xff" * 200)
    found = proof_of({"runtime": "litert", "version": "2.1.0", "model": str(broken)})
    assert found.status == "failed"
    assert found.reason
    assert "Traceback" not in found.reason


def test_without_an_interpreter_it_is_skipped_with_the_cure(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that has nothing but a Python that is too new.
    monkeypatch.setattr(interpreter, "_candidates", lambda first, last: iter(()))
    found = Proof.from_dict(
        prove({"runtime": "tflite-runtime", "version": "2.14.0", "model": str(models / "conv_int8.tflite")})
    )
    assert found.status == "skipped"
    assert found.latency_ms is None
    assert "no Python on this machine can run tflite-runtime" in (found.reason or "")
    assert (found.reason or "").endswith("uv python install 3.11")


def test_a_version_that_does_not_exist_is_skipped(models: Path, tmp_path: Path) -> None:
    found = prove(
        {
            "runtime": "litert",
            "version": "2.0.999",
            "model": str(models / "conv_int8.tflite"),
            "cache": str(tmp_path / "environments"),
        }
    )
    assert found["status"] == "skipped"
    assert "ai-edge-litert==2.0.999" in found["reason"] or "package index" in found["reason"]
    assert not [entry for entry in (tmp_path / "environments").iterdir() if entry.is_dir()]


def test_only_what_is_much_slower_than_float_is_called_slow() -> None:
    def measured(latency: float | None, version: str = "2.14.0") -> Proof:
        return Proof(
            runtime="tflite-runtime",
            version=version,
            status="passed",
            latency_ms=latency,
            architecture="x86_64",
        )

    notes = slow_on(
        {
            "float32": measured(10.0),
            "int16x8": measured(61.0),
            "full_int8": measured(13.0),
            "float16": measured(None),
            "elsewhere": measured(90.0, "2.13.0"),
        }
    )
    assert list(notes) == ["int16x8"]
    assert notes["int16x8"].startswith("takes 6.1x as long as float32 in tflite-runtime 2.14.0 on x86_64")
    assert slow_on({"int16x8": measured(61.0)}) == {}
    assert slow_on({"float32": measured(0.001), "full_int8": measured(0.01)}) == {}


def test_the_packages_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = places.runtime_environment("litert", "2.1.0")
    monkeypatch.setattr(places, "fetch_wheels", lambda *given: pytest.fail("fetched again"))
    assert places.runtime_environment("litert", "2.1.0") == first

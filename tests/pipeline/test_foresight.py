"""What a build says about its targets before anything runs there, and what it proves in their runtimes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.configuration import Budget
from edge_sdk.pipeline.result import BuildResult
from tests.quantize.dense_model import write_dense_model

OLD = "host-tflite-runtime"


def details(result: BuildResult) -> dict[str, Any]:
    assert result.bundle is not None
    found: dict[str, Any] = json.loads((result.bundle.with_suffix("") / "details.json").read_text())
    return found


def proofs(found: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the proofs of a target; without a fitting Python or network there is nothing to test."""
    made: dict[str, Any] = found["proofs"][target]
    skipped = {proof["reason"] for proof in made.values() if proof["status"] == "skipped"}
    if skipped and os.environ.get("CI", "").lower() not in ("1", "true"):
        pytest.skip("; ".join(skipped))
    return made


def test_variants_are_proven_in_the_other_runtime_and_judged_by_its_latency(
    models: Path, pictures: dict[str, Path]
) -> None:
    result = edge_sdk.build(
        models / "conv_float.tflite", targets=["host", OLD], recipes=["as_is", "full_int8"], **pictures
    )
    found = details(result)
    made = proofs(found, OLD)
    assert {name: proof["status"] for name, proof in made.items()} == {
        "as_is": "passed",
        "full_int8": "passed",
    }
    assert {proof["version"] for proof in made.values()} == {"2.14.0"}
    assert found["proofs"]["host"] == {}  # it measures in the host's own runtime
    here, there = (
        {item["name"]: item["numbers"]["full_int8"] for item in found["targets"]}[name]
        for name in ("host", OLD)
    )
    assert there["p50_ms"] == made["full_int8"]["latency_ms"]
    assert here["p50_ms"] == result.variant("full_int8").latency_ms["p50"]  # type: ignore[index]


def test_no_prove_asks_no_other_runtime(models: Path, pictures: dict[str, Path]) -> None:
    result = edge_sdk.build(
        models / "conv_float.tflite", targets=[OLD], recipes=["as_is"], prove=False, **pictures
    )
    assert details(result)["proofs"] == {OLD: {}}


def test_a_recipe_is_mended_for_a_runtime_that_needs_it_and_the_bundle_says_so(tmp_path: Path) -> None:
    model = write_dense_model(tmp_path / "dense.tflite")
    (tmp_path / "mine.toml").write_text('title = "mine"\nmethod = "dynamic"\nweight_bits = 8\n')
    options: dict[str, Any] = {"recipes": ["as_is", str(tmp_path / "mine.toml")]}
    result = edge_sdk.build(model, targets=[OLD], **options)
    assert proofs(details(result), OLD)["mine"]["status"] == "passed"
    assert any("one scale for the weights of FULLY_CONNECTED" in note for note in result.notes)
    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        assert len(bundle.manifest.provenance["repairs"]) == 1
        assert bundle.manifest.variant("mine").requirements.op_versions["FULLY_CONNECTED"] <= 11
    plain = edge_sdk.build(model, targets=["host"], out="plain", **options)
    assert not any("one scale" in note for note in plain.notes)
    assert plain.variant("mine").sha256 != result.variant("mine").sha256


def test_compatibility_is_answered_for_every_variant_of_a_target(
    models: Path, pictures: dict[str, Path]
) -> None:
    result = edge_sdk.build(
        models / "conv_float.tflite", targets=["android"], recipes=["as_is", "full_int8"], **pictures
    )
    assert result.picks["android"] is not None
    answers = details(result)["compatibility"]["android"]
    assert set(answers) == {"as_is", "full_int8"}
    assert {"OPERATOR-VERSIONS", "FLEX"} <= {item["code"] for item in answers["as_is"]}
    assert not any(item["verdict"] == "failed" for item in answers["full_int8"])


def test_coverage_is_a_budget_and_memory_is_forecast(models: Path, pictures: dict[str, Path]) -> None:
    options: dict[str, Any] = {"recipes": ["as_is", "full_int8"], "targets": ["raspberry-pi-5"], **pictures}
    result = edge_sdk.build(models / "conv_float.tflite", **options)
    found = details(result)
    (plan, *_) = found["delegates"]["raspberry-pi-5"]["full_int8"]
    assert plan["delegate"] == "xnnpack"
    assert 0 < plan["coverage"] <= 1
    assert found["memory"]["raspberry-pi-5"]["full_int8"]["total_bytes"] > 10**6
    (choice,) = result.choices
    assert choice.numbers["full_int8"].delegate_coverage == plan["coverage"]
    strict = edge_sdk.build(
        models / "conv_float.tflite", budget=Budget(min_delegate_coverage=1.01), **options
    )
    assert strict.picked is None
    assert "delegate coverage" in " ".join(strict.notes)


def test_thumbnails_and_worst_samples_are_there_for_the_report(
    models: Path, pictures: dict[str, Path]
) -> None:
    result = edge_sdk.build(models / "conv_float.tflite", recipes=["as_is", "full_int8"], **pictures)
    found = details(result)
    indices = {str(sample["index"]) for samples in found["worst"].values() for sample in samples}
    assert indices
    assert set(found["thumbnails"]) == indices
    assert all(value.startswith("data:image/png;base64,") for value in found["thumbnails"].values())
    assert np.asarray(found["confusion"]["full_int8"]["counts"]).sum() == 60
    assert found["error_maps"]["full_int8"]["layers"]
    assert found["command"][:2] == ["edge", "build"]

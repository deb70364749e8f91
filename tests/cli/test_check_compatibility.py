"""`edge check BUNDLE --target T`, from a real build."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.cli.checks.compatibility import check
from edge_sdk.pipeline.build import build
from tests.bundle.samples import mixed, mixed_content, sample


@pytest.fixture
def bundle(models: Path, tmp_path: Path) -> Path:
    """A float model for an old runtime."""
    result = build(
        models / "conv_float.tflite", targets=["host-tflite-runtime"], recipes=["float16"], out=tmp_path
    )
    assert result.bundle is not None
    return result.bundle


def test_tables_and_proof_in_one_document(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = check(bundle, [], True, True)
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is good is True
    (target,) = found["targets"]
    assert target["target"] == "host-tflite-runtime"
    for variant in target["variants"]:
        assert variant["delegates"][0]["predicted"] is True
        assert variant["memory"]["total_bytes"] > 0
        if variant["proof"]["status"] == "skipped":
            pytest.skip(variant["proof"]["reason"])
        assert variant["proof"]["version"] == "2.14.0"
        assert variant["proof"]["cases"] > 0


def test_the_table_fits_a_hundred_columns(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert check(bundle, ["imx8mp", "generic-armv7"], False, False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert not any("PROOF" in line for line in lines)
    assert any("CPU-FEATURES" in line for line in lines)


def test_a_bundle_without_a_package_has_nothing_for_a_phone_that_takes_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sample(tmp_path)
    assert not check(path, ["ios"], True, True)
    (target,) = json.loads(capsys.readouterr().out)["targets"]
    assert (target["passed"], target["variants"]) == (False, [])
    assert not check(path, ["ios"], False, False)
    assert "nothing in the bundle is for ios: edge build --target ios" in capsys.readouterr().out


@pytest.mark.parametrize(("needs", "good"), [("iOS16", True), ("iOS18", False)])
def test_a_package_is_looked_at_for_a_phone_alone(
    needs: str, good: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    float32, package = mixed().variants
    facts = CoreMLFacts(deployment_target=needs, precision="float32")
    path = tmp_path / "mixed.edge"
    write_bundle(path, mixed(variants=(float32, replace(package, coreml=facts))), mixed_content())
    assert check(path, ["ios"], True, True) is good
    (target,) = json.loads(capsys.readouterr().out)["targets"]
    (variant,) = target["variants"]
    assert (variant["id"], variant["passed"], variant["proof"], variant["memory"]) == (
        "coreml_int8",
        good,
        None,
        None,
    )
    assert [item["verdict"] for item in variant["items"]] == ["passed" if good else "failed"]
    assert len(variant["delegates"]) == 3
    assert all(plan["predicted"] for plan in variant["delegates"])
    assert check(path, ["ios"], False, False) is good
    shown = capsys.readouterr().out
    assert "MEMORY" not in shown
    assert max(map(len, shown.splitlines())) <= 100

"""`edge check BUNDLE --target T`, from a real build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_sdk.cli.checks.compatibility import check
from edge_sdk.pipeline.build import build


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

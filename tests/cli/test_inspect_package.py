"""`edge inspect X.mlpackage`: everything that a package tells, without TensorFlow or coremltools."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.model.coreml.report import report_package
from tests import real_models
from tests.bundle.packages import MODEL, tiny_package


def lay_out(folder: Path) -> Path:
    for name, content in tiny_package("iOS17").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def inspect(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys\n"
        "from edge_sdk.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'coremltools', 'google.protobuf', 'keras'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "inspect", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"COLUMNS": "100", "NO_COLOR": "1", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )


def test_a_real_package_of_others() -> None:
    done = inspect(str(real_models.basic_pitch_mlpackage()))
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    for text in (
        "needs iOS15 or newer",
        "computes 113 operators in fp32",
        "compression none",
        "fp32[1,43844,1]",
        "36,010 parameters",
        "coremltools 7.0",
    ):
        assert text in done.stdout, text
    done = inspect(str(real_models.basic_pitch_mlpackage()), "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["kind"] == "mlpackage"
    assert found["details"]["minimum_deployment"] == "iOS15"
    counts = {item["name"]: item["count"] for item in found["operators"]}
    assert (counts["conv"], counts["pad"]) == (32, 24)
    assert sum(layer["parameters"] for layer in found["layers"]) == found["parameters"] == 36_010
    assert [item["name"] for item in found["signatures"][0]["outputs"]] == [
        "Identity",
        "Identity_1",
        "Identity_2",
    ]


def test_damage_ends_in_one_message(tmp_path: Path) -> None:
    package = lay_out(tmp_path / "Tiny.mlpackage")
    assert inspect(str(package)).returncode == 0
    model = package / MODEL
    model.write_bytes(model.read_bytes()[:-10])
    done = inspect(str(package))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "no Core ML package that can be read" in done.stderr
    assert "try:" in done.stderr


@pytest.mark.parametrize("suffix", [".mlmodelc", ".mlmodel"])
def test_other_forms_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"Old{suffix}"
    path.mkdir() if suffix == ".mlmodelc" else path.write_bytes(b"\x08\x04")
    done = inspect(str(path))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "Core ML model" in done.stderr


def test_a_package_cannot_be_built_again(tmp_path: Path) -> None:
    from edge_sdk.errors import ModelError
    from edge_sdk.model.load import open_model

    with pytest.raises(ModelError, match="Core ML package already"):
        open_model(lay_out(tmp_path / "Tiny.mlpackage"))


def test_the_report_of_a_package_without_weights(tmp_path: Path) -> None:
    report = report_package(lay_out(tmp_path / "Tiny.mlpackage"), "Tiny.mlpackage")
    assert (report.parameters, report.macs, report.layers) == (0, 0, ())
    assert [(item.name, item.count) for item in report.operators] == [("relu", 1)]
    assert report.details["minimum_deployment"] == "iOS17"
    assert report.details["compression"] == {}

"""`edge inspect X.mlpackage`: what it shows, without TensorFlow and coremltools."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = (
    "import sys; from edge_sdk.cli.main import main\n"
    "try: main()\n"
    "finally: assert not {'tensorflow', 'coremltools'} & set(sys.modules)"
)


def _inspect(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _RUN, "inspect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("form", "named", "stored"),
    [
        ("dense", "fp16", (3, 16 * 72 * 2 + 32 * 1024 * 2 + 32 * 2)),
        ("palette", "palette 4 bits", (2, 16 * 72 // 2 + 32 * 1024 // 2 + 2 * 16 * 2)),
        # The convolution has as many input channels as a block: it counts as stored by channel.
        ("int4", "int4 linear by block", (1, 32 * 1024 // 2 + 32 * 1024 // 8 * 2)),
    ],
)
def test_compression_and_cost_are_named(
    small_packages: Path, form: str, named: str, stored: tuple[int, int]
) -> None:
    done = _inspect(str(small_packages / f"{form}.mlpackage"), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    compression = found["details"]["compression"][named]
    assert (compression["weights"], compression["bytes"]) == stored
    assert found["details"]["minimum_deployment"] == "iOS18"
    assert found["macs"] == 16 * 64 * 8 * 9 + 32 * 1024
    assert {"conv", "linear"} <= {use["name"] for use in found["operators"]}


def test_the_table_fits_100_columns(small_packages: Path) -> None:
    done = _inspect(str(small_packages / "palette.mlpackage"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines[1:])) <= 100  # the first one is the path
    assert any("needs iOS18" in line for line in lines)


def test_damage_is_refused_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "X.mlpackage").mkdir()
    done = _inspect(str(tmp_path / "X.mlpackage"))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr

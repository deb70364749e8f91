"""The packages that make_packages.py makes, once per test run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import EdgeError, error_from_dict


@dataclass(frozen=True)
class Made:
    """What make_packages.py left."""

    folder: Path
    answers: dict[str, Any]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.mlpackage"

    def value(self, name: str) -> dict[str, Any]:
        assert "error" not in self.answers[name], self.answers[name]["error"]
        return dict(self.answers[name]["value"])

    def description(self, name: str) -> dict[str, Any]:
        return dict(self.answers[name]["description"])

    def error(self, name: str) -> EdgeError:
        return error_from_dict(self.answers[name]["error"])

    def operations(self, name: str, function: str = "main") -> list[dict[str, Any]]:
        (block,) = self.answers[name]["program"]["functions"][function]["blockSpecializations"].values()
        return [item for item in block["operations"] if item["type"] != "const"]

    def outputs(self, name: str, function: str = "main") -> list[str]:
        (block,) = self.answers[name]["program"]["functions"][function]["blockSpecializations"].values()
        return list(block["outputs"])


def make(folder: Path, *names: str, seed: str = "random") -> Made:
    """Make packages in a process of their own."""
    # Looked for, not imported: importing coremltools takes ten seconds and loads TensorFlow.
    for package in ("tensorflow", "coremltools"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.convert.coreml.make_packages", str(folder), *names],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Made(folder, json.loads((folder / "answers.json").read_text()))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """All packages of make_packages.py."""
    return make(tmp_path_factory.mktemp("packages"))

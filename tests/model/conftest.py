"""Model files made once a test run by real TensorFlow, in a process of its own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@functools.cache
def _make(base: Path) -> Path:
    """Make the files; cached, because tests/cli has a fixture of its own from the same function."""
    folder = base / "made"
    result = subprocess.run(
        [sys.executable, "-m", "tests.model.make_files", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `tests/model/make_files.py`."""
    return _make(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def facts(made: Path) -> dict[str, Any]:
    """What TensorFlow and Keras say themselves about the files, their formats and their own classes."""
    found: dict[str, Any] = json.loads((made / "facts.json").read_text())
    return found

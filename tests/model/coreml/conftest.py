"""Packages that coremltools wrote, with what its own readers find in them; made once for all workers."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coreml_models import CACHE

SCRIPT = Path(__file__).with_name("make_package.py")


@pytest.fixture(scope="session")
def small_packages() -> Path:
    """Return the folder that `make_package` filled (14 seconds where it is not in the cache)."""
    if importlib.util.find_spec("coremltools") is None:
        pytest.skip("coremltools is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"reader-{hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12]}"
    with (CACHE / "reader.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished-{os.getpid()}")
            unfinished.mkdir()
            command = [sys.executable, "-m", "tests.model.coreml.make_package", str(unfinished)]
            done = subprocess.run(
                command,
                cwd=Path(__file__).parents[3],
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-4000:]
            unfinished.rename(folder)
    return folder

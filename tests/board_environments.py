"""Python environments that hold a board's packages and nothing else.

Made with uv on first use, kept in ~/.cache/edge_sdk/environments under the hash of their content, shared
by all test processes. `run_on_board` starts a program in one with a bare environment and the checkout's
edge_sdk, so a test sees what a board would see.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
CACHE = Path.home() / ".cache" / "edge_sdk" / "environments"

#: Runtime name -> (Python versions that have a wheel, best first; packages).
PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "litert": (("3.11", "3.12", "3.10", "3.13"), ("ai-edge-litert==2.3.0", "numpy>=2,<3", "pillow>=12")),
    # The last wheel is for Python 3.11, and it needs NumPy 1.
    "tflite-runtime": (("3.11", "3.10"), ("tflite-runtime==2.14.0", "numpy<2", "pillow>=10")),
}

#: Top-level modules that belong on the host only.
HOST_MODULES = (
    "tensorflow", "keras", "tf_keras", "coremltools", "paramiko", "cryptography", "typer", "click", "rich",
    "litert_quantizer", "ai_edge_quantizer", "tomlkit", "h5py", "jinja2", "pytest",
)  # fmt: skip

#: Rooms of edge_sdk that belong on the host only.
HOST_ROOMS = ("build", "cli", "convert", "deploy", "model", "pack", "quantize", "targets", "validate")


@dataclass(frozen=True)
class BoardEnvironment:
    """An environment.

    Attributes:
        runtime: "litert" or "tflite-runtime".
        python: Its interpreter.
    """

    runtime: str
    python: Path


def board_environment(runtime: str) -> BoardEnvironment:
    """Return the environment for a runtime, making it where it is not there; skips where it cannot be."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("no uv: the board's environment cannot be made (make install brings uv)")
    versions, packages = PACKAGES[runtime]
    failures = []
    for version in versions:
        key = hashlib.sha256("\n".join((version, *packages)).encode()).hexdigest()[:16]
        folder = CACHE / f"{runtime}-{version}-{key}"
        python = folder / "bin" / "python"
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The marker comes last: an environment whose making was cut off is made again.
            if (folder / "complete").exists():
                return BoardEnvironment(runtime, python)
            shutil.rmtree(folder, ignore_errors=True)
            steps = (
                [uv, "venv", "-q", "--no-project", "--python", version, str(folder)],
                [uv, "pip", "install", "-q", "--python", str(python), *packages],
            )
            failure = next((text for step in steps if (text := _failure(step))), None)
            if failure is None:
                (folder / "complete").touch()
                return BoardEnvironment(runtime, python)
            failures.append(f"Python {version}: {failure}")
    pytest.skip(f"the board's environment for {runtime} cannot be made: " + "; ".join(failures))


def run_on_board(
    environment: BoardEnvironment,
    arguments: Sequence[str | Path],
    *,
    cwd: Path,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python; nothing of the host's environment leaks in."""
    return subprocess.run(
        [environment.python, *arguments],
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(cwd),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: os.environ[name] for name in os.environ if name.startswith("OPENBLAS_")},
        },
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _failure(command: Sequence[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return None if done.returncode == 0 else done.stderr.strip()[-400:] or f"exit code {done.returncode}"

"""The board's Python: which interpreter it is made from, and the bare environment itself.

A real board brings its own Python. A lab board borrows one of this machine's, in an environment without
pip and without a single package, so that whatever runs there was brought by `edge board setup`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import BoardError, ConfigError

#: Python versions for which the runtime has wheels and on which the board side runs: (first, last).
SUPPORTED: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "litert": ((3, 10), (3, 13)),
    # tflite-runtime 2.14.0, the last one, has no wheel for a newer Python.
    "tflite-runtime": ((3, 10), (3, 11)),
}

_PROBE = """
import json, sys
print(json.dumps([sys.version_info[:2], sys.implementation.name, sys._base_executable]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine.

    Attributes:
        path: The real one, never the one inside an environment.
        version: (major, minor).
    """

    path: Path
    version: tuple[int, int]


def choose_interpreter(runtime: str, python: str | None = None) -> Interpreter:
    """Return a Python of this machine for which the runtime has wheels.

    Args:
        runtime: A key of `SUPPORTED`.
        python: A path, a name on the PATH or a version ("3.11"); by default the running Python where
            it fits, else any installed one that does.

    Raises:
        ConfigError: There is none, or the named one does not fit or does not run.
    """
    if runtime not in SUPPORTED:
        raise ConfigError(f"no runtime called {runtime!r}", why="runtimes: " + ", ".join(SUPPORTED))
    first, last = SUPPORTED[runtime]
    span = f"Python {first[0]}.{first[1]} to {last[0]}.{last[1]}"
    if python is not None:
        chosen = _named(python)
        if chosen is None:
            raise ConfigError(
                f"no Python at {python!r}", hint="name an interpreter: --python /usr/bin/python3"
            )
        if not first <= chosen.version <= last:
            raise ConfigError(
                f"{python} is Python {chosen.version[0]}.{chosen.version[1]}",
                why=f"{runtime} has wheels for {span} only",
                hint=f"name another: --python {last[0]}.{last[1]}",
            )
        return chosen
    tried = []
    for candidate in _candidates(first, last):
        found = probe(candidate)
        if found is not None and first <= found.version <= last:
            return found
        if found is not None:
            tried.append(f"{found.path} is {found.version[0]}.{found.version[1]}")
    raise ConfigError(
        f"no Python on this machine can run {runtime}",
        why="; ".join([f"it has wheels for {span} only", *dict.fromkeys(tried)]),
        hint=f"uv python install {last[0]}.{last[1]}, or name an interpreter: --python PATH"
        + (", or use the other runtime: --runtime litert" if runtime != "litert" else ""),
    )


def probe(path: Path) -> Interpreter | None:
    """Ask an interpreter what it is; None where it is no CPython that runs."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        version, implementation, base = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(Path(base), (version[0], version[1])) if implementation == "cpython" else None


def make_environment(interpreter: Interpreter, folder: Path) -> Path:
    """Make a Python environment with no package in it, and return its python.

    Raises:
        BoardError: The interpreter cannot make one.
    """
    done = subprocess.run(
        [interpreter.path, "-I", "-m", "venv", "--without-pip", "--clear", folder],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
    )
    if done.returncode != 0:
        raise BoardError(
            f"{interpreter.path} cannot make a Python environment",
            why=(done.stderr or done.stdout).strip()[-500:] or None,
            hint="on Debian: apt-get install python3-venv; or name another interpreter: --python PATH",
        )
    return folder / "bin" / "python"


def clean_environment() -> dict[str, str]:
    """Return a child's environment without what would let the host's packages in."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _named(python: str) -> Interpreter | None:
    if re.fullmatch(r"\d+\.\d+", python):
        # A version may be that of the running Python, or of one that no PATH names.
        major, minor = map(int, python.split("."))
        found = map(probe, _candidates((major, minor), (major, minor)))
        return next((each for each in found if each and each.version == (major, minor)), None)
    path = shutil.which(python) or _find_with_uv(python)
    return probe(Path(path)) if path else None


def _candidates(first: tuple[int, int], last: tuple[int, int]) -> Iterator[Path]:
    # Of equal worth: the Python that is running is the one the user knows; then the newest that fits.
    yield Path(sys.executable)
    minors = range(last[1], first[1] - 1, -1)
    for name in [*(f"python3.{minor}" for minor in minors), "python3"]:
        path = shutil.which(name)
        if path:
            yield Path(path)
    path = _find_with_uv(f">={first[0]}.{first[1]},<{last[0]}.{last[1] + 1}")
    if path:
        yield Path(path)
    # pyenv's commands fail for a version that is installed but not switched on.
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in minors:
        yield from sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python"), reverse=True)


def _find_with_uv(request: str) -> str | None:
    # uv knows the interpreters that it installed itself, which no PATH names.
    try:
        from uv import find_uv_bin

        uv = find_uv_bin()
    except (ImportError, FileNotFoundError):
        uv = shutil.which("uv") or ""
    if not uv:
        return None
    done = subprocess.run(
        [uv, "python", "find", request, "--system", "--no-python-downloads", "--no-project"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None if done.returncode == 0 else None

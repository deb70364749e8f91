"""Where tools lie, what is pinned, and how a tool is made without ever being half there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.errors import ConfigError, EdgeError

_PINS = Path(__file__).with_name("pins.toml")
HOW_TO_GET = "make mobile-tools, or python -m edge_sdk.scaffold.toolchain install"


@dataclass(frozen=True)
class Missing:
    """A tool that is not there.

    Attributes:
        name: Of the tool.
        why: What is not there.
        how: What to type to get it.
    """

    name: str
    why: str
    how: str = HOW_TO_GET


@dataclass(frozen=True)
class Completed:
    """A program that ran to its end.

    Attributes:
        code: Exit code.
        output: stdout and stderr, together, in the order in which they came.
    """

    code: int
    output: str


def cache() -> Path:
    """Return the folder of all tools: `$EDGE_MOBILE_TOOLS`, else the user's cache."""
    named = os.environ.get("EDGE_MOBILE_TOOLS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk" / "mobile-tools"


def pins() -> dict[str, Any]:
    """Return what pins.toml says."""
    from edge_sdk.targets import read_toml

    return read_toml(_PINS)


def place(name: str, pinned: Mapping[str, Any]) -> Path:
    """Return the folder of a tool; another pin is another folder."""
    digest = hashlib.sha256(json.dumps(pinned, sort_keys=True).encode()).hexdigest()
    return cache() / f"{name}-{digest[:12]}"


def make(folder: Path, work: Callable[[Path], None]) -> None:
    """Fill a folder in a temporary place beside, then rename it: whole, or not there.

    Raises:
        ConfigError: The cache cannot be written.
        EdgeError: Whatever `work` raises.
    """
    if folder.is_dir():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    except OSError as failure:
        raise ConfigError(
            f"{folder.parent} cannot be written", why=failure.strerror or str(failure)
        ) from failure
    try:
        work(part)
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else may have been faster
                raise
    except OSError as failure:
        raise ConfigError(f"{folder} cannot be written", why=failure.strerror or str(failure)) from failure
    finally:
        shutil.rmtree(part, ignore_errors=True)


def run(
    argv: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = 600,
) -> Completed:
    """Run a program to its end, without input.

    Raises:
        EdgeError: It did not end in time.
        ConfigError: It cannot be started.
    """
    try:
        done = subprocess.run(
            [str(item) for item in argv],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as failure:
        raise EdgeError(f"{Path(str(argv[0])).name} did not end within {timeout_seconds:.0f} s") from failure
    except OSError as failure:
        raise ConfigError(f"{argv[0]} cannot be started", why=failure.strerror or str(failure)) from failure
    return Completed(done.returncode, done.stdout.decode("utf-8", "replace"))


def must(argv: Sequence[str | Path], *, folder: Path | None = None, hint: str | None = None) -> str:
    """Run a program that has to succeed; return what it printed.

    Raises:
        EdgeError: It failed; the message ends with its last lines.
    """
    done = run(argv, folder=folder, timeout_seconds=1800)
    if done.code:
        last = " | ".join(line.strip() for line in done.output.splitlines()[-4:] if line.strip())
        raise EdgeError(f"{Path(str(argv[0])).name} failed", why=last or f"exit code {done.code}", hint=hint)
    return done.output


def need(program: str, purpose: str, hint: str) -> None:
    """Refuse to go on without a program.

    Raises:
        ConfigError: It is not on the PATH.
    """
    if shutil.which(program) is None:
        raise ConfigError(f"{program} is not on the PATH", why=f"it is needed to {purpose}", hint=hint)


def check_digest(path: Path, expected: str) -> None:
    """Check a file's SHA-256.

    Raises:
        EdgeError: It is another file than the pinned one.
    """
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else None
    if found is None:  # Python 3.10
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise EdgeError(
            f"{path.name} is not the file that was pinned",
            why=f"its SHA-256 is {found}, pins.toml says {expected}",
            hint="try again; if it stays so, do not use it: the registry gives another file than it once did",
        )

"""Python packages for a board, resolved and fetched on this machine: the board needs no internet and no pip.

uv judges wheels for the board's Python, architecture and C library. It knows no 32-bit ARM; there pip
fetches the runtime alone, because PyPI has no 32-bit NumPy and Pillow either: Debian's packages serve.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.errors import BoardError, MissingExtraError

#: The C library versions that uv knows as platforms, for both 64-bit architectures.
UV_GLIBC = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
UV_ARCHITECTURES = ("x86_64", "aarch64")
#: Tags that pip is told for 32-bit ARM; pip does not widen a tag by itself.
_MANYLINUX = ((2, 39), (2, 38), (2, 36), (2, 35), (2, 34), (2, 31), (2, 28), (2, 27), (2, 24), (2, 17))
_LIMIT_SECONDS = 900.0


@dataclass(frozen=True)
class RuntimePackages:
    """What a runtime needs on a board.

    Attributes:
        distribution: Its name on PyPI.
        requirements: Everything to install, Pillow for images included.
        newest_python: The last Python with wheels, or None.
        oldest_glibc: By Python version from which on it holds; "" is the rest.
        architectures: With wheels on PyPI.
    """

    distribution: str
    requirements: tuple[str, ...]
    newest_python: tuple[int, int] | None
    oldest_glibc: Mapping[str, tuple[int, int]]
    architectures: tuple[str, ...]


#: Read off the published files (2026-11); a board outside these limits gets a sentence, not a resolver's log.
RUNTIMES: Mapping[str, RuntimePackages] = {
    "litert": RuntimePackages(
        distribution="ai-edge-litert",
        requirements=("ai-edge-litert>=2.3,<2.4", "numpy>=1.23", "pillow>=9.4"),
        newest_python=None,
        oldest_glibc={"": (2, 27)},
        architectures=("x86_64", "aarch64"),
    ),
    "tflite-runtime": RuntimePackages(
        distribution="tflite-runtime",
        # With NumPy 2 it imports, and then fails at the first Interpreter.
        requirements=("tflite-runtime>=2.13,<2.15", "numpy>=1.23,<2", "pillow>=9.4"),
        newest_python=(3, 11),
        # 2.14 is manylinux_2_34; up to Python 3.10 there is a 2.13 for older systems.
        oldest_glibc={"3.11": (2, 34), "": (2, 17)},
        architectures=("x86_64", "aarch64", "armv7l"),
    ),
}


@dataclass(frozen=True)
class Platform:
    """What wheels must fit.

    Attributes:
        python: (major, minor).
        architecture: As wheels name it.
        glibc: (major, minor).
    """

    python: tuple[int, int]
    architecture: str
    glibc: tuple[int, int]

    @property
    def python_text(self) -> str:
        """The version as text, "3.11"."""
        return ".".join(map(str, self.python))

    def __str__(self) -> str:
        return f"Python {self.python_text}, {self.architecture}, glibc {'.'.join(map(str, self.glibc))}"


@dataclass(frozen=True)
class WheelPlan:
    """What to fetch.

    Attributes:
        runtime: "litert" or "tflite-runtime".
        platform: For what.
        requirements: In pip's notation.
        system_packages: Whether NumPy and Pillow come from the board's own distribution.
    """

    runtime: str
    platform: Platform
    requirements: tuple[str, ...]
    system_packages: bool


def plan_wheels(runtime: RuntimeRequirement, platform: Platform, board: str) -> WheelPlan:
    """Return what a board needs.

    Raises:
        BoardError: The runtime has no wheels for this board; says what to choose instead.
    """
    packages = RUNTIMES.get(runtime.name)
    if packages is None:
        raise BoardError(
            f"the target of {board} names the runtime {runtime.name!r}", why="known: " + ", ".join(RUNTIMES)
        )
    if platform.architecture not in packages.architectures:
        raise BoardError(
            f"{runtime.name} has no wheel for {platform.architecture}, which {board} is",
            why="PyPI has it for " + ", ".join(packages.architectures),
            hint="set a target whose runtime is tflite-runtime (generic-armv7) for this board in boards.toml"
            if platform.architecture == "armv7l"
            else None,
        )
    if packages.newest_python is not None and platform.python > packages.newest_python:
        newest = ".".join(map(str, packages.newest_python))
        raise BoardError(
            f"{runtime.name} has no wheel for Python {platform.python_text}, which {board} has",
            why=f"its last wheels are for Python {newest}",
            hint=f"choose: a target that uses LiteRT (litert) for this board in boards.toml, "
            f"or a Python {newest} on the board: python = ... in [boards.{board}]"
            if platform.architecture != "armv7l"
            else f"install Python {newest} on the board and name it: python = ... in [boards.{board}]",
        )
    needed = packages.oldest_glibc.get(platform.python_text, packages.oldest_glibc[""])
    if platform.glibc < needed:
        raise BoardError(
            f"the C library of {board} is too old for {runtime.name}",
            why=f"glibc {'.'.join(map(str, platform.glibc))}; the wheels for Python {platform.python_text} "
            f"need {'.'.join(map(str, needed))}",
            hint="update the board's system (Debian 12 has glibc 2.36), or use another Python there",
        )
    system_packages = platform.architecture not in UV_ARCHITECTURES
    requirements = list(packages.requirements[:1] if system_packages else packages.requirements)
    if runtime.minimum_version:
        requirements[0] += f",>={runtime.minimum_version}"
    return WheelPlan(runtime.name, platform, tuple(requirements), system_packages)


def fetch_wheels(plan: WheelPlan, folder: Path) -> None:
    """Install the packages of a plan into a folder that does not exist yet.

    Raises:
        BoardError: No fitting set of wheels, or no way to the package index.
        MissingExtraError: Neither uv nor pip is installed here.
    """
    command = _pip_command(plan, folder) if plan.system_packages else _uv_command(plan, folder)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_SECONDS,
            check=False,
            # An active virtual environment must not decide for which Python packages are chosen.
            env={
                name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")
            },
        )
    except subprocess.TimeoutExpired as failure:
        raise BoardError(
            f"fetching packages for {plan.platform} took more than {_LIMIT_SECONDS / 60:.0f} minutes",
            hint="check the way to the package index, then run the same command again",
        ) from failure
    if done.returncode != 0:
        raise _refused(plan, done.stdout.decode("utf-8", "replace"))


def uv_platform(platform: Platform) -> str:
    """Return uv's name for a platform: the newest C library that it knows and the board has."""
    fitting = [version for version in UV_GLIBC if version <= platform.glibc]
    major, minor = fitting[-1]
    return f"{platform.architecture}-manylinux_{major}_{minor}"


def find_uv() -> str:
    """Return the path of uv: the one installed with this Python, else the one on PATH.

    Raises:
        MissingExtraError: There is none.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise MissingExtraError("uv", extra="host", purpose="choose Python packages for a board")
    return found


def _uv_command(plan: WheelPlan, folder: Path) -> list[str]:
    return [
        find_uv(),
        "pip",
        "install",
        "--no-config",
        "--quiet",
        "--target",
        str(folder),
        "--python",
        sys.executable,
        "--python-version",
        plan.platform.python_text,
        "--python-platform",
        uv_platform(plan.platform),
        "--only-binary",
        ":all:",
        # Hard links into uv's cache would let a careless prune or chmod reach the cache.
        "--link-mode",
        "copy",
        *plan.requirements,
    ]


def _pip_command(plan: WheelPlan, folder: Path) -> list[str]:
    platform = plan.platform
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip"]
    else:
        pip = [find_uv(), "tool", "run", "--from", "pip", "pip"]
    tags = [
        f"manylinux_{major}_{minor}_{platform.architecture}"
        for major, minor in _MANYLINUX
        if (major, minor) <= platform.glibc
    ]
    return [
        *pip,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(folder),
        "--no-deps",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={platform.python_text}",
        "--abi=cp" + "".join(map(str, platform.python)),
        *(f"--platform={tag}" for tag in [*tags, f"manylinux2014_{platform.architecture}"]),
        *plan.requirements,
    ]


def _refused(plan: WheelPlan, output: str) -> BoardError:
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in output.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Using CPython")]
    why = "\n".join(lines[-6:]) or "it said nothing"
    if re.search(r"dns|connect|resolve host|timed out|network|certificate", output, re.IGNORECASE):
        hint = "this machine needs the package index once for each kind of board; check network and proxy"
    else:
        hint = "if the board's Python is very new or old, name another one: python = ... in boards.toml"
    return BoardError(f"no packages for {plan.platform}", why=why, hint=hint)


def parse_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of "3.11.2" or "2.36".

    Raises:
        ValueError: It does not start with two numbers.
    """
    major, minor = re.match(r"(\d+)\.(\d+)", text).groups()  # type: ignore[union-attr]
    return int(major), int(minor)


def requirement_names(requirements: Sequence[str]) -> list[str]:
    """Return the names in a list of requirements."""
    return [re.split(r"[<>=!~ ;\[]", requirement, maxsplit=1)[0] for requirement in requirements]

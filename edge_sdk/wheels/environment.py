"""One version of a runtime on this machine, away from everything else that is installed.

    ~/.cache/edge_sdk/runtimes/<runtime>-<version>-cp311-<architecture>/   packages, made once

The folder holds the runtime and NumPy and nothing of edge_sdk; a program gets it through PYTHONPATH and runs
without site-packages (`command`), so it sees what a board would see. The architecture is this machine's.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import BoardError, ConfigError
from edge_sdk.wheels.fetch import RUNTIMES, Platform, WheelPlan, fetch_wheels, parse_version
from edge_sdk.wheels.interpreter import choose_interpreter, clean_environment

DEFAULT_CACHE = Path.home() / ".cache" / "edge_sdk" / "runtimes"
#: What is proved where a target names no version: what a board is given today.
NEWEST = {"litert": "2.3.0", "tflite-runtime": "2.14.0"}


@dataclass(frozen=True, kw_only=True)
class RuntimeEnvironment:
    """A runtime version that is ready to be used.

    Attributes:
        runtime: "litert" or "tflite-runtime".
        version: Of its package.
        python: The interpreter; the real one, without the packages that are installed for it.
        python_version: "3.11".
        architecture: Of this machine, as wheels name it.
        packages: The folder that holds the runtime and NumPy.
    """

    runtime: str
    version: str
    python: Path
    python_version: str
    architecture: str
    packages: Path

    def command(self, *arguments: str) -> list[str]:
        """Return how to start Python in it: no site-packages, no user's packages."""
        return [str(self.python), "-S", "-s", "-B", *arguments]

    def variables(self, *folders: Path | str) -> dict[str, str]:
        """Return the environment of such a process.

        Args:
            folders: More places to import from, before the packages.
        """
        return {
            **clean_environment(),
            "PYTHONPATH": os.pathsep.join([*map(str, folders), str(self.packages)]),
        }


def runtime_environment(
    runtime: str, version: str | None = None, *, cache: Path | None = None
) -> RuntimeEnvironment:
    """Return the environment of a runtime version, from the cache or made now.

    Args:
        runtime: "litert" or "tflite-runtime".
        version: The very version; None takes the newest that boards are given.
        cache: Where environments are kept; `DEFAULT_CACHE` where None.

    Raises:
        ConfigError: An unknown runtime, or no Python on this machine for which it has wheels.
        BoardError: The packages cannot be had.
        MissingExtraError: uv is not installed.
    """
    packages = RUNTIMES.get(runtime)
    if packages is None:
        raise ConfigError(f"no runtime called {runtime!r}", why="known: " + ", ".join(RUNTIMES))
    version = version or NEWEST[runtime]
    if sys.platform != "linux":
        raise ConfigError(
            f"{runtime} {version} can be tried on Linux alone", hint="run the check in a Linux container"
        )
    interpreter = choose_interpreter(runtime, _python_for(runtime, version))
    architecture = platform.machine()
    name = f"{runtime}-{version}-cp{interpreter.version[0]}{interpreter.version[1]}-{architecture}"
    place = (cache or DEFAULT_CACHE) / name
    found = RuntimeEnvironment(
        runtime=runtime,
        version=version,
        python=interpreter.path,
        python_version=".".join(map(str, interpreter.version)),
        architecture=architecture,
        packages=place,
    )
    if place.is_dir():
        return found
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{name}.lock").open("w") as lock:
        # Several builds may want the same one; the second finds it finished.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            _make(found, place)
    return found


def _python_for(runtime: str, version: str) -> str | None:
    # Of the versions before 2.14 there is no wheel for Python 3.11.
    older = runtime == "tflite-runtime" and parse_version(version) < (2, 14)
    return "3.10" if older else None


def _make(environment: RuntimeEnvironment, place: Path) -> None:
    packages = RUNTIMES[environment.runtime]
    numpy = next(text for text in packages.requirements if text.startswith("numpy"))
    plan = WheelPlan(
        environment.runtime,
        Platform(
            parse_version(environment.python_version),
            environment.architecture,
            _c_library(environment.runtime),
        ),
        (f"{packages.distribution}=={environment.version}", numpy),
        system_packages=False,
    )
    scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=place.parent))
    try:
        fetch_wheels(plan, scratch / "packages")
        # One rename: an environment is whole or absent.
        (scratch / "packages").rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _c_library(runtime: str) -> tuple[int, int]:
    name, version = platform.libc_ver()
    if name != "glibc" or not version:
        raise BoardError(
            f"{runtime} has no wheel for this machine's C library",
            why="the TFLite runtimes exist as wheels for glibc alone (Alpine and others use musl)",
            hint="run the check on Debian, Ubuntu or another system with glibc",
        )
    return parse_version(version)

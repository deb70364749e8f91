"""Targets: what we build for. One TOML file each in `devices/`; phones are targets too."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import DelegateSpec, RuntimeRequirement
from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.resources import data_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLATFORMS = ("linux", "android", "ios")
#: Runtime of targets that take Core ML packages.
COREML = "coreml"
#: Systems that a package can be made for, oldest first: what Core ML calls the deployment target.
DEPLOYMENT_TARGETS = ("iOS15", "iOS16", "iOS17", "iOS18", "iOS26")
#: What may run a Core ML model; the words are those of coremltools.
COMPUTE_UNITS = ("all", "cpu_and_ne", "cpu_and_gpu", "cpu_only")
ARCHITECTURES = ("x86_64", "aarch64", "armv7l", "any")


@dataclass(frozen=True, kw_only=True)
class Limits(Document):
    """What the device has. None means unknown or varying.

    Attributes:
        memory_bytes: Physical memory.
        cores: CPU cores.
    """

    memory_bytes: int | None = None
    cores: int | None = None


@dataclass(frozen=True, kw_only=True)
class Target(Document):
    """What we build for.

    Attributes:
        name: File name without ".toml".
        title: For people.
        platform: One of `PLATFORMS`.
        architecture: One of `ARCHITECTURES`; "any" for the host itself and for phones.
        runtime: The TFLite runtime that is used there; "coreml" with the deployment target as its version.
        python: Python version of the usual system image ("3.11"), for boards; None elsewhere.
        glibc: C library of that image ("2.36"); None where it does not apply.
        cpu: Core type, as the vendor names it.
        limits: Memory and cores.
        delegates: In order of preference; for Core ML the compute units.
        recipes: Recipes built for it unless the user names others.
    """

    name: str
    title: str
    platform: str
    architecture: str
    runtime: RuntimeRequirement
    python: str | None = None
    glibc: str | None = None
    cpu: str | None = None
    limits: Limits = Limits()
    delegates: tuple[DelegateSpec, ...] = ()
    recipes: tuple[str, ...] = ("float32", "float16", "dynamic_int8", "full_int8")

    def __post_init__(self) -> None:
        if self.platform not in PLATFORMS:
            raise ConfigError(
                f"target {self.name}: platform {self.platform!r}", why="allowed: " + ", ".join(PLATFORMS)
            )
        if self.architecture not in ARCHITECTURES:
            raise ConfigError(
                f"target {self.name}: architecture {self.architecture!r}",
                why="allowed: " + ", ".join(ARCHITECTURES),
            )
        if self.runtime.name == COREML:
            self._check_coreml()

    def _check_coreml(self) -> None:
        version = self.runtime.minimum_version
        if version not in DEPLOYMENT_TARGETS:
            raise ConfigError(
                f"target {self.name}: deployment target {version!r}",
                why="minimum_version of runtime coreml is one of " + ", ".join(DEPLOYMENT_TARGETS),
            )
        for delegate in self.delegates:
            if delegate.name not in COMPUTE_UNITS:
                raise ConfigError(
                    f"target {self.name}: compute units {delegate.name!r}",
                    why="delegates of runtime coreml are compute units: " + ", ".join(COMPUTE_UNITS),
                )

    @property
    def format(self) -> str:
        """The format of variants that its runtime loads: "tflite" or "mlpackage"."""
        return "mlpackage" if self.runtime.name == COREML else "tflite"


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: It is missing, unreadable, or not TOML (with line and column).
    """
    try:
        with path.open("rb") as stream:
            return dict(tomllib.load(stream))
    except FileNotFoundError as failure:
        raise ConfigError(f"{path} does not exist") from failure
    except OSError as failure:
        raise ConfigError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise ConfigError(f"{path} is not valid TOML", why=str(failure)) from failure


def target_names() -> list[str]:
    """Return the names of all known targets, sorted."""
    return sorted(path.stem for path in data_folder("devices").glob("*.toml"))


def load_target(name: str) -> Target:
    """Return a target by name, or from a path to a TOML file of the user's own.

    Raises:
        ConfigError: No such target (with the nearest match), or a file with an unknown or wrong key.
    """
    if name.endswith(".toml"):
        return _parse(Path(name))
    if name not in target_names():
        near = difflib.get_close_matches(name, target_names(), n=1, cutoff=0.5)
        raise ConfigError(
            f"no target called {name!r}",
            why="targets: " + ", ".join(target_names()),
            hint=f"did you mean {near[0]!r}?" if near else "edge targets",
        )
    return _parse(data_folder("devices") / f"{name}.toml")


def _parse(path: Path) -> Target:
    target = Target.from_dict({**read_toml(path), "name": path.stem}, where="")
    refuse_unknown_keys(target, path)
    return target


def refuse_unknown_keys(document: Document, path: Path, where: str = "") -> None:
    """Raise ConfigError for a key that means nothing, with the nearest known one.

    Unknown fields are kept in bundles, where a newer writer may be right; in a file that a person
    types, an unknown key is a typing mistake.
    """
    known = [name for name in type(document).__dataclass_fields__ if name != "extra"]
    for key in document.extra:
        near = difflib.get_close_matches(key, known, n=1)
        raise ConfigError(
            f"{path}: unknown key {where}{key!r}",
            why="known keys: " + ", ".join(known),
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    for name in known:
        value = getattr(document, name)
        for index, item in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(item, Document):
                inner = f"{where}{name}[{index}]." if isinstance(value, tuple) else f"{where}{name}."
                refuse_unknown_keys(item, path, inner)

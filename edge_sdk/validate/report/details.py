"""Reads what a build left: OUT/NAME/details.json. Anything in it may be missing, null, or of a wrong type.

The accessors return "nothing" for what is not there or not what it should be; the sections then say that it
is missing. A report that shows less is better than a crash, and better than a number that nobody measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.errors import BundleError, ConfigError

FILE = "details.json"
#: Newer details may mean something else by the same names.
SCHEMA = 1
#: No measurement is as large; sums and scales of such numbers would overflow.
_TOO_LARGE = 1e100


def number(value: Any) -> float | None:
    """Return a finite number of a size that something can have, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if abs(value) < _TOO_LARGE else None


def text(value: Any) -> str | None:
    """Return a text that is not empty; numbers become text, anything else None."""
    if isinstance(value, str):
        return value or None
    return None if number(value) is None else str(value)


def items(value: Any) -> list[Any]:
    """Return the list, else an empty one."""
    return list(value) if isinstance(value, (list, tuple)) else []


def texts(value: Any) -> list[str]:
    """Return the texts of a list."""
    return [found for item in items(value) if (found := text(item)) is not None]


def numbers(value: Any) -> list[float]:
    """Return the finite numbers of a list."""
    return [found for item in items(value) if (found := number(item)) is not None]


def fields(value: Any) -> dict[str, Any]:
    """Return the object, else an empty one."""
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def entries(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [fields(item) for item in items(value) if isinstance(item, Mapping)]


def interval(value: Any) -> tuple[float, float] | None:
    """Return (low, high), else None."""
    found = numbers(value)
    return (min(found), max(found)) if len(found) == 2 else None


def find_details(build: Path) -> Path:
    """Return the details of a build.

    Args:
        build: OUT/NAME, OUT/NAME.edge, OUT/NAME/details.json, or OUT with a single build in it.

    Raises:
        ConfigError: There are none, or there are several.
    """
    if build.name == FILE and build.is_file():
        return build
    folder = build.with_suffix("") if build.suffix == ".edge" else build
    if (folder / FILE).is_file():
        return folder / FILE
    inside = sorted(folder.glob(f"*/{FILE}")) if folder.is_dir() else []
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(str(found.parent) for found in inside[:6])
        raise ConfigError(f"{build} holds {len(inside)} builds", why=names, hint="name one of them")
    if build.suffix == ".edge" and build.is_file():
        raise ConfigError(
            f"nothing beside {build} tells how it was built",
            why=f"{folder / FILE} is not there; a bundle alone does not carry what a report shows",
            hint="report on the folder that edge build wrote, or build again",
        )
    raise ConfigError(
        f"{build} is no build",
        why=f"there is no {folder / FILE}" if build.exists() else "there is no such file or folder",
        hint="edge build writes OUT/NAME with details.json: edge report OUT/NAME --html report.html",
    )


def read_details(build: Path) -> dict[str, Any]:
    """Return the details of a build.

    Args:
        build: As for `find_details`.

    Raises:
        ConfigError: There are none, or they cannot be read.
        BundleError: The bundle named is not the one that the details are about.
    """
    path = find_details(build)
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as failure:
        raise ConfigError(f"{path} cannot be read", why=failure.strerror or str(failure)) from None
    except (ValueError, RecursionError) as failure:
        raise ConfigError(f"{path} is not JSON", why=str(failure), hint="build again") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no object", hint="build again")
    if isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
        raise ConfigError(
            f"{path} is of schema {data['schema']}",
            why=f"this edge_sdk reads up to {SCHEMA}",
            hint="pip install --upgrade edge-sdk",
        )
    expected = text(data.get("bundle_sha256"))
    if build.suffix == ".edge" and build.is_file() and expected and sha256_of(build) != expected:
        raise BundleError(
            f"{path} is about another bundle than {build}",
            why=f"it tells of sha256 {expected}",
            hint="build again, or name the folder to see what it holds",
        )
    return data

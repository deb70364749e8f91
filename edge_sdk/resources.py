"""Finds data files whether edge_sdk runs from a checkout or from a wheel."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return a folder of data files: "devices", "android_template" or "ios_template".

    In a wheel these lie in `edge_sdk/_data/`, in a checkout at the top of the tree.

    Raises:
        ConfigError: The installation is incomplete.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"the data folder {name!r} is missing", hint="pip install --force-reinstall edge-sdk")

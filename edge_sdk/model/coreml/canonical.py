"""Gives a `.mlpackage` the same bytes whenever its content is the same.

What coremltools saves differs from run to run in four things that no reader needs: random identifiers in
`Manifest.json`, the day of the conversion in the metadata, the order in which protobuf writes the entries of
a map, and the file modes of a temporary file. `finish_package` replaces each by something that follows from
the content.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import folder_digest, sha256_of
from edge_sdk.errors import ModelError

MANIFEST = "Manifest.json"
DATA = "Data"
#: Key of the metadata that holds the day of the conversion.
CONVERSION_DATE = "com.github.apple.coremltools.conversion_date"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://apple.github.io/coremltools/mlpackage")


def finish_package(folder: Path) -> None:
    """Rewrite a package that coremltools saved so that its bytes follow from its content alone.

    It works in place; call it before the folder gets its final name. Calling it twice changes nothing.
    The protobuf classes come from coremltools, so call it where that is loaded already: in a worker.

    Args:
        folder: The `.mlpackage`.

    Raises:
        ModelError: The folder is not a package.
    """
    manifest = _read_manifest(folder)
    entries = sorted(manifest["itemInfoEntries"].items(), key=lambda item: str(item[1]["path"]))
    root = manifest["rootModelIdentifier"]
    rewrite_specification(specification_path(folder))
    for item in (folder / DATA).rglob("*"):
        if item.is_dir():
            item.chmod(folder.stat().st_mode & 0o777)  # a temporary folder is for its owner only
    named: dict[str, Any] = {}
    for identifier, entry in entries:
        new = _identify(folder / DATA / entry["path"], entry["path"])
        named[new] = entry
        if identifier == root:
            manifest["rootModelIdentifier"] = new
    manifest["itemInfoEntries"] = named
    _write(folder / MANIFEST, (json.dumps(manifest, indent=4, sort_keys=True) + "\n").encode())


def specification_path(folder: Path) -> Path:
    """Return the path of the model specification (`model.mlmodel`) of a package that we made ourselves.

    Raises:
        ModelError: The folder is not a package.
    """
    manifest = _read_manifest(folder)
    path: str = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    return folder / DATA / path


def rewrite_specification(path: Path) -> None:
    """Write a model specification again without the day it was made, maps sorted by key.

    Args:
        path: The `.mlmodel` file inside a package.
    """
    from coremltools.proto import Model_pb2

    specification = Model_pb2.Model()
    specification.ParseFromString(path.read_bytes())
    specification.description.metadata.userDefined.pop(CONVERSION_DATE, None)
    _write(path, specification.SerializeToString(deterministic=True))


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        paths = {identifier: entry["path"] for identifier, entry in manifest["itemInfoEntries"].items()}
        root = folder / DATA / paths[manifest["rootModelIdentifier"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
        raise ModelError(
            f"{folder} is not a .mlpackage", why=f"its {MANIFEST} cannot be read: {failure!r}"
        ) from failure
    if not root.is_file():
        raise ModelError(f"{folder} is not a whole .mlpackage", why=f"{root.name} is missing")
    return manifest


def _identify(item: Path, path: str) -> str:
    """Return the identifier of a file or folder: it follows from the path and the content."""
    digest = sha256_of(item) if item.is_file() else folder_digest(item)
    return str(uuid.uuid5(_NAMESPACE, f"{path} {digest}"))


def _write(path: Path, content: bytes) -> None:
    # A new file, because the modes of the old one are those of a temporary file (owner only).
    path.unlink(missing_ok=True)
    path.write_bytes(content)

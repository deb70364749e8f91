"""Takes one variant's model out of a bundle: a file, or a folder of files. Standard library only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import folder_digest
from edge_sdk.bundle.durable import sync_folder, write_failure
from edge_sdk.errors import BundleError, ConfigError


def extract_variant(bundle: Bundle, identifier: str, destination: Path | str) -> Path:
    """Write the model of a variant to `destination`: whole and checked, or not at all.

    A file replaces what is there. A folder does not: one that holds the very model already is left as it is,
    any other is refused, for nobody wants what lies in it deleted.

    Args:
        bundle: Open.
        identifier: Of the variant.
        destination: The file, or the folder, to make; usually named as the end of `Variant.file`.

    Returns:
        `destination`.

    Raises:
        BundleError: There is no variant of that id, or a file of it is not here (a board keeps only what
            its own variant needs).
        DigestMismatchError: The content is not what the manifest says.
        NoSpaceError: The disk is full.
        ConfigError: The destination cannot be written, or is there already.
    """
    destination = Path(destination)
    manifest = bundle.manifest
    variant = manifest.variant(identifier)
    if variant.file in manifest.files:
        bundle.extract(variant.file, destination)
        return destination
    if _is_there(destination):
        if _holds(destination, manifest.model_sha256(identifier)):
            return destination
        raise ConfigError(
            f"{destination} is there already, and is not variant {identifier!r} of {manifest.name}",
            hint="remove it, or name another folder",
        )
    part = destination.with_name(f".{destination.name[:80]}.{os.urandom(6).hex()}.part")
    try:
        for name in manifest.model_files(identifier):
            bundle.extract(name, part / name[len(variant.file) + 1 :])
        for folder in [part, *(entry for entry in part.rglob("*") if entry.is_dir())]:
            sync_folder(folder)
        part.rename(destination)
        sync_folder(destination.parent)
    except OSError as failure:
        raise write_failure(destination, failure, needed=manifest.model_size(identifier)) from failure
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return destination


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _holds(folder: Path, sha256: str) -> bool:
    if not folder.is_dir():
        return False
    try:
        return folder_digest(folder) == sha256
    except (OSError, BundleError):
        return False

"""Releases on a board, read and checked; nothing here changes anything."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import MAX_MANIFEST_BYTES, Manifest
from edge_sdk.bundle.release_record import MAX_RECORD_BYTES, ReleaseRecord
from edge_sdk.errors import BundleError, DigestMismatchError, EdgeError, RemoteError
from edge_sdk.keeper.disk import read_file
from edge_sdk.keeper.layout import Layout, check_release_name, sequence_of
from edge_sdk.keeper.store import BlobStore

MANIFEST_FILE = "manifest.json"
RECORD_FILE = "release.json"
FILES_FOLDER = "files"
#: Field of release.json beside the record's own: the release that was current when this one was installed.
PREVIOUS = "previous"
#: Field of release.json: the environment in which the golden vectors passed.
ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Release:
    """One installed release.

    Attributes:
        name: "<sequence>-<12 hexadecimal digits>", the folder's name.
        folder: Where it lies.
        record: What the board wrote down.
        manifest: What the bundle says of itself.
    """

    name: str
    folder: Path
    record: ReleaseRecord
    manifest: Manifest

    @property
    def previous(self) -> str | None:
        """Name of the release that this one replaced."""
        value = self.record.extra.get(PREVIOUS)
        return value if isinstance(value, str) else None

    def summary(self) -> dict[str, Any]:
        """Return what people want to know, ready for JSON."""
        return {
            "release": self.name,
            "sequence": self.record.sequence,
            "name": self.manifest.name,
            "version": self.manifest.version,
            "variant": self.record.variant,
            "target": self.record.target,
            "manifest_sha256": self.record.manifest_sha256,
            "previous": self.previous,
            "environment": self.record.extra.get(ENVIRONMENT),
        }


def read_release(layout: Layout, name: str) -> Release:
    """Read a release.

    Raises:
        RemoteError: There is none of that name.
        BundleError: Its record or manifest is damaged.
        OSError: It cannot be read.
    """
    folder = layout.releases / check_release_name(name)
    try:
        record = ReleaseRecord.from_bytes(read_file(folder / RECORD_FILE, limit=MAX_RECORD_BYTES))
        raw = read_file(folder / MANIFEST_FILE, limit=MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        raise RemoteError(
            f"there is no release {name} on this board", hint="edge status lists them"
        ) from None
    actual = hashlib.sha256(raw).hexdigest()
    if actual != record.manifest_sha256:
        raise DigestMismatchError(f"{name}/manifest.json", expected=record.manifest_sha256, actual=actual)
    if record.release != name:
        raise BundleError(f"release {name} says that it is {record.release!r:.60}")
    return Release(name, folder, record, Manifest.from_bytes(raw))


def link_text(logical_name: str, sha256: str) -> str:
    """Return what the link files/<logical name> of a release holds: the way to its blob."""
    up = "../" * (logical_name.count("/") + 3)
    return f"{up}blobs/sha256/{sha256[:2]}/{sha256}"


def check_release(layout: Layout, store: BlobStore, name: str) -> Release:
    """Read a release and check every byte that its variant needs.

    Raises:
        EdgeError: It is not complete, or something in it is damaged.
        OSError: It cannot be read.
    """
    release = read_release(layout, name)
    for file, entry in release.manifest.needed_by(release.record.variant).items():
        link = release.folder / FILES_FOLDER / file
        try:
            text = os.readlink(link)  # noqa: PTH115 - compared as text
        except OSError:
            raise BundleError(
                f"release {name}: files/{file} is missing", hint="push the release again"
            ) from None
        if text != link_text(file, entry.sha256):
            raise BundleError(f"release {name}: files/{file} leads elsewhere", hint="push the release again")
        store.check(entry.sha256, name=f"release {name}: {file}")
    return release


def is_complete(layout: Layout, store: BlobStore, name: str) -> bool:
    """Return whether a release is here and undamaged."""
    try:
        check_release(layout, store, name)
    except (EdgeError, OSError):
        return False
    return True


def replaced_release(layout: Layout) -> str | None:
    """Return the release that the current one replaced, if it is still here; its files are not read."""
    current = layout.current_release()
    if current is None:
        return None
    try:
        named = read_release(layout, current).previous
    except (EdgeError, OSError):
        return None
    return named if named in layout.release_names() else None


def previous_release(layout: Layout, store: BlobStore) -> str | None:
    """Return where a rollback leads: the release that the current one replaced, if it is undamaged.

    Following what was replaced, and not the number, a second rollback goes one further back instead of
    returning to the release that was just left. Where that chain is broken, the newest undamaged release
    below the current number will do.
    """
    current = layout.current_release()
    if current is None:
        return None
    named = replaced_release(layout)
    if named is not None and is_complete(layout, store, named):
        return named
    for name in reversed(layout.release_names()):
        if sequence_of(name) < sequence_of(current) and name != named and is_complete(layout, store, name):
            return name
    return None

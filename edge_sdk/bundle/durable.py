"""Writing a file so that a power cut leaves the old one or the new one, never a half.

Order: temporary file in the same folder, write, fsync, rename over the name, fsync the folder.
Without the first fsync a renamed file can be empty after a cut; without the second the name can be gone.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edge_sdk.errors import ConfigError, EdgeError, NoSpaceError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def durable_file(path: Path, *, needed: int | None = None) -> Iterator[BinaryIO]:
    """Yield a stream whose content becomes `path` when the block ends, and only then.

    On any way out but the regular end (an error, Ctrl-C) the temporary file is removed and `path` is
    as it was.

    Args:
        path: The file to make or replace; its folder is made where it is missing.
        needed: Bytes that will be written, for the message when the disk is full.

    Raises:
        NoSpaceError: The disk or the quota is full.
        ConfigError: The folder cannot be written for another reason.
    """
    part = path.with_name(f".{path.name[:80]}.{os.urandom(6).hex()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as failure:
        raise write_failure(path, failure, needed=needed) from failure
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_failure(path: Path, failure: OSError, *, needed: int | None = None) -> EdgeError:
    """Return the EdgeError that says what kept `path` from being written."""
    if failure.errno in _NO_SPACE:
        import shutil  # only here: it loads every compression there is, which a reader should not wait for

        folder = next((parent for parent in path.absolute().parents if parent.is_dir()), Path("/"))
        return NoSpaceError(str(path.parent), needed=needed, available=shutil.disk_usage(folder).free)
    return ConfigError(
        f"{path} cannot be written",
        why=failure.strerror or str(failure),
        hint="name a folder that you may write to",
    )

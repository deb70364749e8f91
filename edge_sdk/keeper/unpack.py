"""Unpacks a zip of Python packages or code that somebody sent: by rules, not by trust.

- Only plain files, stored or deflated, mode 0644 or 0755. No folders, links, devices or encryption.
- Names are relative, without "..", and no two differ only in case or use a file as a folder.
- Sizes are known from the directory before the first byte is written, are capped, and hold while reading.
- Files are made with O_EXCL below a new folder; afterwards each is read again and compared with its CRC.

The zip's own digest was checked before: these rules protect against a sender that is wrong, not unlucky.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.errors import BundleError
from edge_sdk.keeper.disk import Disk, forget_cached, open_regular, read_pieces

if TYPE_CHECKING:
    import zipfile

MAX_FILES = 50_000
MAX_UNPACKED_BYTES = 4 * 2**30
#: A small file takes a whole block, and its inode, on most file systems.
BLOCK_BYTES = 4096

_PART = re.compile(r"[A-Za-z0-9_.+@,=~ -]{1,200}")
_MAX_DEPTH = 24
_MAX_NAME = 500
_PIECE = 2**20


def unpacked_bytes(path: Path, *, limit: int = MAX_UNPACKED_BYTES) -> int:
    """Return the room that the zip's content needs, after checking its directory.

    Raises:
        BundleError: A rule is broken.
        OSError: The zip cannot be read.
    """
    with _open(path) as archive:
        return sum(_blocks(entry.file_size) for entry in _checked_entries(archive, limit))


def unpack(
    path: Path,
    folder: Path,
    disk: Disk,
    *,
    limit: int = MAX_UNPACKED_BYTES,
    note: Callable[[float], None] = lambda fraction: None,
) -> int:
    """Unpack a zip into a new folder. The content is not durable yet: see `Disk.sync_tree`.

    Args:
        path: The zip.
        folder: Made here; must not exist.
        disk: Where to.
        limit: Cap on the sum of sizes, bytes.
        note: Told the share done.

    Returns:
        How many files were written.

    Raises:
        BundleError: A rule is broken; the folder may hold a part.
        OSError: The disk failed or is full; the folder may hold a part.
    """
    disk.make_folder(folder)
    made = {folder}
    with _open(path) as archive:
        entries = _checked_entries(archive, limit)
        total = sum(entry.file_size for entry in entries) or 1
        done = 0
        for entry in entries:
            target = folder / entry.filename
            for parent in reversed(target.relative_to(folder).parents):
                if folder / parent not in made:
                    disk.make_folder(folder / parent)
                    made.add(folder / parent)
            _write(archive, entry, target, disk)
            done += entry.file_size
            note(done / total)
    return len(entries)


def check_unpacked(path: Path, folder: Path) -> None:
    """Read every unpacked file again, from the storage, and compare it with the zip's CRC.

    Raises:
        BundleError: A file is not what was written.
        OSError: A file cannot be read.
    """
    with _open(path) as archive:
        for entry in archive.infolist():
            descriptor = open_regular(folder / entry.filename)
            try:
                forget_cached(descriptor)
                crc = size = 0
                for piece in read_pieces(descriptor):
                    crc, size = zlib.crc32(piece, crc), size + len(piece)
            finally:
                os.close(descriptor)
            if crc != entry.CRC or size != entry.file_size:
                raise BundleError(
                    f"{entry.filename} is not what was written",
                    why="the board's storage returned something else",
                    hint="run the same command again; if it happens twice, replace the SD card or disk",
                )


@contextlib.contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    import zipfile

    with os.fdopen(open_regular(path), "rb") as stream:
        try:
            archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as failure:
            raise BundleError("the archive is not a readable zip", why=str(failure)) from failure
        with archive:
            yield archive


def _checked_entries(archive: zipfile.ZipFile, limit: int) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise BundleError(f"the archive holds {len(entries):,} files", why=f"the limit is {MAX_FILES:,}")
    total = 0
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        _check_entry(entry)
        total += entry.file_size
        if total > limit:
            raise BundleError("the archive unpacks to too much", why=f"the limit is {limit:,} bytes")
        name = entry.filename.lower()
        if name in files:
            raise BundleError(f"the archive holds {entry.filename!r} twice, or in two spellings")
        files.add(name)
        parts = name.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    if files & folders:
        raise BundleError(f"the archive uses {min(files & folders)!r} as a file and as a folder")
    return entries


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename  # zipfile cuts `filename` at a NUL
    parts = name.split("/")
    unsafe = (
        len(name) > _MAX_NAME
        or len(parts) > _MAX_DEPTH
        or any(not _PART.fullmatch(part) or part in (".", "..") or part != part.strip() for part in parts)
    )
    if unsafe:
        raise BundleError(f"the archive holds an unsafe name: {name!r:.120}", hint="do not use this archive")
    if entry.header_offset < 0:
        raise BundleError(f"{name} lies outside the archive")
    if entry.flag_bits & 0x1:
        raise BundleError(f"{name} is encrypted")
    if entry.compress_type not in (0, 8):
        raise BundleError(
            f"{name} is compressed by method {entry.compress_type}", why="stored and deflated are read"
        )
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise BundleError(f"{name} is not a plain file", why="links, folders and devices are refused")
    if stat.S_IMODE(mode) not in (0o644, 0o755):
        raise BundleError(f"{name} has mode {stat.S_IMODE(mode):o}", why="644 and 755 are allowed")


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, disk: Disk) -> None:
    import zipfile

    descriptor = disk.create(target, stat.S_IMODE(entry.external_attr >> 16))
    try:
        with archive.open(entry) as source:
            size = 0
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > entry.file_size:
                    raise BundleError(f"{entry.filename} is larger than the archive says")
                disk.write(descriptor, piece)
        if size != entry.file_size:
            raise BundleError(f"{entry.filename} ends early")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as failure:
        raise BundleError(f"{entry.filename} is damaged in the archive", why=str(failure)) from failure
    finally:
        os.close(descriptor)


def _blocks(size: int) -> int:
    return (size // BLOCK_BYTES + 2) * BLOCK_BYTES

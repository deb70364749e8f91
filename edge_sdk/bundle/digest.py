"""SHA-256 of files, bytes and streams, in pieces, so that no file has to fit in memory."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from edge_sdk.errors import BundleError

#: Large enough that the hash and not the call dominates, small enough for a board with 64 MB.
CHUNK = 1 << 20


class Readable(Protocol):
    """Anything with `read(size) -> bytes`; empty bytes mean the end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""
        ...


class HashingReader:
    """A reader that hashes what passes through it.

    Attributes:
        size: Bytes read so far.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = CHUNK, /) -> bytes:
        """Return at most `size` bytes; empty bytes mean the end."""
        data = self._source.read(size)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def sha256(self) -> str:
        """Digest of everything read so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def drain(self) -> str:
        """Read to the end and return the digest."""
        while self.read():
            pass
        return self.sha256


def sha256_of(source: Path | str | bytes | bytearray | memoryview | BinaryIO | Readable) -> str:
    """Return the SHA-256 of a file (by path), of bytes, or of what is left in a stream.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return hashlib.sha256(source).hexdigest()
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            return HashingReader(stream).drain()
    return HashingReader(source).drain()


def folder_files(folder: Path | str) -> dict[str, Path]:
    """Return every file below a folder by its name relative to it, with forward slashes, sorted by name.

    Raises:
        BundleError: There is something else than folders and regular files (a link could lead anywhere), or a
            name with a line break, which the digest could not tell from two names.
        OSError: The folder cannot be read.
    """
    found: dict[str, Path] = {}

    def visit(directory: Path, prefix: str) -> None:
        with os.scandir(directory) as entries:
            for entry in entries:
                name = prefix + entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if "\n" in name:
                    raise BundleError(f"{entry.path!r} has a line break in its name")
                if stat.S_ISDIR(mode):
                    visit(Path(entry.path), name + "/")
                elif stat.S_ISREG(mode):
                    found[name] = Path(entry.path)
                else:
                    kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                    raise BundleError(f"{entry.path} is {kind}", why="only files and folders can be packed")

    visit(Path(folder), "")
    return dict(sorted(found.items()))


def folder_digest(folder: Path | str) -> str:
    """Return the one digest of a folder: of the names, sizes and contents of all files below it.

    See `listing_digest`. Empty folders, times and permissions do not count.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        BundleError: There is something else than folders and regular files.
        OSError: A file cannot be read.
    """
    return listing_digest(
        (name, path.stat().st_size, sha256_of(path)) for name, path in folder_files(folder).items()
    )


def listing_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """Return the digest of a folder of which the files are known: (relative name, bytes, SHA-256) each.

    The SHA-256 of one line a file, "NAME SIZE SHA256" and a newline, in UTF-8, sorted by name (code points).
    """
    digest = hashlib.sha256()
    for name, size, sha256 in sorted(files):
        digest.update(f"{name} {size} {sha256}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()

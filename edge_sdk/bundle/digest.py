"""SHA-256 of files, bytes and streams, in pieces, so that no file has to fit in memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Protocol

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

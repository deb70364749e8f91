"""Content-addressed blobs: received, made durable, read back, published by a rename.

    incoming/<sha256>.part  --write, fsync, drop the cache, read again, compare-->  blobs/sha256/ab/<sha256>

The read-back is what finds a flaky SD card: the size was right and the content wrong is a failure that other
updaters met in the field. A published blob is read-only and never changed; a damaged one is replaced whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from edge_sdk.errors import DigestMismatchError, EdgeError, RemoteError
from edge_sdk.keeper.disk import (
    Disk,
    forget_cached,
    open_regular,
    read_file,
    read_pieces,
)
from edge_sdk.keeper.layout import Layout, check_digest

#: One read-back failure may be chance, so the sender is asked to try again; it is named, not hidden.
_STORAGE_HINT = "run the same command again; if it happens twice, replace the SD card or disk"

#: Bytes after which the storage is told to begin.
_WRITE_BEHIND = 2 * 2**20


class BlobStore:
    """The blobs of one root.

    Digests that were checked are remembered for this process as long as the file stays the same one.

    Attributes:
        received: Digests that this process has published; cleaning up leaves them alone, because the release
            that needs them may still be on its way.
    """

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self._layout = layout
        self._disk = disk
        self._checked: dict[str, tuple[int, ...]] = {}
        self.received: set[str] = set()

    def path(self, sha256: str) -> Path:
        """Return where a blob lies or would lie."""
        return self._layout.blob(sha256)

    def is_intact(self, sha256: str) -> bool:
        """Return whether the blob is here and its content is what its name says."""
        try:
            self.check(sha256)
        except (EdgeError, OSError):
            return False
        return True

    def check(self, sha256: str, *, name: str | None = None) -> None:
        """Check that a blob is here and undamaged.

        Args:
            sha256: The blob.
            name: What to call it in the message.

        Raises:
            DigestMismatchError: The content is something else.
            RemoteError: There is no such blob, or not a regular file.
            OSError: It cannot be read.
        """
        path = self.path(sha256)
        try:
            descriptor = open_regular(path)
        except FileNotFoundError:
            raise RemoteError(
                f"{name or 'blob ' + sha256[:12]} is not on the board", hint="run the same command again"
            ) from None
        try:
            identity = _identity(descriptor)
            if self._checked.get(sha256) == identity:
                return
            actual = _digest(descriptor)
            if actual != sha256:
                raise DigestMismatchError(name or str(path), expected=sha256, actual=actual)
            self._checked[sha256] = identity
        finally:
            os.close(descriptor)

    def read(self, sha256: str, *, limit: int) -> bytes:
        """Return a small blob, checked.

        Raises:
            DigestMismatchError: The content is something else.
            RemoteError: There is none, it is not a regular file, or it is larger than `limit` bytes.
            OSError: It cannot be read.
        """
        try:
            data = read_file(self.path(sha256), limit=limit)
        except FileNotFoundError:
            raise RemoteError(
                f"blob {sha256[:12]} is not on the board", hint="run the same command again"
            ) from None
        actual = hashlib.sha256(data).hexdigest()
        if actual != sha256:
            raise DigestMismatchError(f"blob {sha256[:12]}", expected=sha256, actual=actual)
        return data

    def receive(self, sha256: str, size: int, pieces: Iterable[bytes]) -> bool:
        """Take in one blob; when this returns, it survives a power cut.

        Args:
            sha256: Its digest.
            size: Its size in bytes; anything more or less is refused.
            pieces: The content as it arrives.

        Returns:
            False where an intact blob was here already (the content is read and dropped).

        Raises:
            DigestMismatchError: What arrived, or what the storage gave back, is something else.
            RemoteError: More or fewer bytes than announced.
            OSError: The disk failed or is full; nothing of the blob is left.
        """
        if not self.take_in(sha256, size, pieces):
            return False
        self.settle(sha256)
        return True

    def take_in(self, sha256: str, size: int, pieces: Iterable[bytes]) -> bool:
        """Write an arriving blob to incoming/; `settle` makes it durable and publishes it.

        Returns:
            False where an intact blob was here already (the content is read and dropped).

        Raises:
            EdgeError: As `receive`.
            OSError: As `receive`.
        """
        check_digest(sha256)
        if self.is_intact(sha256):
            for _ in pieces:
                pass
            self.received.add(sha256)
            return False
        part = self._layout.part(sha256)
        self._remove(part)
        descriptor = self._disk.create(part, 0o444)
        try:
            try:
                self._fill(descriptor, sha256, size, pieces)
            finally:
                os.close(descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                self._remove(part)  # a full disk gets its room back at once
            raise
        return True

    def settle(self, sha256: str) -> None:
        """Make a blob that was taken in durable, read it back, and publish it.

        May run in another thread than the next `take_in`: they touch different files.

        Raises:
            DigestMismatchError: The storage gave back something else.
            OSError: The disk failed or is full; nothing of the blob is left.
        """
        part = self._layout.part(sha256)
        try:
            descriptor = open_regular(part)
            try:
                self._disk.sync_file(descriptor)
            finally:
                os.close(descriptor)
            self._read_back(part, sha256)
            # Before it is published: whoever cleans up in between must find it wanted.
            self.received.add(sha256)
            self._publish(part, sha256)
        except BaseException:
            self.received.discard(sha256)
            with contextlib.suppress(OSError):
                self._remove(part)
            raise

    def remove(self, sha256: str) -> None:
        """Remove a blob that nothing refers to.

        Raises:
            OSError: It could not be removed.
        """
        self._checked.pop(sha256, None)
        self.received.discard(sha256)
        self._remove(self.path(sha256))

    def _fill(self, descriptor: int, sha256: str, size: int, pieces: Iterable[bytes]) -> None:
        digest, total, written = hashlib.sha256(), 0, 0
        for piece in pieces:
            total += len(piece)
            if total > size:
                raise RemoteError(
                    f"blob {sha256[:12]} is larger than announced", why=f"{size:,} bytes announced"
                )
            digest.update(piece)
            self._disk.write(descriptor, piece)
            written += len(piece)
            if written >= _WRITE_BEHIND:
                # Dropping pages starts their writing: the storage works while the rest arrives, and the
                # fsync at the end is short.
                forget_cached(descriptor)
                written = 0
        if total != size:
            raise RemoteError(f"blob {sha256[:12]} ended early", why=f"{total:,} of {size:,} bytes came")
        if digest.hexdigest() != sha256:
            raise DigestMismatchError(f"blob {sha256[:12]}", expected=sha256, actual=digest.hexdigest())

    def _read_back(self, part: Path, sha256: str) -> None:
        descriptor = open_regular(part)
        try:
            forget_cached(descriptor)
            actual = _digest(descriptor)
            self._checked[sha256] = _identity(descriptor)
        finally:
            os.close(descriptor)
        if actual != sha256:
            del self._checked[sha256]
            error = DigestMismatchError(
                f"blob {sha256[:12]} as the board's storage returned it", expected=sha256, actual=actual
            )
            error.hint = _STORAGE_HINT
            raise error

    def _publish(self, part: Path, sha256: str) -> None:
        path = self.path(sha256)
        if not path.parent.is_dir():
            self._disk.make_folder(path.parent)
            self._disk.sync_folder(path.parent.parent)
        self._disk.rename(part, path)
        self._disk.sync_folder(path.parent)
        self._disk.sync_folder(part.parent)

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._disk.remove(path)


def _identity(descriptor: int) -> tuple[int, ...]:
    # Not the change time: publishing renames the file, and a rename may touch it.
    state = os.fstat(descriptor)
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    for piece in read_pieces(descriptor):
        digest.update(piece)
    return digest.hexdigest()

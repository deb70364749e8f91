"""Every change that the keeper makes to a board's files goes through `Disk`, one method per operation.

That is what makes crash safety a thing that can be tested: tests/keeper/ replaces `Disk` by one that is
killed after operation N, by one that reports a full disk at operation N, and by one that records the
operations and rebuilds what a disk may hold when the power fails. The order of the operations is the
protocol; see docs/reference/board-layout.md.

Reading follows no link in the last part of a path and opens only regular files: a link, a FIFO or a device
that somebody planted is refused, not read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_sdk.errors import EdgeError, NoSpaceError, RemoteError

READ_BYTES = 2**20
#: Everything under construction has this suffix; whatever still has it when a lock is taken is swept.
TEMPORARY = ".tmp"

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_CAUSES = {
    errno.EROFS: ("the file system is read-only", "a damaged SD card is often remounted so: see dmesg there"),
    errno.EIO: ("the storage reports an input/output error", "replace the SD card or disk; see dmesg there"),
    errno.EACCES: ("the login may not write there", "give the folder to the login, or name another root"),
    errno.EPERM: ("the login may not change it", "give the folder to the login, or name another root"),
    errno.EFBIG: ("a file-size limit of the login", "raise it on the board: ulimit -f unlimited"),
    errno.EMFILE: ("too many open files", "raise the login's limit on the board: ulimit -n"),
    errno.ELOOP: (
        "it is a symbolic link where a file is expected",
        "find out who put it there; then remove it",
    ),
}


class Disk:
    """The operations that change files. Each either happens or raises OSError."""

    def make_folder(self, path: Path, mode: int = 0o755) -> None:
        """Make one folder; its parent is there."""
        path.mkdir(mode)

    def create(self, path: Path, mode: int = 0o644) -> int:
        """Make a new file that nothing of that name may precede; return a descriptor for writing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, mode)
        os.fchmod(descriptor, mode)  # whatever the umask is
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync_file(self, descriptor: int) -> None:
        """Make a file's content durable."""
        os.fsync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_tree(self, path: Path) -> None:
        """Make everything below a folder durable: one call for thousands of files."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _syncfs(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Move within one folder tree, replacing a file or link that is there."""
        source.replace(target)

    def link(self, text: str, path: Path) -> None:
        """Make a symbolic link that holds `text`."""
        path.symlink_to(text)

    def remove(self, path: Path) -> None:
        """Remove a file or a link."""
        path.unlink()

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()


def _syncfs(descriptor: int) -> None:
    # One syncfs took 6 s where an fsync for each object took 401 s (OSTree's measurement). It is not in
    # Python's os module; sync() does the same for all file systems.
    try:
        import ctypes

        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError):
        os.sync()
        return
    if call(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def write_file(disk: Disk, path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a whole file so that a power cut leaves the old one or the new one.

    Raises:
        OSError: Nothing was changed, except perhaps a file with the temporary suffix.
    """
    part = path.with_name(path.name + TEMPORARY)
    with contextlib.suppress(FileNotFoundError):
        disk.remove(part)
    descriptor = disk.create(part, mode)
    try:
        disk.write(descriptor, data)
        disk.sync_file(descriptor)
    finally:
        os.close(descriptor)
    disk.rename(part, path)
    disk.sync_folder(path.parent)


def switch_links(disk: Disk, paths: Sequence[Path], text: str) -> None:
    """Make each path a symbolic link to `text`, one after the other, each atomic and durable.

    All that needs room on the disk comes before the first switch.

    Raises:
        OSError: No link has changed; or, where a rename or sync itself fails, the first ones have.
    """
    parts = [path.with_name(path.name + TEMPORARY) for path in paths]
    for part in parts:
        with contextlib.suppress(FileNotFoundError):
            disk.remove(part)
        disk.link(text, part)
    for part, path in zip(parts, paths, strict=True):
        disk.rename(part, path)
        disk.sync_folder(path.parent)


def remove_tree(disk: Disk, path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; no link is followed.

    Raises:
        OSError: Something could not be removed.
    """
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_folder:
        disk.remove(path)
        return
    path.chmod(0o700)  # a folder without write permission cannot be emptied
    with os.scandir(path) as entries:
        children = [Path(entry.path) for entry in entries]
    for child in children:
        remove_tree(disk, child)
    disk.remove_folder(path)


def open_regular(path: Path) -> int:
    """Open a regular file for reading.

    Raises:
        FileNotFoundError: There is none.
        RemoteError: Something else has that name: a link, a folder, a FIFO, a device.
        OSError: It cannot be opened.
    """
    # O_NONBLOCK: opening a planted FIFO must not wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as failure:
        if failure.errno in (errno.ELOOP, errno.ENXIO):
            raise not_regular(path) from failure
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_regular(path)
    return descriptor


def not_regular(path: Path) -> RemoteError:
    """Return the error for something planted where a file belongs."""
    return RemoteError(
        f"{path} is not a regular file",
        why="the keeper makes only plain files there: something else put it there",
        hint="find out who did; then remove it and run the same command again",
    )


def read_pieces(descriptor: int) -> Iterator[bytes]:
    """Yield the rest of an open file."""
    while data := os.read(descriptor, READ_BYTES):
        yield data


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the content of a regular file.

    Raises:
        FileNotFoundError: There is none.
        RemoteError: It is not a regular file, or larger than `limit` bytes.
        OSError: It cannot be read.
    """
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise RemoteError(f"{path} has {size:,} bytes", why=f"the limit is {limit:,}")
        return b"".join(read_pieces(descriptor))
    finally:
        os.close(descriptor)


def forget_cached(descriptor: int) -> None:
    """Ask the kernel to drop a file's pages, so that the next read comes from the storage."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def free_bytes(path: Path) -> int:
    """Return what the login may still write on the file system of `path`, bytes."""
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def reserve_bytes(path: Path) -> int:
    """Return what is left free on purpose: 5 % of the file system, between 2 MiB and 64 MiB.

    A board whose disk is full to the last byte loses its logs, its clock and sometimes its login.
    """
    state = os.statvfs(path)
    return min(64 * 2**20, max(2 * 2**20, state.f_blocks * state.f_frsize // 20))


def disk_failure(failure: OSError, root: Path) -> EdgeError:
    """Return the EdgeError for a failed operation on the board's disk: the one place that maps them."""
    path = Path(str(failure.filename)) if failure.filename else root
    if failure.errno in _NO_SPACE:
        try:
            available = free_bytes(root)
        except OSError:
            available = None
        if failure.errno == errno.ENOSPC and available and os.statvfs(root).f_favail == 0:
            return RemoteError(f"no file can be added at {root}", why="the file system has no inodes left")
        return NoSpaceError(str(root), needed=None, available=available)
    why, hint = _CAUSES.get(failure.errno or 0, (failure.strerror or str(failure), None))
    return RemoteError(f"{path} could not be changed", why=why, hint=hint, errno=failure.errno)

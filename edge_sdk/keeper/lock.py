"""One writer at a time: a flock on `lock`, which the kernel frees the moment its holder dies.

The file's content only tells others who holds it; it decides nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from typing import Any

from edge_sdk.errors import BusyError, EdgeError
from edge_sdk.keeper.disk import not_regular, open_regular
from edge_sdk.keeper.layout import Layout


class Lock:
    """The lock of one root."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> bool:
        """Take the lock without waiting; True where it was not held before.

        Raises:
            BusyError: Somebody else holds it; says who and for how long.
            OSError: The lock file cannot be made.
        """
        if self.held:
            return False
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._layout.lock, flags, 0o600)
        except OSError as failure:
            if self._layout.lock.is_symlink():
                raise not_regular(self._layout.lock) from failure
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise not_regular(self._layout.lock)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise _busy(self.holder()) from None
        self._descriptor = descriptor
        with contextlib.suppress(OSError):  # a full disk must not keep anybody from freeing it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(_myself()).encode(), 0)
        return True

    def release(self) -> None:
        """Give the lock back; calling again does nothing."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> dict[str, Any] | None:
        """Return who holds the lock (`pid`, `client`, `age_seconds`), or None where nobody wrote so."""
        try:
            descriptor = open_regular(self._layout.lock)
        except (OSError, EdgeError):  # only a message depends on it
            return None
        try:
            data = json.loads(os.read(descriptor, 4096))
            age = max(0.0, time.monotonic() - float(data["since"]))
            return {"pid": int(data["pid"]), "client": str(data["client"]), "age_seconds": round(age, 1)}
        except (ValueError, KeyError, TypeError, OSError):
            return None
        finally:
            os.close(descriptor)


def _myself() -> dict[str, Any]:
    # The monotonic clock counts from the boot of the machine for every process, and boards without a
    # battery-backed clock jump by years when they find a time server.
    client = os.environ.get("SSH_CONNECTION", "").split(" ")[0] or "this board"
    return {"pid": os.getpid(), "client": client, "since": time.monotonic()}


def _busy(holder: dict[str, Any] | None) -> BusyError:
    if holder is None:
        why = "its holder has not said who it is"
    else:
        age = f"{holder['age_seconds']:.0f} s"
        why = f"process {holder['pid']} (from {holder['client']}) has held the lock for {age}"
    return BusyError(
        "somebody else is changing this board",
        why=why,
        hint="wait for it to end, then run the same command again; a holder that dies frees the lock at once",
        holder=holder,
    )

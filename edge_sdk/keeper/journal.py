"""What the keeper writes down for people: a log, a short history, the last report.

Nothing here decides what runs, so nothing here may stop a push: a full disk costs a log line, not a release.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from edge_sdk.errors import EdgeError
from edge_sdk.keeper.disk import Disk, read_file, write_file
from edge_sdk.keeper.layout import Layout

#: One log file; the one before is kept beside it as keeper.log.1.
MAX_LOG_BYTES = 512 * 1024
MAX_EVENTS = 50
_MAX_STATE_BYTES = 2**20


class Journal:
    """The log and the history of one root."""

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self._layout = layout
        self._disk = disk
        self._log = layout.log / "keeper.log"
        self._old = layout.log / "keeper.log.1"

    def note(self, text: str) -> None:
        """Add one line to the log; failure to write is ignored."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} [{os.getpid()}] {' '.join(text.split())}\n".encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            descriptor = os.open(self._log, flags, 0o644)
            try:
                os.write(descriptor, line)
                full = os.fstat(descriptor).st_size > MAX_LOG_BYTES
            finally:
                os.close(descriptor)
            if full:
                self._log.replace(self._old)

    def tail(self, lines: int) -> str:
        """Return the last lines of the log, at most 10,000 and 512 KiB."""
        text = b""
        for path in (self._old, self._log):
            with contextlib.suppress(OSError, EdgeError):
                text += read_file(path, limit=4 * MAX_LOG_BYTES)
        count = max(1, min(lines, 10_000))
        return "".join(text.decode("utf-8", "replace").splitlines(keepends=True)[-count:])[-MAX_LOG_BYTES:]

    def events(self) -> list[dict[str, Any]]:
        """Return the last events, oldest first; a damaged file counts as empty."""
        data = self._read("history.json")
        return [event for event in data if isinstance(event, dict)] if isinstance(data, list) else []

    def add_event(self, event: str, **fields: Any) -> None:
        """Add to the history; failure to write is noted in the log and ignored."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._write("history.json", [*self.events(), {"event": event, "time": now, **fields}][-MAX_EVENTS:])

    def report(self) -> dict[str, Any] | None:
        """Return how the last install or rollback ended, or None."""
        data = self._read("report.json")
        return data if isinstance(data, dict) else None

    def set_report(self, report: dict[str, Any]) -> None:
        """Write down how an install or rollback ended; failure to write is ignored."""
        self._write("report.json", report)

    def _read(self, name: str) -> Any:
        # A power cut may leave a file of zero length on some file systems: then there is no history.
        try:
            return json.loads(read_file(self._layout.state / name, limit=_MAX_STATE_BYTES))
        except (OSError, EdgeError, ValueError, RecursionError):
            return None

    def _write(self, name: str, data: Any) -> None:
        raw = (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()
        try:
            write_file(self._disk, self._layout.state / name, raw)
        except OSError as failure:
            self.note(f"state/{name} was not written: {failure.strerror}")

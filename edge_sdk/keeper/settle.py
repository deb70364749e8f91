"""Makes received blobs durable in a second thread, in their order, while the next ones arrive.

On an SD card one fsync takes tens of milliseconds and a blob needs three; a push of a few small files
would spend most of its time waiting for them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Settler:
    """A queue of blobs and the thread that works on it.

    Args:
        settle: Called with each digest, one after the other, in the second thread; must not raise.
    """

    def __init__(self, settle: Callable[[str], None]) -> None:
        self._settle = settle
        self._waiting: deque[str] = deque()
        self._change = threading.Condition()
        self._running = False

    @property
    def busy(self) -> bool:
        """Whether a blob is waiting or under way."""
        return self._running

    def add(self, sha256: str) -> None:
        """Put a blob at the end of the queue."""
        with self._change:
            self._waiting.append(sha256)
            if not self._running:
                self._running = True
                # Not a daemon: what was received is finished even where the session ends.
                threading.Thread(target=self._run, name="settle").start()

    def wait(self) -> None:
        """Return when nothing is waiting or under way."""
        with self._change:
            self._change.wait_for(lambda: not self._running)

    def _run(self) -> None:
        while True:
            with self._change:
                if not self._waiting:
                    self._running = False
                    self._change.notify_all()
                    return
                sha256 = self._waiting.popleft()
            self._settle(sha256)

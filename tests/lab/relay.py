"""A TCP relay in front of a board: the place where a test pulls the cable at an exact byte."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from edge_sdk.deploy.inventory import Board


class Relay:
    """Carries connections to a board until it is told otherwise.

    Args:
        board: Where the connections go.

    Attributes:
        carried: Bytes taken from the host to the board so far, over all connections.
        acted_at: When the action of `after` was called, by `time.monotonic()`.
    """

    def __init__(self, board: Board) -> None:
        self._target = board
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._trigger: tuple[int, Callable[[], None]] | None = None
        self.carried = 0
        self.acted_at = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def board(self) -> Board:
        """The same board, reached through the relay."""
        return replace(self._target, host="127.0.0.1", port=self._listener.getsockname()[1])

    def after(self, count: int, action: Callable[[], None]) -> None:
        """Call `action` once, when `count` more bytes have come in; they go on to the board after it."""
        self._trigger = (self.carried + count, action)

    def go_silent(self) -> None:
        """Pull the cable: no byte passes any more, no connection is closed."""
        self._flowing.clear()

    def cut(self) -> None:
        """Break every connection at once."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for line in broken:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def close(self) -> None:
        """End the relay and all that it carries."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._flowing.set()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return
            try:
                board = socket.create_connection((self._target.host, self._target.port), timeout=10)
            except OSError:
                host.close()
                continue
            for line in (host, board):
                line.settimeout(None)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets += [host, board]
            threading.Thread(target=self._carry, args=(host, board, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(board, host, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                if counted:
                    self._count(len(data))
                self._flowing.wait()
                sink.sendall(data)
        for line in (source, sink):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _count(self, size: int) -> None:
        self.carried += size
        trigger = self._trigger
        if trigger is not None and self.carried >= trigger[0]:
            self._trigger = None
            self.acted_at = time.monotonic()
            trigger[1]()

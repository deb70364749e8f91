"""The seam between the push protocol and the way to a board.

A transport connects, runs one program on the board and gives its byte streams. It knows nothing
of frames, releases or keepers. Adding one: a file here with two classes, and one row in
`edge_sdk.deploy.transport.TRANSPORTS`; tests/deploy/test_transports.py runs the same suite
against every row.

Rules for an implementation:
- every wait ends: `ConnectError` after `SILENCE_SECONDS` without a byte moving, whatever the cause;
- foreign exceptions never leave (see transport/failures.py);
- `read` may return less than asked, and b"" only at the end of the stream.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

#: The longest wait for a sign of life, in seconds. The keeper reports at least every 10 s while it
#: works, so a silence of this length means a dead link or a frozen board, never a slow one.
SILENCE_SECONDS = 20.0
#: How much of a program's standard error is kept for messages, in bytes.
STDERR_LIMIT = 16 * 1024


class Channel(Protocol):
    """A running program on the board: its standard streams."""

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes of standard output, b"" at its end.

        Raises:
            ConnectError: The link broke, or nothing came for `SILENCE_SECONDS`.
        """

    def readable(self) -> bool:
        """Say whether `read` would return at once."""

    def write(self, data: bytes | memoryview) -> None:
        """Send all of `data` to standard input.

        Raises:
            ConnectError: The link or the program ended, or nothing moved for `SILENCE_SECONDS`.
        """

    def close_write(self) -> None:
        """End the program's standard input."""

    def stderr_tail(self) -> str:
        """Return the end of what the program wrote to standard error so far."""

    def exit_status(self, seconds: float) -> int | None:
        """Wait up to `seconds` for the program's end; None where it still runs or was not told."""

    def close(self) -> None:
        """End the program and free everything; may be called twice."""


class Transport(Protocol):
    """A way to one board.

    Attributes:
        bytes_sent: Bytes written to the wire so far, everything included.
        bytes_received: Bytes read from the wire so far.
    """

    bytes_sent: int
    bytes_received: int

    def connect(self) -> None:
        """Connect and log in; does nothing when connected.

        Raises:
            HostKeyError: The board's key is not the pinned one; nothing was sent.
            ConnectError: Anything else that prevents it.
        """

    def run(self, command: str) -> Channel:
        """Start a program in the login's home folder.

        Args:
            command: One line for the login's shell, quoted; see edge_sdk.keeper.bootstrap, which
                writes the only two that are used. A shell answers 127 where the program is missing.

        Raises:
            ConnectError: It could not be started.
        """

    def close(self) -> None:
        """End the connection; may be called twice."""

    def __enter__(self) -> Transport:
        """Connect."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""

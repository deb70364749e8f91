"""A folder of this machine as a board: the keeper runs as a child process, no network.

The folder plays the login's home. The child gets the environment a login over SSH would get, not
ours, so that an active virtual environment or PYTHONPATH of the host does not leak onto the board.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.transport.base import SILENCE_SECONDS, STDERR_LIMIT, Channel
from edge_sdk.deploy.transport.failures import mapped, silent_board
from edge_sdk.errors import ConnectError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LocalFolder:
    """The transport of a board whose `host` is a folder here.

    Args:
        board: The board.
        folder: What a relative `host` is relative to.
    """

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self._home = folder / Path(board.host).expanduser()
        self._channels: list[_ProcessChannel] = []

    @property
    def bytes_sent(self) -> int:
        """Bytes written to programs so far."""
        return sum(channel.sent for channel in self._channels)

    @property
    def bytes_received(self) -> int:
        """Bytes read from programs so far."""
        return sum(channel.received for channel in self._channels)

    def connect(self) -> None:
        """Check that the folder is there."""
        if not self._home.is_dir():
            raise ConnectError(
                f"the folder of {self.board.name} does not exist: {self._home}",
                hint=f"mkdir -p {self._home}",
            )

    def run(self, command: str) -> Channel:
        """Start a program in the folder, through a shell as SSH does."""
        self.connect()
        channel = _ProcessChannel(command, self.board, self._home.resolve())
        self._channels.append(channel)
        return channel

    def close(self) -> None:
        """End all programs."""
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> LocalFolder:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ProcessChannel:
    def __init__(self, command: str, board: Board, home: Path) -> None:
        self.sent = self.received = 0
        self._board = board
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        environment = {
            "HOME": str(home),
            "PATH": _PATH,
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "LOGNAME": os.environ.get("LOGNAME", ""),
        }
        try:
            with mapped(board, "starting a program"):
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", command],
                    cwd=home,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._stderr,
                    bufsize=0,
                    # Ctrl-C in the terminal ends the host's side; the board's side sees the closed pipe.
                    start_new_session=True,
                )
        except BaseException:
            self._stderr.close()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._input.fileno(), False)

    def read(self, size: int) -> bytes:
        doing = "waiting for the board"
        with mapped(self._board, doing):
            if not select.select([self._output], [], [], SILENCE_SECONDS)[0]:
                raise silent_board(self._board, doing)
            data = os.read(self._output.fileno(), size)
        self.received += len(data)
        return data

    def readable(self) -> bool:
        return bool(select.select([self._output], [], [], 0)[0])

    def write(self, data: bytes | memoryview) -> None:
        doing = "sending to the board"
        view = memoryview(data)
        with mapped(self._board, doing):
            while view:
                if not select.select([], [self._input], [], SILENCE_SECONDS)[1]:
                    raise silent_board(self._board, doing)
                count = os.write(self._input.fileno(), view)
                view = view[count:]
                self.sent += count

    def close_write(self) -> None:
        with contextlib.suppress(OSError):
            self._input.close()

    def stderr_tail(self) -> str:
        if self._stderr.closed:
            return ""
        # pread, because the child shares the file's position and may still write.
        start = max(0, os.fstat(self._stderr.fileno()).st_size - STDERR_LIMIT)
        return os.pread(self._stderr.fileno(), STDERR_LIMIT, start).decode("utf-8", "replace").strip()

    def exit_status(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        self.close_write()
        if self.exit_status(2) is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._output.close()
        self._stderr.close()

"""One conversation with the keeper on a board: hello, requests and answers, blobs.

    with open_session(board) as session:
        session.hello.current
        session.request("status")

The frames are `edge_sdk.keeper.protocol`'s; docs/reference/keeper-protocol.md describes them. Blobs are
sent without waiting for one answer before the next (a round trip costs more than a small file), but
answers are looked at between frames, so that a full disk stops the stream at once.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.transport import open_transport
from edge_sdk.deploy.transport.base import Channel, Transport
from edge_sdk.errors import BoardError, ConnectError, RemoteError, error_from_dict
from edge_sdk.keeper.bootstrap import bootstrap_command, bootstrap_input, serve_command
from edge_sdk.keeper.protocol import PROTOCOL_VERSION, FrameReader, FrameWriter
from edge_sdk.progress import Progress, Step, silent

#: Content per data frame: with the frame's header it fills eight SSH packets exactly.
DATA_BYTES = 8 * (32 * 1024 - 64) - 5
#: What a shell answers for a program that is missing, and for one that cannot be run.
_NOT_FOUND, _NOT_RUNNABLE = 127, 126


@dataclass(frozen=True, kw_only=True)
class Facts(Document):
    """What a board is, as its keeper found out; None means unknown.

    Attributes:
        python: Version, "3.11.2".
        python_path: The interpreter that runs the keeper.
        architecture: Of that interpreter, as wheels name it: "aarch64", "armv7l", "x86_64".
        model: What the board calls itself.
        system: The distribution, "Debian GNU/Linux 12 (bookworm)".
        glibc: Version of the GNU C library; None for another C library.
        libstdcxx: Whether the C++ library is there.
        free_bytes: Room on the disk of the keeper's root.
        cpu_count: Cores.
        memory_bytes: Physical memory.
    """

    python: str
    architecture: str
    python_path: str | None = None
    model: str | None = None
    system: str | None = None
    glibc: str | None = None
    libstdcxx: bool | None = None
    free_bytes: int | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Hello(Document):
    """The keeper's first message.

    Attributes:
        protocol: Version of the protocol.
        keeper: Version of edge_sdk on the board.
        facts: What the board is.
        code: Digest of the board-side code in use; None where none was activated.
        current: Release that runs, or None.
        good: Last release that is known to work, or None.
        environment: Identity of the Python packages in use, or None.
        releases: Names of all releases, oldest first.
    """

    protocol: int
    keeper: str
    facts: Facts
    code: str | None = None
    current: str | None = None
    good: str | None = None
    environment: str | None = None
    releases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blob:
    """Content to send.

    Attributes:
        name: What to call it in messages.
        sha256: Digest, hexadecimal.
        size: Bytes.
        pieces: Yields the bytes; asked once, when they are sent.
    """

    name: str
    sha256: str
    size: int
    pieces: Callable[[], Iterable[bytes]] = field(repr=False)

    @classmethod
    def of(cls, data: bytes, name: str) -> Blob:
        """Return the blob of content that is in memory."""
        return cls(name, hashlib.sha256(data).hexdigest(), len(data), lambda: (data,))


class KeeperSession:
    """A running keeper at the other end of a channel; see `open_session` and `bootstrap_session`.

    Attributes:
        board: Whose keeper it is.
        transport: The way there; it counts the bytes.
        hello: What the keeper said first.
    """

    def __init__(self, board: Board, transport: Transport, channel: Channel, *, progress: Progress) -> None:
        self.board = board
        self.transport = transport
        self._channel = channel
        self._progress = progress
        self._reader = FrameReader(channel.read)
        self._writer = FrameWriter(channel.write)
        self._broken = False
        self.hello = self._read_hello()

    def request(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return the "ok" part of its answer; progress is reported on the way.

        Raises:
            EdgeError: What the keeper answered, in its own class.
            RemoteError: The keeper spoke out of turn.
            ConnectError: The link broke, or nothing came for too long.
        """
        with self._end_explained():
            self._writer.send({"do": do, **fields})
        return self._answer(do)

    def missing(self, digests: Sequence[str]) -> set[str]:
        """Return those of the digests whose blobs the board does not have intact."""
        if not digests:
            return set()
        return set(map(str, self.request("have", sha256=list(digests)).get("missing", [])))

    def put(self, blobs: Sequence[Blob], *, stage: str = "push", needs: int | None = None) -> None:
        """Send blobs; when this returns, each is on the board's storage, read back and compared.

        Args:
            blobs: What to send.
            stage: For progress.
            needs: Room that the board must have before the first byte is sent, in bytes; the sum of the
                blobs by default.

        Raises:
            EdgeError: What the keeper answered (NoSpaceError, BusyError...); the session is over then.
            ConnectError: The link broke.
        """
        total = sum(blob.size for blob in blobs) or 1
        room = total if needs is None else needs
        sent = answered = 0
        for blob in blobs:
            with self._end_explained():
                self._writer.send(
                    {"do": "put", "sha256": blob.sha256, "size": blob.size, "needs": room - sent}
                )
            for piece in _frames(blob.pieces()):
                with self._end_explained():
                    self._writer.send_data(piece)
                sent += len(piece)
                self._report(stage, f"sending {blob.name}", min(1.0, sent / total))
                while self._channel.readable() and answered < len(blobs):
                    answered += self._put_answer()
        while answered < len(blobs):
            answered += self._put_answer()

    def close(self) -> None:
        """Say goodbye and end the program on the board; never raises, may be called twice."""
        with contextlib.suppress(BoardError):
            if not self._broken:  # a goodbye into a dead link would wait once more for as long
                self._writer.send({"do": "bye"})
                self._channel.close_write()
        self._channel.close()

    def _read_hello(self) -> Hello:
        message = self._receive()
        if "error" in message:
            raise self._error(message["error"])
        hello = Hello.from_dict(message.get("hello"), where="hello", error=RemoteError)
        if hello.protocol != PROTOCOL_VERSION:
            raise RemoteError(
                f"the keeper on {self.board.name} speaks another protocol: {hello.protocol}",
                why=f"this machine speaks {PROTOCOL_VERSION}; edge_sdk {hello.keeper} runs there",
                hint=f"pip install -U edge-sdk here, or edge board setup {self.board.name}",
            )
        return hello

    def _put_answer(self) -> int:
        message = self._receive()
        if "error" in message:
            # Data of later blobs may be under way; the only clean way out of the stream is its end.
            self._channel.close()
            raise self._error(message["error"])
        return 0 if "progress" in message else 1

    def _answer(self, do: str) -> dict[str, Any]:
        while True:
            message = self._receive()
            if "progress" in message:
                self._note(message["progress"])
            elif "error" in message:
                raise self._error(message["error"])
            elif isinstance(message.get("ok"), dict):
                answer: dict[str, Any] = message["ok"]
                return answer
            else:
                raise RemoteError(
                    f"the keeper on {self.board.name} answered {do!r} with neither ok nor error"
                )

    def _receive(self) -> dict[str, Any]:
        with self._end_explained():
            frame = self._reader.receive()
        if frame is None:
            raise self._ended()
        return frame.message()

    @contextlib.contextmanager
    def _end_explained(self) -> Iterator[None]:
        try:
            yield
        except ConnectError as failure:
            self._broken = True
            # A keeper that ends writes why, in a last frame or on standard error; the link knows less.
            if self._channel.exit_status(0.2) is None:
                raise
            with contextlib.suppress(BoardError):
                while (frame := self._reader.receive()) is not None:
                    message = frame.message()
                    if "error" in message:
                        raise self._error(message["error"]) from failure
            raise self._ended() from failure

    def _ended(self) -> BoardError:
        return RemoteError(
            f"the keeper on {self.board.name} ended",
            why=_last_words(self._channel),
            hint=f"run the same command again; if it happens twice: edge logs {self.board.name}",
        )

    def _error(self, data: Any) -> Exception:
        if not isinstance(data, dict):
            return RemoteError(f"the keeper on {self.board.name} failed without a reason")
        error = error_from_dict(data)
        error.details.setdefault("board", self.board.name)
        return error

    def _note(self, data: Any) -> None:
        if isinstance(data, dict):
            fraction = data.get("fraction")
            self._report(
                str(data.get("stage") or "board"),
                str(data.get("message") or "working"),
                float(fraction) if isinstance(fraction, (int, float)) else None,
            )

    def _report(self, stage: str, message: str, fraction: float | None) -> None:
        self._progress(Step(stage, message, fraction, self.board.name))


@contextlib.contextmanager
def open_session(
    board: Board,
    *,
    transport: Transport | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Iterator[KeeperSession]:
    """Start the installed keeper of a board and talk to it.

    Args:
        board: The board.
        transport: The way there; the board's own by default. A given one stays open afterwards.
        folder: What a relative `key_file` is relative to: the inventory's folder.
        progress: Told what happens.

    Raises:
        HostKeyError: The board's key is not the pinned one.
        ConnectError: No connection.
        RemoteError: The board is not set up, or its keeper does not work.
    """
    with _channel(board, transport, folder, serve_command(root=board.root), progress) as (way, channel):
        session = _start(board, way, channel, progress, _not_set_up)
        with contextlib.closing(session):
            yield session


@contextlib.contextmanager
def bootstrap_session(
    board: Board,
    code: bytes,
    *,
    transport: Transport | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Iterator[KeeperSession]:
    """Start a keeper from nothing but the board's Python and talk to it.

    Args:
        board: The board.
        code: The board-side code, `edge_sdk.keeper.code.board_code()`.
        transport: As for `open_session`.
        folder: As for `open_session`.
        progress: Told what happens.

    Raises:
        HostKeyError: The board's key is not the pinned one.
        ConnectError: No connection.
        RemoteError: No Python, a too old one, or a root that cannot be written.
    """
    command = bootstrap_command(python=board.python, root=board.root)
    with _channel(board, transport, folder, command, progress) as (way, channel):
        with contextlib.suppress(ConnectError):
            # A program that could not start breaks the pipe; its exit status tells more, below.
            channel.write(bootstrap_input(code))
        session = _start(board, way, channel, progress, _no_python)
        with contextlib.closing(session):
            yield session


@contextlib.contextmanager
def _channel(
    board: Board, transport: Transport | None, folder: Path | None, command: str, progress: Progress
) -> Iterator[tuple[Transport, Channel]]:
    with contextlib.ExitStack() as stack:
        if transport is None:
            progress(Step("connect", f"connecting to {board.address}", subject=board.name))
            transport = stack.enter_context(open_transport(board, folder=folder))
        channel = transport.run(command)
        stack.callback(channel.close)
        yield transport, channel


def _frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), DATA_BYTES):
            yield bytes(view[start : start + DATA_BYTES])


def _start(
    board: Board, transport: Transport, channel: Channel, progress: Progress, explain: Any
) -> KeeperSession:
    try:
        return KeeperSession(board, transport, channel, progress=progress)
    except (RemoteError, ConnectError) as failure:
        if channel.exit_status(0.2) in (_NOT_FOUND, _NOT_RUNNABLE):
            raise explain(board, channel.stderr_tail()) from failure
        raise


def _not_set_up(board: Board, talk: str) -> RemoteError:
    return RemoteError(
        f"{board.name} is not set up",
        why=talk or f"there is no keeper in {board.root}",
        hint=f"edge board setup {board.name}",
    )


def _no_python(board: Board, talk: str) -> RemoteError:
    return RemoteError(
        f"{board.name} has no Python called {board.python!r}",
        why=talk or None,
        hint="install it there (sudo apt-get install python3), or name another one: "
        f"python = ... in [boards.{board.name}] of boards.toml",
    )


def _last_words(channel: Channel) -> str:
    status, talk = channel.exit_status(1.0), channel.stderr_tail()
    # The last lines: a Python traceback ends with its reason.
    lines = talk.splitlines()[-3:]
    said = "; ".join(line.strip() for line in lines) or "it said nothing"
    return said if status is None else f"exit status {status}: {said}"

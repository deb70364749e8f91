"""SSH through paramiko, over a socket of our own.

Why not `paramiko.SSHClient`: it leaves Nagle's algorithm on (30 ms a small write), it can hang for
good on a pulled cable, it scans agents and key files, and its usual policy accepts any host key.
Here the socket is ours (TCP_NODELAY, TCP_USER_TIMEOUT, keepalive, bytes counted), the key exchange
is followed at once by the comparison with the pinned host key, and only then a login is tried.

Every wait has a limit:
- name lookup and TCP connect, banner, key exchange, login, channel: `STEP_SECONDS` each;
- a program's silence: `SILENCE_SECONDS` on the channel (a frozen process on a live link);
- bytes that the peer's kernel does not take: TCP_USER_TIMEOUT, and the same limit counted in
  `_Socket.send`, because paramiko retries a blocked send for ever;
- an unanswered exec request, which paramiko awaits without a limit: `_time_limit`.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from edge_sdk.deploy.inventory import Board, fingerprint, fingerprint_of, split_key
from edge_sdk.deploy.transport.base import SILENCE_SECONDS, STDERR_LIMIT, Channel
from edge_sdk.deploy.transport.failures import (
    explain,
    login_refused,
    mapped,
    program_ended,
    silent_board,
)
from edge_sdk.deploy.transport.interrupt import breaking_on_interrupt
from edge_sdk.errors import ConfigError, ConnectError, HostKeyError, MissingExtraError

STEP_SECONDS = 15.0
#: Below SILENCE_SECONDS, so that a dead link is told from a frozen program.
USER_TIMEOUT_MILLISECONDS = 15_000
KEEPALIVE_SECONDS = 10
#: Bytes per `Channel.send`: what fits into one packet of OpenSSH (32 KiB less paramiko's allowance).
PACKET = 32 * 1024 - 64

_QUICK_ACKNOWLEDGE = getattr(socket, "TCP_QUICKACK", None)  # Linux

#: GCM needs no separate MAC pass; CTR stays for servers without it.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_HOST_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


class _Socket(socket.socket):
    """A TCP socket that counts its bytes and gives up when the peer takes none."""

    sent = 0
    received = 0
    _blocked_since: float | None = None

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            count = super().send(data, flags)
        except TimeoutError:
            # paramiko sets a timeout of 0.1 s and tries again, without end.
            now = time.monotonic()
            if self._blocked_since is None:
                self._blocked_since = now
            elif now - self._blocked_since > SILENCE_SECONDS:
                raise OSError(errno.ETIMEDOUT, "the peer takes no bytes") from None
            raise
        self._blocked_since = None
        self.sent += count
        return count

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        self.received += len(data)
        if _QUICK_ACKNOWLEDGE is not None:
            # The server has Nagle's algorithm on until a session runs: it waits for our acknowledgement,
            # which the kernel would hold back for 40 ms. The option holds for a moment, hence each time.
            with contextlib.suppress(OSError):
                self.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGE, 1)
        return data


class SecureShell:
    """One SSH connection to one board.

    Args:
        board: The board.
        folder: What a relative `key_file` is relative to.
    """

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self._folder = folder
        self._socket: _Socket | None = None
        self._transport: Any = None
        self._gave_up = False

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the socket so far."""
        return self._socket.sent if self._socket else 0

    @property
    def bytes_received(self) -> int:
        """Bytes read from the socket so far."""
        return self._socket.received if self._socket else 0

    def connect(self) -> None:
        """Connect, compare the host key, log in."""
        if self._transport is not None:
            return
        keys = None
        if self.board.host_key is not None:
            # A key that cannot be read should be known before anything is opened.
            keys = self._login_keys()
        try:
            transport = self._negotiate(self.board.host_key)
            self._check_host_key(transport.get_remote_server_key())
            with self._time_limit(2 * STEP_SECONDS, "logging in"):
                self._log_in(transport, keys or [])
            transport.set_keepalive(KEEPALIVE_SECONDS)
        except BaseException:
            self.close()
            raise

    def shown_host_key(self, kind: str | None = None) -> str:
        """Return the host key the board shows, "TYPE BASE64"; nothing is trusted and no login tried.

        Args:
            kind: Ask for a key of this type first ("ssh-ed25519").

        Raises:
            ConnectError: There is no SSH server, or no way to it.
        """
        try:
            key = self._negotiate(kind).get_remote_server_key()
            return f"{key.get_name()} {key.get_base64()}"
        finally:
            self.close()

    def run(self, command: str) -> Channel:
        """Start a program through the login's shell."""
        self.connect()
        with self._time_limit(STEP_SECONDS, "starting a program"):
            channel = self._transport.open_session(timeout=STEP_SECONDS)
            channel.settimeout(SILENCE_SECONDS)
            channel.exec_command(command)
        return _SecureChannel(channel, self.board, self._break_off)

    def close(self) -> None:
        """End the connection."""
        transport, self._transport = self._transport, None
        with breaking_on_interrupt(self._break_off):
            if transport is not None:
                transport.close()
            if self._socket is not None:
                self._socket.close()

    def __enter__(self) -> SecureShell:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _negotiate(self, host_key: str | None) -> Any:
        paramiko = _paramiko()
        with mapped(self.board, "connecting"):
            self._socket = _open_socket(self.board.host, self.board.port)
        with self._time_limit(2 * STEP_SECONDS, "agreeing on keys"):
            transport = paramiko.Transport(self._socket)
            self._transport = transport
            transport.banner_timeout = transport.handshake_timeout = STEP_SECONDS
            transport.auth_timeout = transport.channel_timeout = STEP_SECONDS
            options = transport.get_security_options()
            options.ciphers = [cipher for cipher in _CIPHERS if cipher in options.ciphers]
            options.key_types = _preferred_types(host_key, options.key_types)
            transport.start_client(timeout=STEP_SECONDS)
            if not transport.initial_kex_done:
                # start_client returns quietly when its time is over.
                raise TimeoutError
        return transport

    def _check_host_key(self, shown: Any) -> None:
        blob, pinned = shown.asbytes(), self.board.host_key
        if pinned is not None:
            same = (
                pinned.strip() == fingerprint_of(blob)
                if pinned.strip().startswith("SHA256:")
                else split_key(pinned)[1] == blob
            )
            if same:
                return
        raise HostKeyError(
            self.board.name,
            address=self.board.address,
            expected=fingerprint(pinned) if pinned is not None else None,
            actual=fingerprint_of(blob),
        )

    def _login_keys(self) -> list[Any]:
        paramiko = _paramiko()
        keys: list[Any] = []
        if self.board.key_file is not None:
            keys.append(_load_key(self.board, self._folder / Path(self.board.key_file).expanduser()))
        if self.board.agent:
            with mapped(self.board, "asking the SSH agent"):
                keys.extend(paramiko.Agent().get_keys())
        if not keys:
            raise ConfigError(
                f"no key to log in to {self.board.name} with",
                why="the SSH agent holds no key"
                if self.board.agent
                else "boards.toml has neither key_file nor agent = true",
                hint=f'key_file = "~/.ssh/id_ed25519" in [boards.{self.board.name}]; '
                "to make one: ssh-keygen -t ed25519",
            )
        return keys

    def _log_in(self, transport: Any, keys: list[Any]) -> None:
        paramiko = _paramiko()
        for position, key in enumerate(keys):
            try:
                transport.auth_publickey(self.board.user, key)
            except paramiko.BadAuthenticationType:
                raise
            except paramiko.AuthenticationException:
                if position + 1 == len(keys):
                    raise
            else:
                if transport.is_authenticated():
                    return
                raise login_refused(self.board, "the server asks for something after the key")

    @contextlib.contextmanager
    def _time_limit(self, seconds: float, doing: str) -> Iterator[None]:
        """Break the connection when the block takes longer, and map what it raises."""

        def give_up() -> None:
            self._gave_up = True
            self._break_off()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            with breaking_on_interrupt(self._break_off), mapped(self.board, doing):
                yield
        except ConnectError as failure:
            if self._gave_up:
                raise silent_board(self.board, doing) from failure
            raise
        finally:
            timer.cancel()

    def _break_off(self) -> None:
        """Shut the socket: whoever waits for the board, in any thread, stops waiting."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _SecureChannel:
    def __init__(self, channel: Any, board: Board, break_off: Callable[[], None]) -> None:
        self._channel = channel
        self._board = board
        self._break_off = break_off
        self._stderr = bytearray()

    def read(self, size: int) -> bytes:
        with self._mapped("waiting for the board"):
            self._drain()
            data: bytes = self._channel.recv(size)
        if not data:
            # A closed channel and a broken link both read as the end; the link's own error says more.
            transport = self._channel.get_transport()
            failure = None if transport.is_active() else transport.get_exception()
            if failure is not None:
                raise explain(failure, self._board, "waiting for the board") from failure
        return data

    def readable(self) -> bool:
        with breaking_on_interrupt(self._break_off):
            return bool(self._channel.recv_ready() or self._channel.closed or self._channel.eof_received)

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        with self._mapped("sending to the board"):
            while view:
                # sendall would copy what is left after each packet.
                view = view[self._channel.send(bytes(view[:PACKET])) :]

    def close_write(self) -> None:
        with self._mapped("ending the session"):
            self._channel.shutdown_write()

    def stderr_tail(self) -> str:
        with self._mapped("reading what the board said"):
            self._drain()
        return self._stderr.decode("utf-8", "replace").strip()

    def exit_status(self, seconds: float) -> int | None:
        with breaking_on_interrupt(self._break_off):
            ended = self._channel.status_event.wait(seconds)
        if not ended:
            return None
        status = int(self._channel.exit_status)
        return None if status < 0 else status

    def close(self) -> None:
        # Over a link that is broken there is nobody to say goodbye to; why it broke is told elsewhere.
        lost = (OSError, EOFError, _paramiko().SSHException)
        with breaking_on_interrupt(self._break_off), contextlib.suppress(*lost):
            self._channel.close()

    def _drain(self) -> None:
        # An undrained standard error would fill the channel's window and block the program.
        while self._channel.recv_stderr_ready():
            self._stderr += self._channel.recv_stderr(STDERR_LIMIT)
            del self._stderr[:-STDERR_LIMIT]

    @contextlib.contextmanager
    def _mapped(self, doing: str) -> Iterator[None]:
        try:
            with breaking_on_interrupt(self._break_off), mapped(self._board, doing):
                yield
        except ConnectError as failure:
            # "Socket is closed" says that, not why; the transport thread knows the cause.
            transport = self._channel.get_transport()
            cause = None if transport.is_active() else transport.get_exception()
            if cause is not None:
                raise explain(cause, self._board, doing) from failure
            if transport.is_active() and self._channel.closed:
                raise program_ended(self._board, doing) from failure
            raise


def _paramiko() -> Any:
    try:
        import paramiko
    except ImportError as failure:
        raise MissingExtraError("paramiko", extra="host", purpose="talk to a board over SSH") from failure
    # It logs every broken connection with a traceback; without a handler Python prints that to stderr.
    logger = logging.getLogger("paramiko")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return paramiko


def _open_socket(host: str, port: int) -> _Socket:
    failure: OSError = OSError(errno.EADDRNOTAVAIL, "no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = _Socket(family, kind, protocol)
        try:
            connection.settimeout(STEP_SECONDS)
            _set_options(connection)
            connection.connect(address)
        except OSError as caught:
            connection.close()
            failure = caught
        else:
            return connection
    raise failure


def _set_options(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Linux names; macOS lacks some of them, where the limits in this file still hold.
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_SECONDS),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", USER_TIMEOUT_MILLISECONDS),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _preferred_types(host_key: str | None, offered: Sequence[str]) -> list[str]:
    """Order the host key types: the pinned one first, so that the server shows the key that we know.

    The others stay in the list, because a server that lost the pinned type must end in "the host key
    has changed", not in "no common algorithm".
    """
    words = (host_key or "").split()
    first = words[0] if words and not words[0].startswith("SHA256:") else "ssh-ed25519"
    wanted = ("rsa-sha2-512", "rsa-sha2-256") if first == "ssh-rsa" else (first,)
    ordered = [*wanted, *(kind for kind in _HOST_KEY_TYPES if kind not in wanted)]
    return [kind for kind in ordered if kind in offered]


def _load_key(board: Board, path: Path) -> Any:
    paramiko = _paramiko()
    try:
        return paramiko.PKey.from_path(path)
    except FileNotFoundError as failure:
        raise ConfigError(
            f"the key file of {board.name} does not exist: {path}",
            hint=f"ssh-keygen -t ed25519 -f {path}, or change key_file in boards.toml",
        ) from failure
    except (OSError, paramiko.SSHException) as failure:
        raise explain(failure, board, f"reading {path}") from failure
    except TypeError as failure:
        # cryptography's word for "there is a passphrase".
        raise explain(paramiko.PasswordRequiredException(), board, f"reading {path}") from failure
    except Exception as failure:  # cryptography's own classes, and paramiko's UnknownKeyType
        raise ConfigError(
            f"{path} is not a private key that can be used",
            why=f"{type(failure).__name__}: {failure}",
            hint=f"name the private key, not the .pub file, in [boards.{board.name}] of boards.toml",
        ) from failure

"""What paramiko and the socket layer raise, as our errors: the one place where they are mapped.

Every class of `paramiko.ssh_exception` has a row of its own in `PARAMIKO`; a test walks that module
and fails when a new paramiko brings a class that is not here.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import ConnectError, EdgeError, HostKeyError

if TYPE_CHECKING:
    from edge_sdk.deploy.inventory import Board

Explain = Callable[["Board", Any, str], EdgeError]


@contextlib.contextmanager
def mapped(board: Board, doing: str) -> Iterator[None]:
    """Turn what the block raises into an EdgeError.

    Args:
        board: Whose connection it is.
        doing: The act under way, for the message ("logging in").
    """
    try:
        yield
    except EdgeError:
        raise
    except Exception as failure:
        raise explain(failure, board, doing) from failure


def explain(failure: BaseException, board: Board, doing: str) -> EdgeError:
    """Return the EdgeError for a foreign exception."""
    for cls in type(failure).__mro__:
        if cls.__module__.partition(".")[0] == "paramiko" and cls.__name__ in PARAMIKO:
            return PARAMIKO[cls.__name__](board, failure, doing)
    if isinstance(failure, socket.gaierror):
        return ConnectError(
            f"the address of {board.name} is unknown: {board.host}",
            why=failure.strerror or str(failure),
            hint="check the host in boards.toml, or use the IP address; .local names need mDNS (avahi) here",
        )
    if isinstance(failure, EOFError):
        return _ended(board, failure, doing)
    if isinstance(failure, OSError):
        return _socket_error(failure, board, doing)
    return ConnectError(
        f"{doing} failed on {board.name} ({board.address})", why=f"{type(failure).__name__}: {failure}"
    )


def _socket_error(failure: OSError, board: Board, doing: str) -> EdgeError:
    place = f"{board.name} ({board.address})"
    if isinstance(failure, ConnectionRefusedError):
        return ConnectError(
            f"nothing listens at {place}",
            why="the connection was refused",
            hint="is the SSH server running there (sudo systemctl status ssh), and is the port right?",
        )
    if isinstance(failure, TimeoutError) or failure.errno == errno.ETIMEDOUT:
        return silent_board(board, doing)
    if failure.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL):
        return ConnectError(
            f"no way to {place}",
            why=failure.strerror or str(failure),
            hint=f"is the board switched on and in the same network? ping {board.host}",
        )
    if isinstance(failure, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return _ended(board, failure, doing)
    return ConnectError(
        f"{doing} failed on {place}",
        why=failure.strerror or str(failure) or type(failure).__name__,
        hint="run the same command again; what was live on the board stays live",
    )


def silent_board(board: Board, doing: str) -> ConnectError:
    """Return the error for a board that gives no sign of life."""
    return ConnectError(
        f"{board.name} ({board.address}) gives no answer",
        why=f"{doing}: no byte moved within the time limit; the link is dead or the board hangs",
        hint=f"check cable, Wi-Fi and power, then run the same command again; ping {board.host}. "
        "What was live on the board stays live",
    )


def program_ended(board: Board, doing: str) -> ConnectError:
    """Return the error for a program on the board that ended while the link is well."""
    return ConnectError(
        f"the program on {board.name} ended too early",
        why=f"while {doing}; it was killed, or the board ran out of memory",
        hint="run the same command again; what was live on the board stays live",
    )


def login_refused(board: Board, why: str) -> ConnectError:
    """Return the error for a login that the board does not accept."""
    key = board.key_file or ("the agent's keys" if board.agent else "no key")
    install = f"ssh-copy-id -i {board.key_file}.pub " if board.key_file else "ssh-copy-id "
    return ConnectError(
        f"{board.name} ({board.address}) refused the login of {board.user!r} with {key}",
        why=why,
        hint=f"check user and key_file in boards.toml; to let the key in: {install}"
        f"-p {board.port} {board.user}@{board.host}",
    )


def _ended(board: Board, failure: Any, doing: str) -> EdgeError:
    return ConnectError(
        f"{board.name} ({board.address}) closed the connection",
        why=f"while {doing}" + (f": {failure}" if str(failure) else ""),
        hint="run the same command again; what was live on the board stays live",
    )


def _login(board: Board, failure: Any, doing: str) -> EdgeError:
    # paramiko repeats what it offered; the server says no more than "no", on purpose.
    return login_refused(board, "the server does not accept this user with this key")


def _login_method(board: Board, failure: Any, doing: str) -> EdgeError:
    allowed = ", ".join(getattr(failure, "allowed_types", []) or []) or "none"
    if "publickey" in allowed:
        return _login(board, failure, doing)
    return ConnectError(
        f"{board.name} ({board.address}) does not allow login by key",
        why=f"it allows: {allowed}",
        hint="set PubkeyAuthentication yes in /etc/ssh/sshd_config on the board",
    )


def _partial_login(board: Board, failure: Any, doing: str) -> EdgeError:
    wanted = ", ".join(getattr(failure, "allowed_types", []) or []) or "something else"
    return ConnectError(
        f"{board.name} ({board.address}) wants more than a key",
        why=f"after the key it asks for: {wanted}",
        hint="make a login for edge_sdk on the board that needs a key alone",
    )


def _encrypted_key(board: Board, failure: Any, doing: str) -> EdgeError:
    return ConnectError(
        f"the key {board.key_file} has a passphrase",
        why="edge asks for no passphrase",
        hint=f"ssh-add {board.key_file}, and set agent = true for {board.name} in boards.toml; "
        "or make a key without a passphrase for this board alone",
    )


def _host_key(board: Board, failure: Any, doing: str) -> EdgeError:
    from edge_sdk.deploy.inventory import fingerprint, fingerprint_of

    return HostKeyError(
        board.name,
        address=board.address,
        expected=fingerprint(board.host_key) if board.host_key else None,
        actual=fingerprint_of(failure.key.asbytes()),
    )


def _no_common_algorithm(board: Board, failure: Any, doing: str) -> EdgeError:
    return ConnectError(
        f"{board.name} ({board.address}) and this machine share no safe SSH algorithm",
        why=str(failure),
        hint="the server is too old: update it (OpenSSH 7.2 or newer, Dropbear 2020.79 or newer)",
    )


def _channel_refused(board: Board, failure: Any, doing: str) -> EdgeError:
    return ConnectError(
        f"{board.name} ({board.address}) opened no session",
        why=str(getattr(failure, "text", "") or failure),
        hint="the login may be limited to file transfer; it must be allowed to run commands",
    )


def _not_connected(board: Board, failure: Any, doing: str) -> EdgeError:
    inner = list(getattr(failure, "errors", {}).values())
    return explain(inner[0], board, doing) if inner else _protocol(board, failure, doing)


def _ssh_settings(board: Board, failure: Any, doing: str) -> EdgeError:
    return ConnectError(
        f"the SSH settings for {board.name} cannot be used",
        why=str(failure),
        hint="edge reads no ~/.ssh/config; write host, port, user and key_file into boards.toml",
    )


def _protocol(board: Board, failure: Any, doing: str) -> EdgeError:
    text = str(failure)
    if isinstance(failure.__context__, TimeoutError):
        # Something accepts the connection and says nothing: a frozen server, not a wrong one.
        return silent_board(board, doing)
    if "protocol banner" in text or "Invalid packet" in text or "Incompatible version" in text:
        return ConnectError(
            f"no SSH server answers at {board.name} ({board.address})",
            why=text,
            hint="is the port right? If it is, the server may have too many logins at once: try again later",
        )
    if "imed out" in text or "imeout" in text:
        return silent_board(board, doing)
    return ConnectError(f"{doing} failed on {board.name} ({board.address})", why=text or None)


#: Explanation by the name of the class in paramiko.ssh_exception.
PARAMIKO: dict[str, Explain] = {
    "SSHException": _protocol,
    "AuthenticationException": _login,
    "UnableToAuthenticate": _login,
    "BadAuthenticationType": _login_method,
    "PartialAuthentication": _partial_login,
    "PasswordRequiredException": _encrypted_key,
    "BadHostKeyException": _host_key,
    "IncompatiblePeer": _no_common_algorithm,
    "MessageOrderError": _protocol,
    "ChannelException": _channel_refused,
    "NoValidConnectionsError": _not_connected,
    "ProxyCommandFailure": _ssh_settings,
    "ConfigParseError": _ssh_settings,
    "CouldNotCanonicalize": _ssh_settings,
}

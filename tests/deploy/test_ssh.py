from __future__ import annotations

import contextlib
import inspect
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from edge_sdk.deploy.inventory import Board, fingerprint
from edge_sdk.deploy.transport import failures, open_transport
from edge_sdk.deploy.transport.base import Channel
from edge_sdk.deploy.transport.ssh import SecureShell
from edge_sdk.errors import ConfigError, ConnectError, EdgeError, HostKeyError
from tests.deploy.server import Server, make_key


def connect(board: Board) -> None:
    with open_transport(board):
        pass


def write_much(channel: Channel) -> None:
    for _ in range(4000):
        channel.write(bytes(65536))


# Host keys


def test_an_unknown_host_key_is_refused_before_a_login(server: Server) -> None:
    server.start()
    with pytest.raises(HostKeyError, match="is unknown") as caught:
        connect(server.board(host_key=None))
    assert caught.value.details["actual"] == fingerprint(server.host_key)
    assert caught.value.exit_code == 6
    server.stop()
    log = (server.folder / "log").read_text()
    assert "publickey" not in log
    assert "Failed" not in log


def test_a_changed_host_key_is_refused_before_a_login(server: Server, tmp_path: Path) -> None:
    server.start()
    other = make_key(tmp_path / "other")
    with pytest.raises(HostKeyError, match="CHANGED; nothing was sent") as caught:
        connect(server.board(host_key=other))
    assert caught.value.details["expected"] == fingerprint(other)
    assert caught.value.details["actual"] == fingerprint(server.host_key)
    server.stop()
    assert "publickey" not in (server.folder / "log").read_text()


def test_a_pinned_fingerprint_is_enough(shared_server: Server) -> None:
    connect(shared_server.board(host_key=fingerprint(shared_server.host_key)))


def test_a_pinned_key_of_another_type_is_asked_for(shared_server: Server) -> None:
    text = " ".join((shared_server.folder / "host_ecdsa.pub").read_text().split()[:2])
    connect(shared_server.board(host_key=text))


def test_a_server_without_the_pinned_type_has_changed(shared_server: Server, tmp_path: Path) -> None:
    rsa = make_key(tmp_path / "rsa", kind="rsa")
    with pytest.raises(HostKeyError, match="CHANGED"):
        connect(shared_server.board(host_key=rsa))


def test_the_shown_key_needs_no_login(shared_server: Server) -> None:
    shell = SecureShell(shared_server.board(host_key=None, key_file=None), Path())
    assert shell.shown_host_key() == shared_server.host_key
    assert shell.shown_host_key("ecdsa-sha2-nistp256").startswith("ecdsa-sha2-nistp256 ")


# Logins


def test_wrong_user(shared_server: Server) -> None:
    with pytest.raises(ConnectError, match=r"refused the login of 'nobody-here'") as caught:
        connect(shared_server.board(user="nobody-here"))
    assert "ssh-copy-id" in str(caught.value.hint)


def test_wrong_key(shared_server: Server, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    with pytest.raises(ConnectError, match="refused the login") as caught:
        connect(shared_server.board(key_file=str(tmp_path / "stranger")))
    assert str(tmp_path / "stranger") in caught.value.what


def test_key_with_a_passphrase(shared_server: Server, tmp_path: Path) -> None:
    make_key(tmp_path / "locked", passphrase="secret")
    with pytest.raises(ConnectError, match="has a passphrase") as caught:
        connect(shared_server.board(key_file=str(tmp_path / "locked")))
    assert "ssh-add" in str(caught.value.hint)


def test_key_files_that_are_none(shared_server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        connect(shared_server.board(key_file=str(tmp_path / "missing")))
    with pytest.raises(ConfigError, match="is not a private key"):
        connect(shared_server.board(key_file=str(shared_server.folder / "login.pub")))
    with pytest.raises(ConfigError, match="no key to log in"):
        connect(shared_server.board(key_file=None))


def test_a_relative_key_file_belongs_to_the_inventory(shared_server: Server) -> None:
    board = shared_server.board(key_file="login")
    with open_transport(board, folder=shared_server.folder):
        pass


def test_no_agent_is_asked_unless_wanted(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def agent() -> None:
        asked.append(1)
        raise paramiko.SSHException("no agent")

    monkeypatch.setattr(paramiko, "Agent", agent)
    connect(shared_server.board())
    assert not asked
    with pytest.raises(ConnectError, match="SSH agent"):
        connect(shared_server.board(agent=True))


def test_password_only_server(server: Server) -> None:
    server.settings = ["PubkeyAuthentication no", "KbdInteractiveAuthentication yes"]
    server.start()
    with pytest.raises(ConnectError, match="does not allow login by key"):
        connect(server.board())


def test_login_that_wants_more_than_a_key(server: Server) -> None:
    server.settings = ["AuthenticationMethods publickey,publickey"]
    server.start()
    with pytest.raises(ConnectError, match=r"wants more than a key|asks for something"):
        connect(server.board())


# The way


def test_port_closed(shared_server: Server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        board = shared_server.board(port=probe.getsockname()[1])
        with pytest.raises(ConnectError, match="nothing listens"):
            connect(board)


def test_unknown_name(shared_server: Server) -> None:
    with pytest.raises(ConnectError, match="address of desk is unknown"):
        connect(shared_server.board(host="no-such-board.invalid"))


@pytest.fixture
def plain_listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_not_an_ssh_server(plain_listener: socket.socket, shared_server: Server) -> None:
    def answer() -> None:
        connection, _ = plain_listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(ConnectError, match="no SSH server answers"):
        connect(shared_server.board(port=plain_listener.getsockname()[1]))
    thread.join()


def test_a_listener_that_says_nothing(
    plain_listener: socket.socket, shared_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_sdk.deploy.transport.ssh.STEP_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(ConnectError, match=r"gives no answer|no SSH server"):
        connect(shared_server.board(port=plain_listener.getsockname()[1]))
    assert time.monotonic() - started < 5


def test_the_socket_has_our_options(shared_server: Server) -> None:
    with open_transport(shared_server.board()) as transport:
        connection = transport._socket  # type: ignore[attr-defined]
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


def test_a_killed_server_ends_a_write(server: Server) -> None:
    server.start()
    with open_transport(server.board()) as transport:
        channel = transport.run("exec cat > /dev/null")
        channel.write(bytes(1_000_000))
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(ConnectError, match=r"closed the connection|failed"):
            write_much(channel)


@pytest.mark.parametrize("act", ["read", "write", "run", "connect"])
def test_a_frozen_server_is_noticed(server: Server, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_sdk.deploy.transport.ssh.SILENCE_SECONDS", 2.0)
    monkeypatch.setattr("edge_sdk.deploy.transport.ssh.STEP_SECONDS", 1.5)
    monkeypatch.setattr("edge_sdk.deploy.transport.ssh.USER_TIMEOUT_MILLISECONDS", 60_000)
    server.start()
    transport = open_transport(server.board())
    if act != "connect":
        transport.connect()
    channel = transport.run("exec cat > /dev/null") if act in ("read", "write") else None
    assert server.process
    frozen = [server.process.pid, *server.children()]
    for pid in frozen:
        # A process of the login that has just ended is no loss.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    acts: dict[str, Callable[[], object]] = {
        "connect": transport.connect,
        "run": lambda: transport.run("true"),
        "read": lambda: channel and channel.read(1),
        "write": lambda: channel and write_much(channel),
    }
    with pytest.raises(ConnectError, match="gives no answer") as caught:
        acts[act]()
    assert time.monotonic() - started < 10
    assert caught.value.hint
    transport.close()


def test_a_frozen_server_is_noticed_with_the_real_limits() -> None:
    from edge_sdk.deploy.transport import base, ssh

    # The promise is 30 seconds; the test above shows that each limit works.
    assert base.SILENCE_SECONDS <= 28
    assert 2 * ssh.STEP_SECONDS <= 30
    assert ssh.USER_TIMEOUT_MILLISECONDS <= 28_000


# The map of foreign errors


def test_every_paramiko_class_has_a_row() -> None:
    classes = [
        cls
        for _, cls in inspect.getmembers(paramiko.ssh_exception, inspect.isclass)
        if cls.__module__ == "paramiko.ssh_exception"
    ]
    assert len(classes) >= 14
    assert {cls.__name__ for cls in classes} == set(failures.PARAMIKO)


ARGUMENTS = {
    "BadAuthenticationType": ("no", ["password"]),
    "PartialAuthentication": (["password"],),
    "BadHostKeyException": ("desk", paramiko.Ed25519Key, paramiko.Ed25519Key),
    "ChannelException": (1, "Administratively prohibited"),
    "NoValidConnectionsError": ({("127.0.0.1", 22): ConnectionRefusedError(111, "Connection refused")},),
    "ProxyCommandFailure": ("nc", "failed"),
}


@pytest.mark.parametrize("name", sorted(failures.PARAMIKO))
def test_every_row_gives_a_message_of_ours(name: str, shared_server: Server) -> None:
    if name == "BadHostKeyException":
        shown = paramiko.PKey.from_path(shared_server.folder / "host")
        failure: Exception = paramiko.BadHostKeyException("desk", shown, shown)
    else:
        failure = getattr(paramiko.ssh_exception, name)(*ARGUMENTS.get(name, ("the text",)))
    error = failures.explain(failure, shared_server.board(), "testing")
    assert isinstance(error, EdgeError)
    assert error.exit_code == 6
    assert "desk" in str(error) or shared_server.board().key_file in str(error)


@pytest.mark.parametrize(
    "failure",
    [
        socket.gaierror(-2, "Name or service not known"),
        ConnectionRefusedError(111, "Connection refused"),
        ConnectionResetError(104, "Connection reset by peer"),
        BrokenPipeError(32, "Broken pipe"),
        TimeoutError(),
        OSError(113, "No route to host"),
        OSError(101, "Network is unreachable"),
        OSError(5, "Input/output error"),
        EOFError(),
        ValueError("anything"),
    ],
)
def test_socket_errors_give_a_message_of_ours(failure: Exception) -> None:
    board = Board(name="desk", host="10.0.0.9", user="pi", target="host")
    error = failures.explain(failure, board, "testing")
    assert isinstance(error, ConnectError)
    assert "desk" in error.what


def test_our_own_errors_pass_unchanged() -> None:
    board = Board(name="desk", host="10.0.0.9", user="pi", target="host")
    with pytest.raises(ConfigError, match="own"), failures.mapped(board, "testing"):
        raise ConfigError("own")

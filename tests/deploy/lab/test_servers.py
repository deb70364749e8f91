"""What a lab board promises to whoever logs in, the same for both servers."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.lab import lab_boards
from edge_sdk.deploy.lab.keys import make_key
from tests.lab.connection import connected, run, start


def test_a_command_sees_the_board_and_nothing_of_the_host(
    make_board: Callable[..., Board], server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    board = make_board(server=server)
    with connected(board) as client:
        status, output, _ = run(client, "env")
        assert status == 0
        variables = dict(line.split("=", 1) for line in output.decode().splitlines())
        home = tmp_path / ".edge/lab/porch/home"
        assert variables.pop("PWD", str(home)) == str(home)
        variables.pop("_", None)
        variables.pop("SHLVL", None)
        assert set(variables) == {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "EDGE_LAB_BOARD"}
        assert variables["HOME"] == str(home)
        assert run(client, "pwd")[1].decode().strip() == str(home)
        assert run(client, "ls -A")[1] == b""


def test_its_python_has_no_package_at_all(board: Board) -> None:
    listing = "import importlib.metadata as m, sys; print(sys.prefix, [d.name for d in m.distributions()])"
    with connected(board) as client:
        for python in (board.python, "python3"):
            status, output, errors = run(client, f'{python} -c "{listing}"')
            assert status == 0, errors
            prefix, _, packages = output.decode().strip().partition(" ")
            assert Path(prefix) == Path(board.python).parent.parent
            assert packages == "[]"


def test_status_stdout_and_stderr_arrive_apart(board: Board) -> None:
    with connected(board) as client:
        assert run(client, "echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
        assert run(client, "no-such-command-here")[0] == 127
        assert run(client, "true") == (0, b"", b"")


def test_stdin_ends_when_the_client_closes_it(board: Board) -> None:
    with connected(board) as client:
        assert run(client, "wc -c", b"x" * 100_000)[1].strip() == b"100000"


def test_much_data_both_ways_at_once(board: Board) -> None:
    data = os.urandom(8 * 2**20)
    with connected(board) as client:
        channel = start(client, "cat")

        def feed() -> None:
            channel.sendall(data)
            channel.shutdown_write()

        feeder = threading.Thread(target=feed)
        feeder.start()
        digest = hashlib.sha256()
        while block := channel.recv(2**18):
            digest.update(block)
        feeder.join()
        assert channel.recv_exit_status() == 0
    assert digest.digest() == hashlib.sha256(data).digest()


def test_a_client_that_does_not_read_stops_the_command_and_fills_no_memory(board: Board, server: str) -> None:
    with connected(board) as client:
        channel = start(client, "head -c 400000000 /dev/zero; echo done > finished")
        time.sleep(1.5)
        status, output, _ = run(client, "ls")
        assert (status, output) == (0, b"")
        if server == "embedded":
            [shown] = lab_boards()
            memory = Path(f"/proc/{shown.pid}/status").read_text()
            kilobytes = int(memory.split("VmRSS:")[1].split()[0])
            assert kilobytes < 250_000
        channel.close()


def test_several_clients_with_several_commands_each(board: Board) -> None:
    def one(number: int) -> list[bytes]:
        with connected(board) as client:
            channels = [start(client, f"sleep 0.3; echo {number}-{k}") for k in range(3)]
            answers = [channel.recv(100) for channel in channels]
            assert [channel.recv_exit_status() for channel in channels] == [0, 0, 0]
            return answers

    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(one, range(6)))
    assert answers == [[f"{n}-{k}\n".encode() for k in range(3)] for n in range(6)]
    assert time.monotonic() - began < 6 * 3 * 0.3 + 10


def test_another_key_another_user_and_a_password_are_refused(board: Board, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger", comment="stranger")
    with pytest.raises(paramiko.AuthenticationException), connected(board, key=tmp_path / "stranger"):
        pass
    with pytest.raises(paramiko.AuthenticationException), connected(board, user="nobody-else"):
        pass
    with paramiko.Transport((board.host, board.port)) as transport:
        transport.start_client(timeout=20)
        with pytest.raises(paramiko.BadAuthenticationType) as refusal:
            transport.auth_password(board.user, "secret")
        assert refusal.value.allowed_types == ["publickey"]


def test_no_way_through_the_board_to_elsewhere(board: Board) -> None:
    with connected(board) as client:
        transport = client.get_transport()
        assert transport is not None
        with pytest.raises(paramiko.ChannelException):
            transport.open_channel("direct-tcpip", ("127.0.0.1", board.port), ("127.0.0.1", 1), timeout=20)
        assert run(client, "echo still here")[1] == b"still here\n"


def test_the_plain_ssh_command_can_use_it(board: Board, tmp_path: Path) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("no ssh command here")
    known = tmp_path / "known_hosts"
    known.write_text(f"[{board.host}]:{board.port} {board.host_key}\n")
    command = [
        *("ssh", "-F", "none", "-i", str(board.key_file), "-p", str(board.port)),
        *("-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"),
        *("-o", "LogLevel=ERROR", f"{board.user}@{board.host}", "cat; exit 3"),
    ]
    done = subprocess.run(command, input=b"through", capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"through", b"")


def test_a_command_whose_client_vanished_ends(make_board: Callable[..., Board]) -> None:
    # OpenSSH leaves such a command alone until it writes; the embedded server tells it to hang up.
    board = make_board(server="embedded")
    with connected(board) as client:
        channel = start(client, "echo $$; exec sleep 1000")
        pid = int(channel.recv(20))
        assert Path(f"/proc/{pid}").exists()
    _await_end(pid)


def test_a_command_whose_channel_was_closed_ends(make_board: Callable[..., Board]) -> None:
    board = make_board(server="embedded")
    with connected(board) as client:
        channel = start(client, "echo $$; exec sleep 1000")
        pid = int(channel.recv(20))
        channel.close()
        _await_end(pid)
        assert run(client, "true")[0] == 0


def test_a_command_that_shrugs_off_the_hang_up_may_finish(make_board: Callable[..., Board]) -> None:
    board = make_board(server="embedded")
    with connected(board) as client:
        channel = start(client, "trap '' HUP; echo ready; sleep 1; echo finished > outcome; sleep 0.1")
        assert channel.recv(20) == b"ready\n"
    outcome = Path(".edge/lab/porch/home/outcome")
    deadline = time.monotonic() + 10
    while not outcome.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert outcome.read_text() == "finished\n"


def test_noise_on_the_port_does_not_disturb_it(board: Board) -> None:
    import socket

    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096)):
        with socket.create_connection((board.host, board.port), timeout=10) as line:
            line.sendall(noise)
    with connected(board) as client:
        assert run(client, "echo fine")[1] == b"fine\n"


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/environ").exists() and time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()

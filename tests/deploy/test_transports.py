"""One suite for every transport: each row of TRANSPORTS must pass all of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote

import pytest

from edge_sdk.deploy.inventory import TRANSPORTS as NAMES
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.transport import TRANSPORTS, open_transport
from edge_sdk.deploy.transport.base import Channel, Transport
from edge_sdk.errors import ConnectError

PYTHON = quote(sys.executable)


@pytest.fixture(params=sorted(TRANSPORTS))
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    if request.param == "ssh":
        return request.getfixturevalue("shared_server").board()
    return Board(name="desk", host=str(tmp_path), target="host", transport="local")


@pytest.fixture
def connected(board: Board) -> Callable[[], Transport]:
    return lambda: open_transport(board)


def read_all(channel: Channel) -> bytes:
    parts = []
    while part := channel.read(65536):
        parts.append(part)
    return b"".join(parts)


def write_much(channel: Channel) -> None:
    for _ in range(1000):
        channel.write(bytes(65536))


def test_the_inventory_knows_every_transport() -> None:
    assert sorted(NAMES) == sorted(TRANSPORTS)


def test_streams_and_exit_status(board: Board) -> None:
    with open_transport(board) as transport:
        channel = transport.run("tr a-z A-Z; echo to the log >&2; exit 3")
        channel.write(b"hello ")
        channel.write(memoryview(b"board"))
        channel.close_write()
        assert read_all(channel) == b"HELLO BOARD"
        assert channel.exit_status(10) == 3
        assert channel.stderr_tail() == "to the log"
        channel.close()
        channel.close()


def test_megabytes_both_ways_unchanged_and_counted(board: Board) -> None:
    block = bytes(range(256)) * 4096 * 3
    with open_transport(board) as transport:
        channel = transport.run("exec cat")
        before = transport.bytes_sent
        received = bytearray()
        # A pipe holds little: read while writing, as a session does.
        for start in range(0, len(block), 65536):
            channel.write(block[start : start + 65536])
            while channel.readable():
                received += channel.read(65536)
        channel.close_write()
        received += read_all(channel)
        assert bytes(received) == block
        assert len(block) <= transport.bytes_sent - before <= len(block) * 1.02
        assert transport.bytes_received >= len(block)


def test_a_missing_program_is_127_and_not_an_exception(board: Board) -> None:
    with open_transport(board) as transport:
        channel = transport.run("exec /nowhere/edge-keeper serve")
        assert read_all(channel) == b""
        assert channel.exit_status(10) == 127
        assert "/nowhere/edge-keeper" in channel.stderr_tail()


def test_much_standard_error_does_not_block_the_program(board: Board) -> None:
    script = (
        "import sys; sys.stderr.write('x' * 3_000_000 + 'END'); sys.stderr.flush(); sys.stdout.write('done')"
    )
    with open_transport(board) as transport:
        channel = transport.run(f"{PYTHON} -c {quote(script)}")
        collected = bytearray()
        while not collected.endswith(b"done"):
            while not channel.readable():
                channel.stderr_tail()
            collected += channel.read(100)
        assert channel.exit_status(10) == 0
        assert channel.stderr_tail().endswith("END")
        assert len(channel.stderr_tail()) <= 16384


def test_writing_to_a_program_that_ended_is_a_connect_error(board: Board) -> None:
    with open_transport(board) as transport:
        channel = transport.run("exit 0")
        assert read_all(channel) == b""
        channel.exit_status(10)
        with pytest.raises(ConnectError):
            write_much(channel)


def test_a_silent_program_ends_in_a_connect_error(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ssh", "local"):
        monkeypatch.setattr(f"edge_sdk.deploy.transport.{module}.SILENCE_SECONDS", 0.5)
    with open_transport(board) as transport:
        channel = transport.run("exec sleep 30")
        with pytest.raises(ConnectError, match="gives no answer") as caught:
            channel.read(1)
        assert caught.value.hint
        with pytest.raises(ConnectError, match="gives no answer"):
            write_much(channel)


def test_two_programs_at_once(board: Board) -> None:
    with open_transport(board) as transport:
        first, second = transport.run("exec cat"), transport.run("exec cat")
        first.write(b"one")
        second.write(b"two")
        assert (second.read(10), first.read(10)) == (b"two", b"one")


def test_a_missing_folder_of_a_local_board(tmp_path: Path) -> None:
    board = Board(name="desk", host=str(tmp_path / "none"), target="host", transport="local")
    with pytest.raises(ConnectError, match="does not exist"):
        open_transport(board).connect()


def test_a_local_board_does_not_see_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/host")
    monkeypatch.setenv("VIRTUAL_ENV", "/host")
    board = Board(name="desk", host=str(tmp_path), target="host", transport="local")
    with open_transport(board) as transport:
        text = read_all(transport.run("env")).decode()
    assert "/host" not in text
    assert f"HOME={tmp_path}" in text

"""The tools that break connections do break them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.golden import GoldenVectors, check_golden
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.lab import lab_down, lab_up
from edge_sdk.runtime.runner import Runner
from tests.lab.bundles import make_bundle
from tests.lab.cable import cable, require_cable
from tests.lab.connection import connected, run, start
from tests.lab.relay import Relay


@pytest.fixture
def board() -> Iterator[Board]:
    yield lab_up("porch")
    lab_down()


def test_a_relay_carries_and_counts(board: Board) -> None:
    with Relay(board) as relay, connected(relay.board) as client:
        assert run(client, "wc -c", b"x" * 100_000)[1].strip() == b"100000"
        assert 100_000 < relay.carried < 200_000


def test_a_relay_acts_at_a_byte_and_goes_silent(board: Board) -> None:
    with Relay(board) as relay, connected(relay.board) as client:
        channel = start(client, "cat")
        relay.after(50_000, relay.go_silent)
        channel.sendall(b"x" * 200_000)
        channel.settimeout(0.5)
        blocks: list[bytes] = []
        with pytest.raises(TimeoutError):
            blocks.extend(iter(lambda: channel.recv(2**16), b""))
        assert sum(map(len, blocks)) <= 65_536
        relay.cut()


def test_a_relay_that_is_cut_breaks_the_connection(board: Board) -> None:
    with Relay(board) as relay, connected(relay.board) as client:
        channel = start(client, "sleep 100")
        relay.cut()
        assert channel.recv(10) == b""
        with pytest.raises((paramiko.SSHException, OSError, EOFError)):
            start(client, "true")


@pytest.mark.board
def test_a_pulled_cable_carries_nothing_until_it_is_back() -> None:
    require_cable()
    board = lab_up("porch", server="sshd")
    try:
        with cable(board) as line, connected(line.board) as client:
            assert run(client, "echo there")[1] == b"there\n"
            line.pull()
            with pytest.raises(OSError, match=r"timed out|unreachable|No route"):
                socket.create_connection((line.board.host, line.board.port), timeout=1)
            line.plug_in()
            began = time.monotonic()
            assert run(client, "echo back")[1] == b"back\n"
            assert time.monotonic() - began < 20
    finally:
        lab_down()


def test_the_tiny_bundle_is_a_real_one(tmp_path: Path) -> None:
    variants = {"float32": "conv_float.tflite", "full_int8_io": "conv_int8.tflite"}
    path = make_bundle(tmp_path / "tiny.edge", variants=variants, ballast=100_000)
    with Bundle.open(path) as bundle:
        bundle.verify()
        for variant in bundle.manifest.variants:
            golden = variant.golden
            assert golden is not None
            vectors = GoldenVectors.from_bytes(bundle.read(golden.file))
            with Runner.open(path, variant=variant.id) as runner:
                result = check_golden(vectors, runner.predict, atol=golden.atol, rtol=golden.rtol)
            assert result.passed, result.failures

"""The emulated board is what it claims to be; what runs on it is tested elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board
from tests.lab.arm64 import arm64_board, require_arm64
from tests.lab.connection import connected, run

pytestmark = pytest.mark.board


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    require_arm64()
    with arm64_board(tmp_path_factory.mktemp("arm64"), target="raspberry-pi-4") as board:
        yield board


def test_it_is_a_bare_arm64_raspberry_pi(board: Board) -> None:
    with connected(board) as client:
        script = (
            "import platform, sys; print(platform.machine(), platform.libc_ver()[1], sys.version_info[:2])"
        )
        assert run(client, f'python3 -c "{script}"')[1] == b"aarch64 2.36 (3, 11)\n"
        assert b"Raspberry Pi 4" in run(client, "cat /proc/cpuinfo")[1]
        assert run(client, "echo $QEMU_CPU; id -un; pwd; ls")[1] == b"cortex-a72\npi\n/home/pi\n"
        assert run(client, "python3 -c 'import numpy'")[0] == 1
        assert run(client, "exit 7")[0] == 7


def test_it_does_not_see_the_host(board: Board) -> None:
    with connected(board) as client:
        assert run(client, f"ls {Path(__file__).parent}")[0] != 0
        processes = run(client, "ls -d /proc/[0-9]* | wc -l")[1]
        assert int(processes) < 20

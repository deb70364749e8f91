from __future__ import annotations

import os
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.provision import setup
from tests.deploy.server import SSHD, Server

#: Wheels are fetched once for a machine, not once for a test run.
ENVIRONMENTS = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk" / "test-environments"
)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that do it no harm."""
    if SSHD is None:
        pytest.skip("no sshd here: apt-get install openssh-server")
    server = Server(tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own: it may be frozen, killed and reconfigured. Not yet started."""
    if SSHD is None:
        pytest.skip("no sshd here: apt-get install openssh-server")
    server = Server(tmp_path / "own server")
    server.folder.mkdir()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the standard library and nothing else."""
    folder = tmp_path_factory.mktemp("python") / "bare"
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def ready_board(shared_server: Server, bare_python: Path) -> Board:
    """A board behind sshd that has been set up with LiteRT; tests share it and push what they like."""
    board = shared_server.board(python=str(bare_python))
    setup(board, cache=ENVIRONMENTS)
    return board


@pytest.fixture(scope="session")
def old_runtime_board(tmp_path_factory: pytest.TempPathFactory, bare_python: Path) -> Board:
    """A local board that has been set up with tflite-runtime."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite-runtime has no wheel for this Python")
    home = tmp_path_factory.mktemp("home of the old runtime")
    board = Board(
        name="attic",
        host=str(home),
        target="host-tflite-runtime",
        transport="local",
        python=str(bare_python),
        root="my edge",
    )
    setup(board, cache=ENVIRONMENTS)
    return board

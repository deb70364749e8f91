"""Lab boards for the tests of the lab itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.lab import lab_down, lab_up
from edge_sdk.deploy.lab.sshd import find_sshd

SERVERS = ("sshd", "embedded")


def require_server(server: str) -> None:
    """Skip where the server is not installed; under CI that is a failure."""
    if server == "sshd" and find_sshd() is None:
        message = "OpenSSH's sshd is not installed: apt-get install openssh-server"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """Each kind of server in turn."""
    require_server(request.param)
    return str(request.param)


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    """Return a function that brings up bare lab boards; all are ended after the test."""
    yield lambda name="porch", **options: lab_up(name, **options)
    if (tmp_path / ".edge/lab").is_dir():
        lab_down(folder=tmp_path / ".edge/lab")


@pytest.fixture
def board(server: str, make_board: Callable[..., Board]) -> Board:
    """One bare lab board of each kind."""
    return make_board(server=server)

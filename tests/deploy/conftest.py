from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.server import SSHD, Server


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

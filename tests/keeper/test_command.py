"""`edge-keeper` as a command on the board, and the lock file it shares with sessions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge_sdk.errors import RemoteError
from edge_sdk.keeper.__main__ import main
from edge_sdk.keeper.install import install
from edge_sdk.keeper.lock import Lock
from tests.keeper.harness import fake_trial, fill, open_shop, refusal
from tests.keeper.releases import made_up


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shop = open_shop(tmp_path / "edge")
    for version in ("1", "2"):
        fill(shop, made_up(version))
        install(shop, made_up(version).sha256, target="host", trial=fake_trial)
    return shop.layout.root


def test_status(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--root", str(root), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert [row["version"] for row in status["releases"]] == ["1", "2"]
    assert main(["status", "--root", str(root)]) == 0
    assert f"current    {status['current']}" in capsys.readouterr().out


def test_rollback(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--root", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["release"].startswith("1-")
    assert main(["rollback", "--root", str(root), "--json"]) == 6
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "RemoteError"
    assert "no earlier release" in captured.err


def test_rollback_while_somebody_pushes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = Lock(open_shop(root).layout)
    assert lock.acquire()
    assert not lock.acquire()
    assert main(["rollback", "--root", str(root)]) == 6
    assert f"process {os.getpid()}" in capsys.readouterr().err
    lock.release()
    lock.release()
    assert main(["rollback", "--root", str(root)]) == 0


def test_no_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--root", str(tmp_path / "none")]) == 6
    assert "no keeper's folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_something_planted_as_the_lock(root: Path, tmp_path: Path, kind: str) -> None:
    lock = root / "lock"
    lock.unlink(missing_ok=True)
    {"link": lambda: lock.symlink_to(tmp_path / "victim"), "fifo": lambda: os.mkfifo(lock)}[kind]()
    assert isinstance(refusal(Lock(open_shop(root).layout).acquire), RemoteError)
    assert not (tmp_path / "victim").exists()


def test_a_holder_that_has_not_said_who_it_is(root: Path) -> None:
    lock = Lock(open_shop(root).layout)
    lock.acquire()
    (root / "lock").write_bytes(b"\xff{")
    assert lock.holder() is None
    assert "has not said" in str(refusal(Lock(open_shop(root).layout).acquire))
    lock.release()

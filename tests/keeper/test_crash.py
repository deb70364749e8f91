"""kill -9 after any operation of a push, in a real keeper; then the next keeper on the same root."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from edge_sdk.keeper.disk import Disk
from edge_sdk.keeper.install import install
from edge_sdk.keeper.releases import is_complete
from tests.keeper.harness import KeeperProcess, fake_trial, fill, link_environment, open_shop
from tests.keeper.power import broken, read_tree
from tests.keeper.releases import Pack, made_up, tiny_model

#: Starts a keeper that is killed by SIGKILL right after its operation number argv[2].
DYING = """
import os, signal, sys
from pathlib import Path
from edge_sdk.keeper.disk import Disk
from edge_sdk.keeper.session import serve
class Dying(Disk):
    left = int(sys.argv[2])
def dying(name):
    original = getattr(Disk, name)
    def act(self, *arguments):
        result = original(self, *arguments)
        Dying.left -= 1
        if Dying.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return act
for name in OPERATIONS:
    setattr(Dying, name, dying(name))
sys.exit(serve(Path(sys.argv[1]), disk=Dying()))
"""
OPERATIONS = [name for name in vars(Disk) if not name.startswith("_")]


class PowerCutError(BaseException):
    """The keeper stops here."""


class StoppingDisk(Disk):
    """Stops before operation `left`, and does nothing from then on."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if name not in OPERATIONS:
            return value

        def act(*arguments: object, **fields: object) -> object:
            self.left -= 1
            if self.left <= 0:
                raise PowerCutError
            return value(*arguments, **fields)  # type: ignore[operator]

        return act


def stop_after(root: Path, pack: Pack, operations: int) -> bool:
    """Push until the power goes; return whether it went."""
    try:
        shop = open_shop(root, StoppingDisk(operations))
        fill(shop, pack)
        install(shop, pack.sha256, target="host", trial=fake_trial)
    except PowerCutError:
        return True
    return False


def test_a_stop_before_every_operation_keeps_the_old_release_or_the_new(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    for number in range(5):
        shop = open_shop(root)
        fill(shop, made_up(str(number)))
        install(shop, made_up(str(number)).sha256, target="host", trial=fake_trial)
    operations = 0
    stopped = True
    while stopped:
        operations += 1
        # Each try pushes something new, over what the stop before has left: leftovers pile up.
        stopped = stop_after(root, made_up(f"new {operations}"), operations)
        assert broken(read_tree(root), may_be_absent=False) is None, operations
    assert operations > 60
    assert json.loads((root / "current/manifest.json").read_text())["version"] == f"new {operations}"


def kill_and_recover(root: Path, operations: int) -> bool:
    """Push something new and kill the keeper; return whether it lived to the end."""
    pack = tiny_model(f"at {operations}")
    program = DYING.replace("OPERATIONS", repr(OPERATIONS))
    keeper = None
    lived = False
    try:
        keeper = KeeperProcess(root, command=[sys.executable, "-c", program, str(root), str(operations)])
        keeper.push(pack)
        lived = True
    except (EOFError, OSError):
        pass
    if keeper is not None:
        code = keeper.close()
        assert lived or code == -signal.SIGKILL
    assert lived or _whole(root)
    with KeeperProcess(root) as keeper:
        assert keeper.hello["current"] is not None
        answer = keeper.push(pack)
        assert keeper.ask("status", verify=True)["problems"] == []
        assert answer["release"] == keeper.ask("status")["good"]
    return lived


def _whole(root: Path) -> bool:
    shop = open_shop(root)
    return all(
        is_complete(shop.layout, shop.store, name or "none")
        for name in (shop.layout.current_release(), shop.layout.good_release())
    )


@pytest.fixture
def board(tmp_path: Path) -> Path:
    root = tmp_path / "edge"
    link_environment(root)
    with KeeperProcess(root) as keeper:
        keeper.push(tiny_model("first"))
    return root


def test_kill_9_at_some_operations_with_real_trials(board: Path) -> None:
    for operations in (3, 14, 25, 38, 47):
        assert not kill_and_recover(board, operations)


@pytest.mark.slow
def test_kill_9_at_every_operation_with_real_trials(board: Path) -> None:
    operations = 1
    while not kill_and_recover(board, operations):
        operations += 1
    assert operations > 60

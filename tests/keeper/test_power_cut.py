"""A power cut after any operation leaves the old release or the new one, whole, whatever was not written.

Every operation of a push is a crash point, and each is tried with many outcomes of what was not synced.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_sdk.keeper.cleanup import Workshop, sweep
from edge_sdk.keeper.code import activate_code, board_code
from edge_sdk.keeper.environment import activate_environment
from edge_sdk.keeper.install import finish_switch, install, rollback
from tests.keeper.harness import fake_trial, fill, link_environment
from tests.keeper.power import Model, Node, RecordingDisk, broken, current_of, read_tree, write_out
from tests.keeper.releases import digest, made_up
from tests.keeper.test_environment import pack

OUTCOMES = 100

Act = Callable[[Workshop], object]


def push(version: str) -> Act:
    def act(shop: Workshop) -> None:
        pack = made_up(version)
        fill(shop, pack)
        install(shop, pack.sha256, target="host", trial=fake_trial)

    return act


def prepared(root: Path, versions: int) -> None:
    """Make a board on which some releases were installed, one after the other, by separate sessions."""
    shop = Workshop.open(root)
    for number in range(versions):
        push(f"before {number}")(shop)
        shop.store.received.clear()


def violations(
    root: Path, act: Act, *, before: int, ignore: tuple[str, ...] = (), outcomes: int = OUTCOMES
) -> list[str]:
    """Run an act, cut the power after each of its operations, and return what broke."""
    prepared(root, before)
    model = Model(root)
    old = current_of(read_tree(root))
    disk = RecordingDisk(root, ignore=ignore)
    act(Workshop.open(root, disk))
    new = current_of(read_tree(root))
    assert new != old
    chance = random.Random(11)
    found = []
    for number, record in enumerate([("start", ""), *disk.records]):
        if number:
            model.apply(record)
        for _ in range(outcomes):
            tree = model.after_cut(chance)
            fault = broken(tree, may_be_absent=old is None)
            if not fault and current_of(tree) not in (old, new):
                fault = f"current is {current_of(tree)}"
            if fault:
                found.append(f"after {number} ({record[0]} {record[1]}): {fault}")
    # The act has returned: the board said that it is done.
    for _ in range(outcomes):
        if current_of(model.after_cut(chance)) != new:
            found.append("an acknowledged switch is lost")
    return found


@pytest.mark.parametrize("before", [0, 1, 6], ids=["first", "second", "collecting"])
def test_push_survives_a_cut_after_every_operation(tmp_path: Path, before: int) -> None:
    assert violations(tmp_path / "edge", push("new"), before=before) == []


def test_rollback_survives_a_cut_after_every_operation(tmp_path: Path) -> None:
    assert violations(tmp_path / "edge", rollback, before=3) == []


@pytest.mark.parametrize("missing", ["sync_file", "sync_folder"])
def test_the_simulation_has_teeth(tmp_path: Path, missing: str) -> None:
    assert violations(tmp_path / "edge", push("new"), before=1, ignore=(missing,))


def test_the_next_session_recovers_from_what_a_cut_left(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    prepared(root, 2)
    model = Model(root)
    old = current_of(read_tree(root))
    disk = RecordingDisk(root)
    push("new")(Workshop.open(root, disk))
    chance = random.Random(3)
    for number, record in enumerate(disk.records):
        model.apply(record)
        place = tmp_path / f"cut{number}"
        write_out(model.after_cut(chance), place)

        shop = Workshop.open(place)
        sweep(shop)
        finish_switch(shop)
        assert broken(read_tree(place), may_be_absent=False) is None
        assert shop.layout.current_release() == shop.layout.good_release()
        assert not [path for path in place.rglob("*") if path.name.endswith((".tmp", ".part"))]

        push("new")(shop)  # the host runs the same command again
        assert broken(read_tree(place), may_be_absent=False) is None
        assert current_of(read_tree(place)) != old


def test_new_packages_survive_a_cut_after_every_operation(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    files = {f"package{number}/module.py": b"content %d " % number * 500 for number in range(3)}
    zipped = pack(files)

    def bring(shop: Workshop) -> None:
        shop.store.receive(digest(zipped), len(zipped), [zipped])
        activate_environment(shop, "new", digest(zipped), system_packages=True)

    link_environment(root, "old")
    assert switched(
        root, bring, "environment", {f"environments/new/{name}": data for name, data in files.items()}
    )


def test_new_code_survives_a_cut_after_every_operation(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    code = board_code()
    identity = digest(code)

    def bring(shop: Workshop) -> None:
        shop.store.receive(identity, len(code), [code])
        activate_code(shop, identity)

    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        files = {f"code/{identity}/{name}": archive.read(name) for name in archive.namelist()}
    assert switched(root, bring, "code/current", files)


def switched(root: Path, act: Act, link: str, files: dict[str, bytes]) -> bool:
    """Cut the power after every operation; check that a link that has switched leads to whole files."""
    shop = Workshop.open(root)
    model = Model(root)
    old = _find(model.top, link)
    disk = RecordingDisk(root)
    act(Workshop.open(shop.layout.root, disk))
    chance = random.Random(5)
    seen = set()
    for record in disk.records:
        model.apply(record)
        for _ in range(10):
            tree = model.after_cut(chance)
            found = _find(tree, link)
            assert found is not None or old is None
            is_new = found is not None and (old is None or found.data != old.data)
            seen.add(is_new)
            if is_new:
                for name, data in files.items():
                    node = _find(tree, name)
                    assert node is not None, (record, name)
                    assert node.data == data, (record, name)
    # The act has returned: it is there for good.
    final = _find(model.after_cut(chance), link)
    assert final is not None
    assert old is None or final.data != old.data
    return seen == {True, False}


def _find(top: Node, name: str) -> Node | None:
    node: Node | None = top
    for part in name.split("/"):
        node = node.entries.get(part) if node is not None else None
    return node

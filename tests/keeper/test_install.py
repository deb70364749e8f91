"""Installing, returning, collecting: what is refused, what stays, what goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.manifest import FileEntry
from edge_sdk.errors import (
    BundleError,
    DigestMismatchError,
    GateError,
    IncompatibleTargetError,
    RemoteError,
)
from edge_sdk.keeper.cleanup import Workshop, collect, make_room, sweep
from edge_sdk.keeper.install import finish_switch, install, rollback
from edge_sdk.keeper.releases import is_complete, previous_release, read_release
from tests.bundle.samples import mixed, mixed_content
from tests.keeper.harness import fake_trial, fill, open_shop, refusal
from tests.keeper.power import broken, read_tree
from tests.keeper.releases import Pack, digest, made_up, with_files


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return open_shop(tmp_path / "edge")


def push(shop: Workshop, pack: Pack | str, **fields: Any) -> str:
    """Push as a session of its own; return the release's name."""
    if isinstance(pack, str):
        pack = made_up(pack)
    shop.store.received.clear()
    fill(shop, pack)
    answer = install(shop, pack.sha256, **{"target": "host", "trial": fake_trial, **fields})
    assert broken(read_tree(shop.layout.root), may_be_absent=False) is None
    return str(answer["release"])


def test_a_release_is_a_bundle(shop: Workshop) -> None:
    pack = made_up("7", variants=("float32", "int8"))
    name = push(shop, pack, variant="int8")
    with Bundle.open(shop.layout.current) as bundle:
        assert bundle.manifest.version == "7"
        assert bundle.release is not None
        assert bundle.release.variant == "int8"
        assert bundle.release.release == name
        assert bundle.read("models/int8.tflite") == pack.files["models/int8.tflite"]
        assert bundle.read("labels.txt") == pack.files["labels.txt"]


def test_only_what_the_variant_needs_is_needed(shop: Workshop) -> None:
    pack = made_up(variants=("float32", "int8"))
    for data in (
        pack.manifest,
        *(pack.files[n] for n in ("labels.txt", "models/int8.tflite", "golden/int8.npz")),
    ):
        shop.store.receive(digest(data), len(data), [data])
    answer = install(shop, pack.sha256, target="host", variant="int8", trial=fake_trial)
    release = read_release(shop.layout, answer["release"])
    assert sorted(release.manifest.needed_by("int8")) == [
        "golden/int8.npz", "labels.txt", "models/int8.tflite",
    ]  # fmt: skip
    error = refusal(install, shop, pack.sha256, target="host", trial=fake_trial)
    assert isinstance(error, RemoteError)
    assert "golden/float32.npz is not on the board" in error.what


def test_names_that_lead_out_are_refused(shop: Workshop, tmp_path: Path) -> None:
    entry = FileEntry(sha256=digest(b"x"), size=1)
    for name in ("../x", "/etc/passwd", "a/../../x", "models/.hidden", "-rf", "a\0b", "x" * 300):
        pack = with_files(made_up(), {name: entry})
        fill(shop, pack)
        shop.store.receive(entry.sha256, 1, [b"x"])
        error = refusal(install, shop, pack.sha256, target="host", trial=fake_trial)
        assert isinstance(error, BundleError)
        assert "unsafe file name" in error.what
    assert shop.layout.current_release() is None
    assert list(shop.layout.releases.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["edge"]


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"[" * 10**5, b"\xff\xfe", b'{"format": "edge-bundle"}'])
def test_a_manifest_that_is_none_is_refused(shop: Workshop, raw: bytes) -> None:
    shop.store.receive(digest(raw), len(raw), [raw])
    assert isinstance(refusal(install, shop, digest(raw), target="host", trial=fake_trial), BundleError)
    assert list(shop.layout.releases.iterdir()) == []


def test_a_size_that_does_not_fit_is_refused(shop: Workshop) -> None:
    pack = with_files(made_up(), {"labels.txt": FileEntry(sha256=digest(b"zero\none\n"), size=8)})
    fill(shop, pack)
    error = refusal(install, shop, pack.sha256, target="host", trial=fake_trial)
    assert "labels.txt has 9 bytes" in error.what


def test_a_damaged_blob_is_found_before_the_release_is_made(shop: Workshop) -> None:
    pack = made_up()
    fill(shop, pack)
    model = open_shop(shop.layout.root).store.path(digest(pack.files["models/float32.tflite"]))
    model.chmod(0o644)
    model.write_bytes(b"!" + model.read_bytes()[1:])
    other = open_shop(shop.layout.root)
    error = refusal(install, other, pack.sha256, target="host", trial=fake_trial)
    assert isinstance(error, DigestMismatchError)
    assert "models/float32.tflite" in error.what
    assert list(shop.layout.releases.iterdir()) == []


def test_a_failed_trial_leaves_nothing(shop: Workshop) -> None:
    current = push(shop, "good")

    def refuse(*_: object) -> dict[str, Any]:
        raise GateError("no", cause="golden")

    fill(shop, made_up("bad"))
    assert isinstance(refusal(install, shop, made_up("bad").sha256, target="host", trial=refuse), GateError)
    assert shop.layout.release_names() == [current]
    assert shop.layout.current_release() == current
    report = shop.journal.report()
    assert report is not None
    assert report["outcome"] == "failed"


def test_pushing_again_changes_nothing(shop: Workshop) -> None:
    name = push(shop, "1")
    before = [(path, path.lstat().st_mtime_ns) for path in sorted(shop.layout.root.rglob("*"))]
    answer = install(shop, made_up("1").sha256, target="host", trial=refuse_to_run)
    assert answer == {"release": name, "changed": False, "previous": None, "trial": None}
    assert before == [(path, path.lstat().st_mtime_ns) for path in sorted(shop.layout.root.rglob("*"))]


def test_another_variant_of_the_same_bundle_is_another_release(shop: Workshop) -> None:
    pack = made_up(variants=("float32", "int8"))
    first = push(shop, pack)
    second = push(shop, pack, variant="int8")
    assert (first.partition("-")[2], second.partition("-")[2]) == (pack.sha256[:12],) * 2
    assert first != second


def test_a_damaged_current_release_is_installed_again(shop: Workshop) -> None:
    first = push(shop, "1")
    (shop.layout.releases / first / "files/labels.txt").unlink()
    assert push(shop, "1") != first


def test_rollback_follows_what_was_replaced(shop: Workshop) -> None:
    names = [push(shop, str(number)) for number in range(3)]
    assert rollback(shop)["release"] == names[1]
    assert rollback(shop)["release"] == names[0]
    assert "no earlier release" in refusal(rollback, shop).what
    fourth = push(shop, "fixed")  # made while the first one ran
    assert fourth.startswith("4-")
    assert previous_release(shop.layout, shop.store) == names[0]
    assert rollback(shop)["release"] == names[0]
    assert rollback(shop, fourth)["changed"]
    assert not rollback(shop, fourth)["changed"]


def test_rollback_to_a_damaged_release_changes_nothing(shop: Workshop) -> None:
    first, second = push(shop, "1"), push(shop, "2")
    blob = shop.store.path(digest(made_up("1").files["models/float32.tflite"]))
    blob.chmod(0o644)
    blob.write_bytes(b"damaged")
    other = open_shop(shop.layout.root)
    assert isinstance(refusal(rollback, other, first), DigestMismatchError)
    assert "no earlier release" in refusal(rollback, other).what
    assert "no release 9-" in refusal(rollback, other, "9-" + "0" * 12).what
    assert "not the name" in refusal(rollback, other, "../..").what
    assert shop.layout.current_release() == second


def test_a_rollback_skips_a_damaged_previous_release(shop: Workshop) -> None:
    first, second, _ = (push(shop, version) for version in "123")
    (shop.layout.releases / second / "release.json").write_bytes(b"")
    assert rollback(shop)["release"] == first


def test_collecting_keeps_what_matters(shop: Workshop) -> None:
    names = [push(shop, str(number)) for number in range(7)]
    # current and good 7, previous 6, and two more
    assert shop.layout.release_names() == names[3:]
    assert len(shop.layout.blob_names()) == 4 * 3 + 1  # the labels are shared
    rollback(shop)
    rollback(shop)
    assert shop.layout.current_release() == names[4]
    collect(open_shop(shop.layout.root), keep=0)
    assert shop.layout.release_names() == names[3:5]
    for name in names[3:5]:
        assert is_complete(shop.layout, open_shop(shop.layout.root).store, name)


def test_a_blob_that_two_releases_share_stays(shop: Workshop) -> None:
    for number in range(7):
        push(shop, str(number))
    labels = digest(made_up().files["labels.txt"])
    assert labels in shop.layout.blob_names()
    assert shop.store.is_intact(labels)


def test_no_blob_is_collected_while_a_manifest_cannot_be_read(shop: Workshop) -> None:
    first = push(shop, "1")
    push(shop, "2")
    push(shop, "3")
    count = len(shop.layout.blob_names())
    (shop.layout.releases / first / "manifest.json").write_bytes(b"{")
    other = open_shop(shop.layout.root)
    other.store.receive(digest(b"stray"), 5, [b"stray"])
    other.store.received.clear()
    collect(other)
    assert len(shop.layout.blob_names()) == count + 1
    assert "cannot be read" in other.journal.tail(5)


def test_room_is_made_by_collecting(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [push(shop, str(number)) for number in range(4)]
    free = iter([0, 10**12])
    monkeypatch.setattr("edge_sdk.keeper.cleanup.free_bytes", lambda path: next(free))
    shop.store.received.clear()
    make_room(shop, 1000)
    assert shop.layout.release_names() == names[2:]


def test_an_interrupted_switch_is_completed(shop: Workshop) -> None:
    first, second = push(shop, "1"), push(shop, "2")
    shop.layout.good.unlink()
    shop.layout.good.symlink_to(f"releases/{first}")
    finish_switch(shop)
    assert shop.layout.good_release() == second


def test_a_board_whose_current_release_is_damaged_returns_to_good(shop: Workshop) -> None:
    first, second = push(shop, "1"), push(shop, "2")
    shop.layout.good.unlink()
    shop.layout.good.symlink_to(f"releases/{first}")
    (shop.layout.releases / second / "manifest.json").write_bytes(b"")
    finish_switch(open_shop(shop.layout.root))
    assert shop.layout.current_release() == shop.layout.good_release() == first


def test_links_that_lead_elsewhere_count_as_none(shop: Workshop, tmp_path: Path) -> None:
    name = push(shop, "1")
    for text in (
        "/etc",
        "releases/../releases/" + name,
        "releases/x",
        str(shop.layout.releases / name),
        "releases",
    ):
        shop.layout.current.unlink()
        shop.layout.current.symlink_to(text)
        assert shop.layout.current_release() is None
    (tmp_path / "elsewhere").mkdir()
    (shop.layout.releases / ("9-" + "0" * 12)).symlink_to(tmp_path / "elsewhere")
    assert shop.layout.release_names() == [name]


def test_sweep_removes_what_was_under_construction(shop: Workshop, tmp_path: Path) -> None:
    name = push(shop, "1")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    (shop.layout.incoming / ("0" * 64 + ".part")).write_bytes(b"half")
    (shop.layout.incoming / "planted").symlink_to(outside)
    half = shop.layout.releases / ("2-" + "0" * 12 + ".tmp")
    half.mkdir()
    (half / "link").symlink_to(outside)
    (shop.layout.root / "current.tmp").symlink_to("releases/x")
    assert sorted(sweep(shop)) == [
        "current.tmp", "incoming/" + "0" * 64 + ".part", "incoming/planted", f"releases/{half.name}",
    ]  # fmt: skip
    assert (outside / "file").read_text() == "mine"
    assert shop.layout.release_names() == [name]
    assert sweep(shop) == []


def test_state_files_of_zero_length_count_as_absent(shop: Workshop) -> None:
    push(shop, "1")
    for name in ("history.json", "report.json"):
        (shop.layout.state / name).write_bytes(b"")
    assert shop.journal.events() == []
    assert shop.journal.report() is None
    assert push(shop, "2").startswith("2-")


def test_the_record_tells_where_it_came_from(shop: Workshop) -> None:
    first, second = push(shop, "1"), push(shop, "2")
    record = json.loads((shop.layout.releases / second / "release.json").read_text())
    assert record["previous"] == first
    assert record["target"] == "host"


def refuse_to_run(*_: object) -> dict[str, Any]:
    raise AssertionError("no trial was expected")


def test_of_a_bundle_for_phones_and_boards_only_the_boards_part_comes(shop: Workshop) -> None:
    content = mixed_content()
    manifest = mixed().to_bytes()
    blobs = [manifest, *(data for name, data in content.items() if not name.startswith("models/coreml"))]
    for data in blobs:
        shop.store.receive(digest(data), len(data), [data])
    answer = install(shop, digest(manifest), target="host", trial=fake_trial)
    release = read_release(shop.layout, answer["release"])
    assert release.record.variant == "float32"
    with Bundle.open(shop.layout.current) as bundle:
        bundle.verify()
        assert not any("mlpackage" in name for name in bundle.names())
    for target in ("host", None):
        error = refusal(
            install, shop, digest(manifest), target=target, variant="coreml_int8", trial=fake_trial
        )
        assert isinstance(error, IncompatibleTargetError)
        assert "float32" in (error.hint or "")

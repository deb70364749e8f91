"""A disk that is full, at any operation and for real: the old release stays, and the cause is named."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.errors import EdgeError, NoSpaceError
from edge_sdk.keeper.disk import Disk, disk_failure
from edge_sdk.keeper.install import install
from tests.keeper.harness import KeeperProcess, fake_trial, fill, link_environment, open_shop, refusal
from tests.keeper.power import broken, read_tree
from tests.keeper.releases import made_up, tiny_model

#: What needs room, and so can fail for want of it; removing and renaming in place do not.
NEEDS_ROOM = ("make_folder", "create", "write", "link", "sync_file")


class FullDisk(Disk):
    """Has room for `left` operations; then every one that needs room fails, until space is made."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.failed = False

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if name not in NEEDS_ROOM:
            return value

        def act(*arguments: object, **fields: object) -> object:
            self.left -= 1
            if self.left < 0:
                self.failed = True
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
            return value(*arguments, **fields)  # type: ignore[operator]

        return act


def test_full_at_every_operation(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    shop = open_shop(root)
    fill(shop, made_up("old"))
    install(shop, made_up("old").sha256, target="host", trial=fake_trial)
    for left in range(200):
        disk = FullDisk(left)
        pack = made_up(f"new {left}")
        old = open_shop(root).layout.current_release()
        shop = open_shop(root, disk)
        try:
            fill(shop, pack)
            install(shop, pack.sha256, target="host", trial=fake_trial)
        except OSError as failure:
            assert isinstance(disk_failure(failure, root), NoSpaceError)  # noqa: PT017 - other ways end well
            assert shop.layout.current_release() == old
            assert not list(root.rglob("*.part"))
            assert not list((root / "releases").glob("*.tmp"))
            assert broken(read_tree(root), may_be_absent=False) is None
            continue
        # Nothing that matters failed; a log or a history that did not fit costs no release.
        assert broken(read_tree(root), may_be_absent=False) is None
        assert shop.layout.current_release() != old
        if not disk.failed:
            break
    assert left > 20


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (errno.ENOSPC, "not enough room"),
        (errno.EDQUOT, "not enough room"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "input/output error"),
        (errno.EACCES, "may not write"),
        (errno.EFBIG, "file-size limit"),
        (errno.ENOTEMPTY, "not empty"),
    ],
)
def test_every_cause_is_named(tmp_path: Path, code: int, text: str) -> None:
    error = disk_failure(OSError(code, os.strerror(code), str(tmp_path / "x")), tmp_path)
    assert isinstance(error, EdgeError)
    assert text in str(error)
    assert error.exit_code == 6


def test_a_file_size_limit_is_named_by_a_real_keeper(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom edge_sdk.keeper.session import serve\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\nsys.exit(serve(Path(sys.argv[1])))"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 65536
    with KeeperProcess(root, command=[sys.executable, "-c", program, str(root)]) as keeper:
        error = refusal(keeper.put, os.urandom(200_000))
        assert "file-size limit" in str(error)
        assert keeper.put(b"small")["stored"]
    assert list((root / "incoming").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a tmpfs of 8 MiB; needs root."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted: {done.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_small_disk_is_refused_before_the_first_byte(small_disk: Path) -> None:
    root = small_disk / "edge"
    link_environment(root)
    with KeeperProcess(root) as keeper:
        old = keeper.push(tiny_model("old"))["release"]
        free = os.statvfs(small_disk).f_bavail
        error = refusal(keeper.put, os.urandom(7_000_000))
        assert isinstance(error, NoSpaceError)
        assert error.details["needed"] > error.details["available"]
        assert os.statvfs(small_disk).f_bavail == free
        assert keeper.put(os.urandom(2_000_000))["stored"]
        assert keeper.ask("status", verify=True)["current"] == old


def test_another_process_fills_the_disk(small_disk: Path) -> None:
    root = small_disk / "edge"
    link_environment(root)
    with KeeperProcess(root) as keeper:
        old = keeper.push(tiny_model("old"))["release"]
        data = os.urandom(3_000_000)
        keeper.writer.send({"do": "put", "sha256": "0" * 64, "size": len(data)})
        keeper.writer.send_data(data[:1_000_000])
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(bytes(65536)):
                pass
        assert os.statvfs(small_disk).f_bavail == 0
        keeper.writer.send_data(data[1_000_000:2_000_000])
        keeper.writer.send_data(data[2_000_000:])
        assert isinstance(refusal(keeper.answer), NoSpaceError)
        assert list((root / "incoming").iterdir()) == []
        assert isinstance(refusal(keeper.push, tiny_model("new")), NoSpaceError)
        filler.unlink()
        assert keeper.ask("status", verify=True)["current"] == old
        assert keeper.push(tiny_model("new"))["changed"]

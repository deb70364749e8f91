from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.bundle.digest import HashingReader, sha256_of
from edge_sdk.bundle.durable import durable_file
from edge_sdk.errors import ConfigError


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with durable_file(path) as stream:
        stream.write(b"one")
    assert path.read_bytes() == b"one"

    def interrupted() -> None:
        with durable_file(path) as stream:
            stream.write(b"two")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_the_new_file_has_ordinary_rights(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with durable_file(tmp_path / "durable") as stream:
        stream.write(b"")
    assert (tmp_path / "durable").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot be written"), durable_file(tmp_path / "file" / "x"):
        pass


FULL = """
import sys
from pathlib import Path
from edge_sdk.bundle.archive import Bundle, write_bundle
from edge_sdk.errors import NoSpaceError
from tests.bundle.samples import manifest_of, sample

folder = Path(sys.argv[1])
old = sample(folder)
before = old.read_bytes()
content = {"big": bytes(2**20)}
for act in (
    lambda: write_bundle(old, manifest_of(content, variants=()), content),
    lambda: write_bundle(folder / "new.edge", manifest_of(content, variants=()), content),
):
    try:
        act()
    except NoSpaceError as error:
        assert error.details["needed"] > 2**20, error.details
        assert error.details["available"] < 2**18, error.details
    else:
        raise SystemExit("no NoSpaceError")
assert old.read_bytes() == before
assert list(folder.iterdir()) == [old], list(folder.iterdir())
with Bundle.open(old) as bundle:
    bundle.verify()
"""


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """On a real file system of 256 kB, in a mount namespace of its own."""
    mount = 'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("no mount namespaces here")
    done = subprocess.run(
        [*namespace, "sh", "-c", mount, "sh", str(tmp_path), sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no tmpfs here: {done.stderr}")
    assert done.returncode == 0, done.stderr


def test_digests_are_the_same_from_every_source(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    expected = subprocess.run(
        ["sha256sum", str(tmp_path / "file")], capture_output=True, text=True, check=True
    ).stdout[:64]
    assert sha256_of(data) == sha256_of(memoryview(data)) == expected
    assert sha256_of(tmp_path / "file") == sha256_of(str(tmp_path / "file")) == expected
    with (tmp_path / "file").open("rb") as stream:
        assert sha256_of(stream) == expected
    with (tmp_path / "file").open("rb") as stream:
        reader = HashingReader(stream)
        assert reader.read(10) == data[:10]
        assert (reader.drain(), reader.size) == (expected, len(data))

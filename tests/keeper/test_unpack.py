"""Zips are unpacked by rules: every way out of the folder, and every bomb, is refused."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import BundleError
from edge_sdk.keeper.disk import Disk
from edge_sdk.keeper.unpack import check_unpacked, unpack, unpacked_bytes
from tests.keeper.harness import refusal

PLAIN = 0o100644 << 16


def archive(path: Path, entries: dict[str, Any], *, attributes: int = PLAIN, method: int = 8) -> Path:
    """Write a zip; a value is content, or (content, attributes)."""
    with zipfile.ZipFile(path, "w") as out:
        for name, value in entries.items():
            data, bits = value if isinstance(value, tuple) else (value, attributes)
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name
            info.external_attr = bits
            info.create_system = 3
            info.compress_type = method
            out.writestr(info, data)
    return path


def test_a_tree_is_unpacked(tmp_path: Path) -> None:
    noise = os.urandom(3_000_000)
    path = archive(
        tmp_path / "a.zip",
        {"top.py": b"1", "pkg/.hidden": b"", "pkg/sub/mod.so": (noise, 0o100755 << 16), "c++~x/a b": b"2"},
    )
    assert unpacked_bytes(path) > 3_000_000
    shares: list[float] = []
    assert unpack(path, tmp_path / "out", Disk(), note=shares.append) == 4
    assert shares[-1] == 1.0
    out = tmp_path / "out"
    assert (out / "pkg/sub/mod.so").read_bytes() == noise
    assert (out / "pkg/sub/mod.so").stat().st_mode & 0o7777 == 0o755
    assert (out / "top.py").stat().st_mode & 0o7777 == 0o644
    check_unpacked(path, out)
    (out / "top.py").write_bytes(b"2")
    assert "not what was written" in str(refusal(check_unpacked, path, out))


@pytest.mark.parametrize(
    "name",
    [
        "../x", "/etc/x", "a/../../x", "a//b", "./a", "a/.", "", "a\\b", "C:x\n", "ä", "a\0b", " a", "a ",
        "x" * 201, "/".join("a" * 30), "folder/", "a:b", "-/../x",
    ],
)  # fmt: skip
def test_unsafe_names(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", {name: b"x"})
    error = refusal(unpack, path, tmp_path / "out", Disk())
    assert isinstance(error, BundleError)
    assert "unsafe name" in error.what or "not a plain file" in error.what
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip", "out"]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (0o120777 << 16, "not a plain file"),
        (0o010644 << 16, "not a plain file"),
        (0o040755 << 16, "not a plain file"),
        (0o104755 << 16, "mode 4755"),
        (0o100777 << 16, "mode 777"),
        (0o100600 << 16, "mode 600"),
    ],
    ids=["link", "fifo", "folder", "set-uid", "writable", "private"],
)
def test_other_things_than_plain_files(tmp_path: Path, attributes: int, reason: str) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"/etc/passwd"}, attributes=attributes)
    assert reason in str(refusal(unpack, path, tmp_path / "out", Disk()))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"a": b"1", "A": b"2"}, "twice"),
        ({"a": b"1", "a/b": b"2"}, "as a file and as a folder"),
        ({"b/A/x": b"1", "B/a": b"2"}, "as a file and as a folder"),
    ],
)
def test_names_that_collide(tmp_path: Path, entries: dict[str, bytes], reason: str) -> None:
    path = archive(tmp_path / "a.zip", entries)
    assert reason in str(refusal(unpack, path, tmp_path / "out", Disk()))


def test_a_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {f"zeros{n}": bytes(10**7) for n in range(5)})
    assert path.stat().st_size < 100_000
    error = refusal(unpack, path, tmp_path / "out", Disk(), limit=4 * 10**7)
    assert "unpacks to too much" in str(error)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bomb_that_lies_about_its_size_is_cut(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"zeros": bytes(10**7)})
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        raw[raw.index(signature) + offset :][:4] = struct.pack("<I", 100)
        place = raw.index(signature) + offset
        raw[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(raw)
    assert isinstance(refusal(unpack, path, tmp_path / "out", Disk()), BundleError)
    assert (tmp_path / "out/zeros").stat().st_size <= 100


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions(tmp_path: Path, method: int) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"x"}, method=method)
    assert "compressed by method" in str(refusal(unpack, path, tmp_path / "out", Disk()))


def test_damage_anywhere_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"some content " * 20, "b": b"more"})
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        out = tmp_path / f"out{place}"
        try:
            unpack(path, out, Disk())
        except (BundleError, NotImplementedError):
            continue
        # A flip in a field that decides nothing (a date), or in the count of files, may pass: the zip's own
        # digest is checked before. No file may come out with other content.
        for entry in out.iterdir():
            assert entry.read_bytes() == {"a": b"some content " * 20, "b": b"more"}[entry.name]
    path.write_bytes(b"not a zip")
    assert "readable zip" in str(refusal(unpacked_bytes, path))


def test_an_encrypted_entry(tmp_path: Path) -> None:
    stream = io.BytesIO(archive(tmp_path / "a.zip", {"a": b"x"}).read_bytes())
    raw = bytearray(stream.getvalue())
    raw[raw.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    assert "encrypted" in str(refusal(unpack, tmp_path / "a.zip", tmp_path / "out", Disk()))

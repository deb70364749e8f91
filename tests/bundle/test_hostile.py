"""What an attacker, a bad disk or a broken line may hand to the reader."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.layout import directory, lay_out, local_header
from edge_sdk.bundle.manifest import FileEntry
from edge_sdk.errors import BundleError
from tests.bundle.samples import CONTENT, manifest_of, sample


def refused(path: Path) -> BundleError:
    """Open and verify; return the BundleError that must come, let any other exception through."""
    with pytest.raises(BundleError) as caught, Bundle.open(path) as bundle:
        bundle.verify()
    return caught.value


@pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF], ids=hex)
def test_no_byte_can_change_unseen(tmp_path: Path, flip: int) -> None:
    good = sample(tmp_path).read_bytes()
    path = tmp_path / "flipped.edge"
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ flip]) + good[position + 1 :])
        refused(path)


def test_no_length_but_the_right_one_passes(tmp_path: Path) -> None:
    good = sample(tmp_path).read_bytes()
    path = tmp_path / "short.edge"
    for length in range(len(good)):
        path.write_bytes(good[:length])
        refused(path)
    path.write_bytes(good[:-1])
    assert "truncated" in (refused(path).why or "")
    path.write_bytes(good + b"\0")
    assert "added" in (refused(path).why or "")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "random.edge"
    for start in (b"", b"PK\3\4", sample(tmp_path).read_bytes()[:43]):
        path.write_bytes(start + raw)
        refused(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_spliced_bytes_are_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = sample(tmp_path).read_bytes()
    at, cut = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 40))
    changed = good[:at] + data.draw(st.binary(max_size=40)) + good[at + cut :]
    if changed == good:
        return
    path = tmp_path / "spliced.edge"
    path.write_bytes(changed)
    refused(path)


def with_zipfile(write: Callable[[zipfile.ZipFile], None], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive with a proper manifest first and what `write` adds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json"), manifest_of(CONTENT).to_bytes())
        write(archive)
    return buffer.getvalue()


def _blobs(archive: zipfile.ZipFile) -> None:
    for entry, data in {
        manifest_of(CONTENT).files[name].sha256: data for name, data in CONTENT.items()
    }.items():
        archive.writestr(zipfile.ZipInfo(f"blobs/{entry}"), data)


def _also(name: str, *, mode: int = 0o100644, data: bytes = b"x") -> Callable[[zipfile.ZipFile], None]:
    def write(archive: zipfile.ZipFile) -> None:
        _blobs(archive)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, data)

    return write


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "write",
    [_also("../../etc/cron.d/x"), _also("/etc/passwd"), _also("C:/x"), _also("blobs/../x"), _also("blobs/"),
     _also("manifest.json"), _also("blobs/" + "0" * 64), _also("link", mode=0o120777, data=b"/etc/passwd"),
     _also("device", mode=0o060666), _blobs],
    ids=["parent", "absolute", "drive", "inner parent", "folder", "second manifest", "blob nobody lists",
         "symlink", "device", "another writer's ZIP"],
)  # fmt: skip
def test_members_that_do_not_belong_are_refused(
    tmp_path: Path, write: Callable[[zipfile.ZipFile], None]
) -> None:
    path = tmp_path / "hostile.edge"
    path.write_bytes(with_zipfile(write))
    refused(path)


def test_a_compression_bomb_is_never_inflated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.edge"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (64 * 2**20))
    path.write_bytes(buffer.getvalue())
    tracemalloc.start()
    try:
        refused(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("claimed", [2**32 - 1, 2**31, 17 * 2**20, 15 * 2**20])
def test_claimed_sizes_allocate_nothing(tmp_path: Path, claimed: int) -> None:
    good = bytearray(sample(tmp_path).read_bytes())
    struct.pack_into("<LL", good, 18, claimed, claimed)
    path = tmp_path / "sizes.edge"
    path.write_bytes(good)
    tracemalloc.start()
    try:
        refused(path)
        # 15 MB is a size a manifest may have: one buffer of it may be asked of the file, and no more.
        assert tracemalloc.get_traced_memory()[1] < 17 * 2**20
    finally:
        tracemalloc.stop()


def forged(manifest: bytes, blobs: dict[str, bytes], sizes: dict[str, int] | None = None) -> bytes:
    """Return an archive in the exact shape for any manifest text, CRCs and headers right."""
    entries = {
        name: FileEntry(sha256=name, size=(sizes or {}).get(name, len(data))) for name, data in blobs.items()
    }
    layout = lay_out(len(manifest), entries)
    contents = [manifest, *(blobs[name] for name in sorted(blobs))]
    out = b""
    for member, data in zip(layout.members, contents, strict=True):
        out += local_header(member, zlib.crc32(data)) + data
    return out + directory(layout, [zlib.crc32(data) for data in contents])


def test_the_forger_can_make_a_good_one() -> None:
    files = manifest_of(CONTENT).files
    raw = forged(manifest_of(CONTENT).to_bytes(), {files[n].sha256: data for n, data in CONTENT.items()})
    Path("good.edge").write_bytes(raw)
    with Bundle.open("good.edge") as bundle:
        bundle.verify()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"models/copy.tflite", b"../../../../../../"), (b"models/copy.tflite", b"/etc/cron.d/passwd"),
     (b'"version": "0.1.0"', b'"version":"0.1.0" '), (b'"targets": {}', b'"targets":{} '),
     (b'"rtol": 0.0', b'"rtol": NaN'), (b'"rtol": 0.0', b'"rtol": 1e9999'), (b'"cases": 1,', b'"cases":"1"'),
     (b'"format_version": "1.1"', b'"format_version": "2.1"')],
)  # fmt: skip
def test_a_forged_manifest_with_right_checksums_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    raw = manifest_of(CONTENT).to_bytes()
    assert old in raw
    files = manifest_of(CONTENT).files
    path = tmp_path / "forged.edge"
    path.write_bytes(
        forged(raw.replace(old, new), {files[name].sha256: data for name, data in CONTENT.items()})
    )
    refused(path)


def test_a_duplicate_key_in_the_manifest_is_refused(tmp_path: Path) -> None:
    raw = manifest_of(CONTENT).to_bytes().replace(
        b'  "name": "sample",\n', b'  "name": "sample",\n  "name": "sample",\n'
    )  # fmt: skip
    files = manifest_of(CONTENT).files
    path = tmp_path / "twice.edge"
    path.write_bytes(forged(raw, {files[name].sha256: data for name, data in CONTENT.items()}))
    assert "canonical" in str(refused(path))


def test_content_that_does_not_fit_its_digest_is_refused(tmp_path: Path) -> None:
    files = manifest_of(CONTENT).files
    blobs = {files[name].sha256: data for name, data in CONTENT.items()}
    blobs[files["golden/float32.npz"].sha256] = bytes(77)
    path = tmp_path / "swapped.edge"
    path.write_bytes(forged(manifest_of(CONTENT).to_bytes(), blobs))
    error = refused(path)
    assert "golden/float32.npz" in str(error)


@pytest.mark.parametrize("kind", ["missing", "folder", "device", "text"])
def test_what_is_no_bundle_at_all_is_a_bundle_error(tmp_path: Path, kind: str) -> None:
    path = {"missing": tmp_path / "none.edge", "folder": tmp_path, "device": Path("/dev/zero")}.get(kind)
    if path is None:
        path = tmp_path / "text.edge"
        path.write_text("hello")
    refused(path)


def test_a_size_that_no_zip_can_hold_is_refused() -> None:
    with pytest.raises(BundleError, match="bytes"):
        lay_out(10, {"a": FileEntry(sha256="0" * 64, size=2**32)})
    with pytest.raises(BundleError, match="two sizes"):
        lay_out(10, {"a": FileEntry(sha256="0" * 64, size=1), "b": FileEntry(sha256="0" * 64, size=2)})


@pytest.mark.parametrize("name", ["image", "a" * 400])
@pytest.mark.parametrize("compressed", [True, False])
def test_an_archive_of_arrays_is_named_as_what_it_is(tmp_path: Path, name: str, compressed: bool) -> None:
    """NumPy streams into the archive, so that the first header's sizes say nothing."""
    path = tmp_path / "calibration.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, **{name: np.zeros((2, 3), np.float32)})
    with pytest.raises(BundleError, match="is not an edge bundle") as caught:
        Bundle.open(path)
    assert f"starts with '{name[:70]}" in (caught.value.why or "")
    if len(name) < 100:
        assert "NumPy" in (caught.value.hint or "")


def test_another_zip_archive_is_no_bundle(tmp_path: Path) -> None:
    for name in ("model.json", "Manifest.json", "manifest.jsonx"):
        with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
            archive.writestr(name, b"x" * 100)
        with pytest.raises(BundleError, match="is not an edge bundle"):
            Bundle.open(tmp_path / "other.zip")

from __future__ import annotations

import json
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.bundle.archive import Bundle, write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.layout import ALIGNMENT
from edge_sdk.bundle.manifest import FileEntry, Manifest, Variant
from edge_sdk.bundle.release_record import ReleaseRecord, release_name
from edge_sdk.errors import BundleError, ConfigError, DigestMismatchError
from edge_sdk.progress import Step
from tests.bundle.samples import CONTENT, manifest_of, names, sample, unknown


def release_folder(folder: Path, manifest: Manifest | None = None) -> Path:
    """Lay a release out as the keeper does: files are relative links to blobs."""
    manifest = manifest or manifest_of(CONTENT)
    raw = manifest.to_bytes()
    release = folder / "releases" / release_name(7, sha256_of(raw))
    for name, data in CONTENT.items():
        blob = folder / "blobs" / sha256_of(data)
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(data)
        link = release / "files" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (release / "manifest.json").write_bytes(raw)
    record = ReleaseRecord(
        target="host",
        variant="float32",
        release=release.name,
        sequence=7,
        manifest_sha256=sha256_of(raw),
    )
    (release / "release.json").write_bytes(record.to_bytes())
    return release


def test_a_bundle_gives_back_what_went_in(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sample.edge"
    digest = write_bundle(path, manifest_of(CONTENT), CONTENT)
    assert digest == sha256_of(path)
    assert list(path.parent.iterdir()) == [path]
    with Bundle.open(path) as bundle:
        assert bundle.manifest == manifest_of(CONTENT)
        assert bundle.manifest_bytes == manifest_of(CONTENT).to_bytes()
        assert bundle.release is None
        assert {name: bundle.read(name) for name in bundle.manifest.files} == CONTENT
        assert bundle.has("empty.bin")
        assert not bundle.has("other")
        assert bundle.file_path("empty.bin") is None
        bundle.verify()
    bundle.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(names, st.binary(max_size=300), max_size=5), extra=unknown)
def test_any_content_round_trips_and_has_one_form(
    tmp_path: Path, content: dict[str, bytes], extra: dict[str, object]
) -> None:
    lowered = {name.lower() for name in content}
    if len(lowered) != len(content) or any(
        name.startswith(f"{other}/") for name in lowered for other in lowered
    ):
        return
    manifest = manifest_of(content, variants=(), extra=extra)
    first = write_bundle(tmp_path / "a.edge", manifest, content)
    with Bundle.open(tmp_path / "a.edge") as bundle:
        bundle.verify()
        back = {name: bundle.read(name) for name in bundle.manifest.files}
        assert back == content
        assert write_bundle(tmp_path / "b.edge", bundle.manifest, back) == first


def test_the_order_in_which_files_are_given_does_not_matter(tmp_path: Path) -> None:
    backwards = dict(reversed(CONTENT.items()))
    one = write_bundle(tmp_path / "a.edge", manifest_of(CONTENT), CONTENT)
    two = write_bundle(tmp_path / "b.edge", manifest_of(backwards), backwards)
    assert one == two


def test_ordinary_zip_tools_can_look_into_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(sample(tmp_path)) as archive:
        assert archive.testzip() is None
        members = archive.infolist()
        assert [member.filename for member in members] == [
            "manifest.json",
            *sorted(f"blobs/{digest}" for digest in {sha256_of(data) for data in CONTENT.values()}),
        ]
        assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
        assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(archive.read("manifest.json"))["format"] == "edge-bundle"


def test_content_can_be_mapped_into_memory_as_it_lies(tmp_path: Path) -> None:
    raw = sample(tmp_path).read_bytes()
    for data in CONTENT.values():
        if data:
            assert raw.index(data) % ALIGNMENT == 0


def test_content_may_come_from_files(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.write_bytes(CONTENT["models/float32.tflite"])
    same = write_bundle(
        tmp_path / "a.edge", manifest_of(CONTENT), {**CONTENT, "models/float32.tflite": source}
    )
    assert same == sha256_of(sample(tmp_path))


def test_manifest_and_content_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.edge"
    with pytest.raises(BundleError, match=r"other\.bin"):
        write_bundle(path, manifest_of(CONTENT), {**CONTENT, "other.bin": b""})
    with pytest.raises(BundleError, match=r"empty\.bin"):
        write_bundle(path, manifest_of(CONTENT), {k: v for k, v in CONTENT.items() if k != "empty.bin"})
    with pytest.raises(DigestMismatchError):
        write_bundle(path, manifest_of(CONTENT), {**CONTENT, "empty.bin": b"no longer"})
    wrong = {**manifest_of(CONTENT).files, "empty.bin": FileEntry(sha256=sha256_of(b""), size=1)}
    with pytest.raises(BundleError, match="0 bytes"):
        write_bundle(path, manifest_of(CONTENT, files=wrong), CONTENT)
    with pytest.raises(ConfigError):
        write_bundle(path, manifest_of(CONTENT), {**CONTENT, "empty.bin": tmp_path / "missing"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_while_it_is_packed_is_noticed(tmp_path: Path) -> None:
    data = CONTENT["models/float32.tflite"]
    (tmp_path / "model").write_bytes(data)
    readings: list[int] = []

    class Restless(type(tmp_path)):  # type: ignore[misc]
        """A file that somebody rewrites between the reading for its CRC and the one that packs it."""

        def open(self, *arguments: Any, **options: Any) -> Any:
            readings.append(1)
            if len(readings) == 2:
                self.write_bytes_behind()
            return super().open(*arguments, **options)

        def write_bytes_behind(self) -> None:
            Path(str(self)).write_bytes(b"X" * len(data))

    path = tmp_path / "a.edge"
    with pytest.raises(BundleError, match="changed while"):
        write_bundle(
            path, manifest_of(CONTENT), {**CONTENT, "models/float32.tflite": Restless(tmp_path / "model")}
        )
    assert not path.exists()


def test_an_old_bundle_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = sample(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ConfigError):
        write_bundle(path, manifest_of(CONTENT), {**CONTENT, "empty.bin": tmp_path / "missing"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_extract_writes_whole_files_or_none(tmp_path: Path) -> None:
    with Bundle.open(sample(tmp_path)) as bundle:
        bundle.extract("golden/float32.npz", tmp_path / "out" / "g.npz")
        assert (tmp_path / "out" / "g.npz").read_bytes() == CONTENT["golden/float32.npz"]
        with pytest.raises(BundleError, match="no file"):
            bundle.extract("../etc/passwd", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_threads_read_one_bundle_at_once(tmp_path: Path) -> None:
    content = {f"f{i}": os.urandom(200_000) for i in range(8)}
    write_bundle(tmp_path / "a.edge", manifest_of(content, variants=()), content)
    failures: list[str] = []
    with Bundle.open(tmp_path / "a.edge") as bundle:

        def check(name: str) -> None:
            for _ in range(5):
                if bundle.read(name) != content[name]:
                    failures.append(name)

        threads = [threading.Thread(target=check, args=(name,)) for name in content]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_verify_reports_progress_up_to_the_end(tmp_path: Path) -> None:
    steps: list[Step] = []
    with Bundle.open(sample(tmp_path)) as bundle:
        bundle.verify(steps.append)
    fractions = [step.fraction or 0.0 for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {step.stage for step in steps} == {"verify"}


def test_a_release_directory_reads_like_a_bundle(tmp_path: Path) -> None:
    folder = release_folder(tmp_path)
    with Bundle.open(folder) as bundle:
        assert bundle.manifest == manifest_of(CONTENT)
        assert bundle.release is not None
        assert bundle.release.variant == "float32"
        assert bundle.read("golden/float32.npz") == CONTENT["golden/float32.npz"]
        assert bundle.file_path("models/float32.tflite") == folder / "files" / "models" / "float32.tflite"
        bundle.verify()


def test_a_release_directory_holds_what_its_variant_needs(tmp_path: Path) -> None:
    two = manifest_of(CONTENT).variants[0]
    content = {**CONTENT, "models/other.tflite": b"other"}
    other = Variant(
        id="other", format="tflite", recipe="x", file="models/other.tflite", signatures=two.signatures
    )
    manifest = manifest_of(content, variants=(two, other))
    assert set(manifest.needed_by("float32")) == set(CONTENT)
    assert set(manifest.needed_by("other")) == {"models/other.tflite", "models/copy.tflite", "empty.bin"}
    folder = release_folder(tmp_path, manifest)
    with Bundle.open(folder) as bundle:
        bundle.verify()
        assert bundle.names() == sorted(CONTENT)
        with pytest.raises(BundleError, match="missing"):
            bundle.read("models/other.tflite")
    (folder / "files" / "models" / "other.tflite").write_bytes(b"OTHER")
    with Bundle.open(folder) as bundle, pytest.raises(DigestMismatchError):
        bundle.verify()
    (folder / "files" / "models" / "other.tflite").unlink()
    (folder / "files" / "empty.bin").unlink()
    with Bundle.open(folder) as bundle, pytest.raises(BundleError, match="missing"):
        bundle.verify()


def test_a_damaged_release_directory_is_refused(tmp_path: Path) -> None:
    folder = release_folder(tmp_path)
    blob = (folder / "files" / "golden" / "float32.npz").resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"\xff")
    with Bundle.open(folder) as bundle:
        with pytest.raises(DigestMismatchError):
            bundle.file_path("golden/float32.npz")
        with pytest.raises(DigestMismatchError):
            bundle.verify()
    blob.write_bytes(b"short")
    with Bundle.open(folder) as bundle, pytest.raises(BundleError, match="5 bytes"):
        bundle.read("golden/float32.npz")
    blob.unlink()
    with Bundle.open(folder) as bundle, pytest.raises(BundleError, match="missing"):
        bundle.read("golden/float32.npz")


def test_a_file_beside_the_listed_ones_is_found(tmp_path: Path) -> None:
    folder = release_folder(tmp_path)
    (folder / "files" / "extra.so").write_bytes(b"")
    with Bundle.open(folder) as bundle, pytest.raises(BundleError, match=r"extra\.so"):
        bundle.verify()


def test_a_release_with_another_manifest_is_refused(tmp_path: Path) -> None:
    folder = release_folder(tmp_path)
    other = manifest_of(CONTENT, version="0.2.0").to_bytes()
    (folder / "manifest.json").write_bytes(other)
    with pytest.raises(DigestMismatchError):
        Bundle.open(folder)


@pytest.mark.parametrize("missing", ["manifest.json", "release.json"])
def test_a_folder_that_is_no_release_is_refused(tmp_path: Path, missing: str) -> None:
    folder = release_folder(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(BundleError, match="not a release directory"):
        Bundle.open(folder)


def test_release_records_are_checked() -> None:
    good = ReleaseRecord(
        variant="float32", release="3-" + "a" * 12, sequence=3, manifest_sha256="a" * 64, extra={"later": 1}
    )
    assert ReleaseRecord.from_bytes(good.to_bytes()) == good
    data = json.loads(good.to_bytes())
    for change in (
        {"release": "4-" + "a" * 12},
        {"release": "../x"},
        {"sequence": -3},
        {"manifest_sha256": "a"},
        {"variant": "../x"},
        {"target": "/x"},
        {"variant": None},
    ):
        with pytest.raises(BundleError):
            ReleaseRecord.from_bytes(json.dumps({**data, **change}).encode())
    for raw in (b"", b"[" * 5000, b"\xff", b" " * 100_000):
        with pytest.raises(BundleError):
            ReleaseRecord.from_bytes(raw)


def test_a_manifest_with_two_spellings_is_refused(tmp_path: Path) -> None:
    raw = manifest_of(CONTENT).to_bytes()
    assert Manifest.from_bytes(raw.replace(b"\n", b"\n ")) == manifest_of(CONTENT)  # readable, not canonical
    folder = release_folder(tmp_path)
    (folder / "manifest.json").write_bytes(raw.replace(b"\n", b"\n "))
    with pytest.raises(BundleError, match="canonical"):
        Bundle.open(folder)

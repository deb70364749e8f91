from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.bundle.archive import Bundle, write_bundle
from edge_sdk.bundle.digest import folder_digest, folder_files
from edge_sdk.bundle.extraction import extract_variant
from edge_sdk.errors import BundleError, ConfigError, DigestMismatchError
from tests.bundle.samples import CONTENT, PACKAGE, mixed, mixed_content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "mixed.edge", mixed(), mixed_content())
    return tmp_path / "mixed.edge"


def test_a_folder_comes_out_as_it_went_in(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "app/Models/Digits.mlpackage"
    with Bundle.open(path) as bundle:
        assert extract_variant(bundle, "coreml_int8", out) == out
        assert {name: file.read_bytes() for name, file in folder_files(out).items()} == PACKAGE
        assert folder_digest(out) == bundle.manifest.model_sha256("coreml_int8")
        assert [entry.name for entry in out.parent.iterdir()] == ["Digits.mlpackage"]
        before = (out / "Manifest.json").stat().st_ino
        extract_variant(bundle, "coreml_int8", str(out))
        assert (out / "Manifest.json").stat().st_ino == before


def test_a_file_comes_out_and_replaces_the_old_one(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "app/model.tflite"
    out.parent.mkdir()
    out.write_bytes(b"an older one")
    with Bundle.open(path) as bundle:
        extract_variant(bundle, "float32", out)
    assert out.read_bytes() == CONTENT["models/float32.tflite"]


def test_a_folder_that_holds_something_else_is_left_alone(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "Digits.mlpackage"
    with Bundle.open(path) as bundle:
        extract_variant(bundle, "coreml_int8", out)
        (out / "notes.txt").write_bytes(b"mine")
        with pytest.raises(ConfigError, match="is there already"):
            extract_variant(bundle, "coreml_int8", out)
        assert (out / "notes.txt").read_bytes() == b"mine"
        (tmp_path / "file").write_bytes(b"mine")
        (tmp_path / "loose").symlink_to("nowhere")
        for taken in ("file", "loose"):
            with pytest.raises(ConfigError, match="is there already"):
                extract_variant(bundle, "coreml_int8", tmp_path / taken)
        with pytest.raises(BundleError, match="no variant"):
            extract_variant(bundle, "coreml_int4", tmp_path / "new")


def test_nothing_is_left_of_one_that_is_damaged(path: Path, tmp_path: Path) -> None:
    raw = path.read_bytes()
    model = PACKAGE["Data/com.apple.CoreML/model.mlmodel"]
    path.write_bytes(raw.replace(model, model[:-1] + b"X"))
    with Bundle.open(path) as bundle, pytest.raises(DigestMismatchError):
        extract_variant(bundle, "coreml_int8", tmp_path / "out/Digits.mlpackage")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Bundle.open(path) as bundle, pytest.raises(ConfigError, match="cannot be written"):
        extract_variant(bundle, "coreml_int8", tmp_path / "file/Digits.mlpackage")

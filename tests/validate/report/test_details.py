"""Finding and reading what a build left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_sdk.errors import BundleError, ConfigError
from edge_sdk.validate.report.details import find_details, read_details


def put(folder: Path, **content: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "details.json").write_text(json.dumps({"schema": 1, **content}))
    return folder


def test_the_folder_the_bundle_the_file_and_the_folder_above_are_the_same_build(tmp_path: Path) -> None:
    folder = put(tmp_path / "build/digits")
    (tmp_path / "build/digits.edge").write_bytes(b"bundle")
    wanted = folder / "details.json"
    for given in (folder, tmp_path / "build/digits.edge", wanted, tmp_path / "build"):
        assert find_details(given) == wanted


def test_a_dot_in_a_name_is_no_suffix(tmp_path: Path) -> None:
    folder = put(tmp_path / "build/digits.v2")
    (tmp_path / "build/digits.v2.edge").write_bytes(b"")
    assert find_details(tmp_path / "build/digits.v2.edge") == folder / "details.json"


def test_several_builds_are_listed(tmp_path: Path) -> None:
    put(tmp_path / "build/a")
    put(tmp_path / "build/b")
    with pytest.raises(ConfigError, match="holds 2 builds"):
        find_details(tmp_path / "build")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder"):
        find_details(tmp_path / "nothing")
    (tmp_path / "lonely.edge").write_bytes(b"")
    with pytest.raises(ConfigError, match="a bundle alone does not carry"):
        find_details(tmp_path / "lonely.edge")


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, "\xff"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "details.json").write_text(content, "latin-1")
    with pytest.raises(ConfigError, match=r"not JSON|holds no object"):
        read_details(tmp_path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "a")
    (tmp_path / "a/details.json").write_text('{"schema": 2}')
    with pytest.raises(ConfigError, match="schema 2"):
        read_details(tmp_path / "a")


def test_details_of_another_bundle_are_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "digits", bundle_sha256="0" * 64)
    (tmp_path / "digits.edge").write_bytes(b"another")
    assert read_details(folder)["schema"] == 1
    with pytest.raises(BundleError, match="about another bundle"):
        read_details(tmp_path / "digits.edge")

"""The same source gives the same bytes, whatever the day, the process or the order."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from edge_sdk.bundle.digest import folder_digest
from tests.convert.coreml.conftest import Made, make

pytestmark = pytest.mark.tensorflow


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    names = ["two", "edges", "hostile", "shapes", "image", "plain", "recurrent"]
    first = make(tmp_path / "first", *names, seed="0")
    second = make(tmp_path / "second", *reversed(names), seed="12345")
    for name in names:
        assert folder_digest(first.path(name)) == folder_digest(second.path(name)), name


def test_identifiers_follow_from_the_content(made: Made) -> None:
    identifiers = set()
    for name in ("plain", "plain_float32", "image"):
        manifest = json.loads((made.path(name) / "Manifest.json").read_bytes())
        assert manifest["rootModelIdentifier"] in manifest["itemInfoEntries"]
        for identifier, entry in manifest["itemInfoEntries"].items():
            assert str(uuid.UUID(identifier)) == identifier
            assert (made.path(name) / "Data" / entry["path"]).exists()
            identifiers.add(identifier)
    assert len(identifiers) >= 5  # image and plain have the same weights


def test_a_package_does_not_tell_the_day_or_the_place(made: Made) -> None:
    assert "conversion_date" not in json.dumps(made.answers["plain"])
    for name in ("plain", "two"):
        for path in made.path(name).rglob("*"):
            if path.is_file():
                assert b"/tmp" not in path.read_bytes()
            assert path.stat().st_mode & 0o444 == 0o444, path


def test_finishing_twice_changes_nothing(made: Made) -> None:
    once, twice = made.answers["finished twice"]
    assert once == twice

"""Blobs: whole or absent, checked when used, and nothing planted is followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_sdk.errors import DigestMismatchError, RemoteError
from edge_sdk.keeper.disk import Disk
from tests.keeper.harness import open_shop, refusal
from tests.keeper.releases import digest

DATA = b"content " * 1000
NAME = digest(DATA)


class BadCard(Disk):
    """A card that stores something else than it was given, of the right size."""

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        super().write(descriptor, bytes(data).replace(b"content", b"kontent"))


def test_a_card_that_returns_something_else_is_found(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "edge", BadCard())
    error = refusal(shop.store.receive, NAME, len(DATA), [DATA])
    assert isinstance(error, DigestMismatchError)
    assert "storage" in error.what
    assert "SD card" in str(error.hint)
    assert not shop.store.is_intact(NAME)
    assert shop.layout.blob_names() == []
    assert list(shop.layout.incoming.iterdir()) == []


def test_a_damaged_blob_is_missing_and_replaced(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    open_shop(root).store.receive(NAME, len(DATA), [DATA])
    shop = open_shop(root)
    path = shop.store.path(NAME)
    path.chmod(0o644)
    path.write_bytes(DATA[:-1] + b"?")
    assert not shop.store.is_intact(NAME)
    assert isinstance(refusal(shop.store.check, NAME), DigestMismatchError)
    assert isinstance(refusal(shop.store.read, NAME, limit=10**6), DigestMismatchError)
    assert shop.store.receive(NAME, len(DATA), [DATA]) is True
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("pieces", [[], [DATA[:-1]], [DATA, b"x"], [DATA[::-1]]])
def test_what_is_not_the_blob_leaves_nothing(tmp_path: Path, pieces: list[bytes]) -> None:
    shop = open_shop(tmp_path / "edge")
    assert refusal(shop.store.receive, NAME, len(DATA), pieces).exit_code in (5, 6)
    assert shop.layout.blob_names() == []
    assert list(shop.layout.incoming.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_something_planted_as_a_blob_is_not_read(tmp_path: Path, kind: str) -> None:
    shop = open_shop(tmp_path / "edge")
    secret = tmp_path / "secret"
    secret.write_bytes(DATA)
    path = shop.store.path(NAME)
    path.parent.mkdir()
    {"link": lambda: path.symlink_to(secret), "fifo": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    assert not shop.store.is_intact(NAME)
    assert isinstance(refusal(shop.store.check, NAME), RemoteError)
    assert "not a regular file" in str(refusal(shop.store.read, NAME, limit=10**6))


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_something_planted_in_incoming_is_replaced_not_followed(tmp_path: Path, kind: str) -> None:
    shop = open_shop(tmp_path / "edge")
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    part = shop.layout.part(NAME)
    {"link": lambda: part.symlink_to(victim), "fifo": lambda: os.mkfifo(part)}[kind]()
    assert shop.store.receive(NAME, len(DATA), [DATA])
    assert victim.read_bytes() == b"mine"
    assert not shop.store.path(NAME).is_symlink()


def test_a_room_that_is_a_link_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    open_shop(root)
    (root / "incoming").rmdir()
    (root / "incoming").symlink_to(tmp_path)
    assert "incoming is not a folder" in str(refusal(open_shop, root))


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "edge").symlink_to("large disk")
    assert open_shop(tmp_path / "edge").store.receive(NAME, len(DATA), [DATA])
    assert (tmp_path / "large disk/blobs/sha256" / NAME[:2] / NAME).is_file()


@pytest.mark.parametrize("name", ["", "x" * 64, NAME.upper(), "../" + NAME, NAME + "\n", None, 7])
def test_only_digests_name_blobs(tmp_path: Path, name: object) -> None:
    shop = open_shop(tmp_path / "edge")
    assert "not a SHA-256" in str(refusal(shop.layout.blob, name))

"""What a disk may hold after a power cut: an adversary's view of the operations that a keeper made.

`RecordingDisk` carries out and records. `Model` replays records on a model of a file system in which
- a name that was made, replaced or removed is sure only once its folder was synced; until then each such
  change may have happened or not, independently of the others;
- the content of a file is sure only once the file was synced; until then it may be empty, half or whole.

That is harsher than ext4, whose journal keeps an order; file systems without one exist on boards.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from edge_sdk.keeper.disk import Disk

Record = tuple[Any, ...]


class RecordingDisk(Disk):
    """Carries out every operation and writes it down.

    Args:
        root: Names are recorded relative to it.
        ignore: Names of operations that are recorded as not done (to show that the test has teeth).
    """

    def __init__(self, root: Path, *, ignore: tuple[str, ...] = ()) -> None:
        self.root = root
        self.ignore = ignore
        self.records: list[Record] = []
        self._open: dict[int, str] = {}

    def make_folder(self, path: Path, mode: int = 0o755) -> None:
        super().make_folder(path, mode)
        self._note("make_folder", self._name(path))

    def create(self, path: Path, mode: int = 0o644) -> int:
        descriptor = super().create(path, mode)
        self._open[descriptor] = self._name(path)
        self._note("create", self._name(path))
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        super().write(descriptor, data)
        self._note("write", self._open[descriptor], bytes(data))

    def sync_file(self, descriptor: int) -> None:
        self._note("sync_file", self._open[descriptor])

    def sync_folder(self, path: Path) -> None:
        self._note("sync_folder", self._name(path))

    def sync_tree(self, path: Path) -> None:
        self._note("sync_tree", self._name(path))

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._note("rename", self._name(source), self._name(target))

    def link(self, text: str, path: Path) -> None:
        super().link(text, path)
        self._note("link", self._name(path), text)

    def remove(self, path: Path) -> None:
        super().remove(path)
        self._note("remove", self._name(path))

    def remove_folder(self, path: Path) -> None:
        super().remove_folder(path)
        self._note("remove", self._name(path))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _note(self, act: str, *values: Any) -> None:
        if act not in self.ignore:
            self.records.append((act, *values))


@dataclass
class Node:
    """A file, a link or a folder; `entries` is what runs, `sure` what a cut cannot take."""

    kind: str
    data: bytes = b""
    sure_data: bytes = b""
    is_synced: bool = True
    entries: dict[str, Node] = field(default_factory=dict)
    sure: dict[str, Node] = field(default_factory=dict)
    pending: list[tuple[str, Node | None]] = field(default_factory=list)

    def change(self, name: str, node: Node | None) -> None:
        if node is None:
            self.entries.pop(name)
        else:
            self.entries[name] = node
        self.pending.append((name, node))

    def sync(self) -> None:
        self.sure, self.pending = dict(self.entries), []


class Model:
    """A file system that remembers what is sure."""

    def __init__(self, root: Path) -> None:
        self.top = _read(root)

    def apply(self, record: Record) -> None:
        """Carry out one recorded operation."""
        act, name, *rest = record
        parent, last = self._place(name)
        if act == "make_folder":
            parent.change(last, Node("folder"))
        elif act == "create":
            parent.change(last, Node("file", is_synced=False))
        elif act == "link":
            parent.change(last, Node("link", data=rest[0].encode()))
        elif act == "write":
            node = parent.entries[last]
            node.data += rest[0]
        elif act == "sync_file":
            node = parent.entries[last]
            node.sure_data, node.is_synced = node.data, True
        elif act == "rename":
            node = parent.entries[last]
            target, new = self._place(rest[0])
            target.change(new, node)
            parent.change(last, None)
        elif act == "remove":
            parent.change(last, None)
        elif act == "sync_folder":
            self._node(name).sync()
        elif act == "sync_tree":
            _sync_tree(self._node(name))
        else:
            raise AssertionError(record)

    def after_cut(self, chance: random.Random) -> Node:
        """Return one tree that a power cut at this moment may leave."""
        return _survivor(self.top, chance)

    def _place(self, name: str) -> tuple[Node, str]:
        path = PurePosixPath(name)
        return self._node(path.parent.as_posix()), path.name

    def _node(self, name: str) -> Node:
        node = self.top
        for part in PurePosixPath(name).parts:
            node = node.entries[part]
        return node


def broken(top: Node, *, may_be_absent: bool) -> str | None:
    """Return what is wrong with `current` and `good`; written against the documented layout alone."""
    for link in ("current", "good"):
        if link not in top.entries:
            if may_be_absent:
                continue
            return f"{link} is gone"
        fault = _fault(top, top.entries[link].data.decode())
        if fault:
            return f"{link}: {fault}"
    return None


def current_of(top: Node) -> str | None:
    node = top.entries.get("current")
    return node.data.decode().partition("/")[2] if node else None


def write_out(node: Node, path: Path) -> None:
    """Make the tree real, to let a keeper recover from it."""
    path.mkdir()
    for name, child in node.entries.items():
        if child.kind == "folder":
            write_out(child, path / name)
        elif child.kind == "link":
            (path / name).symlink_to(child.data.decode())
        else:
            (path / name).write_bytes(child.data)


def read_tree(root: Path) -> Node:
    return _read(root)


def _fault(top: Node, text: str) -> str | None:
    folder, _, name = text.partition("/")
    release = top.entries.get(folder, Node("folder")).entries.get(name)
    if folder != "releases" or release is None or release.kind != "folder":
        return f"{text} leads nowhere"
    try:
        record = json.loads(release.entries["release.json"].data)
        raw = release.entries["manifest.json"].data
    except (KeyError, ValueError) as failure:
        return f"{name}: {failure!r}"
    if hashlib.sha256(raw).hexdigest() != record["manifest_sha256"] or record["release"] != name:
        return f"{name}: the manifest is not the one that was installed"
    manifest = json.loads(raw)
    variant = next(item for item in manifest["variants"] if item["id"] == record["variant"])
    for file in (variant["file"], variant["golden"]["file"], "labels.txt"):
        node = release.entries.get("files", Node("folder"))
        for part in file.split("/"):
            node = node.entries.get(part, Node("folder"))
        if node.kind != "link":
            return f"{name}: no {file}"
        place = PurePosixPath(os.path.normpath(f"releases/{name}/files/{file}/../{node.data.decode()}"))
        blob = top
        for part in place.parts:
            blob = blob.entries.get(part, Node("folder"))
        if hashlib.sha256(blob.data).hexdigest() != manifest["files"][file]["sha256"]:
            return f"{name}: {file} is damaged or missing"
    return None


def _read(path: Path) -> Node:
    if path.is_symlink():
        return Node("link", data=str(path.readlink()).encode())
    if path.is_file():
        data = path.read_bytes()
        return Node("file", data=data, sure_data=data)
    node = Node("folder", entries={child.name: _read(child) for child in path.iterdir()})
    node.sync()
    return node


def _sync_tree(node: Node) -> None:
    node.sync()
    node.sure_data, node.is_synced = node.data, True
    for child in node.entries.values():
        _sync_tree(child)


def _survivor(node: Node, chance: random.Random) -> Node:
    if node.kind == "link":
        return Node("link", data=node.data)
    if node.kind == "file":
        lost = b"" if node.is_synced else node.data[: chance.choice((0, len(node.data) // 2, len(node.data)))]
        return Node("file", data=node.sure_data if node.is_synced else lost)
    entries = dict(node.sure)
    for name, child in node.pending:
        if chance.random() < 0.5:
            if child is None:
                entries.pop(name, None)
            else:
                entries[name] = child
    return Node("folder", entries={name: _survivor(child, chance) for name, child in entries.items()})

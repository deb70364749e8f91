"""Sweeps what an interrupted act left behind, and collects what nothing needs. Always under the lock.

Kept: the current release, the good one, the one a rollback leads to, and the newest `KEEP_RELEASES` others.
Releases go first, then the blobs that no manifest names; so at no moment does a release that is still
listed lack a blob. Where a manifest cannot be read, no blob is removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import EdgeError, NoSpaceError
from edge_sdk.keeper.disk import TEMPORARY, Disk, free_bytes, remove_tree, reserve_bytes
from edge_sdk.keeper.journal import Journal
from edge_sdk.keeper.layout import Layout
from edge_sdk.keeper.store import BlobStore

#: Releases kept beside the current, the good and the previous one: they cost what their blobs cost.
KEEP_RELEASES = 2
_SCRATCH = re.compile(r"predict-([0-9]+)-.*")
_IN_USE_SECONDS = 3600.0


@dataclass(frozen=True)
class Workshop:
    """What every act on a root needs, in one hand."""

    layout: Layout
    disk: Disk
    store: BlobStore
    journal: Journal

    @classmethod
    def open(cls, root: Path, disk: Disk | None = None) -> Workshop:
        """Open a root; its folders are made where they are missing.

        Raises:
            RemoteError: The root cannot be trusted.
            OSError: It cannot be made.
        """
        disk = disk or Disk()
        layout = Layout(root)
        layout.prepare(disk)
        return cls(layout, disk, BlobStore(layout, disk), Journal(layout, disk))


def scratch_folder(layout: Layout) -> Path:
    """Return a folder name for this process's passing files; it is swept when the process is gone."""
    return layout.incoming / f"predict-{os.getpid()}-{time.monotonic_ns()}"


def sweep(shop: Workshop) -> list[str]:
    """Remove everything under construction; nobody else can be constructing, the lock is ours.

    Returns:
        Names of what was removed, relative to the root.
    """
    layout = shop.layout
    leftovers = [path for path in sorted(layout.incoming.iterdir()) if not _alive(path)]
    for folder in (layout.root, layout.releases, layout.environments, layout.state, layout.launchers):
        leftovers += sorted(folder.glob("*" + TEMPORARY))
    # The bootstrap writes here without the lock: leave what may still be in its hands.
    leftovers += [path for path in sorted(layout.code.glob("*" + TEMPORARY)) if _old_or_folder(path)]
    removed = []
    for path in leftovers:
        with contextlib.suppress(OSError):  # what cannot be removed now is tried again next time
            remove_tree(shop.disk, path)
            removed.append(str(path.relative_to(layout.root)))
    if removed:
        shop.journal.note("swept what an interrupted act left: " + ", ".join(removed))
    return removed


def collect(shop: Workshop, *, keep: int = KEEP_RELEASES) -> list[str]:
    """Remove releases, blobs, environments and codes that nothing needs.

    Args:
        shop: The root.
        keep: How many further releases, environments and codes stay (0 to make room).

    Returns:
        Names of what was removed, relative to the root.

    Raises:
        OSError: Something could not be removed; what was removed before stays removed.
    """
    removed = _collect_releases(shop, keep) + _collect_blobs(shop)
    layout = shop.layout
    for folder, names, active in (
        (layout.environments, layout.environment_names(), layout.current_environment()),
        (layout.code, layout.code_names(), layout.current_code_identity()),
    ):
        others = sorted((name for name in names if name != active), key=lambda name: _age(folder / name))
        for name in others[min(keep, 1) :]:
            if not _runs_from(folder / name):
                removed.append(_discard(shop, folder / name))
    for path in sorted(layout.code.glob("*.zip")):
        if not _runs_from(path) and _old_or_folder(path):
            shop.disk.remove(path)
            removed.append(str(path.relative_to(layout.root)))
    if removed:
        shop.journal.note("collected " + ", ".join(removed))
    return removed


def make_room(shop: Workshop, needed: int) -> None:
    """Make sure that `needed` bytes can be written and the reserve stays free; collect where it helps.

    Raises:
        NoSpaceError: There is not enough room even then; nothing was written.
        OSError: Something could not be removed.
    """
    root = shop.layout.root
    wanted = needed + reserve_bytes(root)
    if free_bytes(root) >= wanted:
        return
    collect(shop, keep=0)
    available = free_bytes(root)
    if available < wanted:
        raise NoSpaceError(str(root), needed=wanted, available=available)


def _collect_releases(shop: Workshop, keep: int) -> list[str]:
    from edge_sdk.keeper.releases import previous_release, replaced_release

    layout = shop.layout
    names = layout.release_names()
    # Where almost nothing is kept, what a rollback would lead to is read in full: it must not be damaged.
    previous = replaced_release(layout) if keep else previous_release(layout, shop.store)
    pinned = {layout.current_release(), layout.good_release(), previous}
    others = [name for name in names if name not in pinned]
    doomed = others[: max(0, len(others) - keep)]
    return [_discard(shop, layout.releases / name) for name in doomed]


def _collect_blobs(shop: Workshop) -> list[str]:
    from edge_sdk.keeper.releases import read_release

    layout = shop.layout
    wanted: set[str] = set(shop.store.received)
    for name in layout.release_names():
        try:
            release = read_release(layout, name)
        except (EdgeError, OSError) as failure:
            shop.journal.note(f"no blob is collected: release {name} cannot be read: {failure}")
            return []
        wanted.add(release.record.manifest_sha256)
        wanted.update(entry.sha256 for entry in release.manifest.files.values())
    removed = []
    for sha256 in layout.blob_names():
        if sha256 not in wanted:
            shop.store.remove(sha256)
            removed.append(f"blob {sha256[:12]}")
    return removed


def _discard(shop: Workshop, folder: Path) -> str:
    # Renamed first: a half-removed folder is never taken for a whole one.
    doomed = folder.with_name(folder.name + TEMPORARY)
    remove_tree(shop.disk, doomed)
    shop.disk.rename(folder, doomed)
    shop.disk.sync_folder(folder.parent)
    remove_tree(shop.disk, doomed)
    return str(folder.relative_to(shop.layout.root))


def _alive(path: Path) -> bool:
    match = _SCRATCH.fullmatch(path.name)
    return match is not None and Path(f"/proc/{match[1]}").exists()


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _old_or_folder(path: Path) -> bool:
    return _age(path) > _IN_USE_SECONDS or (path.is_dir() and not path.is_symlink())


def _runs_from(path: Path) -> bool:
    return os.path.realpath(path) in map(os.path.realpath, sys.path)

"""Installs a release and returns to an earlier one. The order of the steps is the safety.

    check the manifest and that every file is here, undamaged      nothing written yet
    build releases/<name>.tmp, fsync every file and folder         a cut leaves a .tmp that is swept
    trial in a child, the old release still serving                a bad model changes nothing
    rename to releases/<name>, fsync releases/                     now it is a release that passed
    switch `current`, fsync the root                               old or new, never none
    switch `good`, fsync the root

`current` != `good` can only be seen after a cut between the last two steps; `finish_switch` completes them.
The room for a trial *period* is here: later, `good` follows when the new release has served for a while.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import MAX_MANIFEST_BYTES, Manifest
from edge_sdk.bundle.release_record import ReleaseRecord, release_name
from edge_sdk.errors import BundleError, EdgeError, GateError, IncompatibleTargetError, RemoteError
from edge_sdk.keeper.cleanup import Workshop, collect, make_room
from edge_sdk.keeper.disk import TEMPORARY, Disk, remove_tree, switch_links
from edge_sdk.keeper.facts import architecture
from edge_sdk.keeper.launch import environment_folder
from edge_sdk.keeper.layout import Layout, check_release_name, sequence_of
from edge_sdk.keeper.releases import (
    ENVIRONMENT,
    FILES_FOLDER,
    MANIFEST_FILE,
    PREVIOUS,
    RECORD_FILE,
    check_release,
    is_complete,
    link_text,
    previous_release,
    read_release,
    replaced_release,
)
from edge_sdk.keeper.trial import Limits, run_trial
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.runtime.selection import runnable_variant

Try = Callable[[Layout, Path], dict[str, Any]]
"""Runs the trial of a release folder; raises EdgeError where it fails."""


def install(
    shop: Workshop,
    manifest_sha256: str,
    *,
    target: str | None = None,
    variant: str | None = None,
    limits: Limits | None = None,
    progress: Progress = silent,
    trial: Try | None = None,
) -> dict[str, Any]:
    """Make a release of blobs that are here, try it, and switch to it. The lock is held.

    Args:
        shop: The root.
        manifest_sha256: The manifest, a blob.
        target: Which of the manifest's targets this board is.
        variant: Which variant to run; the target's first one by default.
        limits: What the trial may use.
        progress: Told the steps.
        trial: What runs the trial; the runner's golden vectors by default.

    Returns:
        {"release", "changed", "previous", "trial"}.

    Raises:
        BundleError: The manifest or a file is wrong, damaged, or not for this board.
        GateError: The trial failed.
        NoSpaceError: There is not enough room.
        RemoteError: A blob is missing, or the board is not set up.
        OSError: The disk failed.
    """
    layout = shop.layout
    started = time.monotonic()
    progress(Step("check", "reading every file again"))
    raw = shop.store.read(manifest_sha256, limit=MAX_MANIFEST_BYTES)
    manifest = Manifest.from_bytes(raw)
    chosen = choose_variant(manifest, target, variant)
    _check_board(manifest, target)
    files = manifest.needed_by(chosen)
    for name, entry in files.items():
        shop.store.check(entry.sha256, name=name)
        size = shop.store.path(entry.sha256).stat().st_size
        if size != entry.size:
            raise BundleError(f"{name} has {size:,} bytes", why=f"the manifest says {entry.size:,}")
    unchanged = _already_current(shop, manifest_sha256, target, chosen)
    if unchanged is not None:
        return {
            "release": unchanged,
            "changed": False,
            "previous": replaced_release(layout),
            "trial": None,
        }

    make_room(shop, len(raw) + 4096 * (len(files) + 8))
    previous = layout.current_release()
    sequence = next_sequence(shop)
    name = release_name(sequence, manifest_sha256)
    folder = layout.releases / (name + TEMPORARY)
    environment = environment_folder(layout) if trial is None else None
    record = ReleaseRecord(
        target=target,
        variant=chosen,
        release=name,
        sequence=sequence,
        manifest_sha256=manifest_sha256,
        extra={PREVIOUS: previous, ENVIRONMENT: environment.name if environment else None},
    )
    try:
        progress(Step("install", f"laying out release {name}"))
        _build(shop.disk, folder, raw, record, {file: entry.sha256 for file, entry in files.items()})
        progress(Step("trial", "running the golden vectors"))
        if trial is not None:
            report = trial(layout, folder)
        else:
            assert environment is not None
            _check_golden(manifest, chosen)
            report = run_trial(layout, folder, environment=environment, limits=limits or Limits())
        progress(Step("switch", f"switching to release {name}"))
        shop.disk.rename(folder, layout.releases / name)
        shop.disk.sync_folder(layout.releases)
    except BaseException as failure:
        _forget(shop, folder)
        if isinstance(failure, EdgeError):
            _report(shop, "install", name, started, error=failure)
        raise
    _point(shop, name)
    shop.journal.note(f"installed {name} ({manifest.name} {manifest.version}, {chosen}); before: {previous}")
    _report(shop, "install", name, started, previous=previous, trial=report)
    _collect_quietly(shop)
    return {"release": name, "changed": True, "previous": previous, "trial": report}


def rollback(shop: Workshop, to: str | None = None, *, progress: Progress = silent) -> dict[str, Any]:
    """Switch to an earlier release. The lock is held.

    Every file is read again first. The golden vectors are not run: the release passed them before it ever
    became current, and a rollback must be quick.

    Args:
        shop: The root.
        to: The release; by default the one that the current release replaced.
        progress: Told the steps.

    Returns:
        {"release", "changed", "previous"}; `previous` is the release that was left.

    Raises:
        RemoteError: There is no such release, or none to return to.
        BundleError: The release is damaged; the current one stays.
        OSError: The disk failed.
    """
    layout = shop.layout
    started = time.monotonic()
    current = layout.current_release()
    name = check_release_name(to) if to is not None else previous_release(layout, shop.store)
    if name is None:
        raise RemoteError(
            "there is no earlier release to return to",
            why="releases on the board: " + (", ".join(layout.release_names()) or "none"),
            hint="edge push another bundle",
        )
    progress(Step("check", f"reading release {name} again"))
    check_release(layout, shop.store, name)
    if name == current and name == layout.good_release():
        return {"release": name, "changed": False, "previous": current}
    progress(Step("switch", f"returning to release {name}"))
    _point(shop, name)
    shop.journal.note(f"rolled back to {name}; left: {current}")
    _report(shop, "rollback", name, started, previous=current)
    return {"release": name, "changed": True, "previous": current}


def finish_switch(shop: Workshop) -> None:
    """Complete a switch that a power cut interrupted. The lock is held.

    `current` is switched only after its trial, so `good` may follow it. Where `current` itself is damaged, or
    leads nowhere, the board returns to `good`.

    Raises:
        OSError: The disk failed.
    """
    layout = shop.layout
    current, good = layout.current_release(), layout.good_release()
    if current == good:
        return
    if current is not None and is_complete(layout, shop.store, current):
        shop.journal.note(f"completed the switch from {good} to {current}")
        switch_links(shop.disk, [layout.good], f"releases/{current}")
    elif good is not None and is_complete(layout, shop.store, good):
        shop.journal.note(f"current ({current}) is damaged or missing: back to {good}")
        switch_links(shop.disk, [layout.current], f"releases/{good}")


def choose_variant(manifest: Manifest, target: str | None, variant: str | None) -> str:
    """Return the variant to run: the one that is named, or the target's first.

    Raises:
        IncompatibleTargetError: The manifest has nothing for this target, or the variant is one that no board
            can run.
        BundleError: There is no variant of that name.
    """
    if target is not None and target not in manifest.targets:
        raise IncompatibleTargetError(
            f"bundle {manifest.name!r} was not built for target {target!r}",
            why="it has: " + (", ".join(sorted(manifest.targets)) or "no targets"),
            hint=f"edge build --target {target}",
        )
    if variant is not None:
        return runnable_variant(manifest, variant).id
    variants = manifest.targets[target].variants if target is not None else ()
    if not variants:
        raise IncompatibleTargetError(
            f"bundle {manifest.name!r} names no variant for target {target!r}",
            why="variants: " + ", ".join(item.id for item in manifest.variants),
            hint="name one (edge push --variant), or build for this target",
        )
    return runnable_variant(manifest, variants[0]).id


def next_sequence(shop: Workshop) -> int:
    """Return the next sequence number: above every release that is or was here, as far as is known."""
    known = [sequence_of(name) for name in shop.layout.release_names()]
    for event in shop.journal.events():
        sequence = event.get("sequence")
        if isinstance(sequence, int) and 0 < sequence < 10**9 - 1:
            known.append(sequence)
    return max(known, default=0) + 1


def _check_board(manifest: Manifest, target: str | None) -> None:
    if target is None:
        return
    plan = manifest.targets[target]
    here = architecture()
    if plan.platform != "linux" or plan.architecture not in ("any", here):
        raise IncompatibleTargetError(
            f"target {target!r} is {plan.platform} on {plan.architecture}; this board is linux on {here}",
            hint="correct the board's target: edge board add ... --target",
        )


def _check_golden(manifest: Manifest, variant: str) -> None:
    if manifest.variant(variant).golden is None:
        raise GateError(
            f"variant {variant!r} has no golden vectors, so the board cannot try it",
            hint="build the bundle again with this edge_sdk",
            cause="golden",
        )


def _already_current(shop: Workshop, manifest_sha256: str, target: str | None, variant: str) -> str | None:
    current = shop.layout.current_release()
    if current is None or current != shop.layout.good_release():
        return None
    try:
        release = check_release(shop.layout, shop.store, current)
    except (EdgeError, OSError):
        return None
    same = (release.record.manifest_sha256, release.record.target, release.record.variant)
    return current if same == (manifest_sha256, target, variant) else None


def _build(disk: Disk, folder: Path, manifest: bytes, record: ReleaseRecord, files: dict[str, str]) -> None:
    remove_tree(disk, folder)
    disk.make_folder(folder)
    folders = [folder]
    for name, sha256 in files.items():
        link = folder / FILES_FOLDER / name
        for parent in reversed(link.relative_to(folder).parents):
            if folder / parent not in folders:
                disk.make_folder(folder / parent)
                folders.append(folder / parent)
        disk.link(link_text(name, sha256), link)
    for name, data in ((MANIFEST_FILE, manifest), (RECORD_FILE, record.to_bytes())):
        descriptor = disk.create(folder / name)
        try:
            disk.write(descriptor, data)
            disk.sync_file(descriptor)
        finally:
            os.close(descriptor)
    for made in reversed(folders):
        disk.sync_folder(made)
    if hashlib.sha256(manifest).hexdigest() != record.manifest_sha256:
        raise BundleError("the manifest changed while it was installed")


def _point(shop: Workshop, name: str) -> None:
    switch_links(shop.disk, [shop.layout.current, shop.layout.good], f"releases/{name}")


def _forget(shop: Workshop, folder: Path) -> None:
    try:
        remove_tree(shop.disk, folder)
    except OSError as failure:  # the next lock sweeps it
        shop.journal.note(f"{folder.name} was left behind: {failure.strerror}")


def _report(
    shop: Workshop, act: str, name: str, started: float, *, error: EdgeError | None = None, **fields: Any
) -> None:
    outcome = "failed" if error else "done"
    seconds = round(time.monotonic() - started, 3)
    if error:
        fields["error"] = error.to_dict()
    shop.journal.set_report({"act": act, "release": name, "outcome": outcome, "seconds": seconds, **fields})
    shop.journal.add_event(
        act,
        release=name,
        sequence=sequence_of(name),
        outcome=outcome,
        previous=fields.get("previous"),
        cause=(error.details.get("cause") or error.what) if error else None,
    )


def _collect_quietly(shop: Workshop) -> None:
    try:
        collect(shop)
    except OSError as failure:  # the release is live: a leftover is no reason to report a failure
        shop.journal.note(f"collecting stopped: {failure.strerror}")


def describe(shop: Workshop) -> list[dict[str, Any]]:
    """Return a summary of every release, oldest first; a damaged one says so."""
    rows: list[dict[str, Any]] = []
    for name in shop.layout.release_names():
        try:
            rows.append(read_release(shop.layout, name).summary())
        except (EdgeError, OSError) as failure:
            rows.append({"release": name, "sequence": sequence_of(name), "damaged": str(failure)})
    return rows

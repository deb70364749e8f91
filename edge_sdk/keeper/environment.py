"""Python packages for the runner: unpacked, tried, made durable, and only then switched to.

unpack to environments/<id>.tmp            strict rules, sizes known before the first byte
self-check in a child                      a missing libstdc++ or a wrong wheel is found here
trial of the current release with it       new packages must not break what serves
fsync, read again, compare                 a flaky card is found here
rename, switch the link `environment`      old or new, never none
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edge_sdk.errors import DigestMismatchError, EdgeError, GateError, RemoteError
from edge_sdk.keeper.child import Outcome, last_line, python_command, python_program, run_child
from edge_sdk.keeper.cleanup import Workshop, collect, make_room
from edge_sdk.keeper.disk import TEMPORARY, remove_tree, switch_links, write_file
from edge_sdk.keeper.launch import (
    ENVIRONMENT_RECORD,
    code_path,
    environment_record,
    package_paths,
    write_launchers,
)
from edge_sdk.keeper.layout import check_identity
from edge_sdk.keeper.selfcheck import RUNTIMES
from edge_sdk.keeper.trial import Limits, run_trial
from edge_sdk.keeper.unpack import check_unpacked, unpack, unpacked_bytes
from edge_sdk.progress import Progress, Step, silent

#: Importing NumPy and a runtime without byte code took 13 s on an emulated board; a Pi Zero is slower.
SELF_CHECK_SECONDS = 300.0
_SYSTEM_PATHS = "import json,sys;print(json.dumps([p for p in sys.path if p.endswith('-packages')]))"


def activate_environment(
    shop: Workshop,
    identity: str,
    sha256: str,
    *,
    system_packages: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Unpack a zip of packages and switch to it. The lock is held.

    Args:
        shop: The root.
        identity: What to call the environment; the same name always means the same content.
        sha256: The zip, a blob; it is removed afterwards, because the folder replaces it.
        system_packages: Also see the packages of the system's Python (NumPy of a 32-bit board, where there
            is no wheel).
        force: Switch even where the current release fails with these packages.
        progress: Told the steps.

    Returns:
        {"environment", "changed", "previous", "report": {"python", "packages", ...}}.

    Raises:
        RemoteError: The zip is missing, or a package cannot be imported on this board.
        BundleError: The zip breaks a rule, or the storage damaged it.
        GateError: The current release fails its golden vectors with these packages.
        NoSpaceError: There is not enough room.
        OSError: The disk failed.
    """
    layout = shop.layout
    folder = layout.environments / check_identity(identity)
    previous = layout.current_environment()
    record = environment_record(folder) if folder.is_dir() and not folder.is_symlink() else None
    changed = record is None or previous != identity
    if record is None:
        remove_tree(shop.disk, folder)
        part = folder.with_name(folder.name + TEMPORARY)
        try:
            record = _make(shop, part, sha256, system_packages, force, progress)
            shop.disk.rename(part, folder)
            shop.disk.sync_folder(folder.parent)
        except BaseException:
            _discard(shop, part)
            raise
    elif changed and not force:
        _try_current(shop, folder, progress)
    if changed:
        progress(Step("switch", f"switching to environment {identity}"))
        switch_links(shop.disk, [layout.environment], f"environments/{identity}")
        shop.journal.note(f"environment {identity}: {record.get('packages')}; before: {previous}")
        shop.journal.add_event("environment", environment=identity, previous=previous)
    if layout.current_code_identity() is not None:
        write_launchers(layout, shop.disk)
    if shop.layout.blob(sha256).exists():
        shop.store.remove(sha256)
    if changed:
        collect(shop)
    return {"environment": identity, "changed": changed, "previous": previous, "report": record}


def _make(
    shop: Workshop, part: Path, sha256: str, system_packages: bool, force: bool, progress: Progress
) -> dict[str, Any]:
    shop.store.check(sha256, name="the packages")
    archive = shop.store.path(sha256)
    make_room(shop, unpacked_bytes(archive))
    progress(Step("unpack", "unpacking the packages", 0.0))
    remove_tree(shop.disk, part)
    unpack(archive, part, shop.disk, note=_steps(progress))
    system_paths = _find_system_paths(shop) if system_packages else []
    progress(Step("check", "importing the packages on the board"))
    record = _self_check(shop, [part, *system_paths])
    record["sha256"] = sha256
    record["system_paths"] = [str(path) for path in system_paths]
    write_file(shop.disk, part / ENVIRONMENT_RECORD, (json.dumps(record, sort_keys=True) + "\n").encode())
    if not force:
        _try_current(shop, part, progress)
    progress(Step("check", "reading every file again"))
    shop.disk.sync_tree(part)
    try:
        check_unpacked(archive, part)
    except FileNotFoundError as failure:
        raise RemoteError("a file of the packages has vanished", why=str(failure)) from failure
    return record


def _self_check(shop: Workshop, paths: list[Path]) -> dict[str, Any]:
    program = python_program(
        [code_path(shop.layout), *paths],
        module="edge_sdk.keeper.selfcheck",
        name="self-check",
        deadline_seconds=SELF_CHECK_SECONDS,
    )
    outcome = run_child(
        python_command(program, [], write_bytecode=True),
        folder=shop.layout.root,
        timeout_seconds=SELF_CHECK_SECONDS,
    )
    record = _read_report(outcome)
    packages, failures = record["packages"], record["failures"]
    if failures:
        raise import_failure(failures)
    if "numpy" not in packages or not any(name in packages for name in RUNTIMES):
        raise RemoteError(
            "the packages are not complete",
            why="found: "
            + (", ".join(sorted(packages)) or "nothing")
            + "; NumPy and a TFLite runtime are needed",
            hint="edge board setup BOARD",
        )
    return record


def _read_report(outcome: Outcome) -> dict[str, Any]:
    if outcome.ended == "exit" and outcome.code == 0:
        try:
            record = json.loads(last_line(outcome.output))
            if isinstance(record["packages"], dict) and isinstance(record["failures"], dict):
                return dict(record)
        except (ValueError, KeyError, TypeError):
            pass
    how = {
        "timeout": f"no answer within {SELF_CHECK_SECONDS:g} s",
        "signal": f"it crashed with {outcome.signal_name}",
    }
    last = outcome.talk.strip().splitlines()[-1:] or ["it said nothing"]
    raise RemoteError(
        "the packages cannot be imported on the board",
        why=how.get(outcome.ended, last[0][:300]),
        hint="a wheel for another CPU crashes so: is the board's target right? edge status BOARD tells",
        cause="crash",
        talk=outcome.talk[-2000:],
    )


def import_failure(failures: dict[str, str]) -> EdgeError:
    """Return the error for packages that cannot be imported, with the cure where the cause is known."""
    text = "; ".join(f"{name}: {reason}" for name, reason in sorted(failures.items()))
    hint = "edge board setup BOARD resolves the packages again for this board"
    if "libstdc++" in text and "GLIBCXX" not in text:
        hint = "on the board: sudo apt-get install libstdc++6, then edge board setup BOARD again"
    elif "GLIBC" in text:
        hint = "the board's C library is older than the wheel needs: update the board's system"
    elif "_ARRAY_API" in text or "NumPy 1.x" in text:
        hint = "tflite-runtime needs numpy<2: edge board setup BOARD resolves it so"
    elif "Exec format" in text or "wrong ELF class" in text or "invalid ELF header" in text:
        hint = "the wheels are for another CPU: is the board's target right?"
    return RemoteError(
        "the packages cannot be imported on the board",
        why=text[:1000],
        hint=hint,
        cause="import",
        failures=failures,
    )


def _try_current(shop: Workshop, folder: Path, progress: Progress) -> None:
    layout = shop.layout
    current = layout.current_release()
    if current is None:
        return
    progress(Step("trial", f"trying release {current} with the new packages"))
    try:
        run_trial(layout, layout.releases / current, environment=folder, limits=Limits())
    except DigestMismatchError:
        shop.journal.note(f"release {current} is damaged; its packages cannot be tried")
    except EdgeError as failure:
        raise GateError(
            f"release {current}, which serves now, fails with the new packages; the old ones stay",
            why=str(failure),
            hint="push a release that fits them first, or switch all the same: edge board setup --force",
            cause=failure.details.get("cause"),
        ) from failure


def _find_system_paths(shop: Workshop) -> list[Path]:
    outcome = run_child(
        [sys.executable, "-I", "-B", "-c", _SYSTEM_PATHS], folder=shop.layout.root, timeout_seconds=30.0
    )
    try:
        return [Path(str(path)) for path in json.loads(outcome.output)]
    except (ValueError, TypeError) as failure:
        raise RemoteError(
            "the system's Python did not say where its packages are", why=outcome.talk[-300:]
        ) from failure


def _steps(progress: Progress) -> Any:
    last = 0.0

    def note(fraction: float) -> None:
        nonlocal last
        if fraction - last >= 0.05:
            last = fraction
            progress(Step("unpack", "unpacking the packages", fraction))

    return note


def _discard(shop: Workshop, part: Path) -> None:
    try:
        remove_tree(shop.disk, part)
    except OSError as failure:  # the next lock sweeps it
        shop.journal.note(f"{part.name} was left behind: {failure.strerror}")


def describe_environment(shop: Workshop) -> dict[str, Any] | None:
    """Return the environment in use and what was found out about it, or None."""
    identity = shop.layout.current_environment()
    if identity is None:
        return None
    folder = shop.layout.environments / identity
    return {
        "environment": identity,
        "report": environment_record(folder),
        "paths": [str(path) for path in package_paths(folder)],
    }

"""Changing several files of a project so that it is never left between two states.

The new content is first written to `.edge/update/`, then a journal says what replaces what: from that moment
the change is decided. Files are moved into place one by one; a process that is killed in between leaves the
journal, and the next command that opens the project carries on where it stopped. Killed before the journal
is there, nothing has changed.

What a person edits between the kill and the next command is not overwritten: the file stays as it is, and
its path is returned.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.durable import durable_file, sync_folder, write_failure
from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.render import EDGE_FOLDER

_STAGE = f"{EDGE_FOLDER}/update"
_JOURNAL = "journal.json"


@dataclass(frozen=True)
class Write:
    """What a path is to hold.

    Attributes:
        content: Its bytes; None: the file goes.
        executable: Whether it may be run; a file that is there keeps its permissions.
    """

    content: bytes | None
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class _Operation(Document):
    path: str
    before: str | None
    after: str | None
    staged: str | None = None
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True)
class _Journal(Document):
    operations: tuple[_Operation, ...]


@contextlib.contextmanager
def locked(project: Path) -> Iterator[None]:
    """Hold the project alone while the block runs.

    Raises:
        ConfigError: Another command is changing it.
    """
    descriptor = os.open(project / EDGE_FOLDER, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"another command is changing {project}", hint="wait until it has ended, then try again"
            ) from None
        yield
    finally:
        os.close(descriptor)


def apply(project: Path, writes: Mapping[str, Write]) -> tuple[str, ...]:
    """Change files, all or none; the caller holds the lock.

    Args:
        project: Its folder.
        writes: By path in the project.

    Returns:
        Paths that were edited while this ran, and were left alone.

    Raises:
        EdgeError: The new content could not be written; nothing has changed.
    """
    if not writes:
        return ()
    stage = project / _STAGE
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        operations = tuple(
            _stage(project, stage, index, path, write)
            # What goes makes room: a folder may stand where a file was.
            for index, (path, write) in enumerate(
                sorted(writes.items(), key=lambda item: (item[1].content is not None, item[0]))
            )
        )
        sync_folder(stage)
        text = json.dumps(_Journal(operations=operations).to_dict())
        with durable_file(stage / _JOURNAL) as stream:
            stream.write(text.encode())
    except BaseException as failure:
        if not (stage / _JOURNAL).exists():
            shutil.rmtree(stage, ignore_errors=True)
        if isinstance(failure, OSError):
            raise write_failure(project, failure) from failure
        raise
    try:
        return _carry_out(project, operations)
    except KeyboardInterrupt:
        # It is decided: what is left takes milliseconds, and the project is whole afterwards.
        _carry_out(project, operations)
        raise


def recover(project: Path) -> tuple[str, ...] | None:
    """Finish what a killed process began; the caller holds the lock.

    Returns:
        None where nothing was pending; else the paths that had been edited since, and were left alone.

    Raises:
        ConfigError: The journal is damaged.
    """
    stage = project / _STAGE
    if not stage.is_dir():
        return None
    try:
        journal = _Journal.from_dict(json.loads((stage / _JOURNAL).read_bytes()))
    except FileNotFoundError:
        shutil.rmtree(stage, ignore_errors=True)  # it was never decided
        return None
    except (OSError, ValueError, ConfigError, RecursionError) as failure:
        raise ConfigError(
            f"the journal of an interrupted update in {project} cannot be read",
            why=str(failure),
            hint=f"restore the project from version control, or remove {stage} and run the update again",
        ) from failure
    for operation in journal.operations:
        # The journal may have come with a project from elsewhere.
        inside(project, operation.path)
        if operation.staged is not None and not operation.staged.isdigit():
            raise ConfigError(f"the journal of an interrupted update in {project} names {operation.staged!r}")
    return _carry_out(project, journal.operations)


def is_pending(project: Path) -> bool:
    """Return whether a killed process left a change that is decided and not finished."""
    return (project / _STAGE / _JOURNAL).is_file()


def inside(project: Path, path: str) -> Path:
    """Return the place of a path, which must lie in the project even after links are followed.

    Raises:
        ConfigError: It does not.
    """
    parts = path.split("/")
    place = project.joinpath(*parts)
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\0" in path
        or place.is_absolute() != project.is_absolute()
    ):
        raise ConfigError(f"{path!r:.120} is no path in a project")
    top = project.resolve()
    if place.parent.resolve() != top and top not in place.parent.resolve().parents:
        raise ConfigError(f"{path} lies outside of {project}", why="one of its folders is a link")
    return place


def _stage(project: Path, stage: Path, index: int, path: str, write: Write) -> _Operation:
    place = inside(project, path)
    there = place.is_file()
    before = sha256_of(place) if there else None
    if write.content is None:
        return _Operation(path=path, before=before, after=None)
    staged = stage / str(index)
    mode = place.stat().st_mode & 0o777 if there else (0o755 if write.executable else 0o644)
    with staged.open("xb") as stream:
        stream.write(write.content)
        stream.flush()
        os.fsync(stream.fileno())
    staged.chmod(mode)
    return _Operation(path=path, before=before, after=sha256_of(write.content), staged=staged.name, mode=mode)


def _carry_out(project: Path, operations: tuple[_Operation, ...]) -> tuple[str, ...]:
    """Do every operation that is not done; doing it again changes nothing."""
    stage = project / _STAGE
    left = []
    try:
        for operation in operations:
            if not _do(project, stage, operation):
                left.append(operation.path)
        (stage / _JOURNAL).unlink(missing_ok=True)
    except OSError as failure:
        raise ConfigError(
            f"the update of {project} stopped half-way",
            why=str(failure),
            hint="remove the cause and run the same command again: it carries on from here",
        ) from failure
    shutil.rmtree(stage, ignore_errors=True)
    return tuple(left)


def _do(project: Path, stage: Path, operation: _Operation) -> bool:
    """Do one operation; False where somebody edited the file meanwhile."""
    place = inside(project, operation.path)
    current = sha256_of(place) if place.is_file() else None
    staged = stage / operation.staged if operation.staged is not None else None
    if current == operation.after and (current is not None or not os.path.lexists(place)):
        if current is None:
            _prune(project, place.parent)  # a kill may have come between the file and its folder
        return True
    if current != operation.before or (current is None and os.path.lexists(place)):
        return False
    if staged is None:
        place.unlink()
        _prune(project, place.parent)
        return True
    place.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(place)
    return True


def _prune(project: Path, folder: Path) -> None:
    """Remove folders that became empty, up to the project's own."""
    while folder != project and project in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent

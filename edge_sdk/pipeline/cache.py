"""The step cache: what a step made, stored under the hash of everything it was made from.

    .edge/cache/<step>/<key>/entry.json   {"body": {...}, "sha256": digest of the body}
    .edge/cache/<step>/<key>/<file>       as named in body.files, each with its digest; also in folders
    .edge/cache/unfinished/<pid>-<random>/  a step under way

Rules:
- a key is the SHA-256 of the step's inputs as canonical JSON: digests and settings, never paths or times;
- an entry appears by one rename, so it is whole or absent, whatever interrupts the step;
- every byte is checked when an entry is read; an entry that fails is removed and made again;
- two builds may share a cache: whoever renames first wins, the other takes what is there.

The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.durable import write_failure
from edge_sdk.progress import Progress, Step, silent

_ENTRY = "entry.json"
_UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Entry:
    """A finished step.

    Attributes:
        value: What the step answered, JSON-ready.
        folder: Where its files are.
        digests: SHA-256 by path in the folder, with forward slashes.
        reused: It was there already.
    """

    value: Mapping[str, Any]
    folder: Path
    digests: Mapping[str, str]
    reused: bool

    def file(self, name: str) -> Path:
        """Return the path of one of its files or folders; KeyError where it has none of that name."""
        if not any(path == name or path.startswith(f"{name}/") for path in self.digests):
            raise KeyError(name)
        return self.folder / name


class StepCache:
    """Finished steps on disk.

    Args:
        folder: Of the cache; made when the first step is stored.
        progress: Told when a damaged entry is made again.
        fresh: Take nothing that was there before; make each step once again.
    """

    def __init__(self, folder: Path, progress: Progress = silent, *, fresh: bool = False) -> None:
        self.folder = folder
        self._progress = progress
        self._fresh = fresh
        self._made: set[Path] = set()

    def find(self, step: str, inputs: Mapping[str, Any]) -> Entry | None:
        """Return the finished step, every digest checked, or None.

        Args:
            step: Its name; a folder name.
            inputs: Everything that decides its outcome.
        """
        folder = self._folder(step, inputs)
        if self._fresh and folder not in self._made:
            return None
        try:
            stored = json.loads((folder / _ENTRY).read_bytes())
            body = stored["body"]
            if stored["sha256"] != _digest(body):
                raise ValueError("entry.json does not match its digest")
            for name, digest in body["files"].items():
                if sha256_of(folder / name) != digest:
                    raise ValueError(f"{name} does not match its digest")
        except FileNotFoundError as missing:
            if not folder.exists():
                return None
            self._discard(step, folder, f"{Path(str(missing.filename)).name} is missing")
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
            self._discard(step, folder, str(failure))
            return None
        return Entry(body["value"], folder, body["files"], reused=True)

    def make(self, step: str, inputs: Mapping[str, Any], work: Callable[[Path], Mapping[str, Any]]) -> Entry:
        """Return the finished step; do it first where it is not there.

        Args:
            step: Its name; a folder name.
            inputs: Everything that decides its outcome, JSON-ready.
            work: Writes files into the (new, empty) folder it is given and returns the value. When it
                raises, nothing is stored.

        Raises:
            NoSpaceError: The disk is full.
            ConfigError: The cache folder cannot be written.
        """
        found = self.find(step, inputs)
        if found is not None:
            return found
        with self._unfinished() as part:
            value = work(part)
            try:
                return self._publish(part, self._folder(step, inputs), step, inputs, value)
            except OSError as failure:
                raise write_failure(part / step, failure) from failure

    def sweep(self) -> None:
        """Remove what builds that were killed have left behind."""
        unfinished = self.folder / _UNFINISHED
        with contextlib.suppress(OSError):
            for part in unfinished.iterdir():
                if not _is_running(part.name.partition("-")[0]):
                    shutil.rmtree(part, ignore_errors=True)

    def _publish(
        self, part: Path, folder: Path, step: str, inputs: Mapping[str, Any], value: Mapping[str, Any]
    ) -> Entry:
        digests = {
            path.relative_to(part).as_posix(): sha256_of(path)
            for path in sorted(part.rglob("*"))
            if path.is_file()
        }
        body = {"step": step, "inputs": inputs, "files": digests, "value": value}
        text = json.dumps({"body": body, "sha256": _digest(body)}, sort_keys=True, indent=1)
        (part / _ENTRY).write_text(text, "utf-8")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self._fresh and folder not in self._made:
            shutil.rmtree(folder, ignore_errors=True)
        self._made.add(folder)
        try:
            part.rename(folder)
        except OSError:
            # Another build was first. What it stored is as good as ours, and may be in use already.
            there = self.find(step, inputs)
            if there is None:
                raise
            return there
        return Entry(json.loads(text)["body"]["value"], folder, digests, reused=False)

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """Return a folder on the cache's disk for the time of a with block; swept like an unfinished step."""
        return self._unfinished()

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[Path]:
        part = self.folder / _UNFINISHED / f"{os.getpid()}-{secrets.token_hex(6)}"
        try:
            part.mkdir(parents=True)
        except OSError as failure:
            raise write_failure(part, failure) from failure
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _folder(self, step: str, inputs: Mapping[str, Any]) -> Path:
        return self.folder / step / _digest({"step": step, "inputs": inputs})[:40]

    def _discard(self, step: str, folder: Path, reason: str) -> None:
        self._progress(Step("cache", f"a stored {step} step is damaged ({reason}); it is made again"))
        shutil.rmtree(folder, ignore_errors=True)


def _digest(data: Any) -> str:
    # Through JSON and back first: a tuple and a list, or 1 and 1.0 keys, must not give two digests.
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_running(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True

"""One verification under way: the project, a folder to work in, and what several checks need, made once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from edge_sdk.scaffold.project import Project
from edge_sdk.scaffold.render import EDGE_FOLDER
from edge_sdk.scaffold.spec import MobileSpec
from edge_sdk.scaffold.toolchain.debian import Debian, find_debian
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing
from edge_sdk.scaffold.verify.base import CannotRun

T = TypeVar("T")
#: What Gradle, Android Studio, Xcode and SwiftPM leave in a project: no files of it.
_BUILT = frozenset((EDGE_FOLDER, "build", "DerivedData", "xcuserdata", "node_modules", "Pods"))


class Site:
    """What checks work with. Several of them may call it at the same time.

    Attributes:
        project: What is verified; nothing is written there.
        work: An empty folder outside of the project, gone afterwards.
    """

    def __init__(self, project: Project, work: Path) -> None:
        self.project = project
        self.work = work
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._made: dict[str, tuple[Any, BaseException | None]] = {}

    @property
    def folder(self) -> Path:
        """The folder of the project."""
        return self.project.folder

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Paths of all files of the project as it is now, sorted, without what builds leave behind."""
        return tuple(sorted(self._walk()))

    def _walk(self) -> Iterator[str]:
        for place, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in _BUILT and not name.startswith(".")]
            # .github holds files of the project, and hidden files may.
            at = Path(place).relative_to(self.folder)
            for name in names:
                yield (at / name).as_posix()

    def find(self, *suffixes: str, under: str = "") -> tuple[str, ...]:
        """Return paths that end in one of these and lie under a folder ("" is all)."""
        start = f"{under.rstrip('/')}/" if under else ""
        return tuple(path for path in self.files if path.startswith(start) and path.endswith(suffixes))

    def read(self, path: str) -> str:
        """Return the text of a file; what is no UTF-8 is replaced."""
        return (self.folder / path).read_text("utf-8", "replace")

    def relative(self, place: Path | str) -> str:
        """Return the path in the project of an absolute one; what lies elsewhere is returned as it is."""
        try:
            return Path(place).relative_to(self.folder).as_posix()
        except ValueError:
            return str(place)

    def kotlin(self) -> Kotlin:
        """Return the Kotlin compiler.

        Raises:
            CannotRun: It is not there.
        """
        return self.once("find kotlin", lambda: _there(find_kotlin()))

    def debian(self) -> Debian:
        """Return where Swift and aapt2 run.

        Raises:
            CannotRun: They are not there.
        """
        return self.once("find debian", lambda: _there(find_debian()))

    def spec(self) -> MobileSpec:
        """Return the facts of the model, from the project's own copy as it is.

        Raises:
            ConfigError: There is none that is as it was written.
        """
        return self.once("spec", lambda: self.project.spec)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` returned when this name was first asked for; or raise what it raised."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._made:
                try:
                    self._made[name] = (make(), None)
                except Exception as failure:
                    self._made[name] = (None, failure)
            made, failure_then = self._made[name]
        if failure_then is not None:
            raise failure_then
        return made  # type: ignore[no-any-return]

    def room(self, name: str) -> Path:
        """Return a new folder to work in.

        Args:
            name: Of it, unique in this verification.
        """
        place = self.work / name
        place.mkdir(parents=True)
        return place


def _there(found: T | Missing) -> T:
    if isinstance(found, Missing):
        raise CannotRun(found.why, found.how)
    return found

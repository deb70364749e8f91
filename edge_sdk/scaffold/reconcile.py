"""What becomes of each file of a project when its template is rendered again.

The rules are in `edge_sdk.scaffold.update`; here they are carried out in memory.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.merge import has_marks, merge_text, text_of
from edge_sdk.scaffold.project import (
    ANSWERS,
    BASE_FOLDER,
    NEW_FOLDER,
    SAVED_FOLDER,
    FileRecord,
    Project,
    pristine,
)
from edge_sdk.scaffold.render import RenderedFile
from edge_sdk.scaffold.template import GENERATED, SCAFFOLD, USER
from edge_sdk.scaffold.transaction import Write, inside

#: What happens to a file, in the words of `edge scaffold update`.
CREATE, UPDATE, MERGE, REMOVE, RENAME, KEEP, CONFLICT = (
    "create",
    "update",
    "merge",
    "remove",
    "rename",
    "keep",
    "conflict",
)


@dataclass(frozen=True)
class Change:
    """What an update does to one file, or why it does nothing.

    Attributes:
        path: In the project.
        kind: "generated", "scaffold" or "user".
        action: "create", "update", "merge", "remove", "rename", "keep" (told, because the template has
            something new for it) or "conflict" (somebody has to decide).
        reason: For people; empty where the action says it all.
        before: What is on disk now; None: nothing that could be read.
        after: What will be there.
        old_path: Where it was, for a renamed file.
    """

    path: str
    kind: str
    action: str
    reason: str = ""
    before: bytes | None = None
    after: bytes | None = None
    old_path: str | None = None


class Odd:
    """Something that is no regular file, or is one outside of the project.

    Attributes:
        reason: What it is, for people.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_place(place: Path) -> bytes | Odd | None:
    """Return the content of a file, None where there is nothing, or why it is not a file of the project."""
    if place.is_symlink():
        return Odd("a link is in its place")
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        return Odd("a folder is in its place")
    except NotADirectoryError:
        return Odd("a file is where one of its folders should be")
    except OSError as failure:
        return Odd(f"it cannot be read: {failure.strerror}")


class Reconciliation:
    """Collects what becomes of the files, one after the other.

    Attributes:
        project: As it is.
        force: Replace generated files that were edited.
        records: What the project's record says afterwards, by path.
        changes: What happens, or should be told.
    """

    def __init__(
        self, project: Project, force_generated: bool, vacated: frozenset[str] = frozenset()
    ) -> None:
        self.project = project
        self._vacated = vacated
        self.force = force_generated
        self.records: dict[str, FileRecord] = {}
        self.changes: list[Change] = []
        self._bases: dict[str, bytes] = {}
        self._new: dict[str, bytes] = {}
        self._writes: dict[str, Write] = {}

    def decide(self, file: RenderedFile, old_path: str | None) -> None:
        """Decide what becomes of a file that the template makes today."""
        record = self.project.answers.files.get(old_path) if old_path is not None else None
        source_path = old_path or file.path
        mine = self._on_disk(source_path)
        fresh = FileRecord(kind=file.kind, sha256=sha256_of(file.content), source=file.source)
        if file.kind == USER:
            self._decide_user(file, source_path, record, fresh, mine)
            return
        if source_path != file.path and mine is not None:
            # It moves, if nothing of the user's is in the new place.
            there = self._on_disk(file.path, leaving=source_path)
            if isinstance(mine, Odd) or there is not None:
                self._in_the_way(file, source_path, record, mine if isinstance(mine, Odd) else there)
                return
        if isinstance(mine, Odd):
            self._in_the_way(file, source_path, record, mine)
        elif file.kind == GENERATED:
            self._decide_generated(file, source_path, record, fresh, mine)
        else:
            self._decide_scaffold(file, source_path, record, fresh, mine)

    def retire(self, path: str) -> None:
        """Decide what becomes of a file that the template makes no more."""
        record = self.project.answers.files[path]
        mine = self._on_disk(path)
        if record.kind == USER or mine is None:
            return
        if isinstance(mine, bytes) and pristine(mine, record.sha256) is not None:
            self._writes[path] = Write(None)
            self._tell(path, record.kind, REMOVE, before=mine)
        elif isinstance(mine, bytes) and record.kind == GENERATED and self.force:
            saved = self._save(path, mine)
            self._writes[path] = Write(None)
            self._tell(path, record.kind, REMOVE, f"your edits are in {saved}", before=mine)
        else:
            kept = mine if isinstance(mine, bytes) else None
            self._tell(
                path,
                record.kind,
                CONFLICT,
                "the template has it no more, and you edited it: kept, and yours from now on",
                before=kept,
                after=kept,
            )

    @property
    def vacated(self) -> frozenset[str]:
        """Paths whose files go."""
        return frozenset(path for path, write in self._writes.items() if write.content is None)

    def finish(self, answers: bytes) -> dict[str, Write]:
        """Return everything that is to be written, `.edge/` included."""
        folder = self.project.folder
        engine = {f"{BASE_FOLDER}/{path}": content for path, content in _in_one_tree(self._bases).items()}
        engine.update({f"{NEW_FOLDER}/{path}": content for path, content in _in_one_tree(self._new).items()})
        engine[ANSWERS] = answers
        for path, content in engine.items():
            if self._on_disk(path) != content:
                self._writes[path] = Write(content)
        for place in (BASE_FOLDER, NEW_FOLDER):
            for path in _files_below(folder, place):
                if path not in engine:
                    self._writes[path] = Write(None)
        return dict(sorted(self._writes.items()))

    def _decide_user(
        self,
        file: RenderedFile,
        source_path: str,
        record: FileRecord | None,
        fresh: FileRecord,
        mine: bytes | Odd | None,
    ) -> None:
        if record is None and mine is None:
            self._write(file, None)
        # Also after a change of its kind, and where its name would be another one today: it is theirs.
        self.records[source_path] = (
            dataclasses.replace(record, kind=USER, source=file.source) if record else fresh
        )

    def _decide_generated(
        self,
        file: RenderedFile,
        source_path: str,
        record: FileRecord | None,
        fresh: FileRecord,
        mine: bytes | None,
    ) -> None:
        if mine is None and source_path != file.path:
            # What moved is gone; what is in the new place is the user's own.
            there = self._on_disk(file.path)
            if isinstance(there, Odd):
                self._in_the_way(file, file.path, None, there)
                return
            source_path, record, mine = file.path, None, there
        moved = source_path != file.path
        if mine is not None and pristine(mine, fresh.sha256) is not None and not moved:
            self.records[file.path] = fresh
            return
        edited = mine is not None and not (record and pristine(mine, record.sha256) is not None)
        if edited and mine is not None and not self.force:
            if record is not None:
                # The old digest stays: only so is it known next time that this is not what was rendered.
                self.records[source_path] = dataclasses.replace(record, kind=GENERATED, source=file.source)
            self._new[source_path] = file.content
            whose = "you edited it" if record else "a file of yours is in its place"
            self._tell(
                source_path,
                GENERATED,
                CONFLICT,
                f"{whose}: kept; the new one is {NEW_FOLDER}/{source_path} (--force-generated takes it)",
                before=mine,
                after=mine,
            )
            return
        saved = f"your edits are in {self._save(source_path, mine)}" if edited and mine is not None else ""
        if moved and mine is not None:
            self._writes[source_path] = Write(None)
        self._write(file, mine, reason=saved, old_path=source_path if moved else None)
        self.records[file.path] = fresh

    def _decide_scaffold(
        self,
        file: RenderedFile,
        source_path: str,
        record: FileRecord | None,
        fresh: FileRecord,
        mine: bytes | None,
    ) -> None:
        moved = source_path != file.path
        base = self._base(source_path, record, fresh, file.content, mine)
        if mine is None and record is not None:
            if base != file.content:
                self._tell(
                    file.path,
                    SCAFFOLD,
                    KEEP,
                    f"you deleted it: stays deleted; as it would be: {BASE_FOLDER}/{file.path}",
                )
            self._settle(file, fresh)
            return
        if mine is None or pristine(mine, fresh.sha256) is not None:
            if mine is None or moved:
                self._move(file, source_path, mine, file.content)
            self._settle(file, fresh)
            return
        text = text_of(mine)
        if text is not None and has_marks(text) and base != file.content:
            if record is not None and base is not None:
                self.records[source_path] = record
                self._bases[source_path] = base
            self._tell(
                source_path,
                SCAFFOLD,
                CONFLICT,
                "it still has the marks of an earlier conflict: settle them, then update again",
                before=mine,
                after=mine,
            )
            return
        self._merge(file, source_path, base, mine, text, known=record is not None)
        self._settle(file, fresh)

    def _merge(
        self,
        file: RenderedFile,
        source_path: str,
        base: bytes | None,
        mine: bytes,
        text: str | None,
        *,
        known: bool,
    ) -> None:
        """Write what becomes of a scaffold file that is not as the template makes it today."""
        moved = source_path != file.path
        if base is not None and pristine(mine, sha256_of(base)) is not None:
            self._move(file, source_path, mine, file.content)
            return
        if base == file.content:
            if moved:
                self._move(file, source_path, mine, mine)
            elif text is not None and has_marks(text):
                self._tell(
                    file.path,
                    SCAFFOLD,
                    CONFLICT,
                    "it still has the marks of an earlier conflict",
                    before=mine,
                    after=mine,
                )
            return
        base_text, new_text = (text_of(base) if base is not None else None), text_of(file.content)
        if text is None or base_text is None or new_text is None:
            why = "you and the template changed it, and it is no text"
            if base is None:
                why = (
                    "you edited it, and nobody knows what it was"
                    if known
                    else "a file of yours is in its place"
                )
            if moved:
                self._move(file, source_path, mine, mine, quiet=True)
            self._tell(
                file.path,
                SCAFFOLD,
                CONFLICT,
                f"{why}: kept; the template's is {BASE_FOLDER}/{file.path}",
                before=mine,
                after=mine,
                old_path=source_path if moved else None,
            )
            return
        merged = merge_text(base_text, text, new_text)
        content = merged.text.encode()
        if moved:
            self._writes[source_path] = Write(None)
        if moved or content != mine:
            self._writes[file.path] = Write(content, executable=file.executable)
        if merged.conflicts:
            places = "place" if merged.conflicts == 1 else "places"
            self._tell(
                file.path,
                SCAFFOLD,
                CONFLICT,
                f"you and the template changed the same lines: {merged.conflicts} {places} marked",
                before=mine,
                after=content,
                old_path=source_path if moved else None,
            )
        elif moved or content != mine:
            self._tell(
                file.path,
                SCAFFOLD,
                MERGE,
                "your edits are in it",
                before=mine,
                after=content,
                old_path=source_path if moved else None,
            )

    def _base(
        self,
        source_path: str,
        record: FileRecord | None,
        fresh: FileRecord,
        content: bytes,
        mine: bytes | None,
    ) -> bytes | None:
        """Return what was rendered last time; None where nobody knows."""
        if record is None:
            return None
        if record.sha256 == fresh.sha256:
            return content
        stored = self._on_disk(f"{BASE_FOLDER}/{source_path}")
        if isinstance(stored, bytes) and (found := pristine(stored, record.sha256)) is not None:
            return found
        # Generated before, or the stored one is gone: a file that nobody edited is its own base.
        return pristine(mine, record.sha256) if mine is not None else None

    def _settle(self, file: RenderedFile, fresh: FileRecord) -> None:
        self.records[file.path] = fresh
        self._bases[file.path] = file.content

    def _move(
        self, file: RenderedFile, source_path: str, mine: bytes | None, content: bytes, *, quiet: bool = False
    ) -> None:
        moved = source_path != file.path and mine is not None
        if moved:
            self._writes[source_path] = Write(None)
        self._writes[file.path] = Write(content, executable=file.executable)
        if not quiet:
            action = RENAME if moved else (CREATE if mine is None else UPDATE)
            self._tell(
                file.path,
                file.kind,
                action,
                before=mine,
                after=content,
                old_path=source_path if moved else None,
            )

    def _write(
        self, file: RenderedFile, mine: bytes | None, *, reason: str = "", old_path: str | None = None
    ) -> None:
        self._writes[file.path] = Write(file.content, executable=file.executable)
        moved = old_path is not None and mine is not None
        action = RENAME if moved else (CREATE if mine is None else UPDATE)
        self._tell(
            file.path,
            file.kind,
            action,
            reason,
            before=mine,
            after=file.content,
            old_path=old_path if moved else None,
        )

    def _in_the_way(
        self, file: RenderedFile, source_path: str, record: FileRecord | None, there: bytes | Odd | None
    ) -> None:
        """Leave everything as it is, so that the next update tries again."""
        if record is not None:
            self.records[source_path] = record
            stored = self._on_disk(f"{BASE_FOLDER}/{source_path}")
            if record.kind == SCAFFOLD and isinstance(stored, bytes):
                self._bases[source_path] = stored
            if record.sha256 == sha256_of(file.content) and source_path == file.path:
                return  # the template has nothing new for it
        why = there.reason if isinstance(there, Odd) else f"{file.path} exists, and is not the template's"
        self._tell(file.path, file.kind, CONFLICT, f"{why}: nothing was written")

    def _save(self, path: str, content: bytes) -> str:
        saved = f"{SAVED_FOLDER}/{path}.{sha256_of(content)[:12]}"
        if self._on_disk(saved) != content:
            self._writes[saved] = Write(content)
        return saved

    def _tell(
        self,
        path: str,
        kind: str,
        action: str,
        reason: str = "",
        *,
        before: bytes | None = None,
        after: bytes | None = None,
        old_path: str | None = None,
    ) -> None:
        self.changes.append(Change(path, kind, action, reason, before, after, old_path))

    def _on_disk(self, path: str, *, leaving: str = "") -> bytes | Odd | None:
        try:
            found = read_place(inside(self.project.folder, path))
        except ConfigError as failure:
            return Odd(failure.why or failure.what)
        return None if isinstance(found, Odd) and self._makes_room(path, self._vacated | {leaving}) else found

    def _makes_room(self, path: str, vacated: frozenset[str]) -> bool:
        """Return whether what stands in a file's place goes with this very update."""
        top = self.project.folder
        parts = path.split("/")
        if any("/".join(parts[:count]) in vacated for count in range(1, len(parts))):
            return True
        place = top / path
        if place.is_symlink() or not place.is_dir():
            return False
        leaves = [entry for entry in place.rglob("*") if not entry.is_dir() or not any(entry.iterdir())]
        return bool(leaves) and all(leaf.relative_to(top).as_posix() in vacated for leaf in leaves)


def _in_one_tree(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files without those whose path is a folder of another one's.

    A file in the way and the one that it keeps away can both be known. A base that is not stored is one that
    nobody knows: the next update asks instead of merging.
    """
    folders = {
        "/".join(parts[:count])
        for parts in (path.split("/") for path in files)
        for count in range(1, len(parts))
    }
    return {path: content for path, content in files.items() if path not in folders}


def _files_below(project: Path, folder: str) -> Iterator[str]:
    for place, _, names in os.walk(project / folder):
        for name in names:
            yield (Path(place) / name).relative_to(project).as_posix()

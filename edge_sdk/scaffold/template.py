"""A project template: a folder of files and `template.toml`, which says what becomes of each.

The index must name every file of the folder, and every file that it names must be there: a template that
lost or gained a file on its way (a broken installation, a stray build output) is refused as a whole, before
anything is written.

    platform = "android"

    [content]                                   # files that come from the bundle, all of kind "generated"
    model = "app/src/main/assets"               # folder for the model
    golden = ["edge-core/src/test/resources/golden.json"]
    spec = ["app/src/main/assets/model_spec.json"]
    labels = ["app/src/main/assets/labels.txt"] # only for a model with labels

    [[files]]
    source = "app/Main.kt"                      # in this folder; "edge-core/**" is a folder with all below it
    target = "app/[[ options.application_id ]]/Main.kt"   # in the project; the source's name by default
    kind = "scaffold"                           # "generated", "scaffold", "user" or "part"
    when = ["camera", "!litert1"]               # all must hold; none: always
    render = true                               # false: bytes are copied as they are
    executable = false
    renamed_from = ["app/Old.kt"]               # sources of earlier versions that this one continues
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import folder_files, sha256_of
from edge_sdk.contract.document import Document
from edge_sdk.errors import BundleError, ConfigError
from edge_sdk.targets import read_toml

INDEX = "template.toml"
#: Versions of everything a project depends on, with the day they were looked up: variables of the template.
VERSIONS = "versions.toml"

GENERATED = "generated"  #: written again by every update; not meant to be edited
SCAFFOLD = "scaffold"  #: the user's to edit; an update merges
USER = "user"  #: written once, never touched again
PART = "part"  #: not written; other templates include it
KINDS = (GENERATED, SCAFFOLD, USER, PART)

_FLAG = re.compile(r"!?[a-z0-9_]+")
_TREE = "/**"


@dataclass(frozen=True, kw_only=True)
class TemplateFile(Document):
    """One file of a template.

    Attributes:
        source: Name in the template's folder, with forward slashes.
        target: Name in the project; may hold `[[ expressions ]]`. Empty: the source's name.
        kind: One of `KINDS`.
        when: Flags that must hold, with a leading "!" must not hold.
        render: Whether the content is a Jinja template; else its bytes are copied.
        executable: Whether the file may be run.
        renamed_from: Sources of earlier versions of the template that this file continues.
    """

    source: str
    target: str = ""
    kind: str = SCAFFOLD
    when: tuple[str, ...] = ()
    render: bool = True
    executable: bool = False
    renamed_from: tuple[str, ...] = ()

    def holds(self, flags: frozenset[str]) -> bool:
        """Return whether the file is part of a project with these flags."""
        return all((flag[1:] not in flags) if flag.startswith("!") else flag in flags for flag in self.when)


@dataclass(frozen=True, kw_only=True)
class ContentTargets(Document):
    """Where files go that come from the bundle. All names may hold `[[ expressions ]]`.

    Attributes:
        model: Folder for the model.
        golden: Names of copies of the golden vectors.
        spec: Names of copies of the model's facts as JSON.
        labels: Names of copies of the class labels, one a line.
    """

    model: str
    golden: tuple[str, ...]
    spec: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Index(Document):
    platform: str
    content: ContentTargets
    files: tuple[TemplateFile, ...]


@dataclass(frozen=True)
class Template:
    """A template whose index agrees with its folder.

    Attributes:
        folder: Where it lies.
        platform: "android" or "ios".
        content: Where files of the bundle go.
        files: Every file, in the order of the index; folders are expanded.
        versions: What `versions.toml` holds; empty where there is none.
        sha256: Digest of all files, the index included.
    """

    folder: Path
    platform: str
    content: ContentTargets
    files: tuple[TemplateFile, ...]
    versions: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""


def load_template(folder: Path) -> Template:
    """Read and check a template.

    Raises:
        ConfigError: The index is missing or wrong, or does not agree with the folder.
    """
    if not (folder / INDEX).is_file():
        raise _damaged(folder, f"it has no {INDEX}")
    try:
        index = _Index.from_dict(read_toml(folder / INDEX))
        present = folder_files(folder)
        digest = _digest(present)
    except (ConfigError, BundleError) as failure:
        raise _damaged(
            folder, f"{INDEX}: {failure.what}" + (f": {failure.why}" if failure.why else "")
        ) from failure
    except OSError as failure:
        raise _damaged(folder, str(failure)) from failure
    versions = read_toml(folder / VERSIONS) if VERSIONS in present else {}
    _check_keys(folder, index)
    listable = {name for name in present if name not in (INDEX, VERSIONS)}
    files = _expand(folder, index.files, listable)
    _check_complete(folder, files, listable)
    return Template(
        folder=folder,
        platform=index.platform,
        content=index.content,
        files=files,
        versions=versions,
        sha256=digest,
    )


def _check_keys(folder: Path, index: _Index) -> None:
    unknown = [*index.extra, *index.content.extra, *(key for entry in index.files for key in entry.extra)]
    if unknown:
        raise _damaged(folder, f"{INDEX} has a key that nobody reads: {', '.join(sorted(set(unknown)))}")
    for entry in index.files:
        if entry.kind not in KINDS:
            raise _damaged(folder, f"{entry.source}: kind {entry.kind!r} is none of {', '.join(KINDS)}")
        for flag in entry.when:
            if not _FLAG.fullmatch(flag):
                raise _damaged(folder, f"{entry.source}: {flag!r} is no flag")


def _expand(folder: Path, entries: tuple[TemplateFile, ...], present: set[str]) -> tuple[TemplateFile, ...]:
    """Return the entries with every folder replaced by its files that are not named on their own."""
    import dataclasses

    single = {entry.source for entry in entries if not entry.source.endswith(_TREE)}
    taken: set[str] = set()
    files: list[TemplateFile] = []
    for entry in entries:
        if not entry.source.endswith(_TREE):
            files.append(dataclasses.replace(entry, target=entry.target or entry.source))
            continue
        prefix = entry.source.removesuffix("**")
        below = sorted(name for name in present - single - taken if name.startswith(prefix))
        if not below:
            raise _damaged(folder, f"{INDEX} names {entry.source}, and nothing is there")
        place = (entry.target or prefix).removesuffix("**").rstrip("/")
        for name in below:
            rest = name.removeprefix(prefix)
            files.append(
                dataclasses.replace(
                    entry,
                    source=name,
                    target=f"{place}/{rest}" if place else rest,
                    renamed_from=tuple(
                        old.removesuffix("**") + rest if old.endswith(_TREE) else old
                        for old in entry.renamed_from
                    ),
                )
            )
        taken.update(below)
    return tuple(files)


def _check_complete(folder: Path, files: tuple[TemplateFile, ...], present: set[str]) -> None:
    listed = {entry.source for entry in files}
    if missing := sorted(listed - present):
        raise _damaged(folder, "missing: " + _some(missing))
    if stray := sorted(present - listed):
        raise _damaged(folder, f"not in {INDEX}: " + _some(stray))


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _digest(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name} {sha256_of(path)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _damaged(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"the project template {folder.name} is damaged",
        why=why,
        hint="pip install --force-reinstall edge-sdk (in a checkout of its source: git status)",
    )

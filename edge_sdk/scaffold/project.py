"""A project on disk: its files, and what the engine knows of them in `.edge/`.

    .edge/answers.json   choices, versions, and of every file its kind and the digest of what was rendered
    .edge/base/          the last render of each file that users edit: what a merge starts from
    .edge/new/           new content of generated files that somebody edited, until that is settled
    .edge/saved/         files that `--force-generated` replaced, by name and digest

All of it belongs into version control with the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk import __version__
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.durable import write_failure
from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.render import (
    EDGE_FOLDER,
    GOLDEN_SOURCE,
    MODEL_SOURCE,
    SPEC_SOURCE,
    Content,
    RenderedProject,
    check_project_path,
    labels_text,
    spec_json,
)
from edge_sdk.scaffold.template import GENERATED, SCAFFOLD, USER
from edge_sdk.scaffold.transaction import locked, recover

if TYPE_CHECKING:
    from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions

ANSWERS = f"{EDGE_FOLDER}/answers.json"
BASE_FOLDER = f"{EDGE_FOLDER}/base"
NEW_FOLDER = f"{EDGE_FOLDER}/new"
SAVED_FOLDER = f"{EDGE_FOLDER}/saved"
FORMAT = "edge-scaffold"
FORMAT_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class FileRecord(Document):
    """What is known of one file.

    Attributes:
        kind: "generated", "scaffold" or "user".
        sha256: Digest of what was rendered, which is not what the user made of it.
        source: What it was rendered from.
    """

    kind: str
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class BundleFacts(Document):
    """The bundle that a project was made from.

    Attributes:
        name: Of the bundle.
        version: Of the bundle, for people.
        sha256: Digest of its manifest.
    """

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Answers(Document):
    """The record of a project: `.edge/answers.json`.

    Attributes:
        sdk_version: Version of edge_sdk that rendered it last.
        template_sha256: Digest of the template.
        options: Choices of the user, as `ScaffoldOptions` names them.
        bundle: What the model came in.
        files: By path.
    """

    format: str = FORMAT
    format_version: str = FORMAT_VERSION
    sdk_version: str
    template_sha256: str
    options: Mapping[str, Any]
    bundle: BundleFacts
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the one canonical form: UTF-8 JSON, sorted keys, two-space indent, final newline."""
        data = {"format": self.format, "format_version": self.format_version, **self.to_dict()}
        return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class Project:
    """A scaffolded project.

    Attributes:
        folder: Where it is.
        answers: What is known of it.
        recovered: Paths that an interrupted update could not finish, because they had been edited; None where
            no update had been interrupted.
    """

    folder: Path
    answers: Answers
    recovered: tuple[str, ...] | None = None

    @property
    def platform(self) -> str:
        """The platform: "android" or "ios"."""
        return str(self.answers.options["platform"])

    @property
    def options(self) -> ScaffoldOptions:
        """The choices that the user made.

        Raises:
            ConfigError: They are not those that this edge_sdk knows.
        """
        from edge_sdk.scaffold.spec import ScaffoldOptions

        try:
            return ScaffoldOptions.from_dict(self.answers.options, where="options")
        except ConfigError as failure:
            raise _broken(self.folder, failure.what) from failure

    @property
    def spec(self) -> MobileSpec:
        """The facts of the model, read from the project's own copy.

        Raises:
            ConfigError: There is no copy as it was written.
        """
        from edge_sdk.scaffold.spec import MobileSpec

        return MobileSpec.from_dict(json.loads(self._first(SPEC_SOURCE)))

    def paths(self, *, kind: str | None = None, source: str = "") -> tuple[str, ...]:
        """Return the paths of files of one kind, or of all, whose source begins with a text, sorted."""
        return tuple(
            path
            for path, record in sorted(self.answers.files.items())
            if (kind is None or record.kind == kind) and record.source.startswith(source)
        )

    def state(self, path: str) -> str:
        """Return "unchanged", "edited" or "missing" for a file of the record."""
        try:
            content = (self.folder / path).read_bytes()
        except OSError:
            return "missing"
        return "unchanged" if pristine(content, self.answers.files[path].sha256) is not None else "edited"

    def content(self) -> Content:
        """Return what came from the bundle, read from the project itself.

        Raises:
            ConfigError: A file of it was edited or is gone.
        """
        model = {
            record.source.removeprefix(MODEL_SOURCE): self._first(record.source)
            for record in self.answers.files.values()
            if record.source.startswith(MODEL_SOURCE)
        }
        spec = self.spec
        return Content(
            model=model,
            golden=self._first(GOLDEN_SOURCE),
            spec=spec_json(spec),
            labels=labels_text(spec.labels),
        )

    def _first(self, source: str) -> bytes:
        for path in self.paths(source=source):
            with contextlib.suppress(OSError):
                content = pristine((self.folder / path).read_bytes(), self.answers.files[path].sha256)
                if content is not None:
                    return content
        names = ", ".join(self.paths(source=source)) or source
        raise ConfigError(
            f"{self.folder} does not hold {names} as it was written",
            why="without a bundle, an update takes the model from the project itself",
            hint=f"name the bundle: edge scaffold update {self.folder} BUNDLE",
        )


def create_project(out: Path, rendered: RenderedProject) -> Project:
    """Write a new project; it appears whole under its name, or not at all.

    Args:
        out: Its folder, which must not exist or be empty.
        rendered: What to write.

    Raises:
        ConfigError: The folder holds something, or cannot be written.
        NoSpaceError: The disk is full.
    """
    refuse_occupied(out)
    tree = tree_of(rendered)
    part = out.absolute().with_name(f".{out.absolute().name[:80]}.{os.urandom(6).hex()}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        for path, content in tree.items():
            place = part / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            executable = path in rendered.files and rendered.files[path].executable
            place.chmod(0o755 if executable else 0o644)
        part.rename(out)  # onto nothing or an empty folder; anything else is refused by the system
    except OSError as failure:
        raise write_failure(out, failure, needed=sum(map(len, tree.values()))) from failure
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return open_project(out)


def refuse_occupied(out: Path) -> None:
    """Check that a new project may be made here.

    Raises:
        ConfigError: There is something already.
    """
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not out.is_dir():
        raise ConfigError(f"{out} exists and is no folder", hint="name another folder with --out")
    if (out / ANSWERS).exists():
        raise ConfigError(
            f"{out} is a scaffolded project already",
            hint=f"edge scaffold update {out} BUNDLE brings it up to date; or name another folder with --out",
        )
    try:
        occupied = next(out.iterdir(), None)
    except OSError as failure:
        raise ConfigError(f"{out} cannot be read", why=failure.strerror) from failure
    if occupied is not None:
        raise ConfigError(
            f"{out} is not empty",
            why=f"it holds {occupied.name}; nothing of yours may be overwritten",
            hint="name a folder with --out that does not exist",
        )


def tree_of(rendered: RenderedProject) -> dict[str, bytes]:
    """Return every file of a new project by path, `.edge/` included."""
    records = {
        path: FileRecord(kind=file.kind, sha256=sha256_of(file.content), source=file.source)
        for path, file in rendered.files.items()
    }
    tree = {path: file.content for path, file in rendered.files.items()}
    for path, file in rendered.files.items():
        if file.kind == SCAFFOLD:
            tree[f"{BASE_FOLDER}/{path}"] = file.content
    tree[ANSWERS] = answers_of(rendered, records).to_bytes()
    return dict(sorted(tree.items()))


def answers_of(rendered: RenderedProject, files: Mapping[str, FileRecord]) -> Answers:
    """Return the record of a project that was just rendered."""
    spec = rendered.spec
    return Answers(
        sdk_version=__version__,
        template_sha256=rendered.template_sha256,
        options=rendered.options.to_dict(),
        bundle=BundleFacts(name=spec.name, version=spec.version, sha256=spec.bundle_sha256),
        files=dict(sorted(files.items())),
    )


def open_project(folder: Path) -> Project:
    """Open a project; an update that was interrupted is finished first.

    Raises:
        ConfigError: There is no project, its record is damaged or from a newer edge_sdk,
            or another command is changing it.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder} does not exist" if not folder.exists() else f"{folder} is no folder",
            hint="edge scaffold android|ios BUNDLE --out DIR makes a project",
        )
    if not (folder / EDGE_FOLDER).is_dir() or not (folder / ANSWERS).is_file():
        raise ConfigError(
            f"{folder} is not a project of edge scaffold",
            why=f"it has no {ANSWERS}",
            hint="name the project's top folder; if the file was deleted, restore it from version control",
        )
    with locked(folder):
        recovered = recover(folder)
    return Project(folder=folder, answers=read_answers(folder), recovered=recovered)


def pristine(content: bytes, sha256: str) -> bytes | None:
    """Return the content that has this digest, if `content` is it but for the line ends of a checkout."""
    lf = content.replace(b"\r\n", b"\n")
    for form in (content, lf, lf.replace(b"\n", b"\r\n")):
        if sha256_of(form) == sha256:
            return form
    return None


def read_answers(folder: Path) -> Answers:
    """Read and check the record of a project.

    Raises:
        ConfigError: It is missing, damaged, or from a newer edge_sdk.
    """
    try:
        data = json.loads((folder / ANSWERS).read_bytes())
    except (OSError, ValueError, RecursionError) as failure:
        raise _broken(folder, str(failure)) from failure
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _broken(folder, f'it has no "format": "{FORMAT}"')
    _refuse_newer(folder, data)
    try:
        answers = Answers.from_dict(data)
        if answers.options.get("platform") not in ("android", "ios"):
            raise ConfigError(f"options.platform is {answers.options.get('platform')!r}")
        for path, record in answers.files.items():
            check_project_path(path)
            if record.kind not in (GENERATED, SCAFFOLD, USER):
                raise ConfigError(f"{path}: kind {record.kind!r}")
    except ConfigError as failure:
        raise _broken(folder, failure.what) from failure
    return answers


def _refuse_newer(folder: Path, data: Mapping[str, Any]) -> None:
    major = str(data.get("format_version", "")).split(".")[0]
    theirs, ours = str(data.get("sdk_version", "")), __version__
    if (major.isdigit() and int(major) > int(FORMAT_VERSION.split(".")[0])) or _numbers(theirs) > _numbers(
        ours
    ):
        raise ConfigError(
            f"{folder} was made by edge-sdk {theirs or 'of a later format'}, and this is edge-sdk {ours}",
            why="its template is newer than the one here; an update would take it back",
            hint="pip install -U edge-sdk",
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _broken(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{folder / ANSWERS} is damaged",
        why=why,
        hint="restore it from version control, or make the project anew and copy your changes over",
    )

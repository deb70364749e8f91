"""Bringing a project up to date without losing what its user wrote.

`plan_update` compares, file by file, what was rendered last time, what is there now, and what would be
rendered today; `apply_update` carries the plan out. The rules:

| the file is | nobody edited it | the user edited it | the user deleted it |
|---|---|---|---|
| generated | written anew | conflict: kept, the new one lies in `.edge/new/` | written anew |
| scaffold | written anew | three-way merge; marks where both changed one place | stays deleted |
| user | left alone | left alone | stays deleted |

A file that the template has no more goes if nobody edited it, and stays as a conflict else. A file that the
template renames takes the user's edits along. What stands in the way (somebody's own file, a link, a folder)
is never replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.project import ANSWERS, Project, answers_of, read_answers
from edge_sdk.scaffold.reconcile import CONFLICT, Change, Odd, Reconciliation, read_place
from edge_sdk.scaffold.render import RenderedProject, render_bundle, render_platform
from edge_sdk.scaffold.transaction import Write, apply, locked

if TYPE_CHECKING:
    from edge_sdk.bundle.archive import Bundle


@dataclass(frozen=True)
class UpdatePlan:
    """Everything an update would do.

    Attributes:
        project: As it is.
        rendered: What the template makes today.
        changes: By path; files that stay as they are, are not listed.
        writes: What is written, `.edge/` included; empty where nothing changes at all.
    """

    project: Project
    rendered: RenderedProject
    changes: tuple[Change, ...]
    writes: Mapping[str, Write] = field(repr=False)

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """The changes that somebody has to decide."""
        return tuple(change for change in self.changes if change.action == CONFLICT)


def render_again(project: Project, bundle: Bundle | None) -> RenderedProject:
    """Render a project anew, from a bundle or from the model that it holds.

    Raises:
        EdgeError: The bundle has nothing for the project's platform or runtime.
        ConfigError: Without a bundle: the project's own copy of the model was edited.
    """
    if bundle is not None:
        return render_bundle(bundle, project.options)
    return render_platform(project.spec, project.options, project.content())


def plan_update(project: Project, rendered: RenderedProject, *, force_generated: bool = False) -> UpdatePlan:
    """Decide what becomes of every file; nothing is written.

    Args:
        project: As it is.
        rendered: As the template makes it today.
        force_generated: Replace generated files that were edited; the edited ones are saved.
    """
    continued = _continued(project, rendered)

    def decide_all(vacated: frozenset[str]) -> Reconciliation:
        found = Reconciliation(project, force_generated, vacated)
        for path, file in rendered.files.items():
            found.decide(file, continued.get(path))
        for path in sorted(set(project.answers.files) - set(continued.values())):
            found.retire(path)
        return found

    decided = decide_all(frozenset())
    if decided.vacated:
        # A file may come where a folder goes, or a folder where a file goes: only now is it known what goes.
        decided = decide_all(decided.vacated)
    writes = decided.finish(answers_of(rendered, decided.records).to_bytes())
    changes = tuple(sorted(decided.changes, key=lambda change: change.path))
    return UpdatePlan(project=project, rendered=rendered, changes=changes, writes=writes)


def apply_update(plan: UpdatePlan) -> tuple[str, ...]:
    """Carry a plan out, whole or not at all.

    Returns:
        Paths that somebody edited meanwhile; they were left alone.

    Raises:
        ConfigError: The project was updated by somebody else since the plan was made, or cannot be written.
        NoSpaceError: The disk is full; nothing has changed.
    """
    folder = plan.project.folder
    with locked(folder):
        # Planned from what was there; what was saved in an editor since must not be replaced.
        changed = [
            path
            for change in plan.changes
            if (path := change.old_path or change.path) in plan.writes
            and _digest(change.before) != _digest(read_place(folder / path))
        ]
        if read_answers(folder) != plan.project.answers:
            changed.append(ANSWERS)
        if changed:
            raise ConfigError(
                f"{changed[0]} changed while the update was planned",
                hint="run the same command again; nothing was changed",
            )
        return apply(folder, plan.writes)


def _digest(content: bytes | Odd | None) -> str | None:
    return sha256_of(content) if isinstance(content, bytes) else None


def _continued(project: Project, rendered: RenderedProject) -> dict[str, str]:
    """Return, by path of today, the path in the record that it continues; each of those once.

    A file is what it was rendered from. So one whose name holds the application's name, say, is the same
    file after that name has changed; and a template names the sources that its own files had before.
    """
    records = project.answers.files
    continued: dict[str, str] = {}
    for path in rendered.files:
        if path in records:
            continued[path] = path
    free: dict[str, list[str]] = {}
    for path, record in records.items():
        if path not in continued:
            free.setdefault(record.source, []).append(path)
    for path, file in rendered.files.items():
        if path in continued:
            continue
        for source in (file.source, *file.renamed_from):
            if free.get(source):
                continued[path] = free[source].pop(0)
                break
    return continued

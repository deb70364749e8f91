"""What `edge scaffold` prints."""

from __future__ import annotations

import difflib
import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from edge_sdk.cli.console import stdout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from edge_sdk.scaffold.project import Project
    from edge_sdk.scaffold.reconcile import Change
    from edge_sdk.scaffold.update import UpdatePlan
    from edge_sdk.scaffold.verify.base import CheckOutcome, VerifyReport

_COLOURS = {
    "create": "green",
    "update": "green",
    "merge": "cyan",
    "rename": "cyan",
    "remove": "yellow",
    "keep": "yellow",
    "conflict": "bold red",
    "passed": "green",
    "failed": "bold red",
    "skipped": "yellow",
}
_OPENED_BY = {"android": "Android Studio", "ios": "Xcode"}
#: A file with more lines than this that nobody reads line by line, such as golden vectors, is not shown so.
_LONG_LINE = 2000


def project_to_dict(project: Project) -> dict[str, Any]:
    """Return a project as the result of `--json`."""
    spec = project.spec
    return {
        "project": str(project.folder),
        "platform": project.platform,
        "options": project.options.to_dict(),
        "model": {
            "name": spec.name,
            "version": spec.version,
            "target": spec.target,
            "variant": spec.variant,
            "file": spec.model_file,
            "sha256": spec.model_sha256,
            "size": spec.model_size,
        },
        "files": {path: record.kind for path, record in sorted(project.answers.files.items())},
    }


def print_created(project: Project) -> None:
    """Say what was made, whose the files are, and what to do next."""
    from rich.text import Text

    spec, options = project.spec, project.options
    out = stdout()
    out.print(f"{project.folder}: a project for {_OPENED_BY[project.platform]}", style="bold", markup=False)
    facts = (
        ("model", f"{spec.name} {spec.version}, variant {spec.variant}, {_size(spec.model_size)}"),
        ("runtime", options.runtime),
        ("app", f"{options.title} ({options.application_id})"),
        ("accelerators", ", ".join(spec.accelerators) + ": tried in this order, each checked first"),
    )
    grid = _grid()
    for name, value in facts:
        grid.add_row(name, Text(value))
    out.print(grid)
    out.print()
    out.print(_tree(project.paths()))
    out.print()
    counts = Counter(record.kind for record in project.answers.files.values())
    grid = _grid()
    grid.add_row("generated", _files(counts["generated"]), "every update writes them again: do not edit")
    grid.add_row("scaffold", _files(counts["scaffold"]), "yours to edit: an update merges")
    if counts["user"]:
        whose = Text("yours alone: " + _some(project.paths(kind="user")))
        grid.add_row("user", _files(counts["user"]), whose)
    out.print(grid)
    out.print()
    folder = shlex.quote(str(project.folder))
    out.print("Next:")
    out.print(f"  edge scaffold verify {folder}", markup=False)
    out.print(
        f"  open {folder} in {_OPENED_BY[project.platform]}; its README.md tells what was checked",
        markup=False,
        soft_wrap=True,
    )
    out.print(f"  after the next build:  edge scaffold update {folder} BUNDLE", markup=False)


def changes_to_dict(plan: UpdatePlan, *, with_diff: bool = False) -> dict[str, Any]:
    """Return an update as the result of `--json`."""
    changes = []
    for change in plan.changes:
        item: dict[str, Any] = {
            "path": change.path,
            "kind": change.kind,
            "action": change.action,
            "reason": change.reason or None,
            "old_path": change.old_path,
        }
        if with_diff:
            item["diff"] = "".join(f"{line}\n" for line in _difference(change)) or None
        changes.append(item)
    return {
        "project": str(plan.project.folder),
        "changes": changes,
        "conflicts": len(plan.conflicts),
    }


def print_diff(plan: UpdatePlan) -> None:
    """Print an update as a unified diff; but for the lines that begin with "#", `git apply` takes it."""
    from rich.segment import Segment, Segments
    from rich.style import Style

    out = stdout()
    styles = {mark: Style.parse(style) for mark, style in (("+", "green"), ("-", "red"), ("@", "cyan"))}
    for change in plan.changes:
        if change.reason:
            out.print(
                f"# {change.action} {change.path}: {change.reason}", style="dim", markup=False, soft_wrap=True
            )
        # As segments: rich's texts turn tabs into spaces, and a diff is what it is.
        lines = [Segment(f"{line}\n", styles.get(line[:1])) for line in _difference(change)]
        out.print(Segments(lines), soft_wrap=True, end="")
    if not plan.changes:
        out.print("Nothing would change.")
    elif plan.conflicts:
        out.print(f"# {_files(len(plan.conflicts))} would have to be decided by hand", style="bold red")


def print_changes(plan: UpdatePlan, left_alone: Sequence[str], *, applied: bool) -> None:
    """Say what an update did, or would do, to each file."""
    out = stdout()
    if not plan.changes:
        out.print("Nothing to do: the project is up to date.")
        return
    from rich.text import Text

    for change in plan.changes:
        moved = change.old_path not in (None, change.path)
        where = f"{change.old_path} -> {change.path}" if moved else change.path
        # As Text: a file's name may hold what is markup elsewhere. Not wrapped: it may be copied.
        line = Text.assemble((f"{change.action:<8}", _COLOURS[change.action]), f"  {change.kind:<9}  {where}")
        out.print(line, soft_wrap=True)
        if change.reason:
            out.print(Text(f"{'':21}{change.reason}", "dim"), soft_wrap=True)
    counts = Counter(change.action for change in plan.changes)
    told = ", ".join(f"{count} {action}" for action, count in sorted(counts.items()))
    out.print(f"\n{'' if applied else 'not done yet: '}{told}")
    for path in left_alone:
        out.print(
            f"{path} was edited meanwhile and left alone; run the update again", style="yellow", markup=False
        )
    if plan.conflicts:
        out.print(
            f"{_files(len(plan.conflicts))} to decide: look for <<<<<<< in merged files, and into .edge/new"
            " for generated files that somebody edited",
            style="bold red",
            soft_wrap=True,
        )


def print_report(report: VerifyReport) -> None:
    """Print the checks of a project, and what they found."""
    from rich.table import Table
    from rich.text import Text

    out = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("")
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("what it proves", overflow="fold")
    for outcome in report.outcomes:
        table.add_row(
            outcome.name,
            Text(outcome.state, style=_COLOURS[outcome.state]),
            f"{outcome.seconds:.1f}",
            Text(outcome.proves)
            if outcome.state != "passed" or not outcome.why
            else Text.assemble(outcome.proves, (f" ({outcome.why})", "dim")),
        )
    out.print(table)
    for outcome in report.outcomes:
        for line in _said(outcome):
            out.print(line, markup=False, soft_wrap=True)
    counts = Counter(outcome.state for outcome in report.outcomes)
    out.print()
    out.print(
        ", ".join(f"{counts[state]} {state}" for state in ("passed", "failed", "skipped") if counts[state])
    )


def _said(outcome: CheckOutcome) -> Iterator[str]:
    if outcome.state == "passed":
        return
    yield f"\n{outcome.name} {outcome.state}" + (f": {outcome.why}" if outcome.why else "")
    for finding in outcome.findings:
        yield f"  {finding}"
    if outcome.how:
        yield f"  try: {outcome.how}"


def _difference(change: Change) -> Iterator[str]:
    before, after = _text(change.before), _text(change.after)
    if change.before == change.after:
        return
    old = "/dev/null" if change.before is None else f"a/{change.old_path or change.path}"
    new = "/dev/null" if change.after is None else f"b/{change.path}"
    if before is None or after is None:
        yield f"Binary files {old} and {new} differ"
        return
    for line in difflib.unified_diff(_lines(before), _lines(after), old, new):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _lines(text: str) -> list[str]:
    """Return the lines, each with its end; nothing but a line feed ends one, as in `git`."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _text(content: bytes | None) -> str | None:
    """Return what a person can read; None for anything else."""
    if content is None:
        return ""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or max(map(len, text.splitlines()), default=0) > _LONG_LINE else text


def _tree(paths: Sequence[str]) -> Table:
    """Return what lies on the top of a project: its folders, then its files."""
    from rich.text import Text

    below = Counter(path.partition("/")[0] for path in paths if "/" in path)
    grid = _grid()
    for folder, count in sorted(below.items()):
        grid.add_row(Text(f"  {folder}/"), _files(count))
    grid.add_row(Text("  files"), Text(", ".join(path for path in paths if "/" not in path)))
    return grid


def _grid() -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    return grid


def _some(paths: Sequence[str]) -> str:
    return (
        ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "") if paths else "none"
    )


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"

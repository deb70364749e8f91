"""Updates of projects with arbitrary edits by arbitrary templates."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.scaffold.project import create_project, open_project, tree_of
from edge_sdk.scaffold.render import RenderedFile, RenderedProject
from edge_sdk.scaffold.update import apply_update, plan_update
from tests.scaffold.tiny import OPTIONS, read_tree, spec_of

# Few names, so that what the template adds meets what the user has; "d/x" and "d" are both possible.
PATHS = ["a.kt", "b.kt", "c.kt", "d/x.kt", "d/y.kt", "d"]
SPECS = {version: spec_of(version=version) for version in ("1", "2")}
SOURCES = ["one", "two", "three", "four", "five"]


@st.composite
def texts(draw: st.DrawFn, who: str) -> bytes:
    lines = draw(
        st.lists(st.sampled_from(["{", "}", "", "a", "b", f"{who} 1", f"{who} 2", f"{who} 3"]), max_size=7)
    )
    return ("\n".join(lines) + draw(st.sampled_from(["\n", ""]))).encode()


@st.composite
def projects(draw: st.DrawFn) -> RenderedProject:
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1, max_size=4))
    if "d" in paths:
        paths = [path for path in paths if not path.startswith("d/")]
    sources = draw(st.permutations(SOURCES))
    version = draw(st.sampled_from(["1", "2"]))
    files = {
        path: RenderedFile(
            path=path,
            content=draw(texts("theirs") | st.just(b"\0binary " + version.encode())),
            kind=draw(st.sampled_from(["generated", "scaffold", "scaffold", "user"])),
            source=source,
            renamed_from=tuple(draw(st.lists(st.sampled_from(SOURCES), max_size=1))),
        )
        for path, source in zip(sorted(paths), sources, strict=False)
    }
    return RenderedProject(
        files=files,
        template_sha256=sha256_of(repr(sorted(files)).encode()),
        spec=SPECS[version],
        options=OPTIONS,
    )


@dataclass
class Edits:
    deletions: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)


@st.composite
def edits(draw: st.DrawFn) -> Edits:
    return Edits(
        draw(st.lists(st.sampled_from(PATHS), max_size=2)),
        draw(
            st.dictionaries(
                st.sampled_from([*PATHS, "own.kt"]), texts("mine") | st.just(b"mine\xff"), max_size=3
            )
        ),
    )


def edit(folder: Path, what: Edits) -> None:
    for path in what.deletions:
        if (folder / path).is_file():
            (folder / path).unlink()
    for path, content in what.texts.items():
        place = folder / path
        if place.is_dir() or any(parent.is_file() for parent in place.parents):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def lines(tree: dict[str, bytes]) -> Counter[bytes]:
    """Count lines outside of what the engine rendered and keeps."""
    return Counter(
        line
        for path, content in tree.items()
        if not path.startswith(".edge/") or path.startswith(".edge/saved/")
        for line in content.split(b"\n")
    )


def own_lines(tree: dict[str, bytes]) -> Counter[bytes]:
    return Counter({line: count for line, count in lines(tree).items() if line.startswith(b"mine")})


@given(projects(), edits(), projects(), st.booleans(), edits(), projects())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_no_line_of_the_user_is_ever_lost(
    first: RenderedProject,
    some: Edits,
    second: RenderedProject,
    force: bool,
    more: Edits,
    third: RenderedProject,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "app"
        create_project(folder, first)
        for what, rendered in ((some, second), (more, third)):
            edit(folder, what)
            before = read_tree(folder)
            plan = plan_update(open_project(folder), rendered, force_generated=force)
            assert read_tree(folder) == before
            assert apply_update(plan) == ()
            after = read_tree(folder)
            lost = own_lines(before) - own_lines(after)
            # What is saved twice is saved once: its name is its digest.
            saved = {path: content for path, content in after.items() if path.startswith(".edge/saved/")}
            assert lost.keys() <= lines(saved).keys(), plan.changes
            if "own.kt" in before:
                assert after["own.kt"] == before["own.kt"]
            claimed = {
                source
                for file in rendered.files.values()
                if file.kind != "user"
                for source in (file.source, *file.renamed_from)
            }
            for path, record in plan.project.answers.files.items():
                # Unless the template makes it something else, what is the user's stays as it is.
                if record.kind == "user" and record.source not in claimed and path not in rendered.files:
                    assert after.get(path) == before.get(path)
            again = plan_update(open_project(folder), rendered, force_generated=force)
            assert again.writes == {}, (plan.changes, again.changes)
            assert {change.path for change in again.conflicts} <= {change.path for change in plan.conflicts}


@given(projects(), projects())
@settings(max_examples=150, deadline=None)
def test_an_untouched_project_becomes_what_a_fresh_one_is(old: RenderedProject, new: RenderedProject) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "app"
        project = create_project(folder, old)
        users = {path for part in (old, new) for path, file in part.files.items() if file.kind == "user"}
        plan = plan_update(project, new)
        apply_update(plan)
        if not users:
            assert plan.conflicts == ()
            assert read_tree(folder) == tree_of(new)
        # What was written once for the user stays as it was; every other file is a fresh one's.
        fresh, found = tree_of(new), read_tree(folder)
        if plan.conflicts == ():
            assert {path for path in fresh if fresh[path] != found.get(path)} <= users | {
                ".edge/answers.json"
            }

"""Living with edits: whole projects of the real templates through new models and a new edge_sdk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from edge_sdk.bundle.archive import Bundle, write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import FileEntry
from edge_sdk.resources import data_folder
from edge_sdk.scaffold import render
from edge_sdk.scaffold.merge import has_marks, text_of
from edge_sdk.scaffold.project import Project, open_project
from tests.cli.scaffold_command import own_files, scaffold
from tests.scaffold.bundles import make_bundle, package, variant
from tests.scaffold.tiny import read_tree

PLATFORMS = ("android", "ios")
#: What a user writes into a file; in no template.
MINE = "user's own line, 100 % $mine"
#: What a new template writes.
NEWS = "line of the next template"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path, variant("float32"), package(), name="plant-watch")


@pytest.fixture(params=PLATFORMS)
def project(request: pytest.FixtureRequest, bundle: Path) -> Project:
    """A new project of each platform."""
    done = scaffold(request.param, bundle, "--out", "app")
    assert done.code == 0, done.talk
    return open_project(Path("app"))


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of both templates, which the command uses from now on and a test may change."""
    for name in ("android_template", "ios_template"):
        shutil.copytree(data_folder(name), tmp_path / "templates" / name)
    monkeypatch.setattr(render, "data_folder", lambda name: tmp_path / "templates" / name)
    return tmp_path / "templates"


def next_model(bundle: Path) -> Path:
    """Return a bundle with the same contract whose models were trained again."""
    with Bundle.open(bundle) as old:
        content = {name: old.read(name) for name in old.names()}
        manifest = old.manifest
    for name in content:
        if name.endswith((".tflite", "Manifest.json")):
            content[name] += b"\n"  # other bytes, and still a model
    files = {name: FileEntry(sha256=sha256_of(data), size=len(data)) for name, data in content.items()}
    variants = tuple(
        replace(item, recipe=f"{item.recipe}_again", golden=replace(item.golden, atol=2e-4))  # type: ignore[type-var]
        for item in manifest.variants
    )
    path = bundle.with_name("next.edge")
    write_bundle(path, replace(manifest, version="2.0.0", files=files, variants=variants), content)
    return path


def texts(project: Project, kind: str) -> list[str]:
    """Return the paths of a kind that are text of several lines, so that two edits are not neighbours."""
    found = []
    for path in project.paths(kind=kind):
        text = text_of((project.folder / path).read_bytes())
        if text is not None and text.count("\n") >= 6:
            found.append(path)
    return found


def edit(folder: Path, paths: list[str], line: str = MINE) -> None:
    """Write a line behind the first one of each file, as a user does."""
    for path in paths:
        first, separator, rest = (folder / path).read_text("utf-8").partition("\n")
        (folder / path).write_text(first + separator + line + "\n" + rest, "utf-8", newline="")


def change_template(folder: Path, *, line: int | None = None) -> set[str]:
    """Write a line at the end of each file of a template, or replace one; return what changed."""
    changed = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in ("template.toml", "versions.toml"):
            continue
        text = text_of(path.read_bytes())
        if text is None or text.count("\n") < 6:
            continue
        lines = text.splitlines()
        if line is None:
            lines.append(NEWS)
        elif "[%" in lines[line] or "[[" in lines[line]:
            continue
        else:
            lines[line] = NEWS
        path.write_text("\n".join(lines) + "\n", "utf-8", newline="")
        changed.add(path.relative_to(folder).as_posix())
    return changed


def lines_of(tree: dict[str, bytes]) -> Counter[bytes]:
    return Counter(line.strip() for data in tree.values() for line in data.splitlines())


def test_a_new_model_touches_generated_files_only(project: Project, bundle: Path) -> None:
    edited = texts(project, "scaffold")
    assert len(edited) >= 10
    edit(project.folder, edited)
    own = project.folder / "my own" / "notes.txt"
    own.parent.mkdir()
    own.write_text("mine")
    before = own_files(project.folder)

    done = scaffold("update", project.folder, next_model(bundle), "--json")
    assert done.code == 0, done
    found = done.data
    assert found["conflicts"] == 0
    assert {change["kind"] for change in found["changes"]} == {"generated"}
    after = own_files(project.folder)
    touched = {path for path in before if before[path] != after.get(path)}
    assert touched == {change["path"] for change in found["changes"]}
    assert touched <= set(project.paths(kind="generated"))
    assert set(after) == set(before)
    assert open_project(project.folder).spec.version == "2.0.0"
    assert "up to date" in scaffold("update", project.folder).out

    # An untouched project becomes, byte for byte, what a new one is.
    platform = project.platform
    assert scaffold(platform, next_model(bundle), "--out", "new").code == 0
    new = own_files(Path("new"))
    assert {path: new[path] for path in project.paths(kind="generated")} == {
        path: after[path] for path in project.paths(kind="generated")
    }


def test_a_new_template_is_merged_into_every_edited_file(
    project: Project, bundle: Path, templates: Path
) -> None:
    edited = texts(project, "scaffold")
    edit(project.folder, edited)
    changed = change_template(templates / f"{project.platform}_template")
    met = [path for path in edited if project.answers.files[path].source in changed]
    assert len(met) >= 10

    seen = scaffold("diff", project.folder)
    assert seen.code == 0, seen.out
    assert f"+{NEWS}" in seen.out
    dry = scaffold("update", project.folder, "--dry-run")
    assert (dry.code, "not done yet" in dry.out) == (0, True)
    assert all(NEWS.encode() not in data for data in own_files(project.folder).values())

    done = scaffold("update", project.folder, bundle)
    assert done.code == 0, done.out
    assert "merge" in done.out
    for path in met:
        text = (project.folder / path).read_text("utf-8")
        assert text.splitlines()[1] == MINE, path
        assert NEWS in text, path
    generated = [path for path in project.paths(kind="generated") if (project.folder / path).is_file()]
    assert not any(has_marks(text_of((project.folder / path).read_bytes()) or "") for path in generated)
    for path in project.paths(kind="user"):
        assert project.state(path) == "unchanged"


def test_the_same_line_is_a_conflict_that_loses_nothing(project: Project, templates: Path) -> None:
    template = templates / f"{project.platform}_template"
    paths = texts(project, "scaffold")
    for path in paths:
        lines = (project.folder / path).read_text("utf-8").splitlines()
        lines[3] = MINE
        (project.folder / path).write_text("\n".join(lines) + "\n", "utf-8", newline="")
    before = own_files(project.folder)
    changed = change_template(template, line=3)
    met = {path for path in paths if project.answers.files[path].source in changed}

    seen = scaffold("diff", project.folder)
    assert seen.code == 1
    assert own_files(project.folder) == before
    assert scaffold("update", project.folder, "--dry-run").code == 1
    assert own_files(project.folder) == before

    done = scaffold("update", project.folder, "--json")
    assert done.code == 1
    conflicts = {change["path"] for change in done.data["changes"] if change["action"] == "conflict"}
    assert conflicts
    assert conflicts <= met
    after = own_files(project.folder)
    for path in paths:
        text = after[path].decode()
        assert MINE in text, path
        assert has_marks(text) == (path in conflicts), path
    missing = lines_of({path: before[path] for path in paths}) - lines_of(after)
    assert not {line for line in missing if line == MINE.encode()}
    assert scaffold("update", project.folder).code == 1  # until somebody has decided


def test_an_edited_generated_file_is_kept_and_the_new_one_lies_beside(project: Project, bundle: Path) -> None:
    (path,) = (item for item in project.paths(kind="generated") if "ModelSpec." in item)
    edit(project.folder, [path])
    mine = (project.folder / path).read_bytes()
    again = next_model(bundle)

    done = scaffold("update", project.folder, again)
    assert done.code == 1
    assert "--force-generated" in done.out
    assert (project.folder / path).read_bytes() == mine
    theirs = project.folder / ".edge/new" / path
    assert b"2.0.0" in theirs.read_bytes()

    forced = scaffold("update", project.folder, again, "--force-generated")
    assert forced.code == 0, forced
    assert ".edge/saved/" in forced.out
    assert MINE.encode() not in (project.folder / path).read_bytes()
    saved = [data for name, data in read_tree(project.folder).items() if name.startswith(".edge/saved/")]
    assert saved == [mine]
    assert not theirs.exists()
    assert "up to date" in scaffold("update", project.folder, again).out


def test_a_deleted_scaffold_file_stays_deleted_and_a_generated_one_comes_back(
    project: Project, bundle: Path
) -> None:
    mine, theirs = texts(project, "scaffold")[0], project.paths(kind="generated")[0]
    (project.folder / mine).unlink()
    (project.folder / theirs).unlink()
    done = scaffold("update", project.folder, bundle, "--json")
    assert done.code == 0
    assert [(change["path"], change["action"]) for change in done.data["changes"]] == [(theirs, "create")]
    assert not (project.folder / mine).exists()


def test_a_bundle_that_cannot_be_is_no_update(project: Project, tmp_path: Path) -> None:
    before = read_tree(project.folder)
    (tmp_path / "other").mkdir()
    item = variant("float32") if project.platform == "ios" else package()
    done = scaffold("update", project.folder, make_bundle(tmp_path / "other", item, android=()))
    assert done.code == 5
    assert f"no variant for {project.platform}" in done.talk
    assert scaffold("update", project.folder, "nothing.edge").code in (2, 5)
    assert read_tree(project.folder) == before


def test_a_model_that_was_swapped_by_hand_needs_its_bundle(project: Project, bundle: Path) -> None:
    (path,) = project.paths(source=f"{render.MODEL_SOURCE}")[:1]
    (project.folder / path).write_bytes(b"another model")
    done = scaffold("update", project.folder)
    assert done.code == 2
    assert "edge scaffold update app BUNDLE" in done.talk
    assert scaffold("update", project.folder, bundle).code == 1
    assert (project.folder / path).read_bytes() == b"another model"
    assert scaffold("update", project.folder, bundle, "--force-generated").code == 0
    assert "up to date" in scaffold("update", project.folder).out


#: Updates a project, and is killed while files are moved into place.
KILLED = """
import os, signal, sys
from pathlib import Path
count, moved = 0, Path.replace
def replace(self, target):
    global count
    if "/.edge/update/" in str(Path(self).absolute()):
        count += 1
        if count == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    return moved(self, target)
Path.replace = replace
from edge_sdk.cli.main import main
sys.argv = ["edge", "scaffold", "update", *sys.argv[1:]]
main()
"""


def test_an_update_that_was_killed_is_finished_and_said(project: Project, bundle: Path) -> None:
    again = next_model(bundle)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(project.folder), str(again)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = scaffold("diff", project.folder, again)
    assert found.code == 0, found
    assert "had been interrupted; it is finished now" in found.talk
    assert "Nothing would change" in found.out
    assert open_project(project.folder).spec.version == "2.0.0"


def test_a_diff_is_one_that_patch_takes(project: Project, bundle: Path, templates: Path) -> None:
    """What `diff` prints is a real unified diff: `git apply` makes of the old files the new ones."""
    change_template(templates / f"{project.platform}_template")
    (path,) = (item for item in project.paths(kind="generated") if "ModelSpec." in item)
    whole = (project.folder / path).read_bytes()
    (project.folder / path).write_bytes(whole.removesuffix(b"\n") + b"\r\n\tmine, without an end")
    before = Path(shutil.copytree(project.folder, "copy"))
    printed = scaffold("diff", project.folder, "--force-generated").raw
    diff = b"\n".join(line for line in printed.split(b"\n") if not line.startswith(b"# "))
    done = subprocess.run(
        ["git", "apply", "--unsafe-paths", "--whitespace=nowarn", "-"],
        cwd=before,
        input=diff,
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(Path.cwd())},
    )
    assert done.returncode == 0, done.stderr
    assert scaffold("update", project.folder, "--force-generated").code == 0
    assert own_files(before) == own_files(project.folder)

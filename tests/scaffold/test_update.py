from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.merge import START
from edge_sdk.scaffold.project import ANSWERS, Project, create_project, open_project, tree_of
from edge_sdk.scaffold.reconcile import CONFLICT, Change
from edge_sdk.scaffold.render import RenderedProject
from edge_sdk.scaffold.update import UpdatePlan, apply_update, plan_update
from tests.scaffold.tiny import Tiny, read_tree, spec_of

MAIN = "app/com.example.digits/Main.kt"


class Bench:
    """A project, and a template that a test may change."""

    def __init__(self, folder: Path) -> None:
        self.tiny = Tiny(folder / "android_template")
        self.folder = folder / "app"
        create_project(self.folder, self.tiny.render())

    def project(self) -> Project:
        return open_project(self.folder)

    def plan(self, rendered: RenderedProject | None = None, *, force: bool = False) -> UpdatePlan:
        return plan_update(self.project(), rendered or self.tiny.render(), force_generated=force)

    def update(self, rendered: RenderedProject | None = None, *, force: bool = False) -> dict[str, Change]:
        """Update, and check what holds for every update."""
        plan = self.plan(rendered, force=force)
        before = self.tree()
        assert apply_update(plan) == ()
        again = self.plan(rendered, force=force)
        assert again.writes == {}, "a second update changes nothing"
        assert {change.path for change in again.conflicts} <= {change.path for change in plan.conflicts}
        assert not (self.folder / ".edge" / "update").exists()
        for change in plan.changes:
            if change.path in before and change.path not in plan.writes:
                assert before[change.path] == self.tree()[change.path]
        return {change.path: change for change in plan.changes}

    def tree(self) -> dict[str, bytes]:
        return read_tree(self.folder)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, newline="")

    def read(self, path: str) -> str:
        return (self.folder / path).read_bytes().decode()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def actions(changes: dict[str, Change]) -> dict[str, str]:
    return {path: change.action for path, change in changes.items()}


def test_nothing_new_changes_nothing(bench: Bench) -> None:
    times = {path: (bench.folder / path).stat().st_mtime_ns for path in bench.tree()}
    assert bench.update() == {}
    assert times == {path: (bench.folder / path).stat().st_mtime_ns for path in bench.tree()}


def test_an_untouched_project_becomes_what_a_fresh_one_is(bench: Bench) -> None:
    bench.tiny.files["Main.kt"] += "// new\n"
    bench.tiny.files["gradlew"] += "exit 0\n"
    bench.tiny.files["core/new/C.kt"] = "class C\n"
    del bench.tiny.files["core/deep/B.kt"]
    bench.tiny.files["names.part"] = "// other [[ spec.name ]]\n"
    rendered = bench.tiny.render(spec=spec_of(version="2", labels=()), flags=frozenset({"camera"}))
    changes = actions(bench.update(rendered))
    assert bench.tree() == tree_of(rendered)
    assert changes["camera.kt"] == changes["modules/core/new/C.kt"] == "create"
    assert changes["modules/core/deep/B.kt"] == changes["app/assets/labels.txt"] == "remove"
    assert changes[MAIN] == changes["core/Spec.kt"] == "update"
    assert not (bench.folder / "modules" / "core" / "deep").exists()


def test_a_new_version_of_the_model_touches_generated_files_only(bench: Bench) -> None:
    bench.write(MAIN, "all mine now\n")
    bench.write("modules/core/A.kt", "class Mine\n")
    before = bench.tree()
    changes = bench.update(bench.tiny.render(spec=spec_of(version="2")))
    assert {change.kind for change in changes.values()} == {"generated"}
    assert set(actions(changes).values()) == {"update"}
    after = bench.tree()
    assert {path for path in after if before.get(path) != after[path]} == {ANSWERS, *changes}


def test_a_plan_writes_nothing(bench: Bench) -> None:
    bench.write(MAIN, "mine\n")
    bench.tiny.files["Main.kt"] = "new\n"
    before = bench.tree()
    assert bench.plan(bench.tiny.render(spec=spec_of(version="2"))).writes
    assert bench.tree() == before


def test_edits_and_news_meet(bench: Bench) -> None:
    bench.write(MAIN, bench.read(MAIN) + "\nfun mine() {}\n")
    bench.tiny.files["Main.kt"] = "// licence\n" + bench.tiny.files["Main.kt"]
    changes = bench.update()
    assert actions(changes) == {MAIN: "merge"}
    assert bench.read(MAIN).startswith("// licence\npackage")
    assert bench.read(MAIN).endswith("\nfun mine() {}\n")


def test_an_edited_file_without_news_stays(bench: Bench) -> None:
    bench.write(MAIN, "mine\n")
    assert bench.update() == {}
    assert bench.read(MAIN) == "mine\n"


def test_a_conflict_is_marked_and_waits_until_it_is_settled(bench: Bench) -> None:
    bench.write(MAIN, bench.read(MAIN).replace("run()", "runMine()"))
    bench.tiny.files["Main.kt"] = bench.tiny.files["Main.kt"].replace("run()", "runNew()")
    changes = bench.update()
    assert actions(changes) == {MAIN: CONFLICT}
    assert "1 place marked" in changes[MAIN].reason
    marked = bench.read(MAIN)
    assert all(f"    {name}\n" in marked for name in ("runMine()", "run()", "runNew()"))
    # Again: still a conflict, nothing touched; also when the template has more news.
    assert actions(bench.update()) == {MAIN: CONFLICT}
    bench.tiny.files["Main.kt"] += "// more\n"
    assert actions(bench.update()) == {MAIN: CONFLICT}
    assert bench.read(MAIN) == marked
    bench.write(MAIN, "package com.example.digits\n\nfun main() {\n    runMine()\n    runNew()\n}\n")
    assert actions(bench.update()) == {MAIN: "merge"}
    assert bench.read(MAIN).endswith("    runNew()\n}\n// more\n")
    assert bench.update() == {}


def test_a_generated_file_that_was_edited(bench: Bench) -> None:
    bench.write("core/Spec.kt", "object Spec // edited\n")
    rendered = bench.tiny.render(spec=spec_of(version="2"))
    changes = bench.update(rendered)
    assert changes["core/Spec.kt"].action == CONFLICT
    assert bench.read("core/Spec.kt") == "object Spec // edited\n"
    assert 'version = "2"' in bench.read(".edge/new/core/Spec.kt")
    assert 'version": "2"' in bench.read("app/assets/model_spec.json")
    # It stays a conflict until somebody decides: taking the new one settles it.
    assert bench.update(rendered)["core/Spec.kt"].action == CONFLICT
    (bench.folder / ".edge/new/core/Spec.kt").replace(bench.folder / "core/Spec.kt")
    assert bench.update(rendered) == {}
    assert bench.tree() == tree_of(rendered)


def test_a_generated_file_is_taken_by_force_and_the_edits_are_saved(bench: Bench) -> None:
    bench.write("core/Spec.kt", "object Spec // edited\n")
    bench.write("app/assets/labels.txt", "eins\n")
    rendered = bench.tiny.render(spec=spec_of(version="2"))
    bench.update(rendered)
    changes = bench.update(rendered, force=True)
    assert changes["core/Spec.kt"].action == "update"
    saved = {path: text for path, text in bench.tree().items() if path.startswith(".edge/saved/")}
    assert sorted(saved.values()) == [b"eins\n", b"object Spec // edited\n"]
    assert all(path in str(changes) for path in saved)
    rest = {path: text for path, text in bench.tree().items() if path not in saved}
    assert rest == tree_of(rendered)


def test_a_generated_file_that_was_deleted_comes_back(bench: Bench) -> None:
    (bench.folder / "core/Spec.kt").unlink()
    assert actions(bench.update()) == {"core/Spec.kt": "create"}


def test_a_deleted_file_stays_deleted(bench: Bench) -> None:
    (bench.folder / "gradlew").unlink()
    assert bench.update() == {}
    bench.tiny.files["gradlew"] += "exit 0\n"
    changes = bench.update()
    assert actions(changes) == {"gradlew": "keep"}
    assert "stays deleted" in changes["gradlew"].reason
    assert not (bench.folder / "gradlew").exists()
    assert bench.read(".edge/base/gradlew").endswith("exit 0\n")
    assert bench.update() == {}


def test_files_of_the_user_are_never_touched(bench: Bench) -> None:
    bench.write("app/own/Helper.kt", "mine\n")
    bench.write("Mine.kt", "edited\n")
    bench.tiny.files["Mine.kt"] = "class Other\n"
    bench.tiny.files["Main.kt"] += "// new\n"
    assert actions(bench.update()) == {MAIN: "update"}
    assert bench.read("Mine.kt") == "edited\n"
    (bench.folder / "Mine.kt").unlink()
    assert bench.update() == {}
    bench.tiny.index = bench.tiny.index.replace(
        'source = "Mine.kt"', 'source = "Mine.kt"\ntarget = "src/Mine.kt"'
    )
    assert bench.update() == {}
    assert bench.read("app/own/Helper.kt") == "mine\n"
    assert not (bench.folder / "src").exists()


def test_a_file_of_the_users_where_the_template_puts_a_new_one(bench: Bench) -> None:
    bench.write("camera.kt", "class MyCamera\n")
    changes = bench.update(bench.tiny.render(flags=frozenset({"camera"})))
    assert actions(changes) == {"camera.kt": CONFLICT}
    assert bench.read("camera.kt") == "class MyCamera\n"
    assert bench.read(".edge/base/camera.kt") == "class Camera\n"
    # Told once; from here on it is merged like any other.
    assert bench.update(bench.tiny.render(flags=frozenset({"camera"}))) == {}


def test_the_same_file_by_chance(bench: Bench) -> None:
    bench.write("camera.kt", "class Camera\n")
    assert bench.update(bench.tiny.render(flags=frozenset({"camera"}))) == {}
    assert "camera.kt" in bench.project().answers.files


def test_a_generated_file_where_the_user_has_one(bench: Bench) -> None:
    bench.write("new.kt", "mine\n")
    bench.tiny.files["new.kt"] = "new\n"
    bench.tiny.index += '[[files]]\nsource = "new.kt"\nkind = "generated"\n'
    for _ in range(2):
        assert actions(bench.update()) == {"new.kt": CONFLICT}
    assert bench.read("new.kt") == "mine\n"
    assert "your edits are in .edge/saved/new.kt." in bench.update(force=True)["new.kt"].reason
    assert bench.read("new.kt") == "new\n"


def test_a_file_that_the_template_lost(bench: Bench) -> None:
    rendered = bench.tiny.render(flags=frozenset({"camera"}))
    bench.update(rendered)
    bench.write("camera.kt", "class Camera // mine\n")
    changes = bench.update()
    assert actions(changes) == {"camera.kt": CONFLICT}
    assert "yours from now on" in changes["camera.kt"].reason
    assert bench.read("camera.kt") == "class Camera // mine\n"
    assert bench.update() == {}


def test_a_file_that_the_template_renamed_takes_the_edits_along(bench: Bench) -> None:
    bench.write("modules/core/A.kt", "class A\nclass Mine\n")
    bench.tiny.files["core/Alpha.kt"] = "// moved\nclass A\n"
    del bench.tiny.files["core/A.kt"]
    bench.tiny.index += '[[files]]\nsource = "core/Alpha.kt"\nrender = false\nrenamed_from = ["core/A.kt"]\n'
    changes = bench.update()
    assert actions(changes) == {"core/Alpha.kt": "merge"}
    assert changes["core/Alpha.kt"].old_path == "modules/core/A.kt"
    assert bench.read("core/Alpha.kt") == "// moved\nclass A\nclass Mine\n"
    assert not (bench.folder / "modules/core/A.kt").exists()


@pytest.mark.parametrize("edit", [None, "mine\n"])
def test_a_name_that_depends_on_a_choice(bench: Bench, edit: str | None) -> None:
    if edit:
        bench.write(MAIN, edit)
    bench.tiny.index = bench.tiny.index.replace("app/[[ options.application_id ]]", "source")
    changes = bench.update()
    assert actions(changes) == {"source/Main.kt": "rename"}
    assert not (bench.folder / "app/com.example.digits").exists()
    if edit:
        assert bench.read("source/Main.kt") == edit


def test_a_renamed_generated_file(bench: Bench) -> None:
    bench.tiny.index = bench.tiny.index.replace('"core/Spec.kt"', '"core/generated/Spec.kt"')
    bench.write("core/Spec.kt", "edited\n")
    assert actions(bench.update()) == {"core/Spec.kt": CONFLICT}
    assert actions(bench.update(force=True)) == {"core/generated/Spec.kt": "rename"}
    assert not (bench.folder / "core/Spec.kt").exists()
    assert b"edited\n" in bench.tree().values()


def test_a_rename_into_the_users_own_file(bench: Bench) -> None:
    bench.write("source/Main.kt", "mine\n")
    bench.tiny.index = bench.tiny.index.replace("app/[[ options.application_id ]]", "source")
    changes = bench.update()
    assert actions(changes) == {"source/Main.kt": CONFLICT}
    assert bench.read("source/Main.kt") == "mine\n"
    assert bench.read(MAIN)
    (bench.folder / "source/Main.kt").unlink()
    assert actions(bench.update()) == {"source/Main.kt": "rename"}


def test_a_rename_of_a_deleted_generated_file_into_the_users_own(bench: Bench) -> None:
    (bench.folder / "core/Spec.kt").unlink()
    bench.write("core/generated/Spec.kt", "mine\n")
    bench.tiny.index = bench.tiny.index.replace('"core/Spec.kt"', '"core/generated/Spec.kt"')
    assert actions(bench.update()) == {"core/generated/Spec.kt": CONFLICT}
    assert bench.read("core/generated/Spec.kt") == "mine\n"


@pytest.mark.parametrize("old", ["generated", "scaffold", "user"])
@pytest.mark.parametrize("new", ["generated", "scaffold", "user"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_file_that_changes_its_kind(tmp_path: Path, old: str, new: str, edited: bool) -> None:
    def index(kind: str) -> str:
        return Tiny(tmp_path).index + f'[[files]]\nsource = "kind.kt"\nkind = "{kind}"\n'

    tiny = Tiny(tmp_path / "android_template", index=index(old))
    tiny.files["kind.kt"] = "one\ntwo\nthree\n"
    create_project(tmp_path / "app", tiny.render())
    bench = Bench.__new__(Bench)
    bench.tiny, bench.folder = tiny, tmp_path / "app"
    if edited:
        bench.write("kind.kt", "one\ntwo\nthree\nmine\n")
    tiny.files["kind.kt"] = "zero\none\ntwo\nthree\n"
    tiny.index = index(new)
    changes = actions(bench.update())
    text = bench.read("kind.kt")
    assert bench.project().answers.files["kind.kt"].kind == new
    if new == "user":
        assert changes == {}
        assert text == "one\ntwo\nthree\n" + ("mine\n" if edited else "")
    elif not edited:
        assert changes == {"kind.kt": "update"}
        assert text == "zero\none\ntwo\nthree\n"
    elif (old, new) == ("scaffold", "scaffold"):
        assert changes == {"kind.kt": "merge"}
        assert text == "zero\none\ntwo\nthree\nmine\n"
    else:
        assert changes == {"kind.kt": CONFLICT}
        assert text == "one\ntwo\nthree\nmine\n"
        assert (bench.folder / (".edge/new" if new == "generated" else ".edge/base") / "kind.kt").is_file()


def test_a_lost_base_loses_nothing(bench: Bench) -> None:
    bench.write(MAIN, bench.read(MAIN) + "// mine\n")
    bench.write("modules/core/A.kt", "class A // mine\n")
    import shutil

    shutil.rmtree(bench.folder / ".edge" / "base")
    bench.tiny.files["Main.kt"] = "// new\n" + bench.tiny.files["Main.kt"]
    bench.tiny.files["gradlew"] += "exit 0\n"
    changes = bench.update()
    assert actions(changes) == {MAIN: CONFLICT, "gradlew": "update"}
    assert "nobody knows" in changes[MAIN].reason
    assert bench.read(MAIN).endswith("// mine\n")
    bench.tiny.files["Main.kt"] = "// newer\n" + bench.tiny.files["Main.kt"]
    assert actions(bench.update()) == {MAIN: CONFLICT}  # both changed the first line now
    assert "// mine\n" in bench.read(MAIN)


def test_a_file_that_is_no_text(bench: Bench) -> None:
    (bench.folder / "gradlew").write_bytes(b"mine\0")
    bench.tiny.files["gradlew"] += "exit 0\n"
    assert actions(bench.update()) == {"gradlew": CONFLICT}
    assert (bench.folder / "gradlew").read_bytes() == b"mine\0"


@pytest.mark.parametrize("what", ["link", "folder", "file above", "link above"])
def test_what_is_in_the_way(bench: Bench, tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "Main.kt").write_text("not yours\n")
    place = bench.folder / MAIN
    if what == "link":
        place.unlink()
        place.symlink_to(outside / "Main.kt")
    elif what == "folder":
        place.unlink()
        place.mkdir()
        (place / "inside").write_text("x")
    else:
        place.unlink()
        place.parent.rmdir()
        if what == "file above":
            place.parent.write_text("mine")
        else:
            place.parent.symlink_to(outside)
    assert bench.update() == {}
    bench.tiny.files["Main.kt"] += "// new\n"
    assert actions(bench.update()) == {MAIN: CONFLICT}
    assert (outside / "Main.kt").read_text() == "not yours\n"
    del bench.tiny.files["Main.kt"]
    entry = '[[files]]\nsource = "Main.kt"\ntarget = "app/[[ options.application_id ]]/Main.kt"\n'
    assert entry in bench.tiny.index
    bench.tiny.index = bench.tiny.index.replace(entry, "")
    bench.update()
    assert (outside / "Main.kt").read_text() == "not yours\n"


def test_a_checkout_with_crlf(bench: Bench) -> None:
    for path, content in bench.tree().items():
        if b"\0" not in content:
            (bench.folder / path).write_bytes(content.replace(b"\n", b"\r\n"))
    assert {bench.project().state(path) for path in bench.project().paths()} == {"unchanged"}
    bench.write(MAIN, bench.read(MAIN) + "// mine\r\n")
    bench.tiny.files["Main.kt"] = "// new\n" + bench.tiny.files["Main.kt"]
    assert actions(bench.update()) == {MAIN: "merge"}
    text = bench.read(MAIN)
    assert text.startswith("// new\r\npackage")
    assert text.endswith("// mine\r\n")


def test_permissions(bench: Bench) -> None:
    (bench.folder / MAIN).chmod(0o600)
    bench.tiny.files["Main.kt"] += "// new\n"
    bench.tiny.files["core/run.sh"] = "#!/bin/sh\n"
    bench.tiny.index += '[[files]]\nsource = "core/run.sh"\nexecutable = true\n'
    bench.update()
    assert (bench.folder / MAIN).stat().st_mode & 0o777 == 0o600
    assert (bench.folder / "core/run.sh").stat().st_mode & 0o777 == 0o755


def test_an_edit_between_plan_and_update_is_not_lost(bench: Bench) -> None:
    bench.tiny.files["Main.kt"] += "// new\n"
    plan = bench.plan()
    bench.write(MAIN, "edited in between\n")
    with pytest.raises(ConfigError, match="changed while"):
        apply_update(plan)
    assert bench.read(MAIN) == "edited in between\n"


def test_two_updates_at_once(bench: Bench) -> None:
    first = bench.plan(bench.tiny.render(spec=spec_of(version="2")))
    second = bench.plan(bench.tiny.render(spec=spec_of(version="3")))
    apply_update(first)
    with pytest.raises(ConfigError, match="changed while"):
        apply_update(second)
    assert bench.project().spec.version == "2"


KILLED = """
import os, signal, sys
from pathlib import Path
from edge_sdk.scaffold import transaction
sys.path.insert(0, {root!r})
from tests.scaffold.test_update import kill_at
kill_at(Path(sys.argv[1]), int(sys.argv[2]))
"""


def prepared(folder: Path) -> tuple[Bench, RenderedProject]:
    bench = Bench.__new__(Bench)
    bench.tiny, bench.folder = Tiny(folder / "android_template"), folder / "app"
    bench.tiny.files["Main.kt"] = "// new\n" + bench.tiny.files["Main.kt"]
    bench.tiny.files["core/C.kt"] = "class C\n"
    del bench.tiny.files["core/deep/B.kt"]
    return bench, bench.tiny.render(spec=spec_of(version="2"))


def kill_at(folder: Path, step: int) -> None:
    """Update, and die without a word at the given change of the disk."""
    count = 0

    def audit(event: str, args: tuple[object, ...]) -> None:
        nonlocal count
        writes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree") or (
            event == "open" and isinstance(args[1], str) and ("w" in args[1] or "x" in args[1])
        )
        if writes and str(folder / "app") in str(args[0]):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    bench, rendered = prepared(folder)
    plan = bench.plan(rendered)
    sys.addaudithook(audit)
    apply_update(plan)


def test_killed_anywhere_the_project_is_the_old_or_the_new(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    script = KILLED.format(root=str(root))

    def start(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder)
        bench.write(MAIN, bench.read(MAIN) + "// mine\n")
        return folder

    reference = start("reference")
    old = read_tree(reference / "app")
    bench, rendered = prepared(reference)
    apply_update(bench.plan(rendered))
    new = read_tree(reference / "app")
    assert new.keys() != old.keys()

    def killed(step: int) -> tuple[bool, str]:
        folder = start(str(step))
        # fork: what is imported here need not be imported again forty times
        child = os.fork() if sys.version_info < (3, 12) else None
        if child == 0:
            kill_at(folder, step)
            os._exit(0)
        if child is None:
            done = subprocess.run(
                [sys.executable, "-c", script, str(folder), str(step)], cwd=root, check=False
            )
            died = done.returncode == -signal.SIGKILL
        else:
            died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        open_project(folder / "app")
        tree = read_tree(folder / "app")
        assert tree in (old, new), f"half-way after step {step}"
        assert not (folder / "app/.edge/update").exists()
        apply_update(prepared(folder)[0].plan(prepared(folder)[1]))
        assert read_tree(folder / "app") == new
        return died, "new" if tree == new else "old"

    outcomes = []
    for step in range(1, 200):
        died, outcome = killed(step)
        outcomes.append(outcome)
        if not died:
            break
    assert outcomes[0] == "old"
    assert outcomes[-1] == "new"
    assert outcomes == sorted(outcomes, reverse=True), "once it is decided, it is decided"
    assert len(outcomes) > 30


def test_edits_after_a_kill_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_sdk.scaffold import transaction

    bench.tiny.files["Main.kt"] += "// new\n"
    bench.tiny.files["gradlew"] += "exit 0\n"
    plan = bench.plan()

    def fail(*args: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_do", fail)
        with pytest.raises(SystemExit):
            apply_update(plan)
    assert transaction.is_pending(bench.folder)
    bench.write(MAIN, "edited since\n")
    project = bench.project()
    assert project.recovered == (MAIN,)
    assert bench.read(MAIN) == "edited since\n"
    assert bench.read("gradlew").endswith("exit 0\n")
    assert bench.project().recovered is None


@pytest.mark.parametrize(
    "journal",
    [
        "{",
        '{"operations": [{"path": "../../victim", "before": null, "after": null}]}',
        '{"operations": [{"path": "/etc/victim", "before": null, "after": null}]}',
        '{"operations": [{"path": "x", "before": null, "after": "0", "staged": "../../answers.json"}]}',
    ],
)
def test_a_hostile_journal(bench: Bench, journal: str) -> None:
    (bench.folder / ".edge" / "update").mkdir()
    (bench.folder / ".edge" / "update" / "journal.json").write_text(journal)
    with pytest.raises(ConfigError):
        bench.project()


def test_a_full_disk_leaves_the_old_project(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from edge_sdk.errors import NoSpaceError
    from edge_sdk.scaffold import transaction

    bench.tiny.files["Main.kt"] += "// new\n"
    plan, before = bench.plan(), bench.tree()

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(transaction.os, "fsync", full)
        with pytest.raises(NoSpaceError):
            apply_update(plan)
    assert bench.tree() == before


def test_control_c_in_the_middle_finishes_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_sdk.scaffold import transaction

    rendered = bench.tiny.render(spec=spec_of(version="2"))
    real, calls = transaction._do, 0

    def interrupted(*args: object) -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    plan = bench.plan(rendered)
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_do", interrupted)
        with pytest.raises(KeyboardInterrupt):
            apply_update(plan)
    assert bench.tree() == tree_of(rendered)


def lines_of(tree: dict[str, bytes]) -> Counter[str]:
    return Counter(
        line for content in tree.values() for line in content.decode("utf-8", "replace").split("\n")
    )


def test_marks_are_only_in_files_that_conflict(bench: Bench) -> None:
    bench.write(MAIN, "mine\n")
    bench.tiny.files["Main.kt"] = "theirs\n"
    bench.tiny.files["gradlew"] = "new\n"
    bench.update()
    assert [path for path, content in bench.tree().items() if START.encode() in content] == [MAIN]

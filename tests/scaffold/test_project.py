from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from edge_sdk import __version__
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.project import ANSWERS, create_project, open_project, pristine, tree_of
from edge_sdk.scaffold.transaction import locked
from tests.scaffold.tiny import OPTIONS, Tiny, read_tree, spec_of


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path / "android_template")


def refused(folder: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        open_project(folder)
    assert caught.value.hint
    return caught.value


def test_a_new_project(tiny: Tiny, tmp_path: Path) -> None:
    rendered = tiny.render()
    project = create_project(tmp_path / "deep" / "app", rendered)
    assert read_tree(project.folder) == tree_of(rendered)
    assert stat.S_IMODE((project.folder / "gradlew").stat().st_mode) == 0o755
    assert stat.S_IMODE((project.folder / "Mine.kt").stat().st_mode) == 0o644
    assert project.platform == "android"
    assert project.options == OPTIONS
    assert project.spec == spec_of()
    assert project.content() == tiny_content(tiny)
    assert project.recovered is None
    assert set(project.paths(kind="user")) == {"Mine.kt"}
    assert {project.state(path) for path in project.paths()} == {"unchanged"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["app"]


def tiny_content(tiny: Tiny) -> Any:
    from tests.scaffold.tiny import content_of

    return content_of(spec_of())


def test_the_record_is_the_same_everywhere(tiny: Tiny, tmp_path: Path) -> None:
    first = create_project(tmp_path / "a", tiny.render())
    other = create_project(tmp_path / "b" / "c", Tiny(tmp_path / "t" / "android_template").render())
    assert read_tree(first.folder) == read_tree(other.folder)
    record = json.loads((first.folder / ANSWERS).read_text())
    assert record["sdk_version"] == __version__
    assert record["bundle"] == {"name": "digits", "version": "1", "sha256": spec_of().bundle_sha256}
    assert record["files"]["gradlew"]["kind"] == "scaffold"
    assert str(tmp_path) not in json.dumps(record)


def test_only_files_that_users_edit_have_a_base(tiny: Tiny, tmp_path: Path) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    bases = {path.removeprefix(".edge/base/") for path in read_tree(project.folder) if "/base/" in path}
    assert bases == set(project.paths(kind="scaffold"))


def test_an_empty_folder_is_taken(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert create_project(tmp_path / "app", tiny.render()).paths()


def test_a_folder_with_something_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / ".git").mkdir()
    with pytest.raises(ConfigError, match="not empty") as caught:
        create_project(app, tiny.render())
    assert ".git" in str(caught.value.why)
    assert list(read_tree(app)) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_a_project_is_not_made_twice(tiny: Tiny, tmp_path: Path) -> None:
    create_project(tmp_path / "app", tiny.render())
    with pytest.raises(ConfigError, match="already") as caught:
        create_project(tmp_path / "app", tiny.render())
    assert "edge scaffold update" in str(caught.value.hint)


@pytest.mark.parametrize("what", ["file", "link", "broken link"])
def test_something_else_than_a_folder_is_refused(tiny: Tiny, tmp_path: Path, what: str) -> None:
    out = tmp_path / "out"
    if what == "file":
        out.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / ("elsewhere" if what == "link" else "nowhere"))
    with pytest.raises(ConfigError, match="no folder"):
        create_project(out, tiny.render())
    assert out.is_symlink() or out.read_text() == "mine"


def test_a_folder_below_a_file_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        create_project(tmp_path / "file" / "app", tiny.render())


def test_what_is_no_project(tiny: Tiny, tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nothing").what
    assert "not a project" in refused(tmp_path).what
    (tmp_path / "file").write_text("")
    assert "no folder" in refused(tmp_path / "file").what
    project = create_project(tmp_path / "app", tiny.render())
    (project.folder / ANSWERS).unlink()
    assert "answers.json" in str(refused(project.folder).why)


def change(folder: Path, **fields: Any) -> None:
    data = json.loads((folder / ANSWERS).read_text())
    for name, value in fields.items():
        *way, last = name.split("__")
        place = data
        for step in way:
            place = place[step]
        place[last] = value
    (folder / ANSWERS).write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sdk_version": "99.0.0"}, "made by edge-sdk 99.0.0"),
        ({"format_version": "2.0"}, "made by edge-sdk"),
        ({"format": "other"}, "damaged"),
        ({"files": []}, "damaged"),
        ({"files": {"../../x": {"kind": "scaffold", "sha256": "0", "source": "x"}}}, "damaged"),
        ({"files": {"/etc/passwd": {"kind": "scaffold", "sha256": "0", "source": "x"}}}, "damaged"),
        ({"files": {".edge/answers.json": {"kind": "scaffold", "sha256": "0", "source": "x"}}}, "damaged"),
        ({"files": {"x": {"kind": "mine", "sha256": "0", "source": "x"}}}, "damaged"),
        ({"options__platform": "windows"}, "damaged"),
    ],
)
def test_a_wrong_record(tiny: Tiny, tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    change(project.folder, **fields)
    failure = refused(project.folder)
    assert said in failure.what
    assert failure.exit_code == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"[" * 100_000])
def test_a_record_that_is_no_json(tiny: Tiny, tmp_path: Path, content: bytes) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    (project.folder / ANSWERS).write_bytes(content)
    assert "damaged" in refused(project.folder).what


def test_options_of_another_time(tiny: Tiny, tmp_path: Path) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    change(project.folder, options__runtime="nnapi")
    with pytest.raises(ConfigError, match="damaged"):
        _ = open_project(project.folder).options


def test_the_model_that_the_project_holds(tiny: Tiny, tmp_path: Path) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    (project.folder / "core" / "golden.json").write_text("edited")
    assert project.content() == tiny_content(tiny)  # there is a second copy
    (project.folder / "app" / "assets" / "digits.tflite").unlink()
    with pytest.raises(ConfigError, match=r"digits\.tflite") as caught:
        project.content()
    assert "BUNDLE" in str(caught.value.hint)
    assert project.state("core/golden.json") == "edited"
    assert project.state("app/assets/digits.tflite") == "missing"


def test_line_ends_of_a_checkout_are_no_edit() -> None:
    for text in (b"a\nb\n", b"a\r\nb\r\n"):
        digest = sha256_of(text)
        for checkout in (b"a\nb\n", b"a\r\nb\r\n"):
            assert pristine(checkout, digest) == text
        assert pristine(b"a\nc\n", digest) is None


def test_two_commands_do_not_change_a_project_at_once(tiny: Tiny, tmp_path: Path) -> None:
    project = create_project(tmp_path / "app", tiny.render())
    with locked(project.folder):
        assert "another command" in refused(project.folder).what
    open_project(project.folder)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(ConfigError, match="cannot be written"):
        create_project(tmp_path / "locked" / "app", tiny.render())

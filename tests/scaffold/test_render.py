from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.render import check_project_path, labels_text, render
from edge_sdk.scaffold.template import load_template
from tests.scaffold.tiny import OPTIONS, Tiny, content_of, spec_of


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path / "android_template")


def refused(tiny: Tiny, **options: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        tiny.render(**options)
    return caught.value


def test_a_project(tiny: Tiny) -> None:
    files = tiny.render(flags=frozenset({"camera"})).files
    assert list(files) == sorted(files)
    assert files["app/com.example.digits/Main.kt"].content.startswith(
        b"package com.example.digits\n\n// digits\nfun main() {"
    )
    assert files["core/Spec.kt"].content == b'// generated from digits\nobject Spec { val version = "1" }\n'
    assert files["gradlew"].executable
    assert b"[[ -f x ]]" in files["gradlew"].content
    assert files["modules/core/deep/B.kt"].content == b"class B\n"
    assert files["app/assets/digits.tflite"].kind == "generated"
    assert files["app/golden.json"].content == files["core/golden.json"].content
    assert files["app/assets/labels.txt"].content == b"zero\none\n"
    assert "names.part" not in files


def test_twice_gives_the_same(tiny: Tiny, tmp_path: Path) -> None:
    other = Tiny(tmp_path / "elsewhere" / "android_template")
    assert tiny.render() == other.render() == tiny.render()


def test_flags_and_the_runtime_choose_files(tiny: Tiny) -> None:
    assert "camera.kt" not in tiny.render().files
    assert "camera.kt" in tiny.render(flags=frozenset({"camera"})).files
    assert "camera.kt" not in tiny.render(flags=frozenset({"camera"}), runtime="litert1").files


def test_a_model_without_labels(tiny: Tiny) -> None:
    assert "app/assets/labels.txt" not in tiny.render(spec=spec_of(labels=())).files


def test_labels_stay_one_a_line() -> None:
    assert labels_text(("a\nb", "c\r\nd", "e\u2028f", "ü")) == "a b\nc d\ne f\nü\n".encode()
    assert labels_text(()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\n[[ spec.nothing ]]\n", "Main.kt:2: "),
        ("[[ unknown ]]", "'unknown' is undefined"),
        ("\n\n[[ 'x' | no_filter ]]", "Main.kt:3: No filter named 'no_filter'"),
        ("[% if %]", "Main.kt:1: "),
        ("[[ none ]]", "None is NoneType"),
        ("[[ true ]]", "True is bool"),
        ("[[ 1 / 3 ]]", "is float"),
        ("[[ 1 // 0 ]]", "zero"),
        ("[[ spec.__class__.__mro__ ]]", "unsafe"),
        ("[% include 'gone' %]", "gone"),
    ],
)
def test_mistakes_of_a_template(tiny: Tiny, text: str, said: str) -> None:
    tiny.files["Main.kt"] = text
    failure = refused(tiny)
    assert "android_template is damaged" in failure.what
    assert said in str(failure.why)


def test_files_of_the_user_do_not_depend_on_the_training(tiny: Tiny) -> None:
    tiny.files["Main.kt"] = "a\nb [[ spec.version ]]"
    failure = refused(tiny)
    assert failure.what == "android_template/Main.kt:2: a file that users edit asks for spec.version"
    tiny.files["Main.kt"] = "fine"
    tiny.render()


def test_a_new_version_of_a_model_changes_generated_files_only(tiny: Tiny) -> None:
    before, after = tiny.render().files, tiny.render(spec=spec_of(version="2")).files
    changed = {path for path in before if before[path] != after[path]}
    assert before.keys() == after.keys()
    assert {before[path].kind for path in changed} == {"generated"}
    assert len(changed) == 5


@pytest.mark.parametrize(
    "name",
    ["..", "../../etc", "a//b", "/", ".", "a\\b", "c:", "nul\0", "x" * 300, " a", "a.", "a\nb"],
)
def test_names_that_leave_the_project(tiny: Tiny, name: str) -> None:
    tiny.index = tiny.index.replace("[[ options.application_id ]]", "[[ spec.name ]]")
    with pytest.raises(ConfigError) as caught:
        tiny.render(spec=spec_of(name=name))
    assert "no name for a file of a project" in str(caught.value.why)


def test_the_engines_own_folder_is_not_a_templates() -> None:
    for path in (".edge/answers.json", ".EDGE/x", "", "/a", "a/"):
        with pytest.raises(ConfigError):
            check_project_path(path)
    for path in (".github/workflows/build.yml", ".gitignore", "My App.xcodeproj/project.pbxproj", "ü/ß.kt"):
        check_project_path(path)


@pytest.mark.parametrize(
    ("target", "said"),
    [("gradlew", "also made from"), ("GRADLEW", "differ only in case"), ("gradlew/x", "a file and a folder")],
)
def test_two_files_in_one_place(tiny: Tiny, target: str, said: str) -> None:
    tiny.index += f'[[files]]\nsource = "camera.kt"\ntarget = "{target}"\n'
    assert said in str(refused(tiny).why)


def test_a_copied_file_may_be_anything(tiny: Tiny) -> None:
    tiny.write()
    tiny.files["core/A.kt"] = "a\r\nb [[ not jinja ]]\r\n"
    assert tiny.render().files["modules/core/A.kt"].content == b"a\r\nb [[ not jinja ]]\r\n"


def test_a_template_that_is_not_text(tiny: Tiny) -> None:
    tiny.write()
    (tiny.folder / "Main.kt").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="damaged"):
        render(
            load_template(tiny.folder),
            spec_of(),
            OPTIONS,
            content_of(spec_of()),
            variables={},
            flags=frozenset(),
        )

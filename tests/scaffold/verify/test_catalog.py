from __future__ import annotations

from pathlib import Path

import pytest

from tests.scaffold.verify.findings import outcome, replace, said

TOML = "gradle/libs.versions.toml"
APP = "app/build.gradle.kts"


def test_a_project_passes(project: Path) -> None:
    assert said(project, "catalog") == []
    assert outcome(project, "catalog").why == "11 aliases"


def test_a_dangling_alias_is_found_where_it_is_used(project: Path) -> None:
    line = replace(project, APP, "libs.litert)", "libs.litert.gpu)")
    assert said(project, "catalog") == [
        f"{APP}:{line}: libs.litert.gpu is not in {TOML}",
        f"{TOML}:8: 'litert' of [libraries] is not used",
    ]


@pytest.mark.parametrize("name", ["plugins.android.app", "bundles.nothing", "versions.compileSdk", "litert2"])
def test_any_kind_of_alias_may_dangle(project: Path, name: str) -> None:
    path = project / APP
    path.write_text(path.read_text() + f"\nval more = libs.{name}.get()\n")
    line = path.read_text().count("\n")
    assert said(project, "catalog") == [f"{APP}:{line}: libs.{name}.get is not in {TOML}"]


def test_comments_and_texts_use_nothing_but_templates_do(project: Path) -> None:
    path = project / APP
    path.write_text(
        path.read_text()
        + '\n/* libs.one /* libs.two */ libs.three */\nval a = "libs.four \\" libs.five"\n'
        + 'val b = """libs.six "libs.seven" """ // libs.eight\nval c = "x ${libs.nine} $libs.ten"\n'
        + "val d = 'l' + libs.versions.kotlin.get()\n"
    )
    assert said(project, "catalog") == [
        f"{APP}:{path.read_text().count(chr(10)) - 1}: libs.nine is not in {TOML}"
    ]


def test_an_alias_without_use_is_found(project: Path) -> None:
    line = replace(project, TOML, "[bundles]", 'unused-one = "a:b:1"\n\n[bundles]')
    assert said(project, "catalog") == [f"{TOML}:{line}: 'unused-one' of [libraries] is not used"]


def test_a_version_that_is_not_there(project: Path) -> None:
    replace(project, TOML, 'litert = "2.3.2"\n', "")
    assert said(project, "catalog") == [f"{TOML}:7: version.ref 'litert' is not in [versions]"]


def test_a_library_without_a_version_needs_a_platform(project: Path) -> None:
    replace(project, APP, "platform(libs.compose.bom)", "libs.compose.bom")
    (finding,) = said(project, "catalog")
    assert finding.startswith(f"{TOML}:11: 'compose-ui' has no version")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('Upper = "a:b:1"', "'Upper' cannot be an alias"),
        ('a-class = "a:b:1"', "'a-class' cannot be an alias"),
        ('androidx_core_ktx = "a:b:1"', "'androidx_core_ktx' and 'androidx-core-ktx' are one name"),
        ('versions-x = "a:b:1"', "cannot begin with 'versions'"),
        ('two = "a:b"', "'a:b' is not GROUP:NAME:VERSION"),
        ('three = { version = "1" }', "'three' has not a module"),
        ("four = 4", "'four' is neither a text nor a table"),
    ],
)
def test_aliases_that_gradle_refuses(project: Path, line: str, message: str) -> None:
    number = replace(project, TOML, "[bundles]", f"{line}\n\n[bundles]")
    assert any(item.startswith(f"{TOML}:{number}: ") and message in item for item in said(project, "catalog"))


def test_a_bundle_of_what_is_not_there(project: Path) -> None:
    line = replace(project, TOML, '["compose-ui"]', '["compose-ui", "other"]')
    assert said(project, "catalog") == [f"{TOML}:{line}: 'other' of bundle 'compose' is not in [libraries]"]


def test_no_toml(project: Path) -> None:
    line = replace(project, TOML, 'agp = "9.4.0"', "agp = 9.4.0")
    (finding,) = said(project, "catalog")
    assert finding.startswith(f"{TOML}:{line}: is no TOML: ")


def test_no_catalog(project: Path) -> None:
    (project / TOML).unlink()
    assert said(project, "catalog") == [f"{TOML}: is missing"]

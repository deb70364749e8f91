from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.progress import Step
from edge_sdk.scaffold.verify import Finding, verify_project
from edge_sdk.scaffold.verify.base import CannotRun, CheckOutcome, VerifyReport
from edge_sdk.scaffold.verify.compiler_output import findings_of
from edge_sdk.scaffold.verify.gradle_text import added_libraries, modules
from edge_sdk.scaffold.verify.kotlin import _refuse_to_judge
from edge_sdk.scaffold.verify.project import _open
from edge_sdk.scaffold.verify.site import Site
from edge_sdk.scaffold.verify.swift import _refuse_to_judge as refuse_swift
from edge_sdk.scaffold.verify.table import CHECKS, checks_of
from tests.scaffold.tiny import read_tree
from tests.scaffold.verify.findings import replace

LIGHT = ["files", "model", "catalog", "page-size"]


def site_of(project: Path, tmp_path: Path) -> Site:
    return Site(_open(project), tmp_path / "work")


def test_the_table() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    android = (
        "files model catalog kotlin-parse kotlin-core kotlin-golden kotlin-app resources page-size keep-rules"
    )
    ios = "files model xcodeproj plists swift-core swift-app swift-format"
    assert [check.name for check in checks_of("android")] == android.split()
    assert [check.name for check in checks_of("ios")] == ios.split()
    for check in CHECKS:
        assert check.proves
        assert "\n" not in check.proves
        assert len(check.proves) <= 110


def test_the_page_lists_every_check() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "scaffold-verify.md").read_text("utf-8")
    for check in CHECKS:
        assert f"| `{check.name}` |" in page, check.name


def test_a_report(project: Path) -> None:
    steps: list[Step] = []
    report = verify_project(project, progress=steps.append, only=[*reversed(LIGHT), "files"])
    assert [outcome.name for outcome in report.outcomes] == LIGHT  # in the order of the table, each once
    assert not report.failed
    document = json.loads(json.dumps(report.to_dict()))
    assert document["counts"] == {"passed": 4, "failed": 0, "skipped": 0}
    assert document["checks"][2]["name"] == "catalog"
    assert document["checks"][2]["findings"] == []
    assert {step.subject for step in steps} == set(LIGHT)
    assert sorted(step.message for step in steps) == ["checking"] * 4 + ["passed"] * 4
    assert report.outcome("files").seconds < 5


def test_what_is_skipped_did_not_fail() -> None:
    skipped = CheckOutcome("a", "skipped", "x", why="no tool", how="get it")
    failed = CheckOutcome("b", "failed", "x", (Finding("a.kt", 3, "wrong"),))
    assert not VerifyReport("android", (skipped,)).failed
    assert VerifyReport("android", (skipped, failed)).failed
    assert str(failed.findings[0]) == "a.kt:3: wrong"
    assert str(Finding("a.kt", None, "wrong")) == "a.kt: wrong"
    assert str(Finding("", None, "wrong")) == "wrong"


def test_refusals(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no check 'swift-app' of android") as caught:
        verify_project(project, only=["swift-app"])
    assert "kotlin-app" in str(caught.value.why)
    with pytest.raises(ConfigError, match="not a project of edge scaffold"):
        verify_project(tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        verify_project(tmp_path / "nothing")
    (project / ".edge" / "answers.json").write_text("{}")
    with pytest.raises(ConfigError, match="damaged"):
        verify_project(project)


def test_without_tools_checks_are_skipped_and_say_how_to_get_them(
    project: Path, ios: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_MOBILE_TOOLS", str(tmp_path / "empty"))
    before = read_tree(project), read_tree(ios)
    report = verify_project(project)
    assert not report.failed
    skipped = {outcome.name for outcome in report.outcomes if outcome.state == "skipped"}
    assert skipped == {"kotlin-parse", "kotlin-core", "kotlin-golden", "kotlin-app", "resources"}
    for name in skipped:
        assert report.outcome(name).why
        assert "make mobile-tools" in report.outcome(name).how
    report = verify_project(ios)
    assert not report.failed
    assert {outcome.name for outcome in report.outcomes if outcome.state == "skipped"} == {
        "swift-core",
        "swift-app",
        "swift-format",
    }
    assert "plutil was not asked" in report.outcome("xcodeproj").why
    assert (read_tree(project), read_tree(ios)) == before
    assert not (tmp_path / "empty").exists()


def test_shared_work_is_done_once(project: Path, tmp_path: Path) -> None:
    site, made = site_of(project, tmp_path), []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    threads = [threading.Thread(target=lambda: site.once("x", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.once("x", make) == 1

    def fail() -> int:
        made.append(1)
        raise CannotRun("why", "how")

    for _ in range(2):
        with pytest.raises(CannotRun):
            site.once("y", fail)
    assert len(made) == 2


def test_what_builds_leave_behind_is_no_file_of_a_project(project: Path, tmp_path: Path) -> None:
    for path in ("app/build/x.kt", ".gradle/x.kt", "Packages/.build/x.kt", ".edge/x.kt", ".idea/a/x.kt"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text("")
    (project / "app" / "x.kt").write_text("")
    assert list(site_of(project, tmp_path).find("x.kt")) == ["app/x.kt"]


def test_modules_and_what_they_need(project: Path, tmp_path: Path) -> None:
    (project / "feature").mkdir()
    (project / "feature" / "build.gradle.kts").write_text(
        'android {\n    namespace = "a.b"\n    buildFeatures { buildConfig = true }\n'
        '    defaultConfig { buildConfigField("int", "COUNT", "3") }\n}\n'
        "dependencies {\n    implementation(projects.edgeCore)\n"
        '    // implementation(project(":app"))\n    testImplementation(kotlin("test"))\n}\n'
    )
    replace(project, "app/build.gradle.kts", "dependencies {", 'dependencies {\n    api(project(":feature"))')
    found = {module.path: module for module in modules(site_of(project, tmp_path))}
    assert list(found) == ["edge-core", "feature", "app"]
    assert found["feature"].namespace == "a.b"
    assert found["feature"].needs == ("edge-core",)
    assert found["feature"].build_config == (("int", "COUNT"),)
    assert found["feature"].kotlin_test
    assert found["app"].needs == ("edge-core", "feature")
    assert found["app"].build_config is None
    assert found["edge-core"].namespace is None


def test_what_a_user_added_is_not_judged(project: Path, tmp_path: Path) -> None:
    path = "app/src/main/kotlin/Net.kt"
    (project / path).write_text("import android.os.Bundle\nimport retrofit2.Call\n")
    findings = (Finding(path, 2, "unresolved reference 'retrofit2'."),)
    assert added_libraries(site_of(project, tmp_path)) == ()
    _refuse_to_judge(site_of(project, tmp_path), findings)
    replace(project, "gradle/libs.versions.toml", "[bundles]", 'net = "retrofit2:retrofit:3"\n\n[bundles]')
    assert added_libraries(site_of(project, tmp_path)) == ("retrofit2:retrofit",)
    with pytest.raises(CannotRun, match=r"Net.kt:2 imports retrofit2.Call"):
        _refuse_to_judge(site_of(project, tmp_path), findings)
    _refuse_to_judge(site_of(project, tmp_path), (Finding(path, 1, "unresolved reference 'os'."),))


def test_packages_that_a_user_added_are_not_judged(ios: Path, tmp_path: Path) -> None:
    site = site_of(ios, tmp_path)
    findings = (Finding("Relu/Mine.swift", 3, "no such module 'Net'"),)
    refuse_swift(site, findings)
    project = next(ios.glob("*.xcodeproj")) / "project.pbxproj"
    project.write_text(project.read_text() + "// XCRemoteSwiftPackageReference\n")
    with pytest.raises(CannotRun, match=r"Mine.swift:3: no such module 'Net'"):
        refuse_swift(site, findings)
    refuse_swift(site, (Finding("Relu/Mine.swift", 3, "cannot find 'x' in scope"),))


def test_what_compilers_print(project: Path, tmp_path: Path) -> None:
    site = site_of(project, tmp_path)
    path = "app/src/main/kotlin/com/example/digits/MainActivity.kt"
    line = (project / path).read_text().split("\n")[2]
    output = (
        f"{project / path}:3:8: error: none of these fits:\n"
        f"fun first(): Int\nfun second(): Int\n{line}\n       ^^^\n"
        f"{project / path}:4:1: warning: it is old\n"
        "error: warnings found and -Werror specified\n"
        "warning: a flag is old\nsomething else\n"
    )
    assert [str(item) for item in findings_of(site, output)] == [
        f"{path}:3: none of these fits: fun first(): Int fun second(): Int",
        f"{path}:4: it is old",
        "a flag is old",
    ]

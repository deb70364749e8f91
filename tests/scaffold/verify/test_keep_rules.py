from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.scaffold.verify.keep_rules import read_rules
from edge_sdk.scaffold.verify.kotlin_text import code_only, declared_classes
from tests.scaffold.verify.findings import outcome, replace, said

RULES = "app/proguard-rules.pro"
ALL = "-keep class com.google.ai.edge.litert.** { *; }"


def test_a_project_passes(project: Path) -> None:
    assert said(project, "keep-rules") == []


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("-keep class com.google.ai.edge.litert.TensorTypo { *; }", "com.google.ai.edge.litert.TensorTypo"),
        ("-keep class com.google.ai.edge.lite.** { *; }", None),
        ("-keep class com.google.ai.edge.litert.Tensor.** { *; }", "com.google.ai.edge.litert.Tensor.**"),
        ("-keepclassmembers class com.example.digits.Gone {\n    <init>(...);\n}", "com.example.digits.Gone"),
        ("-keep,allowobfuscation class * extends edge.core.Nothing", "edge.core.Nothing"),
        ("-keep @com.google.ai.edge.litert.Kept class * { *; }", "com.google.ai.edge.litert.Kept"),
        (
            "-keep class com.google.ai.edge.litert.TensorType$Layouts",
            "com.google.ai.edge.litert.TensorType$Layouts",
        ),
    ],
)
def test_a_class_that_is_not_there(project: Path, rule: str, name: str | None) -> None:
    (project / RULES).write_text(f"# first\n{ALL}\n{rule}\n")
    expected = name or "com.google.ai.edge.lite.**"
    assert said(project, "keep-rules") == [f"{RULES}:3: there is no class {expected}"]


def test_right_rules(project: Path) -> None:
    (project / RULES).write_text(
        f"{ALL}\n-keepattributes *Annotation*, Signature\n-dontwarn org.nothing.**\n"
        "-keepclasseswithmembernames class * { native <methods>; }\n"
        "-keep public class com.example.digits.MainActivity\n-keep class edge.core.** { *; }\n"
        "-keep class edge.core.ImageSpec$*, com.google.ai.edge.litert.CompiledModel$Options { *; }\n"
        "-keep class * implements edge.core.ModelRunning { *; } # trailing class a.b.C\n"
        "-keep enum com.google.ai.edge.litert.Accelerator\n"
    )
    assert said(project, "keep-rules") == []


def test_classes_of_libraries_that_are_not_here_are_not_judged(project: Path) -> None:
    (project / RULES).write_text(f"{ALL}\n-keep class retrofit2.http.Get {{ *; }}\n")
    found = outcome(project, "keep-rules")
    if found.state == "passed":
        assert found.why.endswith("not judged, because their libraries are not here: retrofit2.http.Get")


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "-keep class com.google.ai.edge.litert.**",
        "-keepclassmembers class com.google.ai.edge.litert.** { *; }",
        "-keep class com.google.ai.edge.litert.TensorType { *; }",
        "#" + ALL,
    ],
)
def test_what_native_code_builds_is_kept_whole(project: Path, rule: str) -> None:
    (project / RULES).write_text(rule + "\n")
    findings = said(project, "keep-rules")
    assert any("builds com.google.ai.edge.litert.LiteRtException" in item for item in findings)
    assert any("builds com.google.ai.edge.litert.TensorType$Layout" in item for item in findings)


def test_a_file_of_rules_that_is_not_there(project: Path) -> None:
    line = replace(project, "app/build.gradle.kts", '"proguard-rules.pro"', '"proguard-rules.pro", "x.pro"')
    assert said(project, "keep-rules") == [
        f"app/build.gradle.kts:{line}: there is no file x.pro; the build fails without it"
    ]


def test_rules_are_read() -> None:
    (first, second) = read_rules(
        "r.pro", "# -keep class no.No\n-keep class a.B, !a.C, a.D {\n  *;\n}\n-if class x.*\n"
    )
    assert (first.names, first.line, first.kind) == (("a.B", "a.D"), 2, "keep")
    assert (second.names, second.line, second.kind) == (("x.*",), 5, "if")


def test_classes_are_found_without_a_compiler() -> None:
    text = """
    package a.`in`.b // class No
    /* class No /* class No */ */
    data class One(val x: Int = "class No {".length, val f: () -> Unit = { })
    val top = listOf(1).map { it::class }
    class Two : Three() {
        enum class Kind { A, B }
        companion object { const val X = "${ object : Any() { } }" }
        interface Inner { class Deep }
        fun f() { println('{') }
        annotation class Note
    }
    sealed interface Last
    object Only
    """
    assert declared_classes(text) == {
        f"a.in.b.{name}"
        for name in ("One", "Two", "Two$Kind", "Two$Inner", "Two$Inner$Deep", "Two$Note", "Last", "Only")
    }


@pytest.mark.parametrize("text", ["", '"', '"${', '"${"${', "/*", "'", '"""', 'a "b\nc', "}}", '"\\'])
def test_any_text_has_as_many_lines_and_columns_afterwards(text: str) -> None:
    assert len(code_only(text)) == len(text)

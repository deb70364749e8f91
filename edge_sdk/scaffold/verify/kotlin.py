"""Kotlin: every file parses, every module compiles, and the unit tests of edge-core pass."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from edge_sdk.errors import EdgeError
from edge_sdk.scaffold.toolchain.kotlin import SHORT_RUN, Kotlin
from edge_sdk.scaffold.toolchain.places import Completed, pins
from edge_sdk.scaffold.verify.base import ANDROID, CannotRun, Finding, Verdict
from edge_sdk.scaffold.verify.class_names import class_names, prefix_of
from edge_sdk.scaffold.verify.compiled import kept
from edge_sdk.scaffold.verify.compiler_output import failure_of, findings_of
from edge_sdk.scaffold.verify.gradle_text import added_libraries
from edge_sdk.scaffold.verify.kotlin_modules import (
    CORE,
    Built,
    build_app,
    build_core,
    build_core_tests,
    imports,
)
from edge_sdk.scaffold.verify.kotlin_text import code_only, declared_classes
from edge_sdk.scaffold.verify.site import Site

_PARSER = Path(__file__).with_name("kotlin") / "Parse.kt"
_FAILURE = re.compile(r"^\d+\) (?P<name>\w+)\((?P<cls>[\w.$]+)\)$")
_FRAME = re.compile(r"^\tat [^(]+\((?P<file>\w+\.kt):(?P<line>\d+)\)$")
_PARSE_SECONDS = 300


class KotlinParse:
    """The compiler's own parser on every .kt and .kts, Gradle's scripts included."""

    name = "kotlin-parse"
    platforms = (ANDROID,)
    proves = "Kotlin's parser accepts every .kt and every Gradle script"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Parse all files in one process."""
        kotlin = site.kotlin()
        paths = site.find(".kt", ".kts")
        done = _parse(kotlin, [site.folder / path for path in paths])
        findings = findings_of(site, done.output)
        if done.code and not findings:
            findings = (failure_of(done.output, done.code),)
        return Verdict(findings, f"{len(paths)} files")


def _parse(kotlin: Kotlin, paths: Iterable[Path]) -> Completed:
    compiler = [
        kotlin.home / "lib" / f"{name}.jar"
        for name in (
            "kotlin-compiler",
            "kotlin-script-runtime",
            "kotlin-reflect",
            "kotlinx-coroutines-core-jvm",
        )
    ]

    def work(folder: Path) -> Completed:
        return kotlin.compile([_PARSER], folder / "parser.jar", classpath=compiler)

    parser = kept("kotlin-parser", [_PARSER], pins()["kotlin"], work) / "parser.jar"
    classpath = ":".join(str(item) for item in (parser, kotlin.library, *compiler))
    try:
        done = subprocess.run(
            [kotlin.java, "-Xmx1000m", *SHORT_RUN, "-cp", classpath, "edge.verify.ParseKt"],
            input="".join(f"{path}\n" for path in paths).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PARSE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as failure:
        raise EdgeError(f"the parser of Kotlin did not end within {_PARSE_SECONDS} s") from failure
    return Completed(done.returncode, done.stdout.decode("utf-8", "replace"))


class KotlinCore:
    """edge-core against nothing but Kotlin's own library."""

    name = "kotlin-core"
    platforms = (ANDROID,)
    proves = "edge-core compiles without a warning, and without Android"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Compile it, warnings being errors."""
        built = build_core(site)
        return Verdict(built.findings, f"{built.files} files")


class KotlinGolden:
    """The project's own unit tests of edge-core, compiled and run on the JVM."""

    name = "kotlin-golden"
    platforms = (ANDROID,)
    proves = "edge-core computes what Python computed for every golden vector; its other unit tests pass"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Run JUnit on every class with a @Test."""
        kotlin = site.kotlin()
        core = build_core(site)
        if core.jar is None:
            return Verdict(_because_of_core(core))
        built, classpath = build_core_tests(site, core.jar)
        if built.jar is None:
            return Verdict(built.findings)
        classes = {
            name: path
            for path in site.find(".kt", under=f"{CORE}/src/test")
            if re.search(r"@(?:org\.junit\.|kotlin\.test\.)?Test\b", code_only(site.read(path)))
            for name in declared_classes(site.read(path))
            if "$" not in name
        }
        if not classes:
            return Verdict((Finding(f"{CORE}/src/test", None, "there are no tests"),))
        done = kotlin.execute("org.junit.runner.JUnitCore", classpath, sorted(classes))
        passed = re.search(r"^OK \((\d+) tests?\)", done.output, re.MULTILINE)
        if done.code == 0 and passed:
            return Verdict((), f"{passed[1]} tests")
        findings = tuple(failed_tests(site, done.output, classes))
        return Verdict(findings or (failure_of(done.output, done.code),))


def _because_of_core(core: Built) -> tuple[Finding, ...]:
    return tuple(
        Finding(item.path, item.line, f"{CORE} does not compile: {item.message}") for item in core.findings
    )


def failed_tests(site: Site, output: str, classes: dict[str, str]) -> Iterable[Finding]:
    """Return what JUnit's text output says of tests that failed.

    Args:
        site: Whose tests they are.
        output: Of JUnitCore.
        classes: Path of each class of tests.
    """
    lines = output.splitlines()
    for place, text in enumerate(lines):
        match = _FAILURE.match(text)
        if match is None:
            continue
        path = classes.get(match["cls"], "")
        said: list[str] = []
        line = None
        for after in lines[place + 1 :]:
            if _FAILURE.match(after) or after.startswith("FAILURES!!!"):
                break
            if after.startswith("\tat "):
                frame = _FRAME.match(after)
                if frame and path.endswith("/" + frame["file"]):
                    line = int(frame["line"])
                    break
            elif after.strip():
                said.append(after.strip())
        message = " ".join(said)[:1000]
        yield Finding(path, line, f"{match['name']}: {message}")


class KotlinApp:
    """Every other module, and all tests, against stubs and real classes of the project's runtime."""

    name = "kotlin-app"
    platforms = (ANDROID,)
    proves = "app, edge-runtime and all tests type-check without a warning against what they call"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Compile module by module."""
        built = build_app(site)
        findings = tuple(finding for item in built for finding in item.findings)
        if findings:
            _refuse_to_judge(site, findings)
        return Verdict(findings, f"{sum(item.files for item in built)} files")


def _refuse_to_judge(site: Site, findings: tuple[Finding, ...]) -> None:
    """Skip where what is wrong comes from a library that the user added: its classes are not here."""
    added = added_libraries(site)
    if not added:
        return
    here = {prefix_of(name) for name in class_names(site)}
    for path in sorted({finding.path for finding in findings if finding.path in site.files}):
        lines = {finding.line for finding in findings if finding.path == path}
        for line, name in imports(site.read(path)):
            if line in lines and prefix_of(name) not in here:
                raise CannotRun(
                    f"{path}:{line} imports {name}, and the classes of what you added are not here: "
                    + ", ".join(added),
                    "let Gradle compile it: gradle assembleDebug, or the project's own workflow",
                )

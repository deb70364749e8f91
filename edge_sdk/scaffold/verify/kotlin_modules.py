"""Compiles the modules of an Android project, each once, against what its app is compiled against."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.scaffold.stubs.for_kotlin import KotlinStubs, kotlin_stubs
from edge_sdk.scaffold.toolchain.kotlin import Kotlin
from edge_sdk.scaffold.toolchain.places import Completed, pins
from edge_sdk.scaffold.verify.android_classes import build_config_class, resource_class
from edge_sdk.scaffold.verify.base import Finding
from edge_sdk.scaffold.verify.compiled import kept
from edge_sdk.scaffold.verify.compiler_output import failure_of, findings_of
from edge_sdk.scaffold.verify.gradle_text import GradleModule, modules
from edge_sdk.scaffold.verify.site import Site

CORE = "edge-core"
_MAIN = "main"


@dataclass(frozen=True)
class Built:
    """A part of a module after the compiler.

    Attributes:
        jar: What was compiled, or None where it failed.
        findings: Why it failed.
        files: How many sources there were.
    """

    jar: Path | None
    findings: tuple[Finding, ...]
    files: int


def build_core(site: Site) -> Built:
    """Compile edge-core with nothing but Kotlin's own library: an import of android.* is an error."""

    def work() -> Built:
        kotlin = site.kotlin()
        sources = _sources(site, [f"{CORE}/src/{_MAIN}/{language}" for language in ("kotlin", "java")])
        if not sources:
            return Built(None, (Finding(CORE, None, "has no sources"),), 0)
        jar = site.room("kotlin-core") / "core.jar"
        return _built(site, kotlin.compile(sources, jar), jar, sources)

    return site.once("kotlin core", work)


def build_core_tests(site: Site, core: Path) -> tuple[Built, list[Path]]:
    """Compile the unit tests of edge-core; return them, and what they run with."""
    kotlin = site.kotlin()
    needed = [kotlin.test, kotlin.home / "lib" / "kotlin-test-junit.jar", kotlin.jars["junit"]]
    sources = _sources(site, [f"{CORE}/src/test/{language}" for language in ("kotlin", "java")])
    jar = site.room("kotlin-golden") / "tests.jar"
    if not sources:
        return Built(None, (Finding(f"{CORE}/src/test", None, "there are no tests"),), 0), []
    done = kotlin.compile(sources, jar, classpath=[core, *needed], options=[f"-Xfriend-paths={core}"])
    built = _built(site, done, jar, sources)
    # A copy, because a class path cannot name a folder with a colon.
    resources = jar.with_name("resources")
    for path in site.find("", under=f"{CORE}/src/test/resources"):
        place = resources / path.removeprefix(f"{CORE}/src/test/resources/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site.folder / path, place)
    return built, [jar, core, *needed, kotlin.jars["hamcrest"], resources]


def build_app(site: Site) -> list[Built]:
    """Compile every module but edge-core, and all their tests."""
    kotlin = site.kotlin()
    runtime = site.project.options.runtime
    stubs, with_tests = kotlin_stubs(runtime), kotlin_stubs(runtime, tests=True)
    stub_jar = _stub_jar(kotlin, runtime, with_tests)
    found = modules(site)
    jars: dict[str, Path] = {}
    results = []
    core = build_core(site)
    if core.jar is not None:
        jars[CORE] = core.jar
    elif any(CORE in module.needs for module in found):
        return [Built(None, tuple(_elsewhere(item) for item in core.findings), 0)]
    # Tests need nothing but their module, and nothing needs them: they are compiled beside what comes next.
    with ThreadPoolExecutor(1) as beside:
        tests = []
        for module in found:
            if module.path == CORE:
                continue
            needed = _reached(module, found)
            if any(name not in jars for name in needed):
                continue  # what it needs failed, and was said
            seen = [jars[name] for name in needed]
            built = _module(site, kotlin, stubs, stub_jar, module, seen, _MAIN, None)
            results.append(built)
            if built.jar is None:
                continue
            jars[module.path] = built.jar
            tests += [
                beside.submit(
                    _module, site, kotlin, with_tests, stub_jar, module, [built.jar, *seen], part, built.jar
                )
                for part in ("test", "androidTest")
            ]
        return [*results, *(test.result() for test in tests)]


def _elsewhere(finding: Finding) -> Finding:
    return Finding(finding.path, finding.line, f"{CORE} does not compile: {finding.message}")


def _reached(module: GradleModule, found: Sequence[GradleModule]) -> tuple[str, ...]:
    """Return the modules that a module sees, those that it needs by way of others included."""
    by_path = {item.path: item for item in found}
    reached: dict[str, None] = {}
    waiting = list(module.needs)
    while waiting:
        name = waiting.pop(0)
        if name not in reached and name != module.path:
            reached[name] = None
            waiting += by_path[name].needs
    return tuple(reached)


def _stub_jar(kotlin: Kotlin, runtime: str, stubs: KotlinStubs) -> Path:
    """Return the jar of the stubs; what tests add is Java, so one jar is that of apps and of tests."""

    def work(folder: Path) -> Completed:
        return stubs.compile(kotlin, folder / "stubs.jar")

    pinned = {name: pins()[name] for name in ("kotlin", "maven")}
    return kept(f"kotlin-stubs-{runtime}", stubs.sources, pinned, work) / "stubs.jar"


def _module(
    site: Site,
    kotlin: Kotlin,
    stubs: KotlinStubs,
    stub_jar: Path,
    module: GradleModule,
    classpath: Sequence[Path],
    part: str,
    friend: Path | None,
) -> Built:
    sources = _sources(site, module.sources(part))
    if not sources:
        return Built(None if friend else stub_jar, (), 0)
    room = site.room(f"{module.path.replace('/', '-')}-{part}")
    made = _made(site, module, room)
    classes = list(classpath)
    options = []
    if friend is not None:
        options = [f"-Xfriend-paths={friend}"]
        if module.kotlin_test:
            classes += [kotlin.test, kotlin.home / "lib" / "kotlin-test-junit.jar"]
    jar = room / "classes.jar"
    done = stubs.compile_app(kotlin, stub_jar, [*sources, *made], jar, classpath=classes, options=options)
    return _built(site, done, jar, sources)


def _made(site: Site, module: GradleModule, room: Path) -> list[Path]:
    """Write the classes that the Android Gradle plugin makes; they stand beside the sources."""
    if module.namespace is None:
        return []
    made = {"R": resource_class(site, module)}
    if module.build_config is not None:
        made["BuildConfig"] = build_config_class(module)
    for name, text in made.items():
        (room / f"{name}.java").write_text(text, "utf-8")
    return [room / f"{name}.java" for name in made]


def _sources(site: Site, folders: Sequence[str]) -> list[Path]:
    return [site.folder / path for folder in folders for path in site.find(".kt", ".java", under=folder)]


def _built(site: Site, done: Completed, jar: Path, sources: Sequence[Path]) -> Built:
    findings = findings_of(site, done.output)
    if done.code and not findings:
        findings = (failure_of(done.output, done.code),)
    return Built(jar if not findings else None, findings, len(sources))


def imports(text: str) -> list[tuple[int, str]]:
    """Return what a source imports, and in which line."""
    return [
        (text.count("\n", 0, match.start(1)) + 1, match[1])
        for match in re.finditer(r"^import\s+(?:static\s+)?([\w.]+)", text, re.MULTILINE)
    ]

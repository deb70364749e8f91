"""Android projects: what is in them (fast), and what compilers and unit tests say of them (slow).

LiteRT itself runs on phones alone. Its engines run here with `android_standins`: the same names and one small
model, which tells in which order it was called, and fails as a test asks for.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.errors import ConfigError
from edge_sdk.resources import data_folder
from edge_sdk.scaffold import android
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import RenderedProject, render_bundle
from edge_sdk.scaffold.spec import default_options
from edge_sdk.scaffold.stubs.for_kotlin import kotlin_stubs
from edge_sdk.scaffold.toolchain.debian import find_debian
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Completed, Missing, pins
from edge_sdk.scaffold.verify import verify_project
from edge_sdk.scaffold.verify.compiled import kept
from edge_sdk.targets import read_toml
from tests.scaffold.android_projects import (
    APPLICATION,
    MODELS,
    RUNTIMES,
    options_of,
    project,
    resources,
    text,
    write,
)
from tests.scaffold.bundles import make_bundle, variant

CATALOG = "gradle/libs.versions.toml"
MANIFEST = "app/src/main/AndroidManifest.xml"
APP = f"app/src/main/kotlin/{APPLICATION.replace('.', '/')}"
STANDINS = Path(__file__).parent / "android_standins"
EVERY = [(model, runtime, False) for model in MODELS for runtime in RUNTIMES] + [
    ("two inputs", "litert1", True)
]


def sources(rendered: RenderedProject, folder: str) -> dict[str, bytes]:
    return {
        path: file.content
        for path, file in rendered.files.items()
        if path.startswith(folder) and path.endswith(".kt")
    }


@pytest.mark.parametrize(("model", "runtime", "flex"), EVERY)
def test_a_project_is_whole(model: str, runtime: str, flex: bool, tmp_path: Path) -> None:
    rendered = project(model, runtime, flex=flex)
    folder = create_project(tmp_path / "project", rendered).folder
    report = verify_project(folder, only=("files", "catalog", "page-size"))
    assert [item.state for item in report.outcomes] == ["passed"] * 3, report.to_dict()
    for path, file in rendered.files.items():
        if path.endswith(".xml"):
            ElementTree.fromstring(file.content)
        assert b"[%" not in file.content or path.endswith(".py"), path
        assert not re.search(rb"\n{3,}", file.content) or not path.endswith(".kt"), path
    manifest = ElementTree.fromstring(rendered.files[MANIFEST].content)
    permissions, removed = set(), set()
    for item in manifest.iter("uses-permission"):
        name = item.get("{http://schemas.android.com/apk/res/android}name", "").split(".")[-1]
        gone = item.get("{http://schemas.android.com/tools}node") == "remove"
        (removed if gone else permissions).add(name)
    # What LiteRT's own manifest asks for, and Google Play would ask about.
    assert removed == (
        set() if runtime == "litert1" else {"FOREGROUND_SERVICE", "FOREGROUND_SERVICE_DATA_SYNC"}
    )
    pictures = model != "tensor"
    assert permissions == ({"CAMERA"} if pictures else set())
    assert (f"{APP}/CameraView.kt" in rendered.files) is pictures
    assert ("camera-core" in text(rendered, CATALOG)) is pictures
    assert ("tensorflow-lite-select-tf-ops" in text(rendered, CATALOG)) is flex
    assert rendered.files[f"{APP}/Customisation.kt"].kind == "user"
    assert "gradle/wrapper/gradle-wrapper.jar" not in rendered.files
    for name in ("build.gradle.kts", "app/build.gradle.kts", "edge-runtime/build.gradle.kts"):
        assert "org.jetbrains.kotlin.android" not in re.sub("//.*", "", text(rendered, name))


def test_one_runtime_and_no_other() -> None:
    groups = {
        runtime: set(
            re.findall(r'module = "(com\.google[\w.:-]+)"', text(project("tensor", runtime), CATALOG))
        )
        for runtime in RUNTIMES
    }
    litert = "com.google.ai.edge.litert:litert"
    assert groups == {
        "litert": {litert, f"{litert}-gpu"},
        "litert1": {litert, f"{litert}-gpu", f"{litert}-gpu-api"},
        "play": {"com.google.android.gms:play-services-litert"},
    }


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_bundle_becomes_a_project(runtime: str, tmp_path: Path) -> None:
    with Bundle.open(make_bundle(tmp_path, variant("float32"), name="my-model")) as bundle:
        rendered = render_bundle(bundle, default_options(bundle, platform="android", runtime=runtime))
    project = create_project(tmp_path / "project", rendered)
    gpu_alone = ("npu", "gpu") if runtime != "litert1" else ()
    assert project.spec.accelerators == (*gpu_alone, "gpu_cpu", "cpu")
    assert project.paths(kind="user") == ("app/src/main/kotlin/com/example/mymodel/Customisation.kt",)
    report = verify_project(project.folder, only=("files", "catalog"))
    assert [item.state for item in report.outcomes] == ["passed"] * 2, report.to_dict()


def test_twice_gives_the_same() -> None:
    first = project("boxes", "play")
    assert project.__wrapped__("boxes", "play") == first


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_new_version_of_the_model_touches_generated_files_only(runtime: str) -> None:
    for model in MODELS:
        before, after = project(model, runtime).files, project(model, runtime, version="2").files
        changed = {path for path in before if before[path] != after[path]}
        assert before.keys() == after.keys()
        assert {before[path].kind for path in changed} == {"generated"}
        assert "README.md" in changed


def test_the_pure_module_knows_no_android() -> None:
    found = sources(project("boxes", "litert"), "edge-core/")
    assert len(found) > 20
    for path, content in found.items():
        assert not re.search(rb"\b(androidx?|com\.google)\.", content), path


def test_sources_depend_on_the_runtime_and_on_pictures_alone() -> None:
    """So compiling one project of each kind says something of all."""
    for runtime in RUNTIMES:
        engines = {tuple(sources(project(model, runtime), "edge-runtime/").items()) for model in MODELS} | {
            tuple(sources(project("two inputs", runtime, flex=True), "edge-runtime/").items())
        }
        assert len(engines) == 1
    for models in (("classes", "boxes", "two inputs"), ("tensor",)):
        apps = {
            tuple(sources(project(model, runtime), "app/").items())
            for model in models
            for runtime in RUNTIMES
        }
        assert len(apps) == 1


@pytest.mark.parametrize("taken", ["edge.core", "edge.runtime.x", "android.app", "kotlin.x", "androidx.app"])
def test_packages_that_are_taken(taken: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        android.context(MODELS["tensor"], replace(options_of("litert"), application_id=taken))
    android.context(MODELS["tensor"], replace(options_of("litert"), application_id="edge.corelli"))


def test_versions_tell_their_day_and_fit_the_compilers_here() -> None:
    versions = read_toml(data_folder("android_template") / "versions.toml")
    assert date.fromisoformat(versions["date"]) <= date.today()
    assert versions["source"]
    assert versions["tools"]["kotlin"] == pins()["kotlin"]["version"]
    assert set(RUNTIMES) < set(versions["runtimes"])


# The check of native libraries that a project carries


def _library(*, align: int = 0x4000, address: int = 0x4000, bits: int = 2) -> bytes:
    """Return an ELF library with one loaded segment, at byte 0 of the file."""
    header = b"\x7fELF" + bytes((bits, 1, 1)) + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, address, address, 120, 120, align)


def _apk(
    path: Path, library: bytes, *, compressed: bool = False, shift: int = 0, abi: str = "arm64-v8a"
) -> Path:
    name = f"lib/{abi}/libx.so"
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    # As zipalign does: the local header is padded until the content begins at a multiple of 16 KB.
    padding = 0x4000 - 30 - len(name) + shift
    entry.extra = struct.pack("<HH", 0xD935, padding - 4) + bytes(padding - 4)
    with zipfile.ZipFile(path, "w") as apk:
        apk.writestr(entry, library)
    return path


@pytest.mark.parametrize(
    ("library", "how", "said"),
    [
        (_library(), {}, "aligned to 16 KB: 1"),
        (_library(align=0x10000, address=0x10000), {}, "aligned to 16 KB: 1"),
        (_library(align=0x1000), {}, "segment 0 is aligned to 0x1000"),
        (_library(address=0x1000), {}, "segment 0 is aligned to 0x4000"),
        (_library(), {"compressed": True}, "is compressed in the APK"),
        (_library(), {"shift": 4096}, "at no multiple of 16 KB"),
        (_library(bits=1), {}, "is no 64-bit ELF"),
        (_library(align=0x1000), {"abi": "armeabi-v7a"}, "aligned to 16 KB: 0"),
        (b"text", {}, "is no 64-bit ELF"),
    ],
)
def test_the_check_of_page_sizes(library: bytes, how: dict[str, object], said: str, tmp_path: Path) -> None:
    folder = write(project("tensor", "litert"), tmp_path / "project")
    apk = _apk(tmp_path / "app.apk", library, **how)  # type: ignore[arg-type]
    done = subprocess.run(
        [sys.executable, folder / "scripts/check_16kb.py", apk], capture_output=True, text=True, check=False
    )
    assert said in done.stdout
    assert done.returncode == (0 if "16 KB: " in said else 1)


def test_the_check_of_page_sizes_reads_apks_only(tmp_path: Path) -> None:
    folder = write(project("tensor", "litert"), tmp_path / "project")
    (tmp_path / "broken.apk").write_bytes(b"PK")
    for arguments in ([], [tmp_path / "broken.apk"], [tmp_path / "gone.apk"]):
        command = [sys.executable, folder / "scripts/check_16kb.py", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


# Compilers


def _must(found: Kotlin | Missing | object) -> None:
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@dataclass
class Compiler:
    """Compiles modules of projects; the pure one and stubs once."""

    kotlin: Kotlin
    folder: Path
    core: Path

    def compile(self, runtime: str, sources: list[Path], jar: Path, classpath: list[Path]) -> Path:
        stubs = kotlin_stubs(runtime, tests=True)

        def make(folder: Path) -> Completed:
            return stubs.compile(self.kotlin, folder / "stubs.jar")

        # Under the name that `edge scaffold verify` keeps them.
        pinned = {name: pins()[name] for name in ("kotlin", "maven")}
        ready = kept(f"kotlin-stubs-{runtime}", stubs.sources, pinned, make) / "stubs.jar"
        done = stubs.compile_app(self.kotlin, ready, sources, jar, classpath=[self.core, *classpath])
        assert done.code == 0, done.output
        return jar

    def junit(self, jars: list[Path], classes: list[str]) -> str:
        known = [self.kotlin.jars[name] for name in ("junit", "hamcrest", "coroutines", "android")]
        done = self.kotlin.execute("org.junit.runner.JUnitCore", [*jars, self.core, *known], classes)
        assert done.code == 0, done.output
        return done.output


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    found = find_kotlin()
    _must(found)
    assert isinstance(found, Kotlin)
    folder = tmp_path_factory.mktemp("android")
    root = write(project("boxes", "litert"), folder / "core")
    done = found.compile([root / "edge-core/src/main/kotlin"], folder / "core.jar")
    assert done.code == 0, done.output
    return Compiler(found, folder, folder / "core.jar")


@pytest.fixture(scope="module")
def engines(compiler: Compiler) -> dict[str, Path]:
    """The jar of edge-runtime with its tests, by runtime, for all that were compiled."""
    return {}


def runtime_jar(compiler: Compiler, engines: dict[str, Path], runtime: str) -> Path:
    if runtime not in engines:
        root = write(project("two inputs", runtime), compiler.folder / runtime)
        parts = [root / f"edge-runtime/src/{part}/kotlin" for part in ("main", "test")]
        engines[runtime] = compiler.compile(runtime, parts, compiler.folder / f"{runtime}.jar", [])
    return engines[runtime]


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_runtime_compiles_without_a_warning(
    runtime: str, compiler: Compiler, engines: dict[str, Path]
) -> None:
    runtime_jar(compiler, engines, runtime)


@pytest.mark.slow
@pytest.mark.parametrize(("runtime", "tests"), [("litert", 18), ("litert1", 22)])
def test_files_ladders_bytes_and_lives_of_models(
    runtime: str, tests: int, compiler: Compiler, engines: dict[str, Path]
) -> None:
    root = write(project("two inputs", runtime), compiler.folder / f"{runtime}-tests")
    names = [f"edge.runtime.{path.stem}" for path in root.glob("edge-runtime/src/test/kotlin/**/*Test.kt")]
    said = compiler.junit([runtime_jar(compiler, engines, runtime)], names)
    assert f"OK ({tests} tests)" in said


@pytest.fixture(scope="module")
def context(compiler: Compiler) -> Path:
    """The few classes of Android that engines load, in place of those that need a device."""
    jar = compiler.folder / "context.jar"
    done = compiler.kotlin.compile([STANDINS / "android"], jar)
    assert done.code == 0, done.output
    return jar


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runtime", "test", "count"), [("litert", "LiteRtEngineTest", 9), ("litert1", "InterpreterEngineTest", 7)]
)
def test_engines_and_their_ladders_with_a_stand_in(
    runtime: str, test: str, count: int, compiler: Compiler, context: Path
) -> None:
    kotlin = compiler.kotlin
    root = write(project("two inputs", runtime), compiler.folder / f"{runtime}-stand-in")
    known = [compiler.core, kotlin.coroutines, kotlin.jars["junit"], kotlin.jars["hamcrest"]]
    jar = compiler.folder / f"{runtime}-stand-in.jar"
    sources = [root / "edge-runtime/src/main/kotlin", STANDINS / runtime]
    done = kotlin.compile(sources, jar, classpath=[*known, kotlin.jars["android"]])
    assert done.code == 0, done.output
    done = kotlin.execute("org.junit.runner.JUnitCore", [context, jar, *known], [f"edge.runtime.{test}"])
    assert f"OK ({count} tests)" in done.output, done.output


@pytest.mark.slow
@pytest.mark.parametrize("model", ["boxes", "tensor"])
def test_the_app_compiles_without_a_warning(model: str, compiler: Compiler, engines: dict[str, Path]) -> None:
    engine = runtime_jar(compiler, engines, "litert")
    root = write(project(model, "litert"), compiler.folder / model)
    (root / "R.kt").write_text(resources(root).kotlin(APPLICATION), "utf-8")
    parts = [root / f"app/src/{part}/kotlin" for part in ("main", "test", "androidTest")]
    jar = compiler.compile("litert", [*parts, root / "R.kt"], compiler.folder / f"{model}.jar", [engine])
    assert "OK" in compiler.junit([jar, engine], [f"{APPLICATION}.ScreenStateTest"])


@pytest.mark.slow
@pytest.mark.parametrize(("model", "runtime"), [("boxes", "litert"), ("tensor", "play")])
def test_manifest_and_resources_link(model: str, runtime: str, tmp_path: Path) -> None:
    _must(find_debian())
    folder = create_project(tmp_path / "project", project(model, runtime)).folder
    (outcome,) = verify_project(folder, only=("resources",)).outcomes
    assert outcome.state == "passed", outcome

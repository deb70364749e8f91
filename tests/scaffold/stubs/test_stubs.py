"""Stubs compile without a warning, accept what apps rightly write, and reject the rest where it stands."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.stubs import for_kotlin, for_swift
from edge_sdk.scaffold.stubs.for_kotlin import KotlinStubs, kotlin_stubs
from edge_sdk.scaffold.stubs.for_swift import (
    compile_swift,
    compile_swift_module,
    compile_swift_stubs,
    swift_modules,
)
from edge_sdk.scaffold.toolchain.debian import Debian, find_debian
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing

_HERE = Path(__file__).parent
#: Group and artifact, or a framework, and the version.
_KOTLIN_HEADER = re.compile(
    r"// Stub of [a-z0-9.]+:[a-z0-9-]+ (\d+\.\d+(\.\d+)?|of compose-bom \d{4}\.\d\d\.\d\d)"
)
_SWIFT_HEADER = re.compile(r"// Stub of (\w+), iOS \d+ SDK \(Xcode \d+\)")


_ERROR = re.compile(r"^(?P<file>\S+?):(?P<line>\d+):\d+: error: (?P<said>.*)$", re.MULTILINE)


def test_every_file_says_what_it_mirrors() -> None:
    for path in sorted(for_kotlin.FOLDER.glob("*/*")):
        assert path.suffix in {".kt", ".java"}, path
        lines = path.read_text("utf-8").splitlines()
        assert _KOTLIN_HEADER.fullmatch(lines[0]), path
        assert next(line for line in lines if not line.startswith("//")).startswith("package "), path
    for path in sorted(for_swift.FOLDER.glob("*/*")):
        assert path.suffix == ".swift", path
        header = _SWIFT_HEADER.fullmatch(path.read_text("utf-8").splitlines()[0])
        assert header is not None, path
        assert header[1] == path.parent.name, path


def test_every_module_is_used() -> None:
    used = {
        module
        for runtime in ("litert", "play", "litert1")
        for module in kotlin_stubs(runtime, tests=True).modules
    }
    assert used == {folder.name for folder in for_kotlin.FOLDER.iterdir()}
    assert {*swift_modules(), "Foundation"} == {folder.name for folder in for_swift.FOLDER.iterdir()}


def test_an_app_sees_its_own_runtime_alone() -> None:
    assert "litert" not in kotlin_stubs("litert1").modules
    assert "tflite" not in kotlin_stubs("litert").classes
    assert "play-services-litert" not in kotlin_stubs("litert").modules
    assert "androidx-test" not in kotlin_stubs("play").modules
    with pytest.raises(ConfigError, match="coreml"):
        kotlin_stubs("coreml")


def test_modules_come_after_what_they_import() -> None:
    order = swift_modules()
    assert order.index("CoreVideo") < order.index("CoreML") < order.index("Vision")
    assert order.index("UIKit") < order.index("SwiftUI") < order.index("PhotosUI")


@pytest.fixture(scope="module")
def kotlin() -> Kotlin:
    found = find_kotlin()
    if isinstance(found, Missing):
        _skip(found)
    assert isinstance(found, Kotlin)
    return found


@pytest.fixture(scope="module")
def debian() -> Debian:
    found = find_debian()
    if isinstance(found, Missing):
        _skip(found)
    assert isinstance(found, Debian)
    return found


def _skip(missing: Missing) -> None:
    message = f"{missing.why}; {missing.how}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def play(kotlin: Kotlin, tmp_path_factory: pytest.TempPathFactory) -> tuple[KotlinStubs, Path]:
    """All of `--runtime litert`, and what `--runtime play` and tests add to it."""
    return _jar(kotlin, "play", tmp_path_factory.mktemp("play"))


def _jar(kotlin: Kotlin, runtime: str, folder: Path) -> tuple[KotlinStubs, Path]:
    stubs, jar = kotlin_stubs(runtime, tests=True), folder / "stubs.jar"
    done = stubs.compile(kotlin, jar)
    assert done.code == 0, done.output
    assert "warning" not in done.output
    return stubs, jar


@pytest.mark.slow
def test_right_kotlin_is_accepted(kotlin: Kotlin, play: tuple[KotlinStubs, Path], tmp_path: Path) -> None:
    stubs, jar = play
    sources = [_HERE / "right" / f"{name}.kt" for name in ("App", "Play", "DeviceTest")]
    done = stubs.compile_app(kotlin, jar, sources, tmp_path / "app.jar")
    assert done.code == 0, done.output


@pytest.mark.slow
def test_the_classic_interpreter_is_accepted(kotlin: Kotlin, tmp_path: Path) -> None:
    stubs, jar = _jar(kotlin, "litert1", tmp_path)
    done = stubs.compile_app(kotlin, jar, [_HERE / "right" / "Classic.kt"], tmp_path / "app.jar")
    assert done.code == 0, done.output


@pytest.mark.slow
def test_wrong_kotlin_is_rejected_line_by_line(
    kotlin: Kotlin, play: tuple[KotlinStubs, Path], tmp_path: Path
) -> None:
    stubs, jar = play
    done = stubs.compile_app(kotlin, jar, [_HERE / "wrong" / "Wrong.kt"], tmp_path / "app.jar")
    assert done.code != 0
    _check("Wrong.kt", done.output)


@pytest.fixture(scope="module")
def swift(debian: Debian, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swift")
    done = compile_swift_stubs(debian, folder)
    assert done.code == 0, done.output
    assert done.output == ""
    return folder


@pytest.mark.slow
def test_right_swift_is_accepted(debian: Debian, swift: Path) -> None:
    shutil.copy(_HERE / "right" / "App.swift", swift)
    done = compile_swift(debian, swift, [Path("App.swift")])
    assert done.code == 0, done.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Wrong", "Isolation", "Races"])
def test_wrong_swift_is_rejected_line_by_line(debian: Debian, swift: Path, name: str) -> None:
    shutil.copy(_HERE / "wrong" / f"{name}.swift", swift)
    done = compile_swift(debian, swift, [Path(f"{name}.swift")])
    assert done.code != 0
    _check(f"{name}.swift", done.output)


@pytest.mark.slow
def test_an_app_may_have_modules_of_its_own(debian: Debian, swift: Path) -> None:
    (swift / "Core.swift").write_text("public struct Spec: Sendable { public init() {} }\n")
    done = compile_swift_module(debian, swift, "EdgeCore", [Path("Core.swift")])
    assert done.code == 0, done.output
    (swift / "Uses.swift").write_text("import EdgeCore\nlet spec = Spec()\nlet other = Spec().name\n")
    done = compile_swift(debian, swift, [Path("Uses.swift")])
    assert [match["line"] for match in _ERROR.finditer(done.output)] == ["3"]


def _check(name: str, output: str) -> None:
    """Compare what a compiler said with the marks `// error: ...` at the ends of lines."""
    lines = (_HERE / "wrong" / name).read_text("utf-8").splitlines()
    marks = {
        number: line.partition("// error: ")[2]
        for number, line in enumerate(lines, 1)
        if "// error: " in line
    }
    said: dict[int, str] = {}
    for match in _ERROR.finditer(output):
        assert Path(match["file"]).name == name
        said[int(match["line"])] = said.get(int(match["line"]), "") + match["said"].lower() + "\n"
    assert said.keys() == marks.keys(), output
    for number, mark in marks.items():
        assert mark.lower() in said[number], f"line {number}"

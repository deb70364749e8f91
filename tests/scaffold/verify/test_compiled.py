"""Whole projects through every compiler: they pass, and what is planted is found where it stands."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from edge_sdk.scaffold.verify import VerifyReport, verify_project
from tests.scaffold.tiny import read_tree
from tests.scaffold.verify.findings import outcome, replace, said
from tests.scaffold.verify.real_project import render_project

pytestmark = pytest.mark.slow

ANDROID_GOLDEN = "edge-core/src/test/resources/golden.json"
IOS_GOLDEN = "Packages/EdgeModelKit/Tests/EdgeCoreTests/golden.json"


@pytest.fixture(scope="module")
def android(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_project(tmp_path_factory.mktemp("android"), "android")


@pytest.fixture
def broken(android: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(android, tmp_path / "app"))


def passes(folder: Path) -> VerifyReport:
    before = read_tree(folder)
    report = verify_project(folder)
    assert not report.failed, [str(item) for found in report.outcomes for item in found.findings]
    assert {found.state for found in report.outcomes} == {"passed"}, report
    assert read_tree(folder) == before
    return report


def spoil(folder: Path, path: str) -> None:
    """Change one expected value of the golden vectors a little: by its third decimal."""
    document = json.loads((folder / path).read_text())
    step = next(step for step in document["steps"] if step["step"] == "activation")
    raw = bytearray(base64.b64decode(step["expected"]["data"]))
    raw[2] ^= 0x20
    step["expected"]["data"] = base64.b64encode(raw).decode()
    (folder / path).write_text(json.dumps(document))


def line_of(folder: Path, path: str, needle: str) -> int:
    lines = (folder / path).read_text().split("\n")
    return next(number for number, line in enumerate(lines, 1) if needle in line)


@pytest.mark.usefixtures("kotlin", "debian")
def test_a_project_for_android_passes(android: Path) -> None:
    report = passes(android)
    assert int(report.outcome("kotlin-golden").why.split()[0]) >= 10
    assert report.outcome("kotlin-parse").why.endswith(" files")


@pytest.mark.usefixtures("kotlin")
def test_faults_in_kotlin(broken: Path) -> None:
    spoil(broken, ANDROID_GOLDEN)
    settings = broken / "settings.gradle.kts"
    settings.write_text(settings.read_text() + 'include(":more"\n')
    mine = "edge-runtime/src/main/kotlin/Mine.kt"
    (broken / mine).write_text(
        "import com.google.ai.edge.litert.TensorBuffer\nimport edge.runtime.R\n\n"
        "fun read(buffer: TensorBuffer) = buffer.readFloats()\n\n"
        "fun title(): Int = R.string.missing\n"
    )
    report = verify_project(broken, only=["kotlin-parse", "kotlin-core", "kotlin-golden", "kotlin-app"])
    states = {found.name: found.state for found in report.outcomes}
    assert states == {
        "kotlin-parse": "failed",
        "kotlin-core": "passed",
        "kotlin-golden": "failed",
        "kotlin-app": "failed",
    }
    parsed = [str(item) for item in report.outcome("kotlin-parse").findings]
    assert parsed[0].startswith(f"settings.gradle.kts:{settings.read_text().count(chr(10))}: Expecting")
    (golden,) = report.outcome("kotlin-golden").findings
    assert golden.path.endswith("/GoldenVectorsTest.kt")
    assert golden.line
    assert "activation" in golden.message
    app = {item.line: item.message for item in report.outcome("kotlin-app").findings}
    assert {item.path for item in report.outcome("kotlin-app").findings} == {mine}
    assert app.keys() == {4, 6}
    assert "readFloats" in app[4]
    assert "'string'" in app[6]  # the module has no resources


@pytest.mark.usefixtures("kotlin")
def test_a_core_that_needs_android(broken: Path) -> None:
    path = "edge-core/src/main/kotlin/edge/core/Mine.kt"
    (broken / path).write_text("package edge.core\n\nimport android.graphics.Bitmap\n")
    report = verify_project(broken, only=["kotlin-core", "kotlin-golden"])
    core, golden = (str(found.findings[0]) for found in report.outcomes)
    assert core.startswith(f"{path}:3: unresolved reference 'android'")
    assert golden.startswith(f"{path}:3: edge-core does not compile: unresolved reference 'android'")


@pytest.mark.usefixtures("debian")
def test_resources(broken: Path) -> None:
    assert said(broken, "resources") == []
    manifest = "app/src/main/AndroidManifest.xml"
    # The resource compiler names the line where the element of the attribute begins.
    line = line_of(broken, manifest, "<application")
    text = (broken / manifest).read_text()
    (broken / manifest).write_text(text.replace("@string/app_name", "@string/app_nam", 1))
    (finding,) = said(broken, "resources")
    assert finding.startswith(f"{manifest}:{line}: ")
    assert "string/app_nam" in finding
    (broken / manifest).write_text(text.replace("@string/app_name", "${title}", 1))
    line = line_of(broken, manifest, "${title}")
    assert f"{manifest}:{line}: nothing fills the placeholder ${{title}}" in said(broken, "resources")
    (broken / manifest).write_text(text)
    strings = "app/src/main/res/values/strings.xml"
    (broken / strings).write_text(
        (broken / strings).read_text().replace("</resources>", "<string/></resources>")
    )
    assert any(item.startswith(f"{strings}:") for item in said(broken, "resources"))


@pytest.mark.usefixtures("debian")
def test_a_model_that_would_be_compressed(broken: Path) -> None:
    script = "app/build.gradle.kts"
    line = replace(broken, script, 'noCompress += "tflite"', 'noCompress += "onnx"')
    (finding,) = said(broken, "resources")
    assert finding.startswith(f"{script}:{line}: app/src/main/assets/relu.tflite is compressed in the APK")


@pytest.fixture(scope="module")
def iphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_project(tmp_path_factory.mktemp("iphone"), "ios")


@pytest.mark.usefixtures("debian")
def test_a_project_for_ios_passes(iphone: Path) -> None:
    report = passes(iphone)
    assert int(report.outcome("swift-core").why.split()[0]) >= 10
    assert report.outcome("xcodeproj").why.endswith("objects")  # and plutil said nothing


@pytest.mark.usefixtures("debian")
def test_faults_in_swift(iphone: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(iphone, tmp_path / "app"))
    spoil(folder, IOS_GOLDEN)
    mine = "Relu/Mine.swift"
    (folder / mine).write_text(
        "import CoreML\n\nvar shared = 0\n\nfunc units() -> MLComputeUnits { .fastest }\n\nlet x  =  1\n"
    )
    tests = next(folder.glob("ReluTests/*.swift"))
    report = verify_project(folder, only=["swift-core", "swift-app", "swift-format"])
    assert {found.state for found in report.outcomes} == {"failed"}
    core = report.outcome("swift-core").findings
    assert all(
        item.path.startswith("Packages/EdgeModelKit/Tests/EdgeCoreTests/") and item.line for item in core
    )
    assert any("activation" in item.message for item in core)
    app = {item.line: item.message for item in report.outcome("swift-app").findings}
    assert {item.path for item in report.outcome("swift-app").findings} == {mine}
    assert "fastest" in app[5]
    assert (mine, 7) in {(item.path, item.line) for item in report.outcome("swift-format").findings}
    (folder / mine).unlink()
    tests.write_text(tests.read_text() + "\nlet wrong: Int = missing()\n")
    (first, *_) = outcome(folder, "swift-app").findings
    assert first.path == tests.relative_to(folder).as_posix()
    assert "missing" in first.message

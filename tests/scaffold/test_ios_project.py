"""Projects for iOS: rendered for every kind of model, read by other readers, compiled with stubs."""

from __future__ import annotations

import json
import os
import plistlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import openstep_plist
import pytest

from edge_sdk.bundle.digest import folder_files
from edge_sdk.bundle.manifest import CoreMLImage
from edge_sdk.resources import data_folder
from edge_sdk.scaffold import ios
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import RenderedProject, render_platform, spec_json
from edge_sdk.scaffold.stubs.for_swift import (
    compile_swift,
    compile_swift_module,
    compile_swift_stubs,
    swift_modules,
)
from edge_sdk.scaffold.template import GENERATED, USER
from edge_sdk.scaffold.toolchain.debian import Debian, find_debian
from edge_sdk.scaffold.toolchain.places import Missing
from tests.scaffold.ios_projects import KINDS, LABELS, PHOTO, facts_of, render_kind

#: Keys of each kind of object, without which Xcode does not take it.
KEYS: Mapping[str, tuple[str, ...]] = {
    "PBXBuildFile": ("productRef",),
    "PBXContainerItemProxy": ("containerPortal", "proxyType", "remoteGlobalIDString", "remoteInfo"),
    "PBXFileReference": ("path", "sourceTree", "explicitFileType"),
    "PBXFileSystemSynchronizedRootGroup": ("path", "sourceTree"),
    "PBXFrameworksBuildPhase": ("files", "buildActionMask"),
    "PBXGroup": ("children", "sourceTree"),
    "PBXNativeTarget": (
        "buildConfigurationList", "buildPhases", "buildRules", "dependencies", "fileSystemSynchronizedGroups",
        "name", "packageProductDependencies", "productName", "productReference", "productType",
    ),
    "PBXProject": ("buildConfigurationList", "mainGroup", "packageReferences", "productRefGroup", "targets"),
    "PBXResourcesBuildPhase": ("files", "buildActionMask"),
    "PBXSourcesBuildPhase": ("files", "buildActionMask"),
    "PBXTargetDependency": ("target", "targetProxy"),
    "XCBuildConfiguration": ("buildSettings", "name"),
    "XCConfigurationList": ("buildConfigurations", "defaultConfigurationName"),
    "XCLocalSwiftPackageReference": ("relativePath",),
    "XCSwiftPackageProductDependency": ("package", "productName"),
}  # fmt: skip
IDENTIFIER = re.compile(r"[0-9A-F]{24}")


@pytest.fixture(scope="module", params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rendered(name: str, tmp_path_factory: pytest.TempPathFactory) -> RenderedProject:
    return render_kind(tmp_path_factory.mktemp("bundle"), KINDS[name])


@pytest.fixture(scope="module")
def app(name: str) -> str:
    return ios.app_name(KINDS[name].name)


@pytest.fixture(scope="module")
def project(rendered: RenderedProject, app: str) -> dict[str, Any]:
    return dict(openstep_plist.loads(_text(rendered, f"{app}.xcodeproj/project.pbxproj")))


def _text(rendered: RenderedProject, path: str) -> str:
    return rendered.files[path].content.decode()


def _of_kind(project: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    return (item for item in project["objects"].values() if item["isa"] == kind)


def test_a_project_is_whole_and_twice_the_same(
    name: str, rendered: RenderedProject, app: str, tmp_path: Path
) -> None:
    assert ios.flags(rendered.spec, rendered.options) == KINDS[name].flags
    assert {path: file.content for path, file in rendered.files.items()} == {
        path: file.content for path, file in render_kind(tmp_path, KINDS[name]).files.items()
    }
    package = "Packages/EdgeModelKit"
    for path in (
        f"{app}/App.swift", f"{app}/PrivacyInfo.xcprivacy", f"{app}/{rendered.spec.model_file}/Manifest.json",
        f"{app}/golden.json", f"{app}/model_spec.json",
        f"{app}/Assets.xcassets/AppIcon.appiconset/Contents.json",
        f"{app}Tests/DeviceSelfTest.swift", f"{package}/Package.swift", "README.md", ".gitignore",
        f"{package}/Sources/EdgeCore/Generated/ModelSpec.swift", f"{package}/Tests/EdgeCoreTests/golden.json",
        ".github/workflows/ios.yml",
    ):  # fmt: skip
        assert path in rendered.files
    assert (f"{app}/labels.txt" in rendered.files) == bool(rendered.spec.labels)
    assert (f"{app}/Camera/CameraFeed.swift" in rendered.files) == ("camera" in KINDS[name].flags)
    assert (f"{app}/Camera/VisionPath.swift" in rendered.files) == ("vision" in KINDS[name].flags)
    assert [path for path, file in rendered.files.items() if file.kind == USER] == [
        f"{app}/User/UserCode.swift"
    ]
    for path, file in rendered.files.items():
        if not file.source.startswith("bundle:"):
            assert "[%" not in file.content.decode(), path


def test_the_xcode_project_is_whole(project: dict[str, Any], rendered: RenderedProject, app: str) -> None:
    objects = project["objects"]
    assert {item["isa"] for item in objects.values()} == set(KEYS)
    assert int(project["objectVersion"]) == 77
    assert objects[project["rootObject"]]["isa"] == "PBXProject"
    for identifier, item in objects.items():
        assert IDENTIFIER.fullmatch(identifier)
        assert set(KEYS[item["isa"]]) <= set(item), item["isa"]
    # Every identifier in the text names an object, and none is defined twice.
    text = _text(rendered, f"{app}.xcodeproj/project.pbxproj")
    assert set(IDENTIFIER.findall(text)) == set(objects)
    defined = re.findall(r"^\t\t([0-9A-F]{24}) .*= \{", text, re.MULTILINE)
    assert len(defined) == len(objects)
    for section in re.findall(r"/\* Begin (\w+) section \*/\n(.*?)/\* End \1 section \*/", text, re.DOTALL):
        inside = re.findall(r"^\t\t([0-9A-F]{24}) .*= \{", section[1], re.MULTILINE)
        assert inside == sorted(inside), f"Xcode would sort {section[0]} anew"
        assert {objects[identifier]["isa"] for identifier in inside} == {section[0]}


def test_the_xcode_project_names_what_is_there(
    project: dict[str, Any], rendered: RenderedProject, app: str
) -> None:
    folders = {item["path"] for item in _of_kind(project, "PBXFileSystemSynchronizedRootGroup")}
    assert folders == {app, f"{app}Tests"}
    (package,) = _of_kind(project, "XCLocalSwiftPackageReference")
    for folder in (*folders, package["relativePath"]):
        assert any(path.startswith(f"{folder}/") for path in rendered.files)
    targets = {item["name"]: item for item in _of_kind(project, "PBXNativeTarget")}
    assert set(targets) == {app, f"{app}Tests"}
    scheme = Xml.fromstring(_text(rendered, f"{app}.xcodeproj/xcshareddata/xcschemes/{app}.xcscheme"))
    identifiers = {key for key, item in project["objects"].items() if item["isa"] == "PBXNativeTarget"}
    references = list(scheme.iter("BuildableReference"))
    assert {item.attrib["BlueprintIdentifier"] for item in references} == identifiers
    for item in references:
        target = targets[item.attrib["BlueprintName"]]
        assert project["objects"][target["productReference"]]["path"] == item.attrib["BuildableName"]
        assert item.attrib["ReferencedContainer"] == f"container:{app}.xcodeproj"
    assert [item.tag for item in scheme] == [
        "BuildAction", "TestAction", "LaunchAction", "ProfileAction", "AnalyzeAction", "ArchiveAction"
    ]  # fmt: skip


def test_settings(project: dict[str, Any], name: str, app: str, rendered: RenderedProject) -> None:
    kind = KINDS[name]
    settings: dict[str, str] = {}
    for item in _of_kind(project, "XCBuildConfiguration"):
        assert list(item["buildSettings"]) == sorted(item["buildSettings"]), "Xcode would sort them anew"
        settings |= item["buildSettings"]
    assert settings["SWIFT_VERSION"] == "6.0"
    assert settings["SWIFT_STRICT_CONCURRENCY"] == "complete"
    assert settings["COREML_CODEGEN_LANGUAGE"] == "None"
    assert settings["ENABLE_USER_SCRIPT_SANDBOXING"] == "YES"
    oldest = {"iOS15": "16.0"}.get(kind.minimum_ios, kind.minimum_ios.removeprefix("iOS") + ".0")
    assert settings["IPHONEOS_DEPLOYMENT_TARGET"] == oldest
    title = settings["INFOPLIST_KEY_CFBundleDisplayName"]
    assert "$" not in title
    assert title == rendered.options.title.replace("$", "\uff04")
    assert ("INFOPLIST_KEY_NSCameraUsageDescription" in settings) == ("camera" in kind.flags)
    identifiers = {
        item["buildSettings"]["PRODUCT_BUNDLE_IDENTIFIER"]
        for item in _of_kind(project, "XCBuildConfiguration")
        if "PRODUCT_BUNDLE_IDENTIFIER" in item["buildSettings"]
    }
    own = rendered.options.application_id
    assert identifiers == {own, f"{own}.tests"}
    assert settings["TEST_HOST"].startswith(f"$(BUILT_PRODUCTS_DIR)/{app}.app/")


def test_property_lists_and_catalogs_can_be_read(rendered: RenderedProject, app: str) -> None:
    privacy = plistlib.loads(rendered.files[f"{app}/PrivacyInfo.xcprivacy"].content)
    assert privacy == {
        "NSPrivacyTracking": False,
        "NSPrivacyTrackingDomains": [],
        "NSPrivacyCollectedDataTypes": [],
        "NSPrivacyAccessedAPITypes": [],
    }
    for path, file in rendered.files.items():
        if path.endswith("Contents.json"):
            assert json.loads(file.content)["info"]["author"] == "xcode"


#: What stands for a reason in the privacy manifest, by Apple's list of APIs that need one.
NEEDS_A_REASON = re.compile(
    r"\b(UserDefaults|AppStorage|systemUptime|mach_absolute_time|creationDate\w*|modificationDate\w*|"
    r"contentModificationDate\w*|attributesOfItem|volumeAvailable\w*|attributesOfFileSystem|statfs|statvfs|"
    r"fstat|lstat|stat|getattrlist\w*|activeInputModes)\b"
)


def test_no_source_uses_what_the_privacy_manifest_would_have_to_declare(rendered: RenderedProject) -> None:
    for path, file in rendered.files.items():
        if path.endswith(".swift"):
            code = re.sub(r"//.*", "", file.content.decode())
            assert not NEEDS_A_REASON.search(code), path


def test_a_new_version_of_the_model_touches_generated_files_alone(name: str, tmp_path: Path) -> None:
    spec, options, content = facts_of(tmp_path, KINDS[name])
    later = replace(
        spec,
        version="2.0.0",
        variant="coreml_float32",
        recipe="coreml_float32",
        model_sha256="0" * 64,
        model_size=1,
        bundle_sha256="1" * 64,
        golden_atol=0.5,
        golden_rtol=0.25,
    )
    changed = replace(
        content,
        model={path: data + b"\0" for path, data in content.model.items()},
        golden=b"{}",
        spec=spec_json(later),
    )
    before, after = render_platform(spec, options, content), render_platform(later, options, changed)
    assert set(before.files) == set(after.files)
    touched = [path for path, file in before.files.items() if after.files[path] != file]
    assert len(touched) >= 6
    assert {before.files[path].kind for path in touched} == {GENERATED}


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        ("digits", "Digits"),
        ("swiftui", "SwiftuiApp"),
        ("edge-core", "EdgeCoreApp"),
        ("Packages", "PackagesApp"),
        ("PACKAGES", "PackagesApp"),
        ("pACKAGES", "PACKAGESApp"),
        ("any", "AnyModel"),
        ("text", "Text"),
        ("2nd", "Model2nd"),
        ("数字", "Model"),
        ("my.tests", "MyTestsApp"),
    ],
)
def test_names_of_apps_hide_nothing(bundle: str, expected: str) -> None:
    found = ios.app_name(bundle)
    assert found == expected
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", found)


def test_modules_that_sources_import_are_no_names_of_apps() -> None:
    imported: set[str] = set()
    for path in (data_folder("ios_template") / "App").rglob("*.swift"):
        imported.update(re.findall(r"^(?:@\w+ )?import (\w+)$", path.read_text("utf-8"), re.MULTILINE))
    assert {"SwiftUI", "CoreML", "EdgeCore"} <= imported
    for module in (*imported, *swift_modules()):
        assert ios.app_name(module) != module


def test_identifiers_of_one_project_are_not_those_of_another(tmp_path: Path) -> None:
    found = [ios.context(*facts_of(tmp_path, KINDS[kind])[:2])["ids"] for kind in ("plain", "array")]
    assert not set(found[0].values()) & set(found[1].values())
    assert len(set(found[0].values())) == len(found[0])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"fit": "pad"}, "padding"),
        ({"crop_fraction": 0.875}, "crops to 0.875"),
        ({"resize": "none"}, "one size"),
        ({"color": "bgr"}, None),
        ({"labels": ("cat", "dog", "cat")}, "two of the model's are the same"),
    ],
)
def test_vision_is_offered_where_it_can_stand_for_the_contract(
    change: dict[str, Any], why: str | None, tmp_path: Path
) -> None:
    kind = KINDS["classifier"]
    labels = change.get("labels", kind.contract.labels)
    image = replace(PHOTO, **{key: value for key, value in change.items() if key != "labels"})
    contract = replace(
        kind.contract,
        labels=labels,
        preprocess={"image": replace(kind.contract.preprocess["image"], image=image)},
    )
    changed = replace(kind, contract=contract, images={"image": CoreMLImage(scale=1 / 255)})
    spec, options, _ = facts_of(tmp_path, changed)
    variables = ios.context(spec, options)
    if why is None:
        assert variables["vision_option"] == "centerCrop"
        assert variables["exact_reason"] == ""
        assert "vision" in ios.flags(spec, options)
    else:
        assert variables["vision_option"] == ""
        assert why in variables["exact_reason"]
        assert "vision" not in ios.flags(spec, options)


def test_labels_stand_one_a_line(tmp_path: Path) -> None:
    rendered = render_kind(tmp_path, KINDS["classifier"])
    assert _text(rendered, "Digits/labels.txt").splitlines() == list(LABELS)


# What follows runs Swift.


@pytest.fixture(scope="module")
def debian() -> Debian:
    found = find_debian()
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def swift(debian: Debian, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stubs of Apple's frameworks, and EdgeCore of one project."""
    folder = tmp_path_factory.mktemp("swift")
    done = compile_swift_stubs(debian, folder)
    assert done.code == 0, done.output
    rendered = render_kind(tmp_path_factory.mktemp("bundle"), KINDS["classifier"])
    sources = _write(rendered, folder / "core", "Packages/EdgeModelKit/Sources/EdgeCore/")
    names = [path.relative_to(folder) for path in sources]
    done = compile_swift_module(debian, folder, "EdgeCore", names, options=["-warnings-as-errors"])
    assert done.code == 0, done.output
    return folder


def _write(rendered: RenderedProject, folder: Path, prefix: str) -> list[Path]:
    """Write the Swift sources below a folder of the project; return their names."""
    shutil.rmtree(folder, ignore_errors=True)
    found = []
    for path, file in rendered.files.items():
        if path.startswith(prefix) and path.endswith(".swift"):
            place = folder / path.removeprefix(prefix)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
            found.append(place)
    return found


@pytest.mark.slow
def test_the_app_compiles_in_swift_6_without_a_warning(
    debian: Debian, swift: Path, rendered: RenderedProject, app: str
) -> None:
    sources = _write(rendered, swift / "app", f"{app}/")
    done = compile_swift(debian, swift, [path.relative_to(swift) for path in sources], module=app)
    assert done.code == 0, done.output


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["boxes", "plain"])
def test_the_tests_of_the_app_compile(debian: Debian, swift: Path, kind: str, tmp_path: Path) -> None:
    rendered = render_kind(tmp_path, KINDS[kind])
    app = ios.app_name(KINDS[kind].name)
    sources = _write(rendered, swift / "app", f"{app}/")
    tests = _write(rendered, swift / "tests", f"{app}Tests/")
    shims = sorted((swift / "stubs" / "Foundation").glob("*.swift"))
    options = ["-swift-version", "6", "-enable-testing"]
    names = [path.relative_to(swift) for path in (*sources, *shims)]
    done = compile_swift_module(debian, swift, app, names, options=options)
    assert done.code == 0, done.output
    names = [path.relative_to(swift) for path in tests]
    # Shims of Linux come with the app's module, which its tests see whole.
    done = debian.run(
        ["swiftc", "-emit-sil", "-wmo", "-parse-as-library", "-swift-version", "6", "-warnings-as-errors",
         "-module-name", f"{app}Tests", "-I", "modules", "-o", "out/tests.sil", *map(str, names)],
        swift,
    )  # fmt: skip
    assert done.code == 0, done.output


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["boxes", "array", "two inputs"])
def test_sources_are_formatted_and_property_lists_pass_apples_reader(
    debian: Debian, kind: str, tmp_path: Path
) -> None:
    app = ios.app_name(KINDS[kind].name)
    create_project(tmp_path / "project", render_kind(tmp_path, KINDS[kind]))
    done = debian.run(["swift-format", "lint", "--strict", "-r", "."], tmp_path / "project")
    assert (done.code, done.output) == (0, ""), done.output
    files = [f"{app}.xcodeproj/project.pbxproj", f"{app}/PrivacyInfo.xcprivacy"]
    done = debian.run(["plutil", "-lint", "--", *files], tmp_path / "project")
    assert done.code == 0, done.output


_PROBE = """
import Foundation

@main
struct Probe {
    static func main() throws {
        let file = URL(fileURLWithPath: "cases.json")
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
        for item in cases {
            let rows = ArrayRows(shape: item.shape, strides: item.strides)
            var bytes = [Float](repeating: -1, count: item.room)
            bytes.withUnsafeMutableBytes { rows.write(item.values, into: $0) { Float($0) } }
            let back = bytes.withUnsafeBytes { rows.read(Float.self, $0) { Double($0) } }
            print(bytes.map { "\\($0)" }.joined(separator: " "), back == item.values)
        }
        let top = URL(fileURLWithPath: "folder")
        let lines = try FolderListing.lines(of: top) { url in (try Data(contentsOf: url).count, "x") }
        print("LISTING")
        print(lines.joined(), terminator: "")
    }
}

struct Case: Decodable {
    let shape: [Int]
    let strides: [Int]
    let room: Int
    let values: [Double]
}
"""


@pytest.mark.slow
def test_arrays_with_gaps_are_filled_in_order_and_folders_listed_as_on_the_host(
    debian: Debian, tmp_path: Path
) -> None:
    """What of the runner needs no framework of Apple's runs here."""
    model = data_folder("ios_template") / "App" / "Model"
    core = data_folder("ios_template") / "Packages" / "EdgeModelKit" / "Sources" / "EdgeCore"
    for source in (model / "ArrayRows.swift", core / "ModelError.swift"):
        shutil.copy(source, tmp_path)
    text = (model / "FolderListing.swift").read_text("utf-8").replace("import EdgeCore\n", "")
    (tmp_path / "FolderListing.swift").write_text(text, "utf-8")
    (tmp_path / "Probe.swift").write_text(_PROBE, "utf-8")
    cases, expected = _strided_cases()
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    for name in ("b/c.bin", "B/weights.bin", "a.txt", "é.txt", "e\u0301.txt", "b.d", "b/\U0001f600"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    done = debian.run(
        [
            "sh",
            "-c",
            "swiftc -swift-version 6 -parse-as-library -warnings-as-errors *.swift -o probe && ./probe",
        ],
        tmp_path,
    )
    assert done.code == 0, done.output
    said, _, listing = done.output.partition("LISTING\n")
    found = [line.split() for line in said.splitlines()]
    assert [([float(word) for word in words], verdict) for *words, verdict in found] == expected
    names = folder_files(tmp_path / "folder")
    assert listing == "".join(f"{name} {path.stat().st_size} x\n" for name, path in names.items())


def _strided_cases() -> tuple[list[dict[str, Any]], list[tuple[list[float], str]]]:
    """Return arrays with and without gaps, and the memory that NumPy makes of them."""
    random = np.random.default_rng(3)
    cases: list[dict[str, Any]] = []
    expected: list[tuple[list[float], str]] = []
    for index in range(60):
        shape = tuple(int(size) for size in random.integers(1, 5, int(random.integers(1, 6))))
        # The array lies inside of a larger one, along axes in any order.
        order = random.permutation(len(shape)) if index % 3 else np.arange(len(shape))
        padded = [shape[axis] + int(random.integers(0, 3)) * (index % 2) for axis in order]
        memory = np.full(int(np.prod(padded)), -1, np.float32)
        view = memory.reshape(padded).transpose(np.argsort(order))[tuple(slice(0, size) for size in shape)]
        values = random.integers(0, 1000, shape)
        view[...] = values
        strides = [step // memory.itemsize for step in view.strides]
        cases.append(
            {"shape": shape, "strides": strides, "room": memory.size, "values": values.reshape(-1).tolist()}
        )
        expected.append((memory.tolist(), "true"))
    return cases, expected

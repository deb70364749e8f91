from __future__ import annotations

import plistlib
from pathlib import Path
from typing import Any

import pytest

from tests.scaffold.verify.findings import said

PRIVACY = "Relu/PrivacyInfo.xcprivacy"
SOURCE = "Relu/Mine.swift"


def change(ios: Path, **entries: Any) -> None:
    data = plistlib.loads((ios / PRIVACY).read_bytes())
    data.update(entries)
    (ios / PRIVACY).write_bytes(
        plistlib.dumps({key: value for key, value in data.items() if value is not None})
    )


def test_a_project_passes(ios: Path) -> None:
    assert said(ios, "plists") == []


def test_what_is_no_property_list(ios: Path) -> None:
    (ios / "Relu" / "Info.plist").write_text("<plist>\n<dict>\n</plist>\n")
    (finding,) = said(ios, "plists")
    assert finding.startswith("Relu/Info.plist:3: is no property list")


def test_no_privacy_manifest(ios: Path) -> None:
    (ios / PRIVACY).unlink()
    assert any("there is no PrivacyInfo.xcprivacy" in item for item in said(ios, "plists"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"NSPrivacyTracking": None}, "has no NSPrivacyTracking"),
        ({"NSPrivacyTracking": "no"}, "NSPrivacyTracking is no bool"),
        ({"NSPrivacyTraking": False}, "NSPrivacyTraking is no key of a privacy manifest"),
        (
            {
                "NSPrivacyAccessedAPITypes": [
                    {"NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryFiles"}
                ]
            },
            "NSPrivacyAccessedAPICategoryFiles is no category",
        ),
        (
            {
                "NSPrivacyAccessedAPITypes": [
                    {
                        "NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryDiskSpace",
                        "NSPrivacyAccessedAPITypeReasons": ["CA92.1"],
                    }
                ]
            },
            "CA92.1 is no reason for NSPrivacyAccessedAPICategoryDiskSpace",
        ),
    ],
)
def test_a_privacy_manifest_that_apple_refuses(ios: Path, entries: dict[str, Any], message: str) -> None:
    change(ios, **entries)
    found = [item for item in said(ios, "plists") if message in item]
    assert len(found) == 1
    assert found[0].startswith(PRIVACY)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'let a = UserDefaults.standard.bool(forKey: "a")',
            "UserDefaults: the privacy manifest does not declare",
        ),
        (
            "let b = ProcessInfo.processInfo.systemUptime",
            "systemUptime: the privacy manifest does not declare",
        ),
        ("let c = PHPhotoLibrary.shared()", "PHPhotoLibrary: there is no NSPhotoLibraryUsageDescription"),
    ],
)
def test_what_sources_use_is_declared(ios: Path, line: str, message: str) -> None:
    change(ios, NSPrivacyAccessedAPITypes=[])
    (ios / SOURCE).write_text(f"import Foundation\n// UserDefaults\n{line}\n")
    (finding,) = (item for item in said(ios, "plists") if item.startswith(SOURCE))
    assert finding.startswith(f"{SOURCE}:3: {message}")


def test_asset_catalogs(ios: Path) -> None:
    icon = "Relu/Assets.xcassets/AppIcon.appiconset"
    (ios / icon / "Contents.json").write_text('{"images": [{"filename": "icon.png"}]}')
    assert said(ios, "plists") == [f"{icon}/Contents.json: there is no icon.png beside it"]
    (ios / icon / "Contents.json").write_text('{\n"images": }')
    assert said(ios, "plists")[0].startswith(f"{icon}/Contents.json:2: is no JSON")
    (ios / icon / "Contents.json").unlink()
    project = "Relu.xcodeproj/project.pbxproj"
    text = (ios / project).read_text()
    line = text.count("\n", 0, text.index("ASSETCATALOG_COMPILER_APPICON_NAME")) + 1
    assert f"{project}:{line}: no asset catalog has AppIcon.appiconset" in said(ios, "plists")

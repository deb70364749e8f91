"""Property lists, the privacy manifest and asset catalogs say what they must."""

from __future__ import annotations

import json
import plistlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

from edge_sdk.scaffold.verify.base import IOS, Finding, Verdict
from edge_sdk.scaffold.verify.site import Site

_SUFFIXES = (".plist", ".xcprivacy", ".entitlements")
_PRIVACY: Mapping[str, type] = {
    "NSPrivacyTracking": bool,
    "NSPrivacyTrackingDomains": list,
    "NSPrivacyCollectedDataTypes": list,
    "NSPrivacyAccessedAPITypes": list,
}
_CATEGORY = "NSPrivacyAccessedAPICategory"
#: Reasons that Apple lists for each category of API.
REASONS: Mapping[str, tuple[str, ...]] = {
    "FileTimestamp": ("DDA9.1", "C617.1", "3B52.1", "0A2A.1"),
    "SystemBootTime": ("35F9.1", "8FFB.1", "3D61.1"),
    "DiskSpace": ("85F4.1", "E174.1", "7D9E.1", "B728.1"),
    "ActiveKeyboards": ("3EC4.1", "54BD.1"),
    "UserDefaults": ("CA92.1", "1C8F.1", "C56D.1", "AC6B.1"),
}
#: Names in Swift whose use has to be declared.
_USES: Mapping[str, str] = {
    "FileTimestamp": r"\b(?:creationDateKey|contentModificationDate(?:Key)?|fileModificationDate"
    r"|FileAttributeKey\.(?:creationDate|modificationDate)|f?stat(?:at)?\s*\(|lstat\s*\()",
    "SystemBootTime": r"\b(?:systemUptime\b|mach_absolute_time\s*\()",
    "DiskSpace": r"\b(?:volumeAvailableCapacity\w*|volumeTotalCapacity\w*|systemFreeSize|systemSize)\b",
    "ActiveKeyboards": r"\bactiveInputModes\b",
    "UserDefaults": r"\b(?:UserDefaults|AppStorage|SceneStorage)\b",
}
#: Uses that iOS asks the user about, with a sentence of the app.
_ASKED: Mapping[str, str] = {
    "NSCameraUsageDescription": r"\bAVCaptureDevice\b",
    "NSMicrophoneUsageDescription": r"\b(?:AVAudioRecorder|requestRecordPermission)\b",
    "NSPhotoLibraryUsageDescription": r"\bPHPhotoLibrary\b",
    "NSLocationWhenInUseUsageDescription": r"\bCLLocationManager\b",
}


class Plists:
    """Property lists parse, the privacy manifest is complete and declares what sources use."""

    name = "plists"
    platforms = (IOS,)
    proves = "property lists and asset catalogs parse; the privacy manifest declares what the sources use"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Parse, then compare with the sources of the app."""
        findings: list[Finding] = []
        declared: set[str] = set()
        manifests = 0
        keys = set(re.findall(r"INFOPLIST_KEY_(\w+)", _project_text(site)))
        paths = [path for path in site.find(*_SUFFIXES) if ".mlpackage/" not in path]
        for path in paths:
            try:
                data = plistlib.loads((site.folder / path).read_bytes())
            except (plistlib.InvalidFileException, ExpatError, ValueError, OverflowError) as failure:
                line = getattr(failure, "lineno", None)
                findings.append(Finding(path, line, f"is no property list: {failure}"))
                continue
            if not isinstance(data, dict):
                findings.append(Finding(path, None, "is no dictionary"))
                continue
            if path.endswith("Info.plist"):
                keys |= data.keys()
            if path.endswith(".xcprivacy"):
                manifests += 1
                findings += _privacy(path, site.read(path), data, declared)
        if not manifests:
            message = "there is no PrivacyInfo.xcprivacy; the App Store asks for one"
            findings.append(Finding("", None, message))
        else:
            findings += _undeclared(site, declared)
        findings += _unasked(site, keys)
        findings += _catalogs(site)
        return Verdict(tuple(findings), f"{len(paths)} property lists")


def _project_text(site: Site) -> str:
    return "\n".join(site.read(path) for path in site.find("/project.pbxproj"))


def _sources(site: Site) -> Iterator[tuple[str, int, str]]:
    """Yield path, number and text of each line of the app's own Swift, without comments of a line."""
    for path in site.find(".swift"):
        if re.search(r"(?:^|/)\w*Tests/", path):
            continue
        for number, line in enumerate(site.read(path).split("\n"), 1):
            yield path, number, line.partition("//")[0]


def _undeclared(site: Site, declared: set[str]) -> Iterator[Finding]:
    for path, number, line in _sources(site):
        for category, pattern in _USES.items():
            if category not in declared and (match := re.search(pattern, line)):
                name = match[0].strip(" (")
                yield Finding(
                    path, number, f"{name}: the privacy manifest does not declare {_CATEGORY}{category}"
                )


def _unasked(site: Site, keys: set[str]) -> Iterator[Finding]:
    for path, number, line in _sources(site):
        for key, pattern in _ASKED.items():
            if key not in keys and (match := re.search(pattern, line)):
                yield Finding(path, number, f"{match[0]}: there is no {key}, without which iOS ends the app")


def _privacy(path: str, text: str, data: dict[str, Any], declared: set[str]) -> Iterator[Finding]:
    def line(needle: str) -> int | None:
        return next((number for number, row in enumerate(text.split("\n"), 1) if needle in row), None)

    for key, kind in _PRIVACY.items():
        if key not in data:
            yield Finding(path, None, f"has no {key}")
        elif not isinstance(data[key], kind):
            yield Finding(path, line(key), f"{key} is no {kind.__name__}")
    for key in data.keys() - _PRIVACY.keys():
        yield Finding(path, line(key), f"{key} is no key of a privacy manifest")
    entries = data.get("NSPrivacyAccessedAPITypes")
    for entry in entries if isinstance(entries, list) else ():
        api = str(entry.get("NSPrivacyAccessedAPIType", "")) if isinstance(entry, dict) else ""
        category = api.removeprefix(_CATEGORY)
        reasons = entry.get("NSPrivacyAccessedAPITypeReasons") if isinstance(entry, dict) else None
        if not api.startswith(_CATEGORY) or category not in REASONS:
            yield Finding(
                path, line(api or "NSPrivacyAccessedAPITypes"), f"{api or 'an entry'} is no category"
            )
            continue
        declared.add(category)
        if not isinstance(reasons, list) or not reasons:
            yield Finding(path, line(api), f"{api} has no reasons")
            continue
        for reason in reasons:
            if reason not in REASONS[category]:
                yield Finding(path, line(str(reason)), f"{reason} is no reason for {api}")


def _catalogs(site: Site) -> Iterator[Finding]:
    names = set()
    for path in site.find("/Contents.json"):
        if ".xcassets/" not in path:
            continue
        folder = path.rpartition("/")[0]
        names.add(folder.rpartition("/")[2])
        try:
            data = json.loads(site.read(path))
        except ValueError as failure:
            yield Finding(path, getattr(failure, "lineno", None), f"is no JSON: {failure}")
            continue
        for image in data.get("images", ()) if isinstance(data, dict) else ():
            file = image.get("filename") if isinstance(image, dict) else None
            if file and f"{folder}/{file}" not in site.files:
                yield Finding(path, None, f"there is no {file} beside it")
    project = _project_text(site)
    for setting, suffix in (
        ("ASSETCATALOG_COMPILER_APPICON_NAME", ".appiconset"),
        ("ASSETCATALOG_COMPILER_GLOBAL_ACCENT_COLOR_NAME", ".colorset"),
    ):
        for match in re.finditer(rf"{setting} = \"?([\w.-]+)\"?;", project):
            if match[1] + suffix not in names:
                path = site.find("/project.pbxproj")[0]
                line = project.count("\n", 0, match.start()) + 1
                yield Finding(path, line, f"no asset catalog has {match[1]}{suffix}")

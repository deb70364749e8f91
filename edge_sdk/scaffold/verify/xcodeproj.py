"""The Xcode project is whole: every reference resolves, every path exists, schemes name real targets."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree as Xml

from edge_sdk.scaffold.verify.base import IOS, CannotRun, Finding, Verdict
from edge_sdk.scaffold.verify.site import Site
from edge_sdk.scaffold.verify.xcode_project import IDENTIFIER, Unreadable, XcodeProject, read_project

#: What Xcode needs of each kind of object. "=" a text, "#" an identifier, "*" a list of identifiers; the
#: kinds that an identifier may name follow.
REQUIRED: Mapping[str, Mapping[str, str]] = {
    "PBXBuildFile": {},
    "PBXContainerItemProxy": {
        "containerPortal": "# PBXProject PBXFileReference",
        "proxyType": "=",
        "remoteGlobalIDString": "#",
        "remoteInfo": "=",
    },
    "PBXCopyFilesBuildPhase": {"files": "* PBXBuildFile", "dstPath": "=", "dstSubfolderSpec": "="},
    "PBXFileReference": {"path": "=", "sourceTree": "="},
    "PBXFileSystemSynchronizedRootGroup": {"path": "=", "sourceTree": "="},
    "PBXFileSystemSynchronizedBuildFileExceptionSet": {"target": "# PBXNativeTarget"},
    "PBXFrameworksBuildPhase": {"files": "* PBXBuildFile"},
    "PBXGroup": {"children": "*", "sourceTree": "="},
    "PBXVariantGroup": {"children": "*", "sourceTree": "="},
    "PBXNativeTarget": {
        "buildConfigurationList": "# XCConfigurationList",
        "buildPhases": "*",
        "dependencies": "* PBXTargetDependency",
        "name": "=",
        "productReference": "# PBXFileReference",
        "productType": "=",
    },
    "PBXProject": {
        "buildConfigurationList": "# XCConfigurationList",
        "mainGroup": "# PBXGroup",
        "targets": "* PBXNativeTarget PBXAggregateTarget PBXLegacyTarget",
        "projectDirPath": "=",
        "projectRoot": "=",
    },
    "PBXResourcesBuildPhase": {"files": "* PBXBuildFile"},
    "PBXSourcesBuildPhase": {"files": "* PBXBuildFile"},
    "PBXShellScriptBuildPhase": {"shellScript": "="},
    "PBXTargetDependency": {},
    "XCBuildConfiguration": {"buildSettings": "{", "name": "="},
    "XCConfigurationList": {"buildConfigurations": "* XCBuildConfiguration", "defaultConfigurationName": "="},
    "XCLocalSwiftPackageReference": {"relativePath": "="},
    "XCRemoteSwiftPackageReference": {"repositoryURL": "="},
    "XCSwiftPackageProductDependency": {"productName": "="},
}
#: References that need not be there, but must resolve where they are.
_OPTIONAL: Mapping[str, Mapping[str, str]] = {
    "PBXBuildFile": {
        "fileRef": "# PBXFileReference PBXVariantGroup PBXGroup",
        "productRef": "# XCSwiftPackageProductDependency",
    },
    "PBXNativeTarget": {
        "fileSystemSynchronizedGroups": "* PBXFileSystemSynchronizedRootGroup",
        "packageProductDependencies": "* XCSwiftPackageProductDependency",
    },
    "PBXProject": {
        "productRefGroup": "# PBXGroup",
        "packageReferences": "* XCLocalSwiftPackageReference XCRemoteSwiftPackageReference",
    },
    "PBXTargetDependency": {"target": "# PBXNativeTarget", "targetProxy": "# PBXContainerItemProxy"},
    "XCSwiftPackageProductDependency": {
        "package": "# XCLocalSwiftPackageReference XCRemoteSwiftPackageReference"
    },
}
#: Synchronized folders came with this version of the format, and with Xcode 16.
_SYNCHRONIZED = 77
_SETTING_FILES = ("INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS")


class Xcodeproj:
    """project.pbxproj, workspace and schemes of each .xcodeproj at the top."""

    name = "xcodeproj"
    platforms = (IOS,)
    proves = (
        "the Xcode project parses; every identifier resolves, every path exists, schemes name its targets"
    )
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Read, resolve, look up; and ask plutil where it is there."""
        paths = [path for path in site.find("/project.pbxproj") if path.count("/") == 1]
        if not paths:
            return Verdict((Finding("", None, "there is no .xcodeproj at the top"),))
        findings: list[Finding] = []
        note = ""
        for path in paths:
            try:
                project = read_project(site.read(path))
            except Unreadable as failure:
                findings.append(Finding(path, failure.line, failure.why))
                continue
            findings += _examine(site, path, project)
            findings += _companions(site, path.rpartition("/")[0], project)
            note = f"{len(project.objects)} objects"
        said = _plutil(site, paths)
        if isinstance(said, str):
            note += f"; plutil was not asked: {said}"
        else:
            findings += said
        return Verdict(tuple(findings), note)


def _examine(site: Site, path: str, project: XcodeProject) -> Iterator[Finding]:
    def found(identifier: str, message: str, needle: str = "") -> Finding:
        kind = project.get(identifier).get("isa", "")
        return Finding(path, project.line(identifier, needle), f"{kind} {identifier}: {message}")

    for identifier, line in project.repeated():
        yield Finding(path, line, f"{identifier} is defined twice")
    if project.get(project.root).get("isa") != "PBXProject":
        line = project.text[: project.text.rfind("rootObject")].count("\n") + 1
        yield Finding(path, line, f"rootObject {project.root} is no PBXProject")
    for identifier, item in sorted(project.objects.items()):
        if not IDENTIFIER.fullmatch(identifier):
            yield found(identifier, "is no identifier of 24 hexadecimal digits")
        kind = str(item.get("isa", ""))
        if not kind:
            yield found(identifier, "has no isa")
        for key, form in REQUIRED.get(kind, {}).items():
            if key not in item:
                yield found(identifier, f"has no {key}")
            else:
                for message, needle in _fits(project, key, item[key], form):
                    yield found(identifier, message, needle)
        for key, form in _OPTIONAL.get(kind, {}).items():
            for message, needle in _fits(project, key, item[key], form) if key in item else ():
                yield found(identifier, message, needle)
        typed = {**REQUIRED.get(kind, {}), **_OPTIONAL.get(kind, {})}
        for key, reference in _references(item):
            # Those of known keys were looked at.
            if typed.get(key, "=")[0] not in "#*" and reference not in project.objects:
                yield found(identifier, f"{key} names {reference}, which is no object", reference)
    for identifier in sorted(project.objects.keys() - _reached(project)):
        yield found(identifier, "nothing refers to it")
    yield from _paths(site, path, project, found)
    yield from _targets(site, path, project, found)


def _fits(project: XcodeProject, key: str, value: Any, form: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a value, and the text where it stands."""
    sign, *kinds = form[0], *form[1:].split()
    if sign == "=" and not isinstance(value, str | int | float):
        yield f"{key} is no text", key
    elif sign == "{" and not isinstance(value, Mapping):
        yield f"{key} is no table", key
    elif sign == "*" and not isinstance(value, list):
        yield f"{key} is no list", key
    elif sign in "#*":
        for reference in value if sign == "*" else [value]:
            there = project.get(reference).get("isa")
            if there is None:
                yield f"{key} names {reference}, which is no object", str(reference)
            elif kinds and there not in kinds:
                yield f"{key} names {reference}, which is a {there}", str(reference)


def _references(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if IDENTIFIER.fullmatch(value):
            yield key, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if IDENTIFIER.fullmatch(str(name)):
                yield key, str(name)
            yield from _references(item, key or str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, key)


def _reached(project: XcodeProject) -> set[str]:
    reached: set[str] = set()
    waiting = [project.root]
    while waiting:
        identifier = waiting.pop()
        if identifier in project.objects and identifier not in reached:
            reached.add(identifier)
            waiting += [reference for _, reference in _references(project.objects[identifier])]
    return reached


def _paths(site: Site, path: str, project: XcodeProject, found: Any) -> Iterator[Finding]:
    """Find files and folders that the project names and that are not there."""
    folders = {str(parent) for file in site.files for parent in PurePosixPath(file).parents}
    there = {*site.files, *folders}
    main = project.get(project.root).get("mainGroup")

    def walk(identifier: Any, at: PurePosixPath, seen: frozenset[str]) -> Iterator[Finding]:
        item = project.get(identifier)
        if not item or identifier in seen:
            return
        tree, own = item.get("sourceTree"), item.get("path")
        if tree == "SOURCE_ROOT":
            at = PurePosixPath()
        elif tree != "<group>":
            return  # what is built, and what is Apple's
        place = at / str(own) if own else at
        if own and _clean(place) not in there:
            yield found(identifier, f"there is no {_clean(place)}", "path")
        children = item.get("children")
        for child in children if isinstance(children, list) else ():
            yield from walk(child, place, seen | {identifier})

    yield from walk(main, PurePosixPath(), frozenset())
    packages: dict[str, str] = {}
    for identifier, item in project.of_kind("XCLocalSwiftPackageReference"):
        place = _clean(PurePosixPath(str(item.get("relativePath", ""))))
        if f"{place}/Package.swift" not in site.files:
            yield found(identifier, f"there is no {place}/Package.swift", "relativePath")
        else:
            packages[identifier] = site.read(f"{place}/Package.swift")
    for identifier, item in project.of_kind("XCSwiftPackageProductDependency"):
        product, package = str(item.get("productName")), item.get("package")
        candidates = [packages[package]] if package in packages else list(packages.values())
        local = package is None or project.get(package).get("isa") == "XCLocalSwiftPackageReference"
        if local and candidates and not any(_offers(text, product) for text in candidates):
            yield found(identifier, f"no package offers a product {product}", "productName")


def _offers(manifest: str, product: str) -> bool:
    return re.search(rf'\.library\s*\(\s*name:\s*"{re.escape(product)}"', manifest) is not None


def _clean(place: PurePosixPath) -> str:
    parts: list[str] = []
    for part in place.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _targets(site: Site, path: str, project: XcodeProject, found: Any) -> Iterator[Finding]:
    for identifier, item in project.of_kind("XCConfigurationList"):
        configurations = item.get("buildConfigurations")
        names = (
            [project.get(entry).get("name") for entry in configurations if isinstance(configurations, list)]
            if isinstance(configurations, list)
            else []
        )
        if item.get("defaultConfigurationName") not in names:
            yield found(
                identifier, "its default configuration is none of its own", "defaultConfigurationName"
            )
    for identifier, item in project.of_kind("XCBuildConfiguration"):
        settings = item.get("buildSettings")
        for name in _SETTING_FILES if isinstance(settings, Mapping) else ():
            file = settings.get(name)  # type: ignore[union-attr]
            if (
                isinstance(file, str)
                and "$" not in file
                and file
                and _clean(PurePosixPath(file)) not in site.files
            ):
                yield found(identifier, f"{name} is {file}, and there is no such file", name)
    uses = any(project.of_kind("PBXFileSystemSynchronizedRootGroup"))
    version = str(project.settings.get("objectVersion", ""))
    if uses and (not version.isdigit() or int(version) < _SYNCHRONIZED):
        line = project.text[: project.text.find("objectVersion")].count("\n") + 1
        message = f"objectVersion {version}: synchronized folders need {_SYNCHRONIZED}"
        yield Finding(path, line, message)


def _companions(site: Site, folder: str, project: XcodeProject) -> Iterator[Finding]:
    """Examine workspace and schemes beside the project file."""
    for path in site.find(".xcworkspacedata", ".xcscheme", under=folder):
        try:
            root = Xml.fromstring(site.read(path))  # noqa: S314 - a file of the user's own project
        except Xml.ParseError as failure:
            yield Finding(path, failure.position[0], f"is no XML: {failure}")
            continue
        lines = site.read(path).split("\n")
        for reference in root.iter("BuildableReference"):
            target = project.get(reference.get("BlueprintIdentifier"))
            line = next(
                (number for number, line in enumerate(lines, 1)
                 if reference.get("BlueprintIdentifier", "?") in line),
                None,
            )  # fmt: skip
            if not target:
                message = f"names {reference.get('BlueprintIdentifier')}, which is no target of the project"
                yield Finding(path, line, message)
                continue
            product = str(project.get(target.get("productReference")).get("path"))
            for key, wanted in (("BlueprintName", target.get("name")), ("BuildableName", product)):
                if reference.get(key) != wanted:
                    yield Finding(path, line, f"{key} is {reference.get(key)!r}, the target's is {wanted!r}")
            if reference.get("ReferencedContainer") != f"container:{folder}":
                yield Finding(path, line, f"ReferencedContainer is not container:{folder}")


def _plutil(site: Site, paths: list[str]) -> list[Finding] | str:
    """Ask Apple's own reader; return why not where it is not there."""
    try:
        debian = site.debian()
    except CannotRun as missing:
        return missing.why
    room = site.room("plutil")
    findings = []
    for number, path in enumerate(paths):
        shutil.copyfile(site.folder / path, room / f"{number}.pbxproj")
        done = debian.run(["plutil", "-lint", "--", f"{number}.pbxproj"], room)
        if done.code:
            line = re.search(r"line (\d+)", done.output)
            said = done.output.strip().replace(f"{number}.pbxproj", path)
            findings.append(Finding(path, int(line[1]) if line else None, f"plutil: {said}"))
    return findings

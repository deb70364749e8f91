"""Manifest and resources, put together by Android's own resource compiler."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from edge_sdk.scaffold.render import MODEL_SOURCE
from edge_sdk.scaffold.toolchain.debian import FRAMEWORK, Debian
from edge_sdk.scaffold.verify.base import ANDROID, CannotRun, Finding, Verdict
from edge_sdk.scaffold.verify.catalog import CATALOG
from edge_sdk.scaffold.verify.compiler_output import failure_of, findings_of
from edge_sdk.scaffold.verify.gradle_text import GradleModule, added_libraries, modules
from edge_sdk.scaffold.verify.site import Site
from edge_sdk.targets import read_toml

_NO_COMPRESS = re.compile(r"\bnoCompress\b[^\n]*")
_TEXT = re.compile(r'"\.?([\w.-]+)"')
_PLACEHOLDER = re.compile(r"\$\{([\w.]+)\}")
_FILLED = re.compile(r'\bmanifestPlaceholders\s*(?:\[\s*"([\w.]+)"\s*\]|[^\n]*?"([\w.]+)"\s+to\b)')
_SDK = re.compile(r"^\s*(minSdk|targetSdk)\s*=\s*(?:(\d+)|libs\.versions\.([\w.]+?)\.get\(\))", re.MULTILINE)
_MANIFEST = "src/main/AndroidManifest.xml"


class Resources:
    """aapt2 compiles the resources, links them with the manifest, packs the model as Gradle is told to."""

    name = "resources"
    platforms = (ANDROID,)
    proves = (
        "manifest and resources link, every reference resolves, the model is stored uncompressed in the APK"
    )
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Make an APK of each Android module."""
        debian = site.debian()
        room = site.room("resources")
        findings: list[Finding] = []
        made = [module for module in modules(site) if module.namespace is not None]
        linked: list[str] = []
        for module in made:
            findings += _link(site, debian, room, module, linked)
        if not made:
            findings.append(Finding("", None, "there is no module with a namespace"))
        if findings:
            _refuse_to_judge(site, findings)
        return Verdict(tuple(findings), f"{len(linked)} modules")


def _link(
    site: Site, debian: Debian, room: Path, module: GradleModule, linked: list[str]
) -> Iterator[Finding]:
    manifest = f"{module.path}/{_MANIFEST}"
    if manifest not in site.files:
        if module.needs and not linked:
            yield Finding(manifest, None, "is missing")
        return
    script = site.read(f"{module.path}/build.gradle.kts")
    yield from _unfilled(site, manifest)
    _copy(site, room, module)
    (room / manifest).parent.mkdir(parents=True, exist_ok=True)
    (room / manifest).write_text(_complete(site.read(manifest), module), "utf-8")
    compiled = []
    for name in [*linked, module.path]:
        res = f"{name}/src/main/res"
        archive = f"{name.replace('/', '-')}.zip"
        if not site.find("", under=res):
            continue
        if name == module.path:
            done = debian.run(["aapt2", "compile", "--dir", res, "-o", archive], room)
            if done.code:
                yield from _placed(site, done.output, done.code)
                return
        compiled.append(archive)
    apk = f"{module.path.replace('/', '-')}.apk"
    command = [
        "aapt2", "link", "-I", FRAMEWORK, "--manifest", manifest, "-o", apk, "--auto-add-overlay",
        *_versions(site, script), *(word for name in compiled for word in ("-R", name)),
    ]  # fmt: skip
    assets = f"{module.path}/src/main/assets"
    if site.find("", under=assets):
        command += ["-A", assets]
        for line in _NO_COMPRESS.findall(script):
            command += [word for extension in _TEXT.findall(line) for word in ("-0", extension)]
    done = debian.run(command, room)
    linked.append(module.path)
    if done.code:
        yield from _placed(site, done.output, done.code)
        return
    yield from _stored(site, room / apk, module)


def _copy(site: Site, room: Path, module: GradleModule) -> None:
    """Copy what aapt2 reads to where it sees it, under the same names."""
    for folder in ("res", "assets"):
        for path in site.find("", under=f"{module.path}/src/main/{folder}"):
            place = room / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(site.folder / path, place)


def _complete(text: str, module: GradleModule) -> str:
    """Return a manifest as Gradle completes it: with the package, and something for each placeholder."""
    text = _PLACEHOLDER.sub(
        lambda match: module.namespace or "" if match[1] == "applicationId" else "x", text
    )
    return re.sub(r"<manifest\b", f'<manifest package="{module.namespace}"', text, count=1)


def _unfilled(site: Site, manifest: str) -> Iterator[Finding]:
    filled = {"applicationId", "packageName"}
    for path in site.find("build.gradle.kts"):
        filled |= {first or second for first, second in _FILLED.findall(site.read(path))}
    for number, line in enumerate(site.read(manifest).split("\n"), 1):
        for name in _PLACEHOLDER.findall(line):
            if name not in filled:
                yield Finding(manifest, number, f"nothing fills the placeholder ${{{name}}}")


def _versions(site: Site, script: str) -> list[str]:
    words = []
    catalog = read_toml(site.folder / CATALOG).get("versions", {}) if CATALOG in site.files else {}
    accessors = {re.sub(r"[-_]", ".", alias): version for alias, version in catalog.items()}
    for name, number, accessor in _SDK.findall(script):
        version = number or str(accessors.get(accessor, ""))
        if version.isdigit():
            words += [{"minSdk": "--min-sdk-version", "targetSdk": "--target-sdk-version"}[name], version]
    return words


def _placed(site: Site, output: str, code: int) -> Iterator[Finding]:
    output = re.sub(r"^/work/", "", output, flags=re.MULTILINE)
    # "res/values/x.xml: error: ..." has no line.
    output = re.sub(r"^([^\s:]+\.\w+): error: ", r"\1:0: error: ", output, flags=re.MULTILINE)
    found = [
        item
        for item in findings_of(site, output)
        if item.message not in ("failed linking references.", "failed processing manifest.")
    ]
    for item in found or [failure_of(output, code)]:
        yield replace(item, line=item.line or None)


def _stored(site: Site, apk: Path, module: GradleModule) -> Iterator[Finding]:
    """Read the APK back: a model that is compressed there cannot be mapped into memory."""
    folder = f"{module.path}/src/main/assets/"
    with zipfile.ZipFile(apk) as packed:
        entries = {entry.filename: entry for entry in packed.infolist()}
    for path in site.project.paths(source=MODEL_SOURCE):
        if not path.startswith(folder) or path not in site.files:
            continue
        entry = entries.get(f"assets/{path.removeprefix(folder)}")
        if entry is None or entry.compress_type != zipfile.ZIP_STORED:
            script = f"{module.path}/build.gradle.kts"
            suffix = path.rpartition(".")[2]
            line = next(
                (
                    number
                    for number, text in enumerate(site.read(script).split("\n"), 1)
                    if "noCompress" in text
                ),
                None,
            )
            yield Finding(
                script,
                line,
                f'{path} is compressed in the APK: androidResources {{ noCompress += "{suffix}" }}',
            )


def _refuse_to_judge(site: Site, findings: list[Finding]) -> None:
    added = added_libraries(site)
    if added and all("not found" in finding.message for finding in findings):
        raise CannotRun(
            f"{findings[0]}; resources of what you added are not here: " + ", ".join(added),
            "let Gradle link them: gradle assembleDebug, or the project's own workflow",
        )

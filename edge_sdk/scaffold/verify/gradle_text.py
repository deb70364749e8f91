"""What verification reads out of Gradle's build scripts: modules, namespaces, what they depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_sdk.scaffold.project import BASE_FOLDER
from edge_sdk.scaffold.template import GENERATED
from edge_sdk.scaffold.verify.kotlin_text import code_only
from edge_sdk.scaffold.verify.site import Site

_NAMESPACE = re.compile(r'^\s*namespace\s*=\s*"([\w.]+)"', re.MULTILINE)
_PROJECT = re.compile(r'\bproject\s*\(\s*(?:path\s*=\s*)?":([\w:.-]+)"')
_ACCESSOR = re.compile(r"\bprojects\.([A-Za-z0-9_.]+)")
_FIELD = re.compile(r'\bbuildConfigField\s*\(\s*"(?P<type>[\w.\[\]]+)"\s*,\s*"(?P<name>\w+)"')
_COORDINATES = re.compile(r'"([\w.-]+:[\w.-]+):[^"\s]+"')
_MODULE = re.compile(r'\bmodule\s*=\s*"([\w.-]+:[\w.-]+)"|=\s*"([\w.-]+:[\w.-]+):[^"]+"')
_SCRIPT = "build.gradle.kts"


@dataclass(frozen=True)
class GradleModule:
    """A module of the project.

    Attributes:
        path: Its folder.
        namespace: Package of its R class; None for a module without Android.
        needs: Folders of the modules that it depends on.
        build_config: Types and names of the fields of its BuildConfig class; None where it has none.
        kotlin_test: Whether its tests may use kotlin.test.
    """

    path: str
    namespace: str | None
    needs: tuple[str, ...]
    build_config: tuple[tuple[str, str], ...] | None
    kotlin_test: bool

    def sources(self, part: str) -> tuple[str, ...]:
        """Return the folders that hold sources of a part: "main", "test" or "androidTest"."""
        return tuple(f"{self.path}/src/{part}/{language}" for language in ("kotlin", "java"))


def modules(site: Site) -> tuple[GradleModule, ...]:
    """Return the modules below the top folder, each after those that it needs."""
    folders = sorted(path.rpartition("/")[0] for path in site.find(f"/{_SCRIPT}"))
    found = {folder: _module(site, folder, folders) for folder in folders}
    ordered: list[GradleModule] = []
    done: set[str] = set()
    while len(done) < len(found):
        ready = [item for item in found.values() if item.path not in done and set(item.needs) <= done]
        # Modules that need each other are Gradle's to refuse.
        for item in ready or [item for item in found.values() if item.path not in done]:
            ordered.append(item)
            done.add(item.path)
    return tuple(ordered)


def _module(site: Site, folder: str, folders: list[str]) -> GradleModule:
    text = site.read(f"{folder}/{_SCRIPT}")
    code = code_only(text)
    # Names stand in strings: what is commented out is found by the code around it.
    lines = [
        line if code_line.strip() else ""
        for line, code_line in zip(text.split("\n"), code.split("\n"), strict=True)
    ]
    live = "\n".join(lines)
    namespace = _NAMESPACE.search(live)
    needs = {name.replace(":", "/") for name in _PROJECT.findall(live)}
    for accessor in _ACCESSOR.findall(code):
        needs |= {name for name in folders if _camel(name) == accessor}
    enabled = re.search(r"\bbuildConfig\s*=\s*true\b", code) is not None
    return GradleModule(
        path=folder,
        namespace=namespace[1] if namespace else None,
        needs=tuple(sorted(needs & set(folders) - {folder})),
        build_config=tuple((item["type"], item["name"]) for item in _FIELD.finditer(live))
        if enabled
        else None,
        kotlin_test=bool(re.search(r'\bkotlin\s*\(\s*"test|\blibs\.kotlin\.test', live)),
    )


def _camel(folder: str) -> str:
    """Return a folder as Gradle's type-safe accessors spell it: "edge-core" is `edgeCore`."""
    return ".".join(re.sub(r"[-_](\w)", lambda match: match[1].upper(), part) for part in folder.split("/"))


def added_libraries(site: Site) -> tuple[str, ...]:
    """Return libraries, GROUP:NAME, that the user added to what the template asks for."""
    before: set[str] = set()
    for path, record in site.project.answers.files.items():
        if path.endswith((".gradle.kts", ".versions.toml")):
            # What is generated has no base, and is as it was.
            place = site.folder / (path if record.kind == GENERATED else f"{BASE_FOLDER}/{path}")
            before |= _libraries(place.read_text("utf-8", "replace")) if place.is_file() else set()
    now: set[str] = set()
    for path in site.find(".gradle.kts", ".versions.toml"):
        now |= _libraries(site.read(path))
    return tuple(sorted(now - before))


def _libraries(text: str) -> set[str]:
    found = set(_COORDINATES.findall(text))
    for first, second in _MODULE.findall(text):
        found.add(first or second)
    return found

"""The version catalog and the build scripts agree: no dangling alias, none without use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.verify.base import ANDROID, Finding, Verdict
from edge_sdk.scaffold.verify.kotlin_text import code_only
from edge_sdk.scaffold.verify.site import Site
from edge_sdk.targets import read_toml

CATALOG = "gradle/libs.versions.toml"
_ACCESSOR = re.compile(r"\blibs((?:\.[A-Za-z_]\w*)+)")
_PLATFORM = re.compile(r"\b(?:platform|enforcedPlatform)\s*\(\s*libs((?:\.[A-Za-z_]\w*)+)")
#: What may follow an alias: members of Gradle's providers.
_MEMBERS = ("get", "asProvider", "orNull", "getOrElse", "map", "isPresent", "toString")
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9]*(?:[-_.][a-zA-Z0-9]+)*")
#: Gradle keeps these for itself: as a whole alias part, or as the first part of a library's alias.
_RESERVED = frozenset(("extensions", "class", "convention"))
_SECTIONS = ("versions", "libraries", "plugins", "bundles")


@dataclass(frozen=True)
class _Use:
    section: str
    alias: str


class Catalog:
    """gradle/libs.versions.toml against every `libs.*` of the build scripts, as Gradle resolves it."""

    name = "catalog"
    platforms = (ANDROID,)
    proves = "the version catalog parses; every libs.* of the build scripts is in it, and none is without use"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Parse, resolve, count."""
        scripts = {path: code_only(site.read(path)) for path in site.find(".gradle.kts")}
        if CATALOG not in site.files:
            if not any(_ACCESSOR.search(text) for text in scripts.values()):
                return Verdict((), f"there is no {CATALOG}, and no build script asks for it")
            return Verdict((Finding(CATALOG, None, "is missing"),))
        try:
            data = read_toml(site.folder / CATALOG)
        except ConfigError as failure:
            line = re.search(r"line (\d+)", failure.why or "")
            message = f"is no TOML: {failure.why or failure.what}"
            return Verdict((Finding(CATALOG, int(line[1]) if line else None, message),))
        examined = _Examination(data, site.read(CATALOG))
        for path, code in scripts.items():
            examined.script(path, code)
        return Verdict(tuple(examined.findings()), f"{examined.count} aliases")


class _Examination:
    def __init__(self, data: Mapping[str, Any], text: str) -> None:
        self._text = text.split("\n")
        self._found: list[Finding] = []
        self._used: set[_Use] = set()
        self._platforms: set[str] = set()
        self._sections: dict[str, Mapping[str, Any]] = {}
        self._by_accessor: dict[tuple[str, str], str] = {}
        for section in data:
            if section not in (*_SECTIONS, "metadata"):
                self._say(section, None, f"[{section}] is no table of a version catalog")
        for section in _SECTIONS:
            table = data.get(section, {})
            if not isinstance(table, Mapping):
                self._say(section, None, f"{section} is no table")
                table = {}
            self._sections[section] = table
            for alias in table:
                self._alias(section, alias)
        for section in ("libraries", "plugins"):
            for alias, entry in self._sections[section].items():
                self._entry(section, alias, entry)
        for alias, members in self._sections["bundles"].items():
            self._bundle(alias, members)

    @property
    def count(self) -> int:
        return sum(len(table) for table in self._sections.values())

    def _alias(self, section: str, alias: str) -> None:
        parts = re.split(r"[-_.]", alias)
        if not _ALIAS.fullmatch(alias) or _RESERVED & set(parts):
            self._say(section, alias, f"{alias!r} cannot be an alias in Gradle")
        if section == "libraries" and parts[0] in ("bundles", "versions", "plugins"):
            self._say(section, alias, f"an alias of a library cannot begin with {parts[0]!r}")
        other = self._by_accessor.setdefault((section, ".".join(parts)), alias)
        if other != alias:
            self._say(section, alias, f"{alias!r} and {other!r} are one name in build scripts")

    def _entry(self, section: str, alias: str, entry: Any) -> None:
        if isinstance(entry, str):
            wanted = 3 if section == "libraries" else 2
            if entry.count(":") != wanted - 1 or not all(entry.split(":")):
                form = "GROUP:NAME:VERSION" if section == "libraries" else "ID:VERSION"
                self._say(section, alias, f"{entry!r} is not {form}")
            return
        if not isinstance(entry, Mapping):
            self._say(section, alias, f"{alias!r} is neither a text nor a table")
            return
        if section == "plugins":
            named = isinstance(entry.get("id"), str)
        else:
            module = entry.get("module")
            named = (isinstance(module, str) and module.count(":") == 1 and all(module.split(":"))) or (
                isinstance(entry.get("group"), str) and isinstance(entry.get("name"), str)
            )
        if not named:
            wanted_keys = "an id" if section == "plugins" else 'a module "GROUP:NAME"'
            self._say(section, alias, f"{alias!r} has not {wanted_keys}")
        version = entry.get("version")
        if isinstance(version, Mapping) and "ref" in version:
            reference = str(version["ref"])
            if reference not in self._sections["versions"]:
                self._say(section, alias, f"version.ref {reference!r} is not in [versions]")
            self._used.add(_Use("versions", reference))
        elif version is not None and not isinstance(version, (str, Mapping)):
            self._say(section, alias, f"version of {alias!r} is neither a text nor a table")

    def _bundle(self, alias: str, members: Any) -> None:
        for member in members if isinstance(members, list) else ():
            if member not in self._sections["libraries"]:
                self._say("bundles", alias, f"{member!r} of bundle {alias!r} is not in [libraries]")

    def script(self, path: str, code: str) -> None:
        """Resolve what one build script asks for."""
        for match in _PLATFORM.finditer(code):
            self._platforms.add(match[1])
        for match in _ACCESSOR.finditer(code):
            parts = match[1][1:].split(".")
            use = self._resolve(parts)
            if use is None:
                line = code.count("\n", 0, match.start()) + 1
                self._found.append(Finding(path, line, f"libs{match[1]} is not in {CATALOG}"))
            else:
                self._used.add(use)

    def _resolve(self, parts: list[str]) -> _Use | None:
        section = parts[0] if parts[0] in ("versions", "plugins", "bundles") else "libraries"
        names = parts if section == "libraries" else parts[1:]
        for length in range(len(names), 0, -1):
            alias = self._by_accessor.get((section, ".".join(names[:length])))
            if alias is not None:
                rest = names[length:]
                # Members of a provider, from .get() on any member at all: libs.versions.x.get().toInt().
                return _Use(section, alias) if not rest or rest[0] in _MEMBERS else None
        return None

    def findings(self) -> Iterator[Finding]:
        """Return everything that is wrong, after all scripts were seen."""
        yield from self._found
        for use in [use for use in self._used if use.section == "bundles"]:
            members = self._sections["bundles"][use.alias]
            self._used.update(_Use("libraries", str(member)) for member in members)
        for section in _SECTIONS:
            for alias in self._sections[section]:
                if _Use(section, alias) not in self._used:
                    yield Finding(
                        CATALOG, self._line(section, alias), f"{alias!r} of [{section}] is not used"
                    )
        if not self._platforms:
            for alias, entry in self._sections["libraries"].items():
                if isinstance(entry, Mapping) and "version" not in entry:
                    message = f"{alias!r} has no version, and no build script has a platform() to give it one"
                    yield Finding(CATALOG, self._line("libraries", alias), message)

    def _say(self, section: str, alias: str | None, message: str) -> None:
        self._found.append(Finding(CATALOG, self._line(section, alias), message))

    def _line(self, section: str, alias: str | None) -> int | None:
        """Return the line of an alias, or of its table."""
        here, at = "", None
        for number, line in enumerate(self._text, 1):
            table = re.match(r"\s*\[\s*([\w\"'.-]+)\s*\]", line)
            if table:
                here = table[1].replace('"', "").replace("'", "")
                at = number if here == section and at is None else at
                if alias is not None and here == f"{section}.{alias}":
                    return number
            elif alias is not None and here == section:
                key = re.match(r"\s*[\"']?([\w.-]+?)[\"']?\s*(?:\.\s*\w+\s*)*=", line)
                if key and (key[1] == alias or key[1].startswith(alias + ".")):
                    return number
        return at

"""Reads project.pbxproj: its objects, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import ConfigError

HEADER = "// !$*UTF8*$!"
IDENTIFIER = re.compile(r"[0-9A-F]{24}")
_DEFINED = re.compile(r"^\s*([0-9A-F]{24})\b[^={;]*=\s*\{", re.MULTILINE)
_LINE = re.compile(r"\bline (\d+)\b")


class Unreadable(Exception):  # noqa: N818 - it is what is said of the file
    """A project file that is none.

    Attributes:
        line: Where, or None.
        why: What is wrong.
    """

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


@dataclass(frozen=True)
class XcodeProject:
    """A project file.

    Attributes:
        text: As it stands there.
        objects: By identifier.
        root: Identifier of the PBXProject.
        settings: Keys beside the objects.
    """

    text: str
    objects: Mapping[str, Mapping[str, Any]]
    root: str
    settings: Mapping[str, Any]

    def of_kind(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield identifier and object of each kind, by identifier."""
        for identifier, item in sorted(self.objects.items()):
            if item.get("isa") in kinds:
                yield identifier, item

    def get(self, identifier: Any) -> Mapping[str, Any]:
        """Return an object, or an empty one where there is none."""
        return self.objects.get(identifier, {}) if isinstance(identifier, str) else {}

    def line(self, identifier: str, needle: str = "") -> int | None:
        """Return the line where an object is defined, or where a text stands in its definition."""
        start = next(
            (match.start(1) for match in _DEFINED.finditer(self.text) if match[1] == identifier), None
        )
        if start is None:
            return None
        if needle:
            end = next((match.start() for match in _DEFINED.finditer(self.text, start + 24)), len(self.text))
            found = re.search(rf"(?<![\w.]){re.escape(needle)}(?![\w])", self.text[start + 24 : end])
            start = start + 24 + found.start() if found else start
        return self.text.count("\n", 0, start) + 1

    def repeated(self) -> Iterator[tuple[str, int]]:
        """Yield identifiers that are defined again, and in which line; the last one alone would count."""
        seen: set[str] = set()
        depth = _depths(self.text)
        for match in _DEFINED.finditer(self.text):
            if depth[match.start(1)] != 2:  # { objects = { ID = {
                continue
            if match[1] in seen:
                yield match[1], self.text.count("\n", 0, match.start(1)) + 1
            seen.add(match[1])


def _depths(text: str) -> list[int]:
    depths, depth, quoted = [], 0, False
    for place, char in enumerate(text):
        depths.append(depth)
        if char == '"' and (place == 0 or text[place - 1] != "\\"):
            quoted = not quoted
        elif not quoted:
            depth += {"{": 1, "}": -1}.get(char, 0)
    return depths


def read_project(text: str) -> XcodeProject:
    """Read a project file.

    Raises:
        Unreadable: It is no property list of objects.
        ConfigError: The package that reads it is not installed.
    """
    try:
        import openstep_plist
    except ModuleNotFoundError as failure:
        raise ConfigError("openstep-plist is not installed", hint="pip install 'edge-sdk[host]'") from failure
    if not text.startswith(HEADER):
        raise Unreadable(f"does not begin with {HEADER}", 1)
    try:
        data = openstep_plist.loads(text)
    except (openstep_plist.ParseError, ValueError, RecursionError) as failure:
        line = _LINE.search(str(failure))
        raise Unreadable(f"is no property list: {failure}", int(line[1]) if line else None) from failure
    objects = data.get("objects") if isinstance(data, Mapping) else None
    if not isinstance(objects, Mapping) or not all(isinstance(item, Mapping) for item in objects.values()):
        raise Unreadable("has no objects")
    settings = {key: value for key, value in data.items() if key != "objects"}
    return XcodeProject(text, objects, str(data.get("rootObject", "")), settings)

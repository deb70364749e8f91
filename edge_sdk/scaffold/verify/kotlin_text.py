"""What can be said of Kotlin and Java text without a compiler: where code is, which classes it has."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PACKAGE = re.compile(r"^\s*package\s+([\w.`]+)", re.MULTILINE)
_TOKEN = re.compile(
    r"(?<!:)\b(?:class|interface|object|enum(?!\s+class\b))\s+([A-Za-z_]\w*)|[{}()]|\b(?:fun|val|var|typealias)\b"
)
_KEYWORDS = frozenset(("class", "interface", "object", "val", "fun"))


def code_only(text: str) -> str:
    """Return text of the same lines and columns with comments and what strings say blanked out.

    The code inside `${ }` of a Kotlin string stays.
    """
    out: list[str] = []
    for char, is_code in _marked(text):
        out.append(char if is_code or char == "\n" else " ")
    return "".join(out)


def _marked(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every character, and whether it is code."""
    place = 0
    # What we are in: "" code, '"' or '"""' a string; a number: code in a template, that many braces deep.
    inside: list[str | int] = [""]
    while place < len(text):
        top = inside[-1]
        if isinstance(top, str) and top:
            if text.startswith(top, place):
                step = len(top)
                inside.pop()
            elif top == '"' and text[place] == "\\":
                step = 2
            elif text.startswith("${", place):
                step = 2
                inside.append(0)
            else:
                step = 1
                if top == '"' and text[place] == "\n":
                    inside.pop()  # no string of one line goes on; the compiler will say so
            yield from ((char, False) for char in text[place : place + step])
            place += step
            continue
        if text.startswith("//", place):
            end = text.find("\n", place)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", place):
            end = _comment_end(text, place)
        elif text[place] == "'" and (match := re.compile(r"'(?:\\[^\n]{1,5}|[^'\n])'").match(text, place)):
            end = match.end()
        elif text[place] == '"':
            quote = '"""' if text.startswith('"""', place) else '"'
            inside.append(quote)
            end = place + len(quote)
        else:
            if isinstance(top, int):
                if text[place] == "{":
                    inside[-1] = top + 1
                elif text[place] == "}" and top == 0:
                    inside.pop()
                    yield text[place], False
                    place += 1
                    continue
                elif text[place] == "}":
                    inside[-1] = top - 1
            yield text[place], True
            place += 1
            continue
        yield from ((char, False) for char in text[place:end])
        place = end


def _comment_end(text: str, start: int) -> int:
    """Return where a comment ends; Kotlin's may hold others."""
    depth, place = 0, start
    while place < len(text):
        if text.startswith("/*", place):
            depth, place = depth + 1, place + 2
        elif text.startswith("*/", place):
            depth, place = depth - 1, place + 2
            if depth == 0:
                return place
        else:
            place += 1
    return len(text)


def declared_classes(text: str) -> set[str]:
    """Return the names of classes as the JVM knows them: "a.b.Outer$Inner"."""
    code = code_only(text)
    package = _package(code)
    names: set[str] = set()
    bodies: list[str | None] = []  # of each open brace, the class whose body it is
    pending: str | None = None
    depth = 0
    for match in _TOKEN.finditer(code):
        mark, name = match[0], match[1]
        if name is not None:
            if name not in _KEYWORDS:  # "fun interface", "data object" and the like
                outer = next((body for body in reversed(bodies) if body is not None), None)
                pending = name if outer is None else f"{outer}${name}"
                names.add(f"{package}.{pending}" if package else pending)
        elif mark in "()":
            depth += 1 if mark == "(" else -1
        elif mark == "{":
            bodies.append(pending if depth == 0 else None)
            pending = None if depth == 0 else pending
        elif mark == "}":
            if bodies:
                bodies.pop()
        elif depth == 0:
            pending = None  # the class before had no body
    return names


def package_of(text: str) -> str:
    """Return the package that a file is in, "" for none."""
    return _package(code_only(text))


def _package(code: str) -> str:
    match = _PACKAGE.search(code)
    return match[1].replace("`", "") if match else ""

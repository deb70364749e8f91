"""Three-way merge of texts, line by line.

What only one side changed is taken; what both changed in the same way is taken once; where they differ,
both stand in the result between conflict marks, with what was there before. So every line that a user
added is in the result, whatever the template did: there is no way out of this function that drops one.

The marks are those of `git merge-file --diff3`, which editors and people know.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

START = "<<<<<<< yours"
BEFORE = "||||||| scaffold before"
MIDDLE = "======="
END = ">>>>>>> scaffold now"

#: Only "\n" ends a line: the other separators that str.splitlines knows may stand inside a string literal.
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class Merged:
    """The result of a merge.

    Attributes:
        text: The merged text; with conflicts, both sides between marks.
        conflicts: How many places have marks.
    """

    text: str
    conflicts: int


def text_of(content: bytes) -> str | None:
    """Return content as text, or None where it cannot be merged: not UTF-8, or with a NUL."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def has_marks(text: str) -> bool:
    """Return whether a conflict of an earlier merge is still there."""
    return any(line.rstrip("\r\n") == START for line in _LINES.findall(text))


def merge_text(base: str, mine: str, theirs: str) -> Merged:
    """Merge what two sides made of one text.

    A text whose every line ends with CRLF, as Git makes them on Windows, is merged as if it had LF, and
    gets CRLF again. A missing line end at the end of the file counts as a change of its own.

    Args:
        base: What both began with.
        mine: What the user made of it.
        theirs: What the template makes now.
    """
    if mine == theirs or theirs == base:
        return Merged(mine, 0)
    if mine == base:
        return Merged(theirs, 0)
    if _is_crlf(mine) and "\r\n" not in base and "\r\n" not in theirs:
        merged = merge_text(base, mine.replace("\r\n", "\n"), theirs)
        return Merged(merged.text.replace("\n", "\r\n"), merged.conflicts)
    lines: list[str] = []
    conflicts = 0
    ended = False
    for chunk in _chunks(_lines(base), _lines(mine), _lines(theirs)):
        taken = chunk.agreed()
        ended = taken is None
        if taken is None:
            lines += chunk.marked()
            conflicts += 1
        else:
            lines += taken
    text = "".join(lines)
    keeps_end = _ends(theirs) if _ends(mine) == _ends(base) else _ends(mine)
    if not keeps_end and not ended:
        text = text.removesuffix("\n")
    return Merged(text, conflicts)


def _is_crlf(text: str) -> bool:
    return "\n" in text and text.count("\r\n") == text.count("\n")


def _ends(text: str) -> bool:
    return not text or text.endswith("\n")


def _lines(text: str) -> list[str]:
    """Return the lines, each with its end; the last one gets one where it has none."""
    return _LINES.findall(text if _ends(text) else text + "\n")


@dataclass(frozen=True)
class _Chunk:
    """A part of all three texts that lies between lines that all three share."""

    base: Sequence[str]
    mine: Sequence[str]
    theirs: Sequence[str]

    def agreed(self) -> Sequence[str] | None:
        """Return the lines that are the outcome, or None where both sides changed it in different ways."""
        if self.mine == self.theirs or self.theirs == self.base:
            return self.mine
        if self.mine == self.base:
            return self.theirs
        return None

    def marked(self) -> list[str]:
        """Return both sides between marks; lines at the edges that are the same on both stand outside."""
        mine, theirs = self.mine, self.theirs
        head = _common(mine, theirs)
        tail = _common(mine[head:][::-1], theirs[head:][::-1])
        mine_end, theirs_end = len(mine) - tail, len(theirs) - tail
        return [
            *mine[:head],
            START + "\n",
            *mine[head:mine_end],
            BEFORE + "\n",
            *self.base,
            MIDDLE + "\n",
            *theirs[head:theirs_end],
            END + "\n",
            *mine[mine_end:],
        ]


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def _chunks(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[_Chunk]:
    """Yield the texts in order, cut before and after every run of lines that all three share."""
    in_mine, in_theirs = _matches(base, mine), _matches(base, theirs)
    at_base = at_mine = at_theirs = 0
    for index in range(len(base)):
        if index not in in_mine or index not in in_theirs:
            continue
        yield _Chunk(
            base[at_base:index], mine[at_mine : in_mine[index]], theirs[at_theirs : in_theirs[index]]
        )
        shared = base[index : index + 1]
        yield _Chunk(shared, shared, shared)
        at_base, at_mine, at_theirs = index + 1, in_mine[index] + 1, in_theirs[index] + 1
    yield _Chunk(base[at_base:], mine[at_mine:], theirs[at_theirs:])


def _matches(base: list[str], other: list[str]) -> dict[int, int]:
    """Return, by index of a line of the base, the index of the same line in the other text."""
    head = _common(base, other)
    tail = _common(base[head:][::-1], other[head:][::-1])
    found = {index: index for index in range(head)}
    # Without the heuristic that takes frequent lines (an empty one, a brace) for noise: they are code here.
    matcher = difflib.SequenceMatcher(
        None, base[head : len(base) - tail], other[head : len(other) - tail], autojunk=False
    )
    for match in matcher.get_matching_blocks():
        for step in range(match.size):
            found[head + match.a + step] = head + match.b + step
    for step in range(1, tail + 1):
        found[len(base) - step] = len(other) - step
    return found

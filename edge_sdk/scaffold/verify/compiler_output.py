"""From what compilers print to findings."""

from __future__ import annotations

import re

from edge_sdk.scaffold.verify.base import Finding
from edge_sdk.scaffold.verify.site import Site

_PLACED = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"(?:fatal )?(?P<kind>error|warning): (?P<said>.*)$"
)
_BARE = re.compile(r"^(?:<unknown>:0: )?(?P<kind>error|warning): (?P<said>.*)$")
#: Says nothing beyond what was said before it.
_SUMMARY = re.compile(r"warnings found and -Werror specified|fatalError$|^emit-module command failed")
#: Continuation lines of one message that are shown.
_MORE = 4


def findings_of(site: Site, output: str) -> tuple[Finding, ...]:
    """Return the errors and warnings of javac-like output; a warning is as bad as an error here.

    Args:
        site: Whose files they are; paths are relative to its folder afterwards.
        output: Of the compiler.
    """
    # The folder of the project may have a colon in its name; paths in it do not.
    lines = output.replace(f"{site.folder}/", "").splitlines()
    found = []
    for place, text in enumerate(lines):
        match = _PLACED.match(text)
        if match is not None:
            path = match["path"]
            said = _with_rest(match["said"], lines[place + 1 :], _source_line(site, path, int(match["line"])))
            found.append(Finding(path, int(match["line"]), said))
            continue
        bare = _BARE.match(text)
        if bare is not None and not _SUMMARY.search(bare["said"]):
            found.append(Finding("", None, bare["said"]))
    return tuple(dict.fromkeys(found))


def _source_line(site: Site, path: str, line: int) -> str | None:
    try:
        return site.read(path).split("\n")[line - 1].strip()
    except (OSError, IndexError):
        return None


def _with_rest(said: str, rest: list[str], source: str | None) -> str:
    """Add the lines that belong to a message: up to the one that shows the source."""
    more = []
    for text in rest[: _MORE + 1]:
        if _PLACED.match(text) or _BARE.match(text) or text.strip() == source or not text.strip():
            break
        if text.strip().strip("^~| ") == "" or re.match(r"^\s*\d* ?\|", text) or text.startswith("/"):
            break
        more.append(text.strip())
    return " ".join([said, *more[:_MORE]])


def failure_of(output: str, code: int) -> Finding:
    """Return what can be said of a tool that failed without saying where."""
    last = [line.strip() for line in output.splitlines() if line.strip()][-3:]
    return Finding("", None, " | ".join(last) or f"exit code {code}")

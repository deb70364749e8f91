"""How tests of verification speak of its findings."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.scaffold.verify import CheckOutcome, verify_project


def outcome(folder: Path, name: str) -> CheckOutcome:
    """Run one check."""
    return verify_project(folder, only=[name]).outcome(name)


def said(folder: Path, name: str) -> list[str]:
    """Run one check; return its findings as FILE:LINE: MESSAGE. It must not have been skipped."""
    found = outcome(folder, name)
    assert found.state == ("failed" if found.findings else "passed"), found
    return [str(finding) for finding in found.findings]


def replace(folder: Path, path: str, old: str, new: str) -> int:
    """Replace a text that is in a file once; return the line where it was."""
    text = (folder / path).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    (folder / path).write_text(text.replace(old, new), "utf-8")
    return text[: text.index(old)].count("\n") + 1

"""Progress as values: the library reports, the caller decides how to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One report of progress.

    Attributes:
        stage: The act under way, one word where possible ("convert", "push").
        message: What is happening now, for people.
        fraction: Share done, 0.0 to 1.0, or None where it cannot be known.
        subject: What it happens to (a recipe, a file, a board), or "".
    """

    stage: str
    message: str
    fraction: float | None = None
    subject: str = ""


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Ignore a step: the default everywhere a progress callback is accepted."""

"""What a check of a project is, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from edge_sdk.scaffold.verify.site import Site

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
ANDROID, IOS = "android", "ios"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and where.

    Attributes:
        path: Of the file, in the project, with forward slashes; "" where it is no file.
        line: Number of the line, from 1, or None.
        message: What is wrong there.
    """

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}" if place else self.message


@dataclass(frozen=True)
class Verdict:
    """What a check found out.

    Attributes:
        findings: What is wrong; nothing where the check passed.
        note: What a reader should know of a check that passed, or "".
    """

    findings: tuple[Finding, ...] = ()
    note: str = ""


class CannotRun(Exception):  # noqa: N818 - it is no error: the check is skipped
    """A check cannot be done here.

    Attributes:
        why: What is missing.
        how: What to do to get it.
    """

    def __init__(self, why: str, how: str) -> None:
        super().__init__(why)
        self.why = why
        self.how = how


class Check(Protocol):
    """One check; the classes in the modules of this package."""

    @property
    def name(self) -> str:
        """As `--only` takes it."""
        ...

    @property
    def platforms(self) -> tuple[str, ...]:
        """Those whose projects it examines: "android", "ios"."""
        ...

    @property
    def proves(self) -> str:
        """What holds if it passes, one line."""
        ...

    @property
    def heavy(self) -> bool:
        """Whether it starts a compiler."""
        ...

    def run(self, site: Site) -> Verdict:
        """Examine a project.

        Raises:
            CannotRun: A tool is missing.
            EdgeError: A tool broke down.
        """
        ...


@dataclass(frozen=True)
class CheckOutcome:
    """What became of one check.

    Attributes:
        name: Of the check.
        state: "passed", "failed" or "skipped".
        proves: What holds if it passes.
        findings: What is wrong, by file and line.
        why: Why it was skipped, or what should be known of a check that passed; else "".
        how: What to do about it, or "".
        seconds: How long it took.
    """

    name: str
    state: str
    proves: str
    findings: tuple[Finding, ...] = ()
    why: str = ""
    how: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "proves": self.proves,
            "findings": [
                {"path": item.path, "line": item.line, "message": item.message} for item in self.findings
            ],
            "why": self.why or None,
            "how": self.how or None,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class VerifyReport:
    """What is known of a project after its checks.

    Attributes:
        platform: "android" or "ios".
        outcomes: One a check, in the order of the table.
    """

    platform: str
    outcomes: tuple[CheckOutcome, ...]

    @property
    def failed(self) -> bool:
        """Whether a check failed; one that was skipped did not."""
        return any(outcome.state == FAILED for outcome in self.outcomes)

    def outcome(self, name: str) -> CheckOutcome:
        """Return the outcome of a check; KeyError where it was not run."""
        return {outcome.name: outcome for outcome in self.outcomes}[name]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "platform": self.platform,
            "failed": self.failed,
            "counts": {
                state: sum(outcome.state == state for outcome in self.outcomes)
                for state in (PASSED, FAILED, SKIPPED)
            },
            "checks": [outcome.to_dict() for outcome in self.outcomes],
        }

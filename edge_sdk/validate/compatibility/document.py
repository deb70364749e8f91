"""What is known about a variant and a target before it runs there, as documents."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.contract.document import Document

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"


@dataclass(frozen=True, kw_only=True)
class CompatibilityItem(Document):
    """One question and its answer.

    Attributes:
        code: Stable word for the question; docs/reference/compatibility.md lists them.
        verdict: "passed", "failed" or "unknown".
        what: One sentence.
        hint: What to do; None where there is nothing to do.
    """

    code: str
    verdict: str
    what: str
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class CompatibilityReport(Document):
    """All answers for one variant on one target.

    Attributes:
        items: In the order of the questions.
    """

    items: tuple[CompatibilityItem, ...]

    @property
    def good(self) -> bool:
        """Nothing failed; something may be unknown."""
        return all(item.verdict != FAILED for item in self.items)

"""What the reference evaluator cannot do, as values of its own kind: never confused with a wrong answer."""

from __future__ import annotations

from edge_sdk.errors import ModelError


class Unsupported(Exception):  # noqa: N818 - an operator says what is the case; the machine makes an error of it
    """An operator is known, but not in this form. The text is one sentence."""


class UnknownOperatorError(ModelError):
    """The evaluator does not know an operator, or this form of it: there is no verdict.

    Args:
        kind: "conv"...
        name: Of the operation in the program.
        why: What about it is not known; None where the kind itself is not.
    """

    def __init__(self, kind: str, name: str, why: str | None = None) -> None:
        super().__init__(
            f"op {kind} at {name!r} is not known to the reference evaluator",
            why=why,
            hint="the package is unverified: run it on macOS or on a device",
        )
        self.kind = kind
        self.name = name

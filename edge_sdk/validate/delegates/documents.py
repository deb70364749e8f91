"""What is predicted about a delegate and a model, as documents."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.contract.document import Document


@dataclass(frozen=True, kw_only=True)
class BlockingOperator(Document):
    """A kind of operator that the delegate leaves to the CPU, for one reason.

    Attributes:
        op: "SOFTMAX"; custom operators by their own name.
        count: How many nodes.
        layers: Names of their first outputs, in order of execution; at most `LAYERS_NAMED`.
        reason: Why they are not taken, one sentence.
        rewrite: What to change in the model or the build, or None where nothing is known to help.
        share_of_macs: Of the graph's multiply-accumulates, 0 to 1; None where they cannot be counted.
        source: Where the rule is written down, or how it was measured.
    """

    op: str
    count: int
    layers: tuple[str, ...] = ()
    reason: str
    rewrite: str | None = None
    share_of_macs: float | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class DelegatePlan(Document):
    """What a delegate is expected to take of a model's graph.

    Attributes:
        delegate: Its name in the target: "xnnpack", "edgetpu"...
        title: For people.
        predicted: True; only a run on the device tells what is really taken.
        checked: The rules were compared with what the runtime really delegates (XNNPACK only).
        nodes: Operators of the graph of the default signature.
        taken: How many of them are expected to be taken.
        partitions: Stretches of operators that are handed over as one. Every border costs a copy.
        coverage: taken / nodes, 0 to 1; None for a graph without operators, or without rules.
        coverage_by_macs: The same, each node weighed by its multiply-accumulates; None where they cannot be
            counted.
        blocking: What is not taken, the most multiply-accumulates first.
        verdict: One sentence.
        source: Where the rules come from.
    """

    delegate: str
    title: str
    predicted: bool
    checked: bool
    nodes: int
    taken: int
    partitions: int
    coverage: float | None
    coverage_by_macs: float | None
    blocking: tuple[BlockingOperator, ...]
    verdict: str
    source: str


#: Layers that are named in a BlockingOperator; the count tells the rest.
LAYERS_NAMED = 8

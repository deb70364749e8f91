"""What is predicted about a package and a choice of compute units, as documents."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.contract.document import Document
from edge_sdk.validate.delegates.documents import LAYERS_NAMED, BlockingOperator, DelegatePlan

#: Said wherever a prediction is shown.
PREDICTED = "predicted: Apple publishes no table; a performance report of Xcode on the device tells"
_WORDS = {"neural_engine": "Neural Engine", "gpu": "GPU", "cpu": "CPU", "unknown": "unknown"}
_TITLES = {
    "all": "Core ML, all compute units",
    "cpu_and_gpu": "Core ML, CPU and GPU",
    "cpu_and_neural_engine": "Core ML, CPU and Neural Engine",
    "cpu_only": "Core ML, CPU only",
}


@dataclass(frozen=True, kw_only=True)
class OperatorPlacement(Document):
    """Where one operator is expected.

    Attributes:
        name: Of the operation.
        op: Its kind, "conv".
        unit: "neural_engine", "gpu", "cpu", or "unknown".
        reason: One sentence.
        rule: The id of the rule that decided; "" where none did.
        source: Where it is written down; "" where nothing is.
        confidence: "stated", "measured", "observed" or "inferred", as the rule says; "" where none did.
        rewrite: What may help where it is not on the unit that was hoped for; None where nothing is known.
    """

    name: str
    op: str
    unit: str
    reason: str
    rule: str = ""
    source: str = ""
    confidence: str = ""
    rewrite: str | None = None


@dataclass(frozen=True, kw_only=True)
class Placement(Document):
    """Where a function's operators are expected, all of them predicted.

    Attributes:
        compute_units: That the app allows: "all", "cpu_and_gpu", "cpu_and_neural_engine", "cpu_only".
        function: Of the package.
        operators: Every operation but constants, in program order.
        neural_engine: How many are expected there.
        gpu: How many are expected there.
        cpu: How many are expected there.
        unknown: About how many nothing is known.
        switches: Neighbours in program order that are expected on different units; each costs a copy.
            Operators about which nothing is known are passed over.
        verdict: One sentence; whoever shows it says `PREDICTED`, too.
        predicted: True; only the device tells.
    """

    compute_units: str
    function: str
    operators: tuple[OperatorPlacement, ...]
    neural_engine: int
    gpu: int
    cpu: int
    unknown: int
    switches: int
    verdict: str
    predicted: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """Operators by unit; units without any are left out."""
        found = {
            "neural_engine": self.neural_engine,
            "gpu": self.gpu,
            "cpu": self.cpu,
            "unknown": self.unknown,
        }
        return {unit: count for unit, count in found.items() if count}

    @property
    def shares(self) -> dict[str, float]:
        """The same as shares of all operators, 0 to 1."""
        return {unit: count / len(self.operators) for unit, count in self.counts.items()}

    def plan(self) -> DelegatePlan:
        """Return it in the form of a delegate's plan, which tables and reports show.

        Taken is what is expected on the best unit that is allowed: with "all" Neural Engine or GPU, with
        "cpu_only" the CPU.
        """
        wanted = wanted_units(self.compute_units)
        taken = [item.unit in wanted for item in self.operators]
        groups: dict[tuple[str, str, str], list[OperatorPlacement]] = {}
        for item, held in zip(self.operators, taken, strict=True):
            if not held:
                groups.setdefault((item.op, item.reason, item.source), []).append(item)
        blocking = [
            BlockingOperator(
                op=op,
                count=len(items),
                layers=tuple(item.name for item in items[:LAYERS_NAMED]),
                reason=reason,
                rewrite=items[0].rewrite,
                source=source,
            )
            for (op, reason, source), items in groups.items()
        ]
        count = len(self.operators)
        return DelegatePlan(
            delegate=self.compute_units,
            title=_TITLES[self.compute_units],
            predicted=True,
            checked=False,
            nodes=count,
            taken=sum(taken),
            partitions=sum(
                held and (not position or not taken[position - 1]) for position, held in enumerate(taken)
            ),
            coverage=sum(taken) / count if count else None,
            coverage_by_macs=None,
            blocking=tuple(sorted(blocking, key=lambda item: -item.count)),
            verdict=self.verdict,
            source="edge_sdk/validate/coreml_placement/rules",
        )


def wanted_units(compute_units: str) -> tuple[str, ...]:
    """Return the units that a choice hopes for, the best first."""
    if compute_units == "all":
        return ("neural_engine", "gpu")
    if compute_units == "cpu_only":
        return ("cpu",)
    return (compute_units.removeprefix("cpu_and_"),)


def spoken(counts: dict[str, int], switches: int) -> str:
    """Return the verdict in one sentence."""
    total = sum(counts.values())
    if not total:
        return "no operators to place"
    parts = [f"{count} {_WORDS[unit]}" for unit, count in counts.items()]
    changes = "1 switch" if switches == 1 else f"{switches} switches"
    return f"expected of {total} operators: {', '.join(parts)}; {changes}"

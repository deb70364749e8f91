"""The prediction: every operation judged by the rules of the units that the app allows."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from edge_sdk.errors import ConfigError
from edge_sdk.model.coreml.package import Package, open_package
from edge_sdk.model.coreml.program import Operation
from edge_sdk.targets import Target
from edge_sdk.validate.coreml_placement.details import Facts, read_facts
from edge_sdk.validate.coreml_placement.documents import (
    OperatorPlacement,
    Placement,
    spoken,
    wanted_units,
)
from edge_sdk.validate.coreml_placement.rules import Rule, load_rules
from edge_sdk.validate.delegates.documents import DelegatePlan

#: What an app may allow: the names of coremltools' ComputeUnit, and of the targets' delegates.
COMPUTE_UNITS = ("all", "cpu_and_gpu", "cpu_and_neural_engine", "cpu_only")
_NEURAL_ENGINE_NAMES = {"cpu_and_ne": "cpu_and_neural_engine"}


def predict_placement(package: Package, compute_units: str, *, function: str | None = None) -> Placement:
    """Predict where Core ML runs each operator of a function.

    Args:
        package: Open; its weights are not read.
        compute_units: One of `COMPUTE_UNITS`; "cpu_and_ne" is understood too.
        function: Of the package; its default one where None.

    Raises:
        ConfigError: There are no such compute units, or no such function.
    """
    compute_units = _NEURAL_ENGINE_NAMES.get(compute_units, compute_units)
    if compute_units not in COMPUTE_UNITS:
        raise ConfigError(
            f"{compute_units!r} are no compute units of Core ML", hint=f"one of {', '.join(COMPUTE_UNITS)}"
        )
    name = function or package.default_function
    if name not in package.program.functions:
        raise ConfigError(
            f"the package has no function {name!r}",
            hint=f"it has: {', '.join(sorted(package.program.functions))}",
        )
    placed = tuple(
        _place(operation, facts, compute_units)
        for operation, facts in read_facts(package.program.functions[name], package.functions.get(name))
    )
    counted = Counter(item.unit for item in placed)
    known = [item.unit for item in placed if item.unit != "unknown"]
    switches = sum(before != after for before, after in pairwise(known))
    counts = {unit: counted[unit] for unit in ("neural_engine", "gpu", "cpu", "unknown") if counted[unit]}
    return Placement(
        compute_units=compute_units,
        function=name,
        operators=placed,
        switches=switches,
        verdict=spoken(counts, switches),
        neural_engine=counted["neural_engine"],
        gpu=counted["gpu"],
        cpu=counted["cpu"],
        unknown=counted["unknown"],
    )


def _place(operation: Operation, facts: Facts, compute_units: str) -> OperatorPlacement:
    name, kind = operation.name, operation.kind
    wanted = wanted_units(compute_units)
    if wanted == ("cpu",):
        return OperatorPlacement(name=name, op=kind, unit="cpu", reason="only the CPU is allowed")
    tried: list[Rule] = []
    for unit in wanted:
        rule = load_rules(unit).first(kind, facts)
        if rule is None:
            return _unknown(name, kind, unit, tried)
        if rule.verdict == "taken":
            return _placed(name, kind, unit, [*tried, rule])
        tried.append(rule)
        if rule.verdict == "unknown":
            return _placed(name, kind, "unknown", tried)
    # Every other unit that is allowed refuses it; what Core ML can run at all, the CPU runs.
    return _placed(name, kind, "cpu", tried)


def _placed(name: str, kind: str, unit: str, rules: list[Rule]) -> OperatorPlacement:
    """Return a placement; the first rule put it there, or kept it from the unit that was hoped for."""
    first = rules[0]
    return OperatorPlacement(
        name=name,
        op=kind,
        unit=unit,
        reason=first.reason,
        rule=first.id,
        source=first.source,
        confidence=first.confidence,
        rewrite=first.rewrite or None,
    )


def _unknown(name: str, kind: str, unit: str, tried: list[Rule]) -> OperatorPlacement:
    where = {"neural_engine": "the Neural Engine", "gpu": "the GPU"}[unit]
    if tried:
        first = tried[0]
        return OperatorPlacement(
            name=name,
            op=kind,
            unit="unknown",
            reason=f"{first.reason}; nothing is known about {kind} on {where}",
            rule=first.id,
            source=first.source,
            confidence=first.confidence,
            rewrite=first.rewrite or None,
        )
    return OperatorPlacement(
        name=name, op=kind, unit="unknown", reason=f"nothing is known about {kind} on {where}"
    )


def plan_placements(path: Path, target: Target) -> tuple[DelegatePlan, ...]:
    """Predict for each of a target's compute units, in its order, in the form of delegate plans.

    Args:
        path: The `.mlpackage`.
        target: That takes Core ML packages.

    Raises:
        ModelError: The package cannot be read.
    """
    with open_package(path) as package:
        return tuple(predict_placement(package, units.name).plan() for units in target.delegates)

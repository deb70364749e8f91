"""The plan: what each delegate of a target would take of a model, from the file alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_sdk.model.tflite_cost import NOT_COUNTED, multiply_accumulates
from edge_sdk.model.tflite_file import TFLiteFile, default_signature, read_tflite
from edge_sdk.model.tflite_graph import Graph, Node
from edge_sdk.targets import Target
from edge_sdk.validate.delegates.details import Facts, read_details
from edge_sdk.validate.delegates.documents import LAYERS_NAMED, BlockingOperator, DelegatePlan
from edge_sdk.validate.delegates.judge import Refusal, kind_of, refusal, rewrite_for
from edge_sdk.validate.delegates.partition import Stretch, stretches
from edge_sdk.validate.delegates.rules import DelegateRules, load_rules
from edge_sdk.validate.delegates.shapes import computed_shapes

#: Operators that unpack a stored constant; the result is as good as a constant.
_UNPACKING = ("DEQUANTIZE", "DENSIFY")


@dataclass(frozen=True)
class Prepared:
    """A model, read once for all delegates.

    Attributes:
        graph: Graph of the default signature.
        facts: Of every node.
        origin: Number of the stored constant behind a tensor that was unpacked from one.
        macs: Of every node; None where they cannot be counted.
        computed: Tensors whose size is known only when the model runs.
    """

    graph: Graph
    facts: tuple[Facts, ...]
    origin: Mapping[int, int]
    macs: tuple[int | None, ...]
    computed: frozenset[int]


@dataclass(frozen=True)
class Prediction:
    """What one delegate would do with the nodes of a graph.

    Attributes:
        refusals: For every node: why it is not taken, None where it is.
        stretches: In order of execution; of those that are taken, only the ones really handed over.
    """

    refusals: tuple[Refusal | None, ...]
    stretches: tuple[Stretch, ...]


def plan_delegates(path: Path, target: Target) -> tuple[DelegatePlan, ...]:
    """Predict what each delegate of a target takes of a model, in the target's order.

    Args:
        path: The .tflite.
        target: Names the delegates and the runtime.

    Raises:
        ModelError: The file cannot be read.
    """
    return plan_all(path, [spec.name for spec in target.delegates], runtime=target.runtime.name)


def plan_all(path: Path, delegates: Sequence[str], *, runtime: str | None) -> tuple[DelegatePlan, ...]:
    """Predict for delegates by name, in the order given; "cpu" is left out.

    Args:
        path: The .tflite.
        delegates: Names: "xnnpack", "gpu", "nnapi", "edgetpu"...
        runtime: "litert" or "tflite-runtime".

    Raises:
        ModelError: The file cannot be read.
    """
    prepared = prepare(path)
    return tuple(_plan(prepared, name, runtime) for name in delegates if name != "cpu")


def prepare(path: Path, file: TFLiteFile | None = None) -> Prepared:
    """Read a model once for all delegates."""
    file = file or read_tflite(path)
    names = [signature.name for signature in file.signatures]
    number = file.signature_graphs[names.index(default_signature(file.signatures))]
    graph = file.graphs[number]
    origin: dict[int, int] = {}
    for node in graph.nodes:
        if node.op in _UNPACKING and node.inputs and node.inputs[0] >= 0 and node.outputs:
            source = origin.get(node.inputs[0], node.inputs[0])
            if graph.tensors[source].constant_bytes:
                origin[node.outputs[0]] = source
    return Prepared(
        graph=graph,
        facts=read_details(path, file.graphs)[number],
        origin=origin,
        macs=tuple(_macs(node, graph, origin) for node in graph.nodes),
        computed=computed_shapes(graph),
    )


def predict(prepared: Prepared, rules: DelegateRules) -> Prediction:
    """Apply the rules to every node and cut the graph as the runtime does."""
    graph = prepared.graph
    found = [
        refusal(rules, node, graph, facts, prepared.origin)
        for node, facts in zip(graph.nodes, prepared.facts, strict=True)
    ]
    if rules.static_only and prepared.computed:
        name = graph.tensors[min(prepared.computed)].name.split(";")[0] or "a tensor"
        whole = Refusal(
            f"the size of {name!r} is known only when the model runs, and then nothing is taken",
            rules.source,
            "computed size",
        )
        found = [item or whole for item in found]
    if rules.first_stretch_only:
        blocked = _first_blocked(graph, found, rules)
        after = Refusal("it comes after the first operator that is not taken", rules.source, "after another")
        if blocked is not None:
            found = [item or (after if index > blocked else None) for index, item in enumerate(found)]
    parts = stretches(graph, [item is None for item in found])
    kept = sorted((part for part in parts if part.taken), key=_by_size)
    small = [part for part in kept if len(part.nodes) < rules.least_nodes]
    kept = [part for part in kept if len(part.nodes) >= rules.least_nodes]
    beyond = kept[rules.most_partitions :] if rules.most_partitions is not None else []
    for part, reason in (
        *((part, f"its stretch has fewer than {rules.least_nodes} operators") for part in small),
        *((part, f"only {rules.most_partitions} stretch(es) are handed over") for part in beyond),
    ):
        for position in part.nodes:
            found[position] = Refusal(reason, rules.source)
    dropped = {part.nodes for part in (*small, *beyond)}
    return Prediction(
        refusals=tuple(found),
        stretches=tuple(Stretch(part.taken and part.nodes not in dropped, part.nodes) for part in parts),
    )


def _first_blocked(graph: Graph, found: Sequence[Refusal | None], rules: DelegateRules) -> int | None:
    started = False
    for index, item in enumerate(found):
        if item is None:
            started = True
        elif started or graph.nodes[index].op not in rules.passed_at_start:
            return index
    return None


def _plan(prepared: Prepared, name: str, runtime: str | None) -> DelegatePlan:
    graph = prepared.graph
    rules = load_rules(name, runtime)
    if rules is None:
        return DelegatePlan(
            delegate=name,
            title=name,
            predicted=True,
            checked=False,
            nodes=len(graph.nodes),
            taken=0,
            partitions=0,
            coverage=None,
            coverage_by_macs=None,
            blocking=(),
            verdict=f"nothing is predicted: no rules are known for {name}",
            source="",
        )
    compiled = sum(node.op == rules.compiled_operator for node in graph.nodes)
    prediction = predict(prepared, rules)
    if compiled:
        taken_nodes = [node.op == rules.compiled_operator for node in graph.nodes]
        partitions = compiled
    else:
        taken_nodes = [item is None for item in prediction.refusals]
        partitions = sum(part.taken for part in prediction.stretches)
    taken = sum(taken_nodes)
    total = _sum(prepared.macs)
    by_macs = None
    if total:
        by_macs = sum(macs or 0 for macs, has in zip(prepared.macs, taken_nodes, strict=True) if has) / total
    blocking = () if compiled else _blocking(prepared, prediction.refusals, rules, total)
    plan = DelegatePlan(
        delegate=name,
        title=rules.title,
        predicted=True,
        checked=bool(rules.checked_with),
        nodes=len(graph.nodes),
        taken=taken,
        partitions=partitions,
        coverage=taken / len(graph.nodes) if graph.nodes else None,
        coverage_by_macs=None if compiled else by_macs,
        blocking=blocking,
        verdict="",
        source=rules.source,
    )
    return replace(plan, verdict=_verdict(plan, rules, bool(compiled)))


def _verdict(plan: DelegatePlan, rules: DelegateRules, compiled: bool) -> str:
    work = "" if plan.coverage_by_macs is None else f" ({plan.coverage_by_macs:.0%} of the multiplications)"
    if compiled:
        text = f"compiled for it: {plan.taken} of {plan.nodes} operators are its own"
    elif not plan.taken:
        text = f"takes nothing of {plan.nodes} operators: the model runs on the CPU"
    elif plan.taken == plan.nodes:
        text = f"takes the whole model, {plan.nodes} operators{work}"
    else:
        parts = "one stretch" if plan.partitions == 1 else f"{plan.partitions} stretches"
        text = f"takes {plan.taken} of {plan.nodes} operators{work} in {parts}"
        if plan.blocking:
            text += f"; {plan.blocking[0].op} blocks most"
    if rules.compiler and not compiled:
        text = f"once {rules.compiler} has compiled the model, {text}; this file is not compiled"
    return f"{text}. {rules.note}".strip() if rules.note else text


def _blocking(
    prepared: Prepared, refusals: Sequence[Refusal | None], rules: DelegateRules, total: int | None
) -> tuple[BlockingOperator, ...]:
    groups: dict[tuple[str, Refusal], list[int]] = {}
    for position, item in enumerate(refusals):
        if item is not None:
            groups.setdefault((prepared.graph.nodes[position].op, item), []).append(position)
    found = []
    for (op, item), positions in groups.items():
        nodes = [prepared.graph.nodes[position] for position in positions]
        counted = _sum([prepared.macs[position] for position in positions])
        found.append(
            BlockingOperator(
                op=op,
                count=len(nodes),
                layers=tuple(_name(node, prepared.graph) for node in nodes[:LAYERS_NAMED]),
                reason=item.reason,
                rewrite=rewrite_for(
                    rules, op, kind_of(nodes[0], prepared.graph, prepared.origin), item.obstacle
                ),
                share_of_macs=None if counted is None or not total else counted / total,
                source=item.source,
            )
        )
    return tuple(sorted(found, key=lambda item: (-(item.share_of_macs or 0), -item.count, item.op)))


def _name(node: Node, graph: Graph) -> str:
    name = graph.tensors[node.outputs[0]].name if node.outputs and node.outputs[0] >= 0 else ""
    # The converter joins the names of the operators that it has fused; the first one tells enough.
    return name.split(";")[0] or f"({node.op.lower()})"


def _macs(node: Node, graph: Graph, origin: Mapping[int, int]) -> int | None:
    return None if node.op in NOT_COUNTED else multiply_accumulates(node, graph.tensors, origin)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _by_size(part: Stretch) -> tuple[int, int]:
    return -len(part.nodes), part.nodes[0]

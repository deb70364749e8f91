"""Whether a delegate takes a node, and if not, why, by its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge_sdk.model.tflite_graph import Graph, Node
from edge_sdk.validate.delegates.details import Facts, data_input
from edge_sdk.validate.delegates.rules import DelegateRules, Rule, common_rewrites

#: Operators whose second input holds trained weights, whatever its dtype.
WEIGHTED = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D", "CONV_3D_TRANSPOSE"}
)
_ROLES = {1: "its weights", 2: "its bias"}
_WORDS = {
    "rank": "the input's rank", "out_rank": "the output's rank", "batch": "the batch size",
    "inputs": "the number of inputs", "outputs": "the number of outputs", "axes": "the reduced axes",
    "activation": "the fused activation", "elements": "the number of elements",
    "in_channels": "the number of input channels", "out_channels": "the number of output channels",
    "padded_axes": "the padded axes", "outer_elements": "the size of all but the last three dimensions",
}  # fmt: skip


class Refusal(NamedTuple):
    """Why a node is not taken.

    Attributes:
        reason: One sentence.
        source: Of the rule.
        obstacle: "computed size" or "after another", where the operator itself is not to blame.
    """

    reason: str
    source: str
    obstacle: str = ""


def kind_of(node: Node, graph: Graph, origin: Mapping[int, int]) -> str:
    """Return a node's kind of arithmetic, as `rules` spells it; "" where its tensors do not tell.

    Args:
        node: The node.
        graph: Its graph.
        origin: Number of the stored constant behind a tensor that was unpacked from one.
    """
    number = data_input(node)
    given = graph.tensors[number].dtype if number >= 0 else ""
    made = graph.tensors[node.outputs[0]].dtype if node.outputs and node.outputs[0] >= 0 else ""
    if not given or not made:
        return given or made
    if given != made:
        return f"{given}>{made}"
    if len(node.inputs) > 1 and node.inputs[1] >= 0:
        weights = graph.tensors[node.inputs[1]]
        constant = weights.constant_bytes > 0 or node.inputs[1] in origin
        # Weights that DEQUANTIZE has unpacked count as what they are then, float32.
        if weights.dtype != given and (node.op in WEIGHTED or (node.op == "BATCH_MATMUL" and constant)):
            return f"{given}*{weights.dtype}"
    return given


def refusal(
    rules: DelegateRules, node: Node, graph: Graph, facts: Facts, origin: Mapping[int, int]
) -> Refusal | None:
    """Return why a node is not taken, or None where it is."""
    alternatives = rules.by_operator.get(node.op)
    if not alternatives:
        return Refusal(f"{node.op} is not among the operators that it takes", rules.source)
    kind = kind_of(node, graph, origin)
    concerned = [rule for rule in alternatives if kind in rule.kinds]
    if not concerned:
        allowed = sorted({name for rule in alternatives for name in rule.kinds})
        return Refusal(
            f"{_spoken(kind)} {node.op} is not taken; taken: {', '.join(_spoken(name) for name in allowed)}",
            alternatives[0].source or rules.source,
        )
    refused = None
    for rule in concerned:
        reason = _broken(rule, node, graph, facts, origin)
        if reason is None:
            return None
        refused = refused or Refusal(reason, rule.source or rules.source)
    return refused


def _broken(rule: Rule, node: Node, graph: Graph, facts: Facts, origin: Mapping[int, int]) -> str | None:
    for position in rule.required:
        if position >= len(node.inputs) or node.inputs[position] < 0:
            return f"{_ROLES.get(position, f'input {position}')} must be there"
    for position in rule.constant:
        if position < len(node.inputs) and node.inputs[position] >= 0:
            number = node.inputs[position]
            if not graph.tensors[number].constant_bytes and number not in origin:
                role = _ROLES.get(position) if node.op in WEIGHTED else None
                return f"{role or f'input {position}'} is computed; it must be a constant"
    for name, limit in rule.at_most.items():
        value = facts.get(name)
        if not isinstance(value, (int, float)) or value > limit:
            return f"{_word(name)} is {_shown(value)}; at most {limit:g} is taken"
    for name, limit in rule.at_least.items():
        value = facts.get(name)
        if not isinstance(value, (int, float)) or value < limit:
            return f"{_word(name)} is {_shown(value)}; at least {limit:g} is taken"
    for name, allowed in rule.one_of.items():
        value = facts.get(name)
        if value not in allowed:
            return f"{_word(name)} is {_shown(value)}; taken: {', '.join(_shown(item) for item in allowed)}"
    return None


def rewrite_for(rules: DelegateRules, op: str, kind: str, obstacle: str = "") -> str | None:
    """Return what to try where an operator blocks: the delegate's own advice first, then what is nearer.

    Args:
        rules: Of the delegate.
        op: The operator.
        kind: Its kind of arithmetic.
        obstacle: "computed size" or "after another", where the operator itself is not to blame.
    """
    wanted = obstacle or op
    for rewrites in (rules.rewrites, common_rewrites()):
        fitting = [item for item in rewrites if not item.kinds or kind in item.kinds]
        for item in fitting:
            if wanted in item.operators:
                return item.text
        for item in fitting:
            if not item.operators and not obstacle:
                return item.text
    return None


def _spoken(kind: str) -> str:
    if ">" in kind:
        return kind.replace(">", " to ")
    if "*" in kind:
        activations, weights = kind.split("*", 1)
        return f"{activations} with {weights} weights"
    return kind or "untyped"


def _word(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))


def _shown(value: object) -> str:
    if value is None:
        return "not known before it runs"
    return f"{value:g}" if isinstance(value, float) else str(value)

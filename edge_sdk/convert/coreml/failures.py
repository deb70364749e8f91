"""Turns what coremltools raises into errors that name the operator, its layer and a way out.

coremltools raises plain ValueError, NotImplementedError and the like, and says where only in its log. The
frames of the traceback still hold the graph and the node at which it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from edge_sdk.errors import ConversionError, EdgeError, UnsupportedOpError
from edge_sdk.targets import DEPLOYMENT_TARGETS

_NEEDS_TARGET = re.compile(r"No available version for (\w+) in the coremltools\.target\.\w+ opset")
_RANK = re.compile(r"rank|Rank")
#: Nodes that coremltools passes over.
_SKIPPED = ("NoOp", "Assert", "return")
_CURES = (
    "cut the model before that operator and compute the rest in the app, write it with other operators, "
    "or use the .tflite on iOS through LiteRT"
)


def explain(failure: Exception, deployment_target: str) -> EdgeError:
    """Return the error for a failure of `coremltools.convert`.

    Args:
        failure: As it was raised, with its traceback.
        deployment_target: That the package was meant for.
    """
    if isinstance(failure, EdgeError):
        return failure
    text = str(failure).strip() or type(failure).__name__
    node, graphs = _where(failure)
    needed = _newer_target(text, deployment_target)
    if needed is not None:
        found = _NEEDS_TARGET.search(text)
        return _unsupported(
            [_operator(node) or (found.group(1) if found else "unknown")],
            f"{_place(node)}the package is for {deployment_target}, and it takes {needed} or newer: "
            f"{_first_lines(text)}",
            f'set deployment_target = "{needed}" under [coreml], or {_CURES}',
        )
    missing = _missing(graphs)
    if missing:
        layers = "; ".join(f"{kind} in {_layer(name)}" for kind, name in missing.items())
        return _unsupported(list(missing), f"Core ML has no such operators: {layers}", _CURES)
    if node is not None:
        return _unsupported(
            [str(node.op)],
            f"{_place(node)}coremltools cannot express it: {_first_lines(text)}",
            _CURES,
        )
    if "float16 dtype for" in text or "Expected a single enumerated shape" in text:
        return ConversionError(
            f"Core ML does not allow this for {deployment_target}",
            why=_first_lines(text),
            hint="set a newer deployment_target under [coreml]",
        )
    if "should be output of block" in text:
        return ConversionError(
            "the model has a loop that runs as often as an input is long",
            why="coremltools cannot convert it while the input may have several shapes",
            hint="give that input one shape under [coreml.shapes]",
        )
    if _RANK.search(text) and "5" in text:
        return ConversionError(
            "the model computes with tensors of more than 5 dimensions",
            why=_first_lines(text),
            hint="reshape inside of the model so that none has more than 5",
        )
    return ConversionError(
        "coremltools cannot convert the model",
        why=f"{type(failure).__name__}: {_first_lines(text)}",
        hint="the whole text is in the log; the same model may convert as .tflite",
    )


def _newer_target(text: str, deployment_target: str) -> str | None:
    """Return the first system newer than the package's that coremltools names as a way out."""
    position = DEPLOYMENT_TARGETS.index(deployment_target)
    named = [target for target in DEPLOYMENT_TARGETS[position + 1 :] if re.search(rf"\b{target}\b", text)]
    return named[0] if named else None


def _unsupported(operators: list[str], why: str, hint: str) -> UnsupportedOpError:
    error = UnsupportedOpError(operators, target="Core ML", hint=hint)
    names = ", ".join(sorted(set(operators)))
    error.what = f"operators that Core ML cannot run: {names}"
    error.args = (error.what,)
    error.why = why
    return error


def _where(failure: BaseException) -> tuple[Any, list[Any]]:
    """Return the node at which the conversion stopped, and the graphs that were being converted."""
    node, graphs = None, []
    for frame in _frames(failure):
        if frame.f_code.co_name != "convert_graph":
            continue
        names = frame.f_locals
        node = names.get("node", node)
        graph = names.get("graph")
        if isinstance(graph, dict):
            graphs.append(graph)
        graphs += getattr(names.get("context"), "graphs", {}).values()
    if node is not None and str(node.op) in _SKIPPED:
        node = None
    return node, graphs


def _frames(failure: BaseException) -> Iterator[Any]:
    link = failure.__traceback__
    while link is not None:
        yield link.tb_frame
        link = link.tb_next


def _missing(graphs: list[Any]) -> dict[str, str]:
    """Return all operators without a translation, with the name of the first node of each."""
    if not graphs:
        return {}
    from coremltools.converters.mil.frontend.tensorflow.tf_op_registry import _TF_OPS_REGISTRY

    found: dict[str, str] = {}
    for graph in graphs:
        for name, node in graph.items():
            if node.op not in _TF_OPS_REGISTRY and node.op not in _SKIPPED:
                found.setdefault(str(node.op), str(name))
    return dict(sorted(found.items()))


def _operator(node: Any) -> str | None:
    return None if node is None else str(node.op)


def _place(node: Any) -> str:
    return "" if node is None else f"in {_layer(str(node.name))}: "


def _layer(name: str) -> str:
    """Name the layer of a node: the scope that Keras opened for it."""
    scope, _, own = name.rpartition("/")
    return f"layer {scope} (node {own})" if scope else f"node {name}"


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:6])[:1000]

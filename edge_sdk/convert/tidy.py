"""Tidies what the converter wrote: one graph for signatures that are the same function, aligned weights.

Keras `model.export()` writes every function under two names, `serve` and `serving_default`, and the
converter makes a full graph of each. A .tflite signature is only a name for a graph, so the second graph is
dropped and its name points to the first: a smaller file, one calibration, the same bytes for the same model.

The converter does not keep the alignment of weights that the format asks for; see `quantize/flatfile.py`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from edge_sdk.quantize.flatfile import MAX_BYTES, calls_of, read_flatfile, write_flatfile


def tidy(content: bytes) -> bytes:
    """Return the file with aligned weights and no graph twice.

    Two graphs are the same when they agree in everything but the names of their tensors. Files where
    operators call graphs by number (loops, branches) keep all their graphs; files too large to hold their
    weights inside the FlatBuffer are left as they are.
    """
    if len(content) > MAX_BYTES:
        return content
    model = read_flatfile(content)
    if len(model.signatureDefs or ()) > 1 and not any(True for _ in calls_of(model)):
        _merge_identical_signatures(model)
    return write_flatfile(model)


def _merge_identical_signatures(model: Any) -> None:
    digests = [
        hashlib.sha256(buffer.data).digest() if buffer.data is not None else b"" for buffer in model.buffers
    ]
    first: dict[Any, int] = {}
    same = [first.setdefault(_shape_of(graph, digests), index) for index, graph in enumerate(model.subgraphs)]
    named = {signature.subgraphIndex for signature in model.signatureDefs}
    kept = [index for index in range(len(model.subgraphs)) if same[index] == index or index not in named]
    for signature in model.signatureDefs:
        signature.subgraphIndex = kept.index(same[signature.subgraphIndex])
    model.subgraphs = [model.subgraphs[index] for index in kept]


def _shape_of(graph: Any, digests: list[bytes]) -> Any:
    tensors = tuple(
        (digests[tensor.buffer], _plain(tensor, skip=("name", "buffer"))) for tensor in graph.tensors
    )
    return (
        tensors,
        _plain(graph.operators, skip=()),
        _plain(graph.inputs, skip=()),
        _plain(graph.outputs, skip=()),
    )


def _plain(value: Any, *, skip: tuple[str, ...]) -> Any:
    """Return a hashable form of a generated object and everything below it."""
    if hasattr(value, "__dict__"):
        fields = {key: item for key, item in vars(value).items() if key not in skip}
        return (type(value).__name__, *((key, _plain(fields[key], skip=())) for key in sorted(fields)))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item, skip=()) for item in value)
    return value

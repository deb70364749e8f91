"""What a float .tflite needs before the quantizer, and what its result needs after.

The quantizer tells tensors apart by name, over all graphs; it needs a signature to run the model; and it
cannot quantize a graph statically that was not calibrated. So before: unique names, a signature where there
is none, and a mark on graphs without samples. After: the names, outputs and signatures as they were.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Signature
from edge_sdk.errors import ModelError
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.quantize.flatfile import make_names_unique, read_flatfile, write_flatfile
from edge_sdk.quantize.versions import raise_versions

#: Starts the name of every tensor in a graph that has no samples; recipes address these graphs by it.
UNCALIBRATED = "edge:uncalibrated/"


@dataclass
class PreparedModel:
    """A float model between reading and writing.

    Attributes:
        model: The `ModelT`, with unique tensor names and at least one signature.
        signatures: As the file has them.
        default: Name of the default signature.
        graph_of: Number of the graph of each signature.
    """

    model: Any
    signatures: tuple[Signature, ...]
    default: str
    graph_of: dict[str, int]
    _had_signatures: bool = True
    _names: list[tuple[list[bytes], list[bytes]]] = field(default_factory=list)
    _positions: list[dict[bytes, int]] = field(default_factory=list)
    _renamed: dict[bytes, bytes] = field(default_factory=dict)
    _content: bytes | None = None

    def name_in_file(self, name: str) -> str:
        """Return what the file calls a tensor that got a name of its own here."""
        return self._renamed.get(name.encode(), name.encode()).decode()

    def to_bytes(self) -> bytes:
        """Return the model as the quantizer gets it."""
        if self._content is None:
            self._content = write_flatfile(self.model)
        return self._content

    def is_covered_by(self, graphs: Collection[int]) -> bool:
        """Return whether no graph is left that `mark_uncalibrated` would mark."""
        return set(range(len(self.model.subgraphs))) <= set(graphs)

    def finish(self, quantized: bytes) -> bytes:
        """Return the quantizer's result with names, outputs and versions put right."""
        model = read_flatfile(quantized)
        for graph, (inputs, outputs) in zip(model.subgraphs, self._names, strict=False):
            for tensor in graph.tensors:
                tensor.name = tensor.name.removeprefix(UNCALIBRATED.encode())
            for index, name in zip([*graph.inputs, *graph.outputs], [*inputs, *outputs], strict=True):
                for other in graph.tensors:
                    if other.name == name and other is not graph.tensors[index]:
                        other.name = name + b"_stored"
                graph.tensors[index].name = name
        for signature, positions in zip(model.signatureDefs, self._positions, strict=True):
            graph = model.subgraphs[signature.subgraphIndex]
            for output in signature.outputs:
                output.tensorIndex = graph.outputs[positions[output.name]]
        if not self._had_signatures:
            model.signatureDefs = []
        raise_versions(model)
        return write_flatfile(model)


def prepare_model(source: Path) -> PreparedModel:
    """Read a float .tflite for quantization.

    Raises:
        ModelError: It is damaged, no .tflite file, or quantized already.
    """
    file = read_tflite(source)
    if not file.is_float:
        raise ModelError(
            f"{source} is quantized already",
            why="a second quantization would add its errors to those of the first",
            hint="pack it untouched (recipe as_is), or start from the float model",
        )
    model = read_flatfile(source)
    if not file.has_signatures:
        _add_signature(model, file.signatures[0])
    renamed = make_names_unique(model)
    names = [signature.signatureKey.decode() for signature in model.signatureDefs]
    graphs = model.subgraphs
    return PreparedModel(
        model=model,
        signatures=file.signatures,
        default=default_signature(file.signatures),
        graph_of={
            file.signatures[0].name if not file.has_signatures else name: int(signature.subgraphIndex)
            for name, signature in zip(names, model.signatureDefs, strict=True)
        },
        _had_signatures=file.has_signatures,
        _renamed=renamed,
        _names=[
            ([graph.tensors[i].name for i in graph.inputs], [graph.tensors[i].name for i in graph.outputs])
            for graph in graphs
        ],
        _positions=[
            {
                item.name: list(graphs[signature.subgraphIndex].outputs).index(item.tensorIndex)
                for item in signature.outputs
            }
            for signature in model.signatureDefs
        ],
    )


def mark_uncalibrated(prepared: PreparedModel, calibrated: Collection[int]) -> None:
    """Mark the tensors of every graph that is not in `calibrated`."""
    if prepared.is_covered_by(calibrated):
        return
    prepared._content = None
    for index, graph in enumerate(prepared.model.subgraphs):
        if index not in calibrated:
            for tensor in graph.tensors:
                tensor.name = UNCALIBRATED.encode() + tensor.name


def _add_signature(model: Any, signature: Signature) -> None:
    """Give a file without signatures one, made of its first graph; its names are those of the tensors."""
    from ai_edge_litert import schema_py_generated as schema

    def maps(specs: Any, indices: Any) -> list[Any]:
        result = []
        for spec, index in zip(specs, indices, strict=True):
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = spec.name.encode(), int(index)
            result.append(entry)
        return result

    definition = schema.SignatureDefT()
    definition.signatureKey = b"serving_default"
    definition.subgraphIndex = 0
    graph = model.subgraphs[0]
    definition.inputs = maps(signature.inputs, graph.inputs)
    definition.outputs = maps(signature.outputs, graph.outputs)
    model.signatureDefs = [definition]

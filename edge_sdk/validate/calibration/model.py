"""Runs the float model on samples, with every activation in reach where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Signature
from edge_sdk.errors import ConversionError
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.quantize.samples import iterate_feeds

Array = NDArray[Any]
#: How constants are stored; the tensors that these write are weights, not activations.
_STORAGE = ("DEQUANTIZE", "DENSIFY")
_BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class Activation:
    """A float tensor that the model computes.

    Attributes:
        name: In the file.
        op: Operator that writes it; "INPUT" for an input.
        number: Of the tensor in its graph.
        index: Place in the order of execution.
        last: It is an output of the graph.
    """

    name: str
    op: str
    number: int
    index: int
    last: bool = False


class FloatModel:
    """One signature of a `.tflite` file, called one sample at a time on one thread.

    Args:
        path: Of the file.
        signature: Name in the file; its default signature where the file does not have that name.
        keep: Keep every activation readable: slower, without delegates.

    Raises:
        ConversionError: The runtime of this machine cannot load it.
    """

    def __init__(self, path: Path, signature: str, *, keep: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        file = read_tflite(path)
        names = [item.name for item in file.signatures]
        place = names.index(signature if signature in names else default_signature(file.signatures))
        self.signature: Signature = file.signatures[place]
        self.macs = file.macs or 0
        self._number = file.signature_graphs[place]
        self._graph = file.graphs[self._number]
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep else OpResolverType.AUTO
        try:
            self._interpreter = Interpreter(
                model_content=path.read_bytes(),
                num_threads=1,
                experimental_preserve_all_tensors=keep,
                experimental_op_resolver_type=plain,
            )
            self._call = self._caller(file.has_signatures)
        except (RuntimeError, ValueError) as failure:
            raise ConversionError("the model cannot be loaded here", why=str(failure)[:500]) from failure

    def _caller(self, has_signatures: bool) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
        interpreter = self._interpreter
        if has_signatures:
            runner = interpreter.get_signature_runner(self.signature.name)
            return lambda feed: dict(runner(**feed))
        inputs = dict(zip((spec.name for spec in self.signature.inputs), self._graph.inputs, strict=True))
        outputs = dict(zip((spec.name for spec in self.signature.outputs), self._graph.outputs, strict=True))

        def call(feed: Mapping[str, Array]) -> dict[str, Array]:
            for name, value in feed.items():
                interpreter.resize_tensor_input(inputs[name], value.shape)
            interpreter.allocate_tensors()
            for name, value in feed.items():
                interpreter.set_tensor(inputs[name], value)
            interpreter.invoke()
            return {name: interpreter.get_tensor(number) for name, number in outputs.items()}

        return call

    def call(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one sample.

        Raises:
            ConversionError: The runtime refuses.
        """
        try:
            return self._call({name: np.ascontiguousarray(value) for name, value in feed.items()})
        except (RuntimeError, ValueError) as failure:
            raise ConversionError("the model cannot be run here", why=str(failure)[:500]) from failure

    def answers(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Answer samples; first axis of the inputs and of the result = samples.

        Raises:
            ConversionError: The runtime refuses, or answers have different shapes.
        """
        given = [self.call(feed) for feed in iterate_feeds(self.signature, inputs)]
        if any(len({answer[name].shape for answer in given}) > 1 for name in given[0]):
            raise ConversionError("answers differ in shape from sample to sample")
        return {name: np.stack([answer[name] for answer in given]) for name in given[0]}

    def activations(self) -> list[Activation]:
        """Return the float tensors that are computed, in order of execution, inputs first."""
        tensors, graph = self._graph.tensors, self._graph
        found = [
            Activation(tensors[number].name, "INPUT", number, place)
            for place, number in enumerate(graph.inputs)
            if tensors[number].dtype == "float32"
        ]
        for place, node in enumerate(graph.nodes, start=len(graph.inputs)):
            stored = node.op in _STORAGE and all(tensors[n].constant_bytes for n in node.inputs if n >= 0)
            for number in node.outputs:
                if number >= 0 and tensors[number].dtype == "float32" and not stored:
                    last = number in graph.outputs
                    found.append(Activation(tensors[number].name, node.op, number, place, last))
        return found

    def read(self, activation: Activation) -> Array | None:
        """Return an activation of the last call; None where the call did not compute it."""
        try:
            value = self._interpreter.get_tensor(activation.number, self._number)
        except (RuntimeError, ValueError):
            return None
        return np.asarray(value) if value.size else None

    def is_untrained(self) -> bool:
        """Return whether there are biases and all of them are 0, as they are before training."""
        numbers = {
            node.inputs[2]
            for node in self._graph.nodes
            if node.op in _BIASED and len(node.inputs) > 2 and node.inputs[2] >= 0
        }
        biases = [number for number in numbers if self._graph.tensors[number].constant_bytes]
        if not biases:
            return False
        return not any(np.any(self._interpreter.get_tensor(number, self._number)) for number in biases)

    def feeds(self, inputs: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
        """Yield one feed a sample."""
        return iterate_feeds(self.signature, inputs)

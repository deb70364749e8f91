"""The error map: how far every layer of a variant is from the same layer of the float model.

    run_in_worker("edge_sdk.validate.error_map:map_errors", {
        "float_model": path of the float .tflite, "model": path of the variant, "contract": dict,
        "samples": .npz of inputs (first axis = samples), "limit": samples to use, "threads": 1})

gives `ErrorMap.to_dict()`. Both files run on the same samples with every tensor kept; integers that stand for
real numbers are turned back. Layers are told by the name of their first output in the float file, which the
quantizer keeps. The delegate is left out of both runs: it would hide the tensors between layers.

Error travels: a bad layer makes all behind it look bad. `LayerError.added_noise_db` takes out what came in,
so that ranking by it finds where error is *made*. It goes by shares of power: a layer that cancels much of
its signal (weights that subtract) makes the error's share larger and can come before the one that caused it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import stage
from edge_sdk.errors import ModelError
from edge_sdk.model.tflite_file import TFLiteFile, read_tflite
from edge_sdk.model.tflite_graph import Graph
from edge_sdk.quantize.samples import iterate_feeds
from edge_sdk.runtime.tensors import Affine, accept, affine_of, dequantize, tie
from edge_sdk.validate.metrics.outputs import SNR_CEILING_DB, rounded

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class LayerError(Document):
    """One layer of the float model beside the variant's.

    Attributes:
        name: Of its first output in the float file.
        op: Operator of the float file.
        index: Number of the operator in the graph, in the order of execution.
        snr_db: Signal over error at its output, decibels; at most 150.
        cosine: Of the angle between both outputs, all samples as one vector; -1 to 1.
        max_abs_error: Largest difference of a value.
        lowest: Smallest value of the float layer.
        highest: Largest value of the float layer.
        added_noise_db: Share of the output's power that is error made in this layer, decibels: the relative
            error at its output less the largest relative error of its inputs. More is worse; None where
            the output's error is no larger than what came in.
    """

    name: str
    op: str
    index: int
    snr_db: float
    cosine: float
    max_abs_error: float
    lowest: float
    highest: float
    added_noise_db: float | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorMap(Document):
    """All layers of a variant.

    Attributes:
        layers: In the order of execution.
        unmatched: Layers of the float model without a counterpart in the variant, or with NaN or infinity
            in one of the two.
        samples: How many samples were run.
    """

    layers: tuple[LayerError, ...]
    unmatched: tuple[str, ...] = ()
    samples: int

    def worst(self, count: int | None = None) -> tuple[LayerError, ...]:
        """Return the layers that make the most error themselves, worst first.

        Layers that only pass on what came in follow, the lowest signal first: their integers may be too
        coarse for what a layer in front of them gives once that one is in float.
        """

        def rank(layer: LayerError) -> tuple[bool, float, int]:
            made = layer.added_noise_db
            return (made is None, layer.snr_db if made is None else -made, layer.index)

        return tuple(sorted(self.layers, key=rank)[:count])


class _Sums:
    """What is summed up over samples for one tensor."""

    def __init__(self) -> None:
        self.signal = self.noise = self.given = self.dot = self.worst = 0.0
        self.lowest, self.highest = math.inf, -math.inf

    def add(self, want: Array, got: Array) -> None:
        want, got = want.astype(np.float64).ravel(), got.astype(np.float64).ravel()
        with np.errstate(invalid="ignore"):  # infinity less infinity; `finite` tells
            difference = got - want
            self.signal += float(want @ want)
            self.given += float(got @ got)
            self.dot += float(want @ got)
            self.noise += float(difference @ difference)
        self.worst = max(self.worst, float(np.max(np.abs(difference))))
        self.lowest = min(self.lowest, float(want.min()))
        self.highest = max(self.highest, float(want.max()))

    @property
    def relative_noise(self) -> float:
        """Power of the error over power of the signal; infinite where there is no signal but error."""
        if self.noise == 0.0:
            return 0.0
        return self.noise / self.signal if self.signal else math.inf

    @property
    def comparable(self) -> bool:
        """Whether there were values on both sides, and no NaN or infinity among them."""
        finite = all(map(math.isfinite, (self.signal, self.noise, self.given, self.dot)))
        return finite and self.lowest <= self.highest


def map_errors(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Compare every layer of a variant with the float model's; see the module's text. Runs in a worker.

    Raises:
        ModelError: A file cannot be run, or the variant lacks the signature.
    """
    contract = Contract.from_dict(arguments["contract"])
    signature = contract.signature
    files = [read_tflite(Path(arguments[key])) for key in ("float_model", "model")]
    reference, variant = (
        _Layers(Path(arguments[key]), file, contract, int(arguments["threads"]))
        for key, file in zip(("float_model", "model"), files, strict=True)
    )
    with np.load(arguments["samples"], allow_pickle=False) as archive:
        inputs = {name: archive[name][: int(arguments["limit"])] for name in archive.files}
    graph = reference.graph
    names = [graph.tensors[node.outputs[0]].name if node.outputs else "" for node in graph.nodes]
    wanted = sorted(
        {
            graph.tensors[index].name
            for node in graph.nodes
            for index in (*node.inputs, *node.outputs)
            if index >= 0
        }
    )
    shared = [name for name in wanted if name and reference.has(name) and variant.has(name)]
    sums = {name: _Sums() for name in shared}
    total = len(next(iter(inputs.values())))
    for number, feed in enumerate(iterate_feeds(signature, inputs)):
        stage("map", f"comparing layers on {total} samples", number / total)
        reference.run(feed)
        variant.run(feed)
        for name in shared:
            want, got = reference.value(name), variant.value(name)
            if want is not None and got is not None and want.shape == got.shape and want.size:
                sums[name].add(want, got)
    known = {name: found for name, found in sums.items() if found.comparable}
    # By tensor. One that cannot be compared passes on what came in, or what is made in front of it would be
    # charged to the layer behind it.
    noise = {
        number: known[name].relative_noise
        for number in graph.inputs
        if (name := graph.tensors[number].name) in known
    }
    layers, unmatched = [], []
    for index, (node, name) in enumerate(zip(graph.nodes, names, strict=True)):
        came_in = max((noise.get(number, 0.0) for number in node.inputs), default=0.0)
        for number in node.outputs:
            if graph.tensors[number].dtype == "float32":
                found = known.get(graph.tensors[number].name)
                noise[number] = came_in if found is None else found.relative_noise
        if not node.outputs or graph.tensors[node.outputs[0]].dtype != "float32":
            continue
        if name in known:
            layers.append(_layer(name, node.op, index, known[name], came_in))
        else:
            unmatched.append(name)
    return ErrorMap(layers=tuple(layers), unmatched=tuple(unmatched), samples=total).to_dict()


def _layer(name: str, op: str, index: int, found: _Sums, came_in: float) -> LayerError:
    noise = found.relative_noise
    made = noise - came_in
    scale = math.sqrt(found.signal * found.given)
    cosine = found.dot / scale if scale else float(found.signal == found.given)
    return LayerError(
        name=name,
        op=op,
        index=index,
        snr_db=_rounded(-_decibels(noise)),
        cosine=_rounded(min(1.0, max(-1.0, cosine))),
        max_abs_error=_rounded(found.worst),
        lowest=_rounded(found.lowest),
        highest=_rounded(found.highest),
        added_noise_db=_rounded(_decibels(made)) if made > 0 else None,
    )


def _decibels(ratio: float) -> float:
    if ratio <= 0.0:
        return -SNR_CEILING_DB
    return max(-SNR_CEILING_DB, min(SNR_CEILING_DB, 10.0 * math.log10(ratio)))


def _rounded(value: float) -> float:
    return float(rounded(value) or 0.0)


class _Layers:
    """One file, run with every tensor kept."""

    def __init__(self, path: Path, file: TFLiteFile, contract: Contract, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        signature = contract.signature
        names = [item.name for item in file.signatures]
        if signature.name not in names:
            raise ModelError(
                f"{path.name} has no signature {signature.name!r}", why="it has " + ", ".join(names)
            )
        self._number = file.signature_graphs[names.index(signature.name)]
        self.graph: Graph = file.graphs[self._number]
        self._name = path.name
        try:
            self._interpreter = Interpreter(
                model_path=str(path),
                num_threads=threads,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            if file.has_signatures:
                self._call = self._interpreter.get_signature_runner(signature.name)
                details = self._call.get_input_details()
            else:
                self._call = self._call_without_signature
                details = {
                    spec.name: detail
                    for spec, detail in zip(
                        signature.inputs, self._interpreter.get_input_details(), strict=True
                    )
                }
        except (RuntimeError, ValueError) as failure:
            raise self._broken(failure) from failure
        missing = [spec.name for spec in signature.inputs if spec.name not in details]
        if missing:
            raise ModelError(
                f"{path.name} has no input {missing[0]!r}", why="it has " + ", ".join(map(repr, details))
            )
        self._ports = [tie(spec, details[spec.name]) for spec in signature.inputs]
        self._tensors: dict[str, int] = {}
        for number in (*self.graph.inputs, *(number for node in self.graph.nodes for number in node.outputs)):
            self._tensors.setdefault(self.graph.tensors[number].name, number)
        self._affine: dict[int, Affine | None] = {}

    def has(self, name: str) -> bool:
        return name in self._tensors

    def run(self, feed: Mapping[str, Array]) -> None:
        values = accept(self._ports, feed)
        try:
            self._call(**{port.name: value for port, value in zip(self._ports, values, strict=True)})
        except (RuntimeError, ValueError) as failure:
            raise self._broken(failure) from failure
        if not self._affine:
            details = self._interpreter.get_tensor_details(self._number)
            self._affine = {
                detail["index"]: affine_of(detail["quantization_parameters"], len(detail["shape"]))
                for detail in details
            }

    def value(self, name: str) -> Array | None:
        """Return a tensor of the last run as real numbers; None where it holds none."""
        number = self._tensors[name]
        try:
            stored = self._interpreter.get_tensor(number, self._number)
        except ValueError:
            return None  # a tensor that the runtime did not fill
        if stored.dtype.kind == "f":
            return np.asarray(stored)
        affine = self._affine.get(number)
        return None if affine is None else dequantize(stored, affine, np.dtype(np.float32))

    def _call_without_signature(self, **values: Array) -> None:
        for port, value in zip(self._ports, values.values(), strict=True):
            self._interpreter.resize_tensor_input(port.index, value.shape)
        self._interpreter.allocate_tensors()
        for port, value in zip(self._ports, values.values(), strict=True):
            self._interpreter.set_tensor(port.index, value)
        self._interpreter.invoke()

    def _broken(self, failure: Exception) -> ModelError:
        return ModelError(f"{self._name} cannot be run", why=str(failure).strip()[:1000])

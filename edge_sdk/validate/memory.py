"""How much memory a model will need, from its file alone, before it runs.

    forecast_memory(Path("model.tflite"), runtime="litert", delegate="xnnpack").total_bytes

*Growth* is what is forecast: the highest resident memory of a process that has opened the model and run it
twice, less what it held when NumPy and the runtime were imported. It is made of

- the file: mapped, and every page is touched when the weights are read (`weights_bytes`). Linux can drop
  these pages again under pressure; they count all the same, as they do in VmHWM;
- weights in the layout that the kernels want (`packed_weights_bytes`);
- the arenas of the activations, planned over their lifetimes (`arena_bytes`), with kernels' scratch space;
- tables of the kernels and of the quantization (`tables_bytes`);
- the runtime's own code and structures, measured once a runtime (`runtime_bytes`).

docs/reference/memory.md tells how well it fits; benchmarks/memory_forecast.py measures it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.validate.arena import Lifetime, arena_bytes
from edge_sdk.validate.delegates.judge import kind_of
from edge_sdk.validate.delegates.partition import Stretch
from edge_sdk.validate.delegates.plan import Prepared, predict, prepare
from edge_sdk.validate.delegates.rules import load_rules
from edge_sdk.validate.kernels import (
    multiplier_bytes,
    packed_bytes,
    scratch_bytes,
    table_bytes,
    tensor_bytes,
    unpacked_bytes,
)

#: Code pages and structures of a runtime once a model of a few operators has run in it, bytes; measured on
#: x86-64 with tests/data/models/conv_float.tflite.
RUNTIME_BYTES = {"litert": 3_500_000, "tflite-runtime": 3_200_000}
#: A node and its tensors, as the runtime's own structures.
_BYTES_PER_NODE = 2_000
#: Blocks that the runtime's own float convolutions repack at a time, all threads; measured.
_FLOAT_BLOCKS = 2_500_000
#: The same for integers in tflite-runtime; measured.
_OLD_BLOCKS = 1_300_000


@dataclass(frozen=True, kw_only=True)
class MemoryForecast(Document):
    """Predicted growth of a process's resident memory.

    Attributes:
        predicted: True.
        runtime: "litert" or "tflite-runtime".
        delegate: "xnnpack", or None for the runtime's own kernels.
        models: How many models run in the process.
        weights_bytes: Of the mapped file.
        packed_weights_bytes: Second copy of the weights, in the kernels' layout.
        arena_bytes: Activations, inputs and outputs, scratch space.
        tables_bytes: Address tables of convolutions; copies of scales and zero points.
        runtime_bytes: The runtime itself.
        total_bytes: The sum.
        notes: What the numbers leave out.
    """

    predicted: bool
    runtime: str
    delegate: str | None
    models: int
    weights_bytes: int
    packed_weights_bytes: int
    arena_bytes: int
    tables_bytes: int
    runtime_bytes: int
    total_bytes: int
    notes: tuple[str, ...] = ()


def forecast_memory(
    path: Path, *, runtime: str = "litert", delegate: str | None = "xnnpack", threads: int = 2
) -> MemoryForecast:
    """Predict the growth of a process that opens a model with one interpreter and runs it.

    Args:
        path: The .tflite.
        runtime: "litert" or "tflite-runtime".
        delegate: "xnnpack" (both runtimes' default), or None for the runtime's own kernels.
        threads: CPU threads, 1 or more; the runtime's own convolutions keep one copy of their weights more
            where there are several.

    Raises:
        ModelError: The file cannot be read.
        ConfigError: An unknown runtime or delegate.
    """
    if runtime not in RUNTIME_BYTES:
        raise ConfigError(f"no runtime called {runtime!r}", why="runtimes: " + ", ".join(RUNTIME_BYTES))
    if delegate not in (None, "xnnpack"):
        raise ConfigError(
            f"memory with the delegate {delegate!r} cannot be predicted",
            why="its memory is the vendor's driver's; xnnpack and the CPU can be",
        )
    file = read_tflite(path)
    prepared = prepare(path, file)
    parts = _stretches(prepared, delegate, runtime)
    packed = arena = tables = 0
    workspace = 0
    outside = _borders(prepared, parts)
    for part in parts:
        if part.taken:
            workspace = max(workspace, arena_bytes(_inside(prepared, part, outside, threads, runtime)))
        for position in part.nodes:
            packed += packed_bytes(prepared, position, xnnpack=part.taken, threads=threads)
            tables += table_bytes(prepared, position, xnnpack=part.taken)
    arena = workspace + arena_bytes(_shared(prepared, parts, outside, threads))
    on_cpu = [position for part in parts if not part.taken for position in part.nodes]
    # The newer XNNPACK drops what it has unpacked from float16 once it is packed; all else is kept.
    packed += unpacked_bytes(prepared, halves=delegate is None or runtime == "tflite-runtime")
    arena += _multiplier(prepared, on_cpu, runtime)
    tables += sum(tensor.scales for tensor in prepared.graph.tensors) * 16
    own = RUNTIME_BYTES[runtime] + _BYTES_PER_NODE * len(prepared.graph.nodes)
    notes = []
    if prepared.computed:
        notes.append("some tensors get their size when the model runs; they count with free sizes as 1")
    if any(
        size is None
        for number in prepared.graph.inputs
        for size in prepared.graph.tensors[number].shape or ()
    ):
        notes.append("free sizes count as 1; a larger batch needs more")
    if len(file.graphs) > 1:
        notes.append("the graph of the default signature alone is counted")
    return MemoryForecast(
        predicted=True,
        runtime=runtime,
        delegate=delegate,
        models=1,
        weights_bytes=file.size_bytes,
        packed_weights_bytes=packed,
        arena_bytes=arena,
        tables_bytes=tables,
        runtime_bytes=own,
        total_bytes=file.size_bytes + packed + arena + tables + own,
        notes=tuple(notes),
    )


def forecast_together(forecasts: Sequence[MemoryForecast]) -> MemoryForecast:
    """Predict the growth of one process that runs several models, one interpreter each.

    Everything adds up but the runtime, which is loaded once.

    Raises:
        ConfigError: None are given, or they are for different runtimes.
    """
    if not forecasts:
        raise ConfigError("no models to add up")
    runtimes = sorted({item.runtime for item in forecasts})
    if len(runtimes) > 1:
        raise ConfigError("one process runs one runtime", why=f"these are for {' and '.join(runtimes)}")
    base = RUNTIME_BYTES[runtimes[0]]
    own = base + sum(item.runtime_bytes - base for item in forecasts)
    delegates = {item.delegate for item in forecasts}
    weights = sum(item.weights_bytes for item in forecasts)
    packed = sum(item.packed_weights_bytes for item in forecasts)
    arena = sum(item.arena_bytes for item in forecasts)
    tables = sum(item.tables_bytes for item in forecasts)
    return MemoryForecast(
        predicted=True,
        runtime=runtimes[0],
        delegate=delegates.pop() if len(delegates) == 1 else None,
        models=sum(item.models for item in forecasts),
        weights_bytes=weights,
        packed_weights_bytes=packed,
        arena_bytes=arena,
        tables_bytes=tables,
        runtime_bytes=own,
        total_bytes=own + weights + packed + arena + tables,
        notes=tuple(dict.fromkeys(note for item in forecasts for note in item.notes)),
    )


def _multiplier(prepared: Prepared, on_cpu: Sequence[int], runtime: str) -> int:
    """Return what matrix multiplication outside of a delegate allocates beside the arena; see memory.md."""
    kinds = {
        position: kind_of(prepared.graph.nodes[position], prepared.graph, prepared.origin)
        for position in on_cpu
        if prepared.graph.nodes[position].op == "CONV_2D"
    }
    if not kinds:
        return 0
    largest = max(multiplier_bytes(prepared, position) for position in kinds)
    if any(kind == "float32" for kind in kinds.values()):
        return min(_FLOAT_BLOCKS, largest)
    return largest if runtime == "litert" else _OLD_BLOCKS + 2 * largest


def _stretches(prepared: Prepared, delegate: str | None, runtime: str) -> tuple[Stretch, ...]:
    rules = load_rules(delegate, runtime) if delegate else None
    if rules is None:
        return (Stretch(False, tuple(range(len(prepared.graph.nodes)))),)
    return predict(prepared, rules).stretches


def _borders(prepared: Prepared, parts: Sequence[Stretch]) -> frozenset[int]:
    """Return the computed tensors that the interpreter keeps: all but those inside one taken stretch."""
    graph = prepared.graph
    home = {position: number for number, part in enumerate(parts) for position in part.nodes}
    maker = {out: position for position, node in enumerate(graph.nodes) for out in node.outputs}
    found = {number for number in (*graph.inputs, *graph.outputs) if number >= 0}
    for position, node in enumerate(graph.nodes):
        if not parts[home[position]].taken:
            found.update(number for number in (*node.inputs, *node.outputs) if number >= 0)
            continue
        for number in node.inputs:
            if number in maker and home[maker[number]] != home[position]:
                found.add(number)
    return frozenset(number for number in found if not graph.tensors[number].constant_bytes)


def _inside(
    prepared: Prepared, part: Stretch, outside: frozenset[int], threads: int, runtime: str
) -> Iterator[Lifetime]:
    """Yield the lifetimes of the tensors in a delegate's workspace."""
    graph = prepared.graph
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for step, position in enumerate(part.nodes):
        node = graph.nodes[position]
        for number in node.outputs:
            first.setdefault(number, step)
            last[number] = step
        for number in node.inputs:
            if number in first:
                # The older XNNPACK never gives back what it has added; measured on ResNet-152.
                kept = runtime == "tflite-runtime" and node.op == "ADD"
                last[number] = len(part.nodes) if kept else max(last[number], step)
        scratch = scratch_bytes(prepared, position, xnnpack=True, threads=threads)
        if scratch:
            yield Lifetime(scratch, step, step)
    for number, start in first.items():
        if number not in outside and number not in prepared.origin:
            yield Lifetime(tensor_bytes(graph.tensors[number]), start, last[number])


def _shared(
    prepared: Prepared, parts: Sequence[Stretch], outside: frozenset[int], threads: int
) -> Iterator[Lifetime]:
    """Yield the lifetimes of the tensors in the interpreter's own arena."""
    graph = prepared.graph
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    step = -1
    for part in parts:
        for group in [part.nodes] if part.taken else [(position,) for position in part.nodes]:
            step += 1
            for position in group:
                node = graph.nodes[position]
                for number in (*node.outputs, *node.inputs):
                    if number in outside:
                        first.setdefault(number, step)
                        last[number] = step
                if not part.taken:
                    scratch = scratch_bytes(prepared, position, xnnpack=False, threads=threads)
                    if scratch:
                        yield Lifetime(scratch, step, step)
    kept = {*graph.inputs, *graph.outputs}
    for number in outside:
        if number in prepared.origin:
            continue  # unpacked once and kept, beside the arena
        start = 0 if number in graph.inputs else first.get(number, 0)
        end = step if number in kept else last.get(number, step)
        yield Lifetime(tensor_bytes(graph.tensors[number]), start, end)

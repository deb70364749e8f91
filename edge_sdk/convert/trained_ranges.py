"""Reads the ranges of quantization-aware training out of a converted model.

The converter writes fake-quantization into a float .tflite as pairs QUANTIZE, DEQUANTIZE. Here each pair is
taken out again, and what it says is kept:
- behind a weight: the weight gets the values that were trained, on their grid, so that every later
  quantization with the same scale finds exactly them;
- behind an activation: the tensor's `quantization.min` and `.max` hold the trained range. The format has
  these fields for this purpose; runtimes ignore them, and `quantize/ranges.py` prefers them to measured ones.

The result is a plain float model that every recipe can start from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.quantize.flatfile import read_flatfile, write_flatfile

_QUANTIZE, _DEQUANTIZE = 114, 6
_FLOAT32, _UINT8, _INT8, _INT16 = 0, 3, 9, 7
_LIMITS = {_UINT8: (0, 255, np.uint8), _INT8: (-128, 127, np.int8), _INT16: (-32768, 32767, np.int16)}


def take_trained_ranges(content: bytes) -> bytes:
    """Return the file without pairs of QUANTIZE and DEQUANTIZE; the same bytes where there are none."""
    model = read_flatfile(content)
    found = False
    for graph in model.subgraphs:
        found = _Graph(model, graph).take() or found
    return write_flatfile(model) if found else content


class _Graph:
    """One graph of a model."""

    def __init__(self, model: Any, graph: Any) -> None:
        self._model = model
        self._graph = graph
        self._codes = [
            max(int(item.builtinCode), int(item.deprecatedBuiltinCode)) for item in model.operatorCodes
        ]

    def take(self) -> bool:
        """Take the pairs out; return whether there were any."""
        graph = self._graph
        makers = {int(out): op for op in graph.operators for out in op.outputs}
        replaced: dict[int, int] = {}
        dropped: set[int] = set()
        for op in graph.operators:
            if self._codes[op.opcodeIndex] != _DEQUANTIZE:
                continue
            maker = makers.get(int(op.inputs[0]))
            if maker is None or self._codes[maker.opcodeIndex] != _QUANTIZE:
                continue
            source, middle, result = int(maker.inputs[0]), int(op.inputs[0]), int(op.outputs[0])
            stored = graph.tensors[middle]
            if graph.tensors[source].type != _FLOAT32 or stored.type not in _LIMITS:
                continue
            replaced[result] = source
            dropped.update((id(op), id(maker)))
            data = self._model.buffers[graph.tensors[source].buffer].data
            if data is not None and len(data):
                self._put_on_grid(graph.tensors[source], stored)
            else:
                self._note_range(graph.tensors[source], stored)
        if not replaced:
            return False
        # A quantized tensor that something else reads, too, keeps its QUANTIZE.
        kept = [op for op in graph.operators if id(op) not in dropped]
        read = {int(index) for op in kept for index in op.inputs} | {int(index) for index in graph.outputs}
        graph.operators = [
            op
            for op in graph.operators
            if id(op) not in dropped
            or (self._codes[op.opcodeIndex] == _QUANTIZE and int(op.outputs[0]) in read)
        ]
        self._rename(replaced)
        return True

    def _rename(self, replaced: dict[int, int]) -> None:
        def final(index: int) -> int:
            while index in replaced:
                index = replaced[index]
            return index

        graph = self._graph
        for op in graph.operators:
            op.inputs = np.asarray([final(int(index)) for index in op.inputs], np.int32)
        number = self._model.subgraphs.index(graph)
        signatures = [item for item in self._model.signatureDefs or () if item.subgraphIndex == number]
        outputs = []
        for index in map(int, graph.outputs):
            source = final(index)
            if source != index:
                # Callers and tests know an output by its tensor's name.
                graph.tensors[source].name = graph.tensors[index].name
                for signature in signatures:
                    for entry in signature.outputs:
                        if entry.tensorIndex == index:
                            entry.tensorIndex = source
            outputs.append(source)
        graph.outputs = np.asarray(outputs, np.int32)
        self._drop_unused(signatures)

    def _drop_unused(self, signatures: Any) -> None:
        """Renumber the tensors: the ones between the pairs are gone, and what is integer must not stay."""
        graph = self._graph
        used = sorted(
            {
                int(i)
                for op in graph.operators
                for i in (*op.inputs, *op.outputs, *(op.intermediates or ()))
                if i >= 0
            }
            | {int(i) for i in (*graph.inputs, *graph.outputs)}
        )
        place = {old: new for new, old in enumerate(used)}
        place[-1] = -1
        graph.tensors = [graph.tensors[index] for index in used]

        def moved(indices: Any) -> Any:
            return np.asarray([place[int(index)] for index in indices], np.int32)

        for op in graph.operators:
            op.inputs, op.outputs = moved(op.inputs), moved(op.outputs)
            if op.intermediates is not None and len(op.intermediates):
                op.intermediates = moved(op.intermediates)
        graph.inputs, graph.outputs = moved(graph.inputs), moved(graph.outputs)
        for signature in signatures:
            for entry in (*signature.inputs, *signature.outputs):
                entry.tensorIndex = place[int(entry.tensorIndex)]

    def _put_on_grid(self, weight: Any, stored: Any) -> None:
        buffer = self._model.buffers[weight.buffer]
        values = np.frombuffer(bytes(bytearray(buffer.data)), np.float32)
        shape = [int(size) for size in weight.shape] if weight.shape is not None else []
        values = values.reshape(shape)
        lowest, highest, _ = _LIMITS[stored.type]
        scale, zero = self._grid(stored, values.ndim)
        grid = np.clip(np.round(values / scale) + zero, lowest, highest)
        fresh = ((grid - zero) * scale).astype(np.float32)
        # A weight that two operators share is on its grid already the second time.
        buffer.data = np.frombuffer(fresh.tobytes(), np.uint8)

    def _grid(self, stored: Any, rank: int) -> tuple[Any, Any]:
        quantization = stored.quantization
        scale = np.asarray(quantization.scale, np.float32)
        zero = np.asarray(quantization.zeroPoint, np.float32)
        if scale.size == 1:
            return scale[0], zero[0]
        sizes = [1] * rank
        sizes[int(quantization.quantizedDimension)] = scale.size
        return scale.reshape(sizes), zero.reshape(sizes)

    def _note_range(self, tensor: Any, stored: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema

        lowest, highest, _ = _LIMITS[stored.type]
        scale, zero = self._grid(stored, 0)
        quantization = schema.QuantizationParametersT()
        quantization.min = [float((lowest - zero) * scale)]
        quantization.max = [float((highest - zero) * scale)]
        tensor.quantization = quantization

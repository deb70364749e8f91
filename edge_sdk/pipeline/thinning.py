"""Changes the weights of a float `.tflite` as pruning or clustering would, without any training.

The result answers worse than a trained model, but it has the same size, the same compressed size and the
same speed: enough to say what an effort of hours will give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.quantize.flatfile import read_flatfile, write_flatfile
from edge_sdk.quantize.writing import write_atomically

#: Operators whose weights are pruned and clustered (second input, first for a transposed convolution too).
_CONV_2D, _FULLY_CONNECTED, _TRANSPOSE_CONV = 3, 9, 67
_FLOAT32 = 0
_ROUNDS = 12


def thin(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write a thinned copy of a model. Runs in a worker.

    Args:
        arguments: source, destination, sparsity (share of zeros per kernel, or None), clusters (values per
            kernel, or None).

    Returns:
        {"weights": elements of all kernels, "zeros": how many are 0 now}.

    Raises:
        ModelError: The source is damaged.
    """
    model = read_flatfile(Path(arguments["source"]))
    codes = [max(int(item.builtinCode), int(item.deprecatedBuiltinCode)) for item in model.operatorCodes]
    weights = zeros = 0
    done: set[int] = set()
    for graph in model.subgraphs:
        for operator in graph.operators:
            if codes[operator.opcodeIndex] not in (_CONV_2D, _FULLY_CONNECTED, _TRANSPOSE_CONV):
                continue
            tensor = graph.tensors[operator.inputs[1]]
            buffer = model.buffers[tensor.buffer]
            if (
                tensor.type != _FLOAT32
                or buffer.data is None
                or not len(buffer.data)
                or tensor.buffer in done
            ):
                continue
            done.add(tensor.buffer)
            values = np.frombuffer(bytes(bytearray(buffer.data)), np.float32).copy()
            if arguments["sparsity"] is not None:
                prune(values, float(arguments["sparsity"]))
            if arguments["clusters"] is not None:
                values = cluster(values, int(arguments["clusters"]))
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            weights += values.size
            zeros += int((values == 0).sum())
    write_atomically(Path(arguments["destination"]), write_flatfile(model))
    return {"weights": weights, "zeros": zeros}


def prune(values: NDArray[np.float32], sparsity: float) -> None:
    """Set the share `sparsity` of the smallest values to zero, in place."""
    count = round(values.size * sparsity)
    if count:
        values[np.argpartition(np.abs(values), count - 1)[:count]] = 0


def cluster(values: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    """Return the values replaced by the nearest of `clusters` centers; zeros stay zeros."""
    chosen = values != 0
    rest = values[chosen]
    wanted = clusters if chosen.all() else clusters - 1
    if np.unique(rest).size <= wanted:
        return values
    centers = np.linspace(rest.min(), rest.max(), wanted, dtype=np.float32)
    for _ in range(_ROUNDS):
        nearest = _nearest(rest, centers)
        sums = np.bincount(nearest, rest, wanted)
        counts = np.bincount(nearest, minlength=wanted)
        centers = np.sort(np.where(counts > 0, sums / np.maximum(counts, 1), centers)).astype(np.float32)
    result: NDArray[np.float32] = values.copy()
    result[chosen] = centers[_nearest(rest, centers)]
    return result


def _nearest(values: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.intp]:
    found: NDArray[np.intp] = np.searchsorted((centers[1:] + centers[:-1]) / 2, values)
    return found

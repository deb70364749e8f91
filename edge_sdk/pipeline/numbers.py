"""Measures `.tflite` files side by side: size, compressed size, metric, latency. Runs in a worker."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.convert.child import stage
from edge_sdk.errors import ConfigError

_FLOAT32, _INT8 = 0, 9
_WEIGHT_BYTES = 64
#: Rounds of the race, and milliseconds that one file has in one round.
_ROUNDS, _TURN_MS, _MOST_CALLS = 15, 25.0, 10
#: Samples that the metric is measured on.
SAMPLES = 1000


def measure(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Measure files on the same samples; latencies in turns, so that a busy machine is unfair to none.

    Args:
        arguments: files ({label: path}), samples (.npz), labels (.npy or None), judged (labels of the files
            whose metric is wanted).

    Returns:
        By label, {"bytes", "gzip_bytes", "zeros", "metric", "metric_name", "latency_ms"}; the latency is the
        median of one call of `Runner.predict` on one thread.

    Raises:
        EdgeError: A file cannot be run.
    """
    from edge_sdk.runtime.runner import Runner

    files = {label: Path(path) for label, path in arguments["files"].items()}
    with np.load(arguments["samples"], allow_pickle=False) as archive:
        inputs = {name: archive[name][:SAMPLES] for name in archive.files}
    labels = None
    if arguments["labels"] is not None:
        labels = np.load(arguments["labels"], allow_pickle=False)[:SAMPLES]
    result: dict[str, Any] = {}
    runners = {label: Runner.open(path, threads=1) for label, path in files.items()}
    try:
        for label, runner in runners.items():
            stage("measure", label)
            content = files[label].read_bytes()
            name, metric = (None, None)
            if label in arguments["judged"]:
                name, metric = _metric(runner, inputs, labels)
            result[label] = {
                "bytes": len(content),
                # Level 9 and no time: the same file gives the same figure.
                "gzip_bytes": len(gzip.compress(content, 9, mtime=0)),
                "zeros": zeros_in(content),
                "metric": metric,
                "metric_name": name,
            }
        stage("measure", "latency")
        for label, latency in _race(runners, inputs).items():
            result[label]["latency_ms"] = latency
    finally:
        for runner in runners.values():
            runner.close()
    return result


def zeros_in(content: bytes) -> float | None:
    """Return the share of zeros among the weights of a `.tflite` file, or None where it has none."""
    from edge_sdk.quantize.flatfile import read_flatfile

    model = read_flatfile(content)
    zeros = total = 0
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            kind = {_FLOAT32: np.float32, _INT8: np.int8}.get(tensor.type)
            # Shorter ones are scales and biases.
            if kind is None or data is None or len(data) < _WEIGHT_BYTES or len(tensor.shape) < 2:
                continue
            values = np.frombuffer(bytes(bytearray(data)), kind)
            zeros, total = zeros + int((values == 0).sum()), total + values.size
    return zeros / total if total else None


def _feed(runner: Any, inputs: Mapping[str, Any], index: int) -> dict[str, Any]:
    from edge_sdk.quantize.samples import whole_sample

    signature = runner.signature
    if len(signature.inputs) == 1 and len(inputs) == 1:
        return {
            signature.inputs[0].name: whole_sample(signature.inputs[0], next(iter(inputs.values()))[index])
        }
    return {spec.name: whole_sample(spec, inputs[spec.name][index]) for spec in signature.inputs}


def _metric(runner: Any, inputs: Mapping[str, Any], labels: Any) -> tuple[str | None, float | None]:
    from edge_sdk.optimize.objective import choose_objective

    if labels is None or len(runner.signature.outputs) != 1:
        return None, None
    name = runner.signature.outputs[0].name
    answers = []
    for index in range(len(labels)):
        if index % 50 == 0:
            stage("measure", "accuracy", index / len(labels))
        answer = runner.predict(_feed(runner, inputs, index))[name]
        answers.append(answer[0] if answer.ndim and answer.shape[0] == 1 else answer)
    stacked = np.stack(answers)
    try:
        objective = choose_objective("auto", labels, [stacked], [name])
    except ConfigError:
        return None, None
    return objective.metric, objective.measure([stacked], objective.targets(labels, [stacked]))


def _race(runners: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, float]:
    feeds = {label: _feed(runner, inputs, 0) for label, runner in runners.items()}
    times: dict[str, list[float]] = {label: [] for label in runners}
    calls = {}
    for label, runner in runners.items():
        runner.predict(feeds[label])
        start = time.perf_counter()
        runner.predict(feeds[label])
        once = (time.perf_counter() - start) * 1e3
        calls[label] = max(1, min(_MOST_CALLS, int(_TURN_MS / max(once, 1e-3))))
    for _ in range(_ROUNDS):
        for label, runner in runners.items():
            for _ in range(calls[label]):
                start = time.perf_counter()
                runner.predict(feeds[label])
                times[label].append((time.perf_counter() - start) * 1e3)
    return {label: round(float(np.median(found)), 4) for label, found in times.items()}

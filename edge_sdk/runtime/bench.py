"""Measures a runner: latency of `predict`, and the memory of the whole process at its peak."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Signature
from edge_sdk.errors import ConfigError
from edge_sdk.runtime.interpreter import RuntimeInfo
from edge_sdk.runtime.runner import Runner


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call; percentiles are interpolated linearly."""

    p50: float
    p90: float
    p99: float
    mean: float
    min: float


@dataclass(frozen=True)
class BenchResult:
    """What was measured.

    Attributes:
        runs: Calls that were timed.
        latency_ms: Of `Runner.predict`, quantization included, preprocessing not.
        peak_memory_bytes: Largest resident size this process ever had; None where the system does not tell.
        runtime: The runtime.
        delegate: The delegate that ran.
        threads: CPU threads.
        variant: The variant.
    """

    runs: int
    latency_ms: Latency
    peak_memory_bytes: int | None
    runtime: RuntimeInfo
    delegate: str
    threads: int
    variant: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "runs": self.runs,
            "latency_ms": {name: round(value, 4) for name, value in vars(self.latency_ms).items()},
            "peak_memory_bytes": self.peak_memory_bytes,
            "runtime": self.runtime.to_dict(),
            "delegate": self.delegate,
            "threads": self.threads,
            "variant": self.variant,
        }


def bench(
    runner: Runner,
    *,
    runs: int = 200,
    warmup: int = 10,
    inputs: Mapping[str, Any] | None = None,
    seconds: float | None = None,
) -> BenchResult:
    """Call `predict` again and again and time each call.

    Args:
        runner: Open.
        runs: Calls to time.
        warmup: Calls before that, not timed.
        inputs: Tensors; else `sample_inputs`.
        seconds: Stop after this long even if there were fewer runs; at least one is timed.

    Raises:
        ConfigError: Numbers that make no sense.
        EdgeError: Whatever `predict` raises.
    """
    if runs < 1 or warmup < 0 or (seconds is not None and seconds <= 0):
        raise ConfigError("a benchmark needs at least 1 run, 0 or more for warm-up, and a positive time")
    tensors = dict(inputs) if inputs is not None else sample_inputs(runner.signature)
    for _ in range(warmup):
        runner.predict(tensors)
    clock = time.perf_counter
    end = clock() + seconds if seconds is not None else None
    times = []
    for _ in range(runs):
        start = clock()
        runner.predict(tensors)
        done = clock()
        times.append((done - start) * 1e3)
        if end is not None and done >= end:
            break
    return BenchResult(
        runs=len(times),
        latency_ms=summarize(times),
        peak_memory_bytes=peak_memory_bytes(),
        runtime=runner.runtime,
        delegate=runner.delegate,
        threads=runner.threads,
        variant=runner.variant,
    )


def summarize(times: list[float]) -> Latency:
    """Summarize times in milliseconds."""
    p50, p90, p99 = (float(value) for value in np.percentile(times, [50, 90, 99]))
    return Latency(p50=p50, p90=p90, p99=p99, mean=float(np.mean(times)), min=float(min(times)))


def sample_inputs(signature: Signature) -> dict[str, np.ndarray]:
    """Return tensors that a model accepts, the same every time; free sizes are 1.

    Floats are random in [0, 1); integers are zero, since they may be indices into a table.
    """
    generator = np.random.default_rng(0)
    out: dict[str, np.ndarray] = {}
    for spec in signature.inputs:
        shape = tuple(1 if size is None else size for size in spec.shape or ())
        dtype = np.dtype(spec.dtype)
        out[spec.name] = (
            generator.random(shape).astype(dtype) if dtype.kind in "fc" else np.zeros(shape, dtype)
        )
    return out


def peak_memory_bytes() -> int | None:
    """Return the largest resident size this process ever had; None where the system does not tell.

    From VmHWM: unlike getrusage's figure it starts anew with the program and does not hold the parent's.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None

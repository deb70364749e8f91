from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.errors import ConfigError
from edge_sdk.runtime.bench import bench, peak_memory_bytes, sample_inputs, summarize
from edge_sdk.runtime.runner import Runner


def test_measures_real_calls(models: Path) -> None:
    with Runner.open(models / "conv_int8.tflite") as runner:
        result = bench(runner, runs=50, warmup=2)
    latency = result.latency_ms
    assert result.runs == 50
    assert 0 < latency.min <= latency.p50 <= latency.p90 <= latency.p99
    assert result.peak_memory_bytes is not None
    assert result.peak_memory_bytes > 10_000_000
    data = result.to_dict()
    assert set(data) == {
        "runs", "latency_ms", "peak_memory_bytes", "runtime", "delegate", "threads", "variant",
    }  # fmt: skip
    assert set(data["latency_ms"]) == {"p50", "p90", "p99", "mean", "min"}


def test_stops_by_time(models: Path) -> None:
    with Runner.open(models / "conv_float.tflite") as runner:
        assert 1 <= bench(runner, runs=10**9, warmup=0, seconds=0.02).runs < 10**6


@pytest.mark.parametrize("options", [{"runs": 0}, {"warmup": -1}, {"seconds": 0.0}])
def test_refuses_nonsense(models: Path, options: dict[str, float]) -> None:
    with Runner.open(models / "conv_float.tflite") as runner, pytest.raises(ConfigError):
        bench(runner, **options)  # type: ignore[arg-type]


def test_percentiles() -> None:
    latency = summarize([float(value) for value in range(1, 102)])
    assert (latency.p50, latency.p90, latency.p99, latency.mean, latency.min) == (51, 91, 100, 51, 1)


def test_sample_inputs_are_the_same_every_time() -> None:
    signature = Signature(
        name="s",
        inputs=(
            TensorSpec(name="x", dtype="float32", shape=(None, 3)),
            TensorSpec(name="i", dtype="int32", shape=(2,)),
            TensorSpec(name="b", dtype="bool", shape=()),
        ),
        outputs=(),
    )
    first, second = sample_inputs(signature), sample_inputs(signature)
    assert {name: (value.dtype.name, value.shape) for name, value in first.items()} == {
        "x": ("float32", (1, 3)),
        "i": ("int32", (2,)),
        "b": ("bool", ()),
    }
    np.testing.assert_array_equal(first["x"], second["x"])
    assert first["i"].tolist() == [0, 0]


def test_peak_memory_is_of_this_process() -> None:
    before = peak_memory_bytes()
    block = np.ones(40_000_000, np.uint8)
    after = peak_memory_bytes()
    assert before is not None
    assert after is not None
    assert after >= before
    assert block.nbytes < after

"""Predictions: thinned weights have the promised zeros and values, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.pipeline.numbers import measure
from edge_sdk.pipeline.thinning import cluster, prune, thin


def test_the_smallest_values_go() -> None:
    values = np.linspace(-1, 1, 101, dtype=np.float32)
    prune(values, 0.8)
    assert (values == 0).sum() == 81
    assert np.abs(values[values != 0]).min() > 0.79


@pytest.mark.parametrize("clusters", [4, 16, 256])
def test_few_values_are_left_and_zeros_stay(clusters: int) -> None:
    values = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    prune(values, 0.5)
    few = cluster(values, clusters)
    assert np.unique(few).size <= clusters
    assert ((few == 0) >= (values == 0)).all()
    assert np.abs(few - values).mean() < np.abs(values).mean()


def test_a_thinned_file_compresses_better_and_runs(models: Path, tmp_path: Path) -> None:
    source, thinned = models / "conv_float.tflite", tmp_path / "thin.tflite"
    done = thin({"source": str(source), "destination": str(thinned), "sparsity": 0.8, "clusters": None})
    assert 0.78 < done["zeros"] / done["weights"] < 0.82
    assert read_tflite(thinned).op_versions == read_tflite(source).op_versions
    images = np.random.default_rng(0).uniform(0, 1, (4, 16, 16, 3)).astype(np.float32)
    np.savez(tmp_path / "x.npz", image=images)
    np.save(tmp_path / "y.npy", np.arange(4))
    found = measure(
        {
            "files": {"now": str(source), "thin": str(thinned)},
            "samples": str(tmp_path / "x.npz"),
            "labels": str(tmp_path / "y.npy"),
            "judged": ["now"],
        }
    )
    assert found["thin"]["gzip_bytes"] < found["now"]["gzip_bytes"]
    assert found["thin"]["latency_ms"] > 0
    assert found["thin"]["zeros"] > 0.5 > 0.1 > found["now"]["zeros"]
    assert 0 <= found["now"]["metric"] <= 1
    assert found["thin"]["metric"] is None

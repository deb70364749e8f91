"""The whole loop on MNIST digits: optimize, build, compare. Minutes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]


@pytest.fixture(autouse=True)
def shared_folder(own_folder: Path, digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder for all: the source is converted once. After `own_folder`, which would win otherwise."""
    monkeypatch.chdir(digits)


def _edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_sdk.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=570)


def _optimize(digits: Path, *options: str, data: str = "train.npz") -> dict[str, Any]:
    done = _edge(
        "optimize",
        str(digits / "digits.keras"),
        "--train",
        str(digits / data),
        "--evaluation",
        str(digits / "test.npz"),
        "--json",
        *options,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _build(digits: Path, model: str, *recipes: str) -> dict[str, Any]:
    done = _edge(
        "build",
        model,
        *(word for recipe in recipes for word in ("-r", recipe)),
        "--calibration",
        str(digits / "small.npz"),
        "--evaluation",
        str(digits / "test.npz"),
        "--name",
        "digits",
        "--json",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return {item["id"]: item for item in found["variants"]}


def test_pruned_to_80_percent_within_a_point_and_smaller(digits: Path) -> None:
    found = _optimize(digits, "--method", "prune", "--epochs", "8")
    before, after = found["before"], found["after"]
    (stage,) = found["training"]["stages"]
    assert stage["sparsity"] == pytest.approx(0.8, abs=0.005)
    assert before["int8"]["metric"] - after["int8"]["metric"] <= 0.01
    assert after["int8"]["gzip_bytes"] <= 0.5 * before["int8"]["gzip_bytes"]
    assert after["float32"]["gzip_bytes"] <= 0.4 * before["float32"]["gzip_bytes"]
    # The prediction, made without training, was about right.
    predicted = found["advice"]["predicted"]["int8"]["gzip_bytes"]
    assert predicted == pytest.approx(after["int8"]["gzip_bytes"], rel=0.1)
    assert after["int8"]["bytes"] == pytest.approx(before["int8"]["bytes"], rel=0.02)
    built = _build(digits, found["output"], "float32", "full_int8")
    assert built["full_int8"]["verdict"] == "passed"
    assert before["int8"]["metric"] - built["full_int8"]["metric"] <= 0.01


def test_what_qat_trains_is_what_the_build_uses(digits: Path) -> None:
    found = _optimize(digits, "--method", "qat", "--epochs", "1", data="small.npz")
    built = _build(digits, found["output"], "full_int8", "float32")
    assert found["before"]["float32"]["metric"] - built["full_int8"]["metric"] <= 0.01
    assert built["full_int8"]["agreement"] >= 0.98
    # The scale of every activation that was trained is the trained range divided by 255 steps.
    trained = _trained_ranges(Path(built["float32"]["path"]))
    assert len(trained) >= 5
    scales = _scales(Path(built["full_int8"]["path"]))
    for name, (low, high) in trained.items():
        found_scale = scales.get(name) or scales[f"{name}_quantized"]
        assert found_scale == pytest.approx((high - low) / 255, rel=1e-3), name


def _scales(path: Path) -> dict[str, float]:
    from edge_sdk.quantize.flatfile import read_flatfile

    return {
        tensor.name.decode(): float(tensor.quantization.scale[0])
        for tensor in read_flatfile(path).subgraphs[0].tensors
        if tensor.quantization is not None
        and tensor.quantization.scale is not None
        and len(tensor.quantization.scale) == 1
    }


def _trained_ranges(path: Path) -> dict[str, tuple[float, float]]:
    from edge_sdk.quantize.flatfile import read_flatfile

    return {
        tensor.name.decode(): (float(tensor.quantization.min[0]), float(tensor.quantization.max[0]))
        for tensor in read_flatfile(path).subgraphs[0].tensors
        if tensor.quantization is not None and tensor.quantization.min is not None
    }


def test_all_three_keep_zeros_and_clusters(digits: Path) -> None:
    found = _optimize(
        digits,
        "-m",
        "prune",
        "-m",
        "cluster",
        "-m",
        "qat",
        "--epochs",
        "2",
        "--sparsity",
        "0.6",
        data="small.npz",
    )
    prune, cluster, qat = found["training"]["stages"]
    assert [prune["method"], cluster["method"], qat["method"]] == ["prune", "cluster", "qat"]
    assert cluster["sparsity"] >= prune["sparsity"] - 1e-3
    assert cluster["clusters"] <= 16
    # In the finished int8 file the zeros are still there.
    assert found["after"]["int8"]["zeros"] >= 0.58
    assert found["after"]["int8"]["gzip_bytes"] < 0.6 * found["before"]["int8"]["gzip_bytes"]


def test_ctrl_c_and_on_from_the_last_epoch(digits: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "edge_sdk.cli.main",
        "optimize",
        str(digits / "digits.keras"),
        "--train",
        str(digits / "small.npz"),
        "--evaluation",
        str(digits / "test.npz"),
        "--epochs",
        "8",
        "--name",
        "stopped",
    ]
    with Path("stderr").open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = time.monotonic() + 240
        while "epoch 2 of 8: loss" not in Path("stderr").read_text():
            assert process.poll() is None, Path("stderr").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert "goes on after the last whole epoch" in Path("stderr").read_text()
    assert not list(digits.glob("optimized/stopped*"))
    state = max(digits.glob(".edge/optimize/*/state.json"), key=lambda path: path.stat().st_mtime)
    reached = json.loads(state.read_text())
    assert 2 <= reached["epoch"] < 8
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    (stage,) = found["training"]["stages"]
    assert found["training"]["resumed_from"] == f"prune, epoch {reached['epoch']} of 8"
    assert stage["history"][: reached["epoch"]] == reached["history"]
    assert [item["epoch"] for item in stage["history"]] == list(range(1, 9))
    # The schedule went on, too: it did not start over, and it reached its end.
    assert stage["sparsity"] == pytest.approx(0.8, abs=0.005)
    assert f"epoch {reached['epoch']} of 8: loss" not in done.stderr

"""What `Runner.predict` costs over a bare loop of set_tensor, invoke, get_tensor.

    python benchmarks/runner_overhead.py [--runs 400]

Same runtime, file, threads and input; the two are called in turns, in changing order.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import mobilenet_v2, table, verdict
from edge_sdk.runtime.interpreter import RUNTIMES
from edge_sdk.runtime.runner import Runner

BAR = 1.05


def measure(path: Path, *, runs: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Return milliseconds of the bare loop and of the runner, one a run."""
    import importlib

    runner = Runner.open(path, threads=threads)
    module = importlib.import_module(RUNTIMES[runner.runtime.name].module)
    interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    (spec,), (output,) = runner.signature.inputs, runner.signature.outputs
    image = np.random.default_rng(0).random(entry["shape"], dtype=np.float32)
    into, out_of = entry["index"], result["index"]

    def bare() -> np.ndarray:
        interpreter.set_tensor(into, image)
        interpreter.invoke()
        return interpreter.get_tensor(out_of)

    def ours() -> np.ndarray:
        return runner.predict({spec.name: image})[output.name]

    np.testing.assert_array_equal(bare(), ours())
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    calls = [("bare", bare), ("ours", ours)]
    for run in range(runs + 20):
        for name, call in calls if run % 2 else reversed(calls):
            start = time.perf_counter()
            call()
            if run >= 20:
                times[name].append((time.perf_counter() - start) * 1e3)
    runner.close()
    return np.array(times["bare"]), np.array(times["ours"])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    _, mobilenet = mobilenet_v2()
    tiny = Path(__file__).parent.parent / "tests" / "data" / "models" / "conv_float.tflite"
    rows, met = [], True
    for label, path, threads, count in (
        ("MobileNetV2 float", mobilenet, 2, runs),
        ("MobileNetV2 float", mobilenet, 1, runs),
        ("tiny convolution", tiny, 1, runs * 5),
    ):
        bare, ours = measure(path, runs=count, threads=threads)
        ratio = float(np.median(ours) / np.median(bare))
        extra = float(np.median(ours) - np.median(bare)) * 1e3
        rows.append((label, threads, count, float(np.median(bare)), float(np.median(ours)), extra, ratio))
        if path == mobilenet:
            met &= ratio <= BAR
    columns = ("model", "threads", "runs", "bare p50 ms", "runner p50 ms", "extra us", "ratio")
    print(table("Runner.predict against a bare loop", columns, rows))
    verdict("worst MobileNetV2 ratio", max(row[-1] for row in rows[:2]), BAR)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

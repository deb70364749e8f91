"""The headline of TensorFlow's inference guide: a large float model in TensorFlow, a small quantized one.

    python benchmarks/headline.py [--rounds 10] [--calls 5] [--threads 2]

ResNet-152 float32 in TensorFlow against MobileNetV2 full_int8 in our `Runner`, both at 224 x 224 with a batch
of one. Each has a process of its own that loads the model from disk, as a program that serves it would. The
two are asked in turns, so that a busy machine slows both. TensorFlow gets its fastest plain way: the compiled
serving function of a SavedModel, with oneDNN as it comes. Memory is the largest resident size that the
process ever had. Weights are random: neither speed nor memory depends on them.

It compares two models as much as two runtimes, as the guide does; the other rows tell the two apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

os.environ["TQDM_DISABLE"] = "1"

import numpy as np

from benchmarks.table import CACHE, mobilenet_v2, table
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.recipe import load_recipe

#: The guide says 10 times and 80 %.
FASTER_BAR = 25.0
LESS_MEMORY_BAR = 0.90

_MAKE_RESNET = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
tf.keras.applications.ResNet152(weights=None).export(sys.argv[1], format="tf_saved_model", verbose=False)
"""

#: A child answers each line, a number of calls, with their milliseconds; at the end with its memory.
_CHILD = """
import json, sys, time
def serve(call):
    for _ in range(3):
        call()
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps(times), flush=True)
    with open("/proc/self/status") as status:
        sizes = {name: int(value.split()[0]) for name, _, value in (row.partition(":") for row in status)
                 if name in ("VmHWM", "VmRSS")}
    print(json.dumps(sizes), flush=True)
"""

_TENSORFLOW = (
    """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np
import tensorflow as tf
path, threads = sys.argv[1], int(sys.argv[2])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
loaded = tf.saved_model.load(path)
function = loaded.signatures["serving_default"]
(name,) = function.structured_input_signature[1]
image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32))
"""
    + _CHILD
    + """
serve(lambda: next(iter(function(**{name: image}).values())).numpy())
"""
)

_RUNNER = (
    """
import sys
path, threads, root = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.path.insert(0, root)
import numpy as np
from edge_sdk.runtime.runner import Runner
runner = Runner.open(path, threads=threads)
(entry,) = runner.signature.inputs
image = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
"""
    + _CHILD
    + """
serve(lambda: runner.predict({entry.name: image}))
"""
)


class Contestant:
    """One process with one model."""

    def __init__(self, label: str, source: str, path: Path, threads: int) -> None:
        self.label = label
        self.path = path
        self.times: list[float] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", source, path, str(threads), str(Path(__file__).parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._read() == "ready", f"{label} did not start"

    def call(self, times: int) -> None:
        """Let it answer some times."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{times}\n")
        self._process.stdin.flush()
        self.times += json.loads(self._read())

    def end(self) -> dict[str, Any]:
        """End it; return its milliseconds and megabytes."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        memory = json.loads(self._read())
        self._process.wait()
        return {"ms": float(np.median(self.times)), **{name: size / 1024 for name, size in memory.items()}}

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def resnet_152() -> Path:
    """Return a SavedModel of ResNet-152 with random weights; made once, 240 MB."""
    folder = CACHE / "resnet152-seed0"
    if not (folder / "complete").exists():
        sys.stderr.write("making ResNet-152 once (about a minute)...\n")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-c", _MAKE_RESNET, folder / "saved_model"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        (folder / "complete").touch()
    return folder / "saved_model"


def quantized(source: Path, destination: Path) -> Path:
    """Write MobileNetV2 with our full_int8 recipe, calibrated with random pictures."""
    from edge_sdk.model.tflite_file import read_tflite

    samples = destination.with_suffix(".npz")
    name = read_tflite(source).signatures[0].inputs[0].name
    pictures = np.random.default_rng(0).uniform(-1, 1, (8, 224, 224, 3)).astype(np.float32)
    np.savez(samples, **{name: pictures})
    quantize_file(source, destination, load_recipe("full_int8"), samples)
    return destination


def main() -> int:
    """Measure, print the table, end with 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each model")
    parser.add_argument(
        "--calls", type=int, default=5, help="calls of ResNet-152 in a turn; others ten times"
    )
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    mobilenet, mobilenet_float = mobilenet_v2()
    with tempfile.TemporaryDirectory() as scratch:
        small = quantized(mobilenet_float, Path(scratch) / "mobilenet_v2_int8.tflite")
        contestants = [
            Contestant(label, source, path, options.threads)
            for label, source, path in (
                ("ResNet-152 float32, TensorFlow", _TENSORFLOW, resnet_152()),
                ("MobileNetV2 float32, TensorFlow", _TENSORFLOW, mobilenet),
                ("MobileNetV2 float32, Runner", _RUNNER, mobilenet_float),
                ("MobileNetV2 full_int8, Runner", _RUNNER, small),
            )
        ]
        for _ in range(options.rounds):
            for contestant in contestants:
                contestant.call(options.calls * (1 if contestant is contestants[0] else 10))
        found = [contestant.end() for contestant in contestants]
    large, own = found[0], found[-1]
    rows = [
        (
            contestant.label,
            result["ms"],
            result["VmHWM"],
            result["VmRSS"],
            large["ms"] / result["ms"],
            1 - result["VmHWM"] / large["VmHWM"],
        )
        for contestant, result in zip(contestants, found, strict=True)
    ]
    columns = ("model and runtime", "p50 ms", "peak MB", "resident MB", "times faster", "less memory")
    print(table(f"Large in TensorFlow, small here, {options.threads} threads", columns, rows))
    faster, less = large["ms"] / own["ms"], 1 - own["VmHWM"] / large["VmHWM"]
    met = faster >= FASTER_BAR and less >= LESS_MEMORY_BAR
    print(
        f"{faster:.1f} times faster, bar {FASTER_BAR:.0f}; {less:.1%} less memory, "
        f"bar {LESS_MEMORY_BAR:.0%}: {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

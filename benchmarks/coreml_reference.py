"""The reference evaluator of Core ML packages against TensorFlow: error, seconds, memory.

    python benchmarks/coreml_reference.py [NAME...]

Networks come from `tests.coreml_models` (made and cached where they are not there yet: minutes). Each package
runs in a process of its own: highest resident memory above that of the imports, over the bytes of the weights
as float32 and of the largest set of activations alive at once. Bars: float32 error at most 1e-4 of the
output's range, float16 at least 40 dB, memory at most 3x where it is over 16 MiB (below, the
program itself is most of it), EfficientNet-Lite0 at most 2 s a picture.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import table
from tests import coreml_models

NAMES = (*coreml_models.APPLICATIONS, "text_classifier", "transformer", "efficientnet_lite0")

#: Arguments: package, file of arrays. Prints one JSON document.
MEASURE = """
import json, sys, time
import numpy as np
from edge_sdk.validate.coreml_reference import ReferenceModel

def resident():
    lines = open("/proc/self/status").read().splitlines()
    found = dict(line.split(":", 1) for line in lines if line.startswith("Vm"))
    return {name: int(text.split()[0]) * 1024 for name, text in found.items() if text.strip().endswith("kB")}

arrays = dict(np.load(sys.argv[2]))
inputs = {name[3:]: value[:1] for name, value in arrays.items() if name.startswith("in/")}
open("/proc/self/clear_refs", "w").write("5")
before = resident()["VmRSS"]
with ReferenceModel.open(sys.argv[1]) as model:
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        found = model.evaluate(inputs)
        seconds.append(time.perf_counter() - began)
    weights = sum(value.nbytes for machine in model._machines.values()
                  for value in machine._constants.values() if isinstance(value, np.ndarray))
(output,) = found.values()
np.save(sys.argv[3], output)
print(json.dumps({"seconds": min(seconds), "peak": resident()["VmHWM"] - before, "weights": weights}))
"""

#: Arguments: package. Prints the bytes of the largest set of activations alive at once, in float32.
ACTIVATIONS = """
import json, sys
from edge_sdk.model.coreml.package import open_package
from edge_sdk.validate.coreml_reference.machine import CONSTANTS, _last_uses
with open_package(sys.argv[1]) as package:
    block = package.program.functions[package.default_function].block
    alive, sizes, most = 0, {}, 0
    for operation, done in zip(block.operations, _last_uses(block)):
        if operation.kind == "const" or operation.kind in CONSTANTS:
            continue
        for output in operation.outputs:
            count = 4
            for size in output.type.shape:
                count *= size or 1
            sizes[output.name] = count
        alive = sum(sizes.values())
        most = max(most, alive)
        for name in done:
            sizes.pop(name, None)
print(most)
"""


def run(script: str, *arguments: object) -> Any:
    """Run a script in a process of its own and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def main() -> int:
    """Measure, print, and end with 1 where a bar is missed."""
    rows, missed = [], []
    for name in sys.argv[1:] or NAMES:
        made = coreml_models.made(name)
        ((_, wanted),) = made.outputs.items()
        wanted = wanted[:1].astype(np.float64)
        for precision in coreml_models.PRECISIONS:
            answer = Path(made.folder) / "answer.npy"
            measured = run(MEASURE, made.package(precision), made.folder / "arrays.npz", answer)
            alive = run(ACTIVATIONS, made.package(precision))
            error = np.load(answer).astype(np.float64) - wanted
            relative = float(np.abs(error).max() / np.ptp(wanted))
            decibels = float(10 * np.log10((wanted**2).sum() / (error**2).sum()))
            memory = measured["peak"] / (measured["weights"] + alive)
            figures = (decibels, measured["seconds"], measured["peak"] / 2**20, memory)
            rows.append((name, precision, f"{relative:.1e}", *(round(figure, 2) for figure in figures)))
            if (
                (precision == "float32" and relative > 1e-4)
                or decibels < 40
                or (memory > 3 and measured["peak"] > 16 * 2**20)
                or (name == "efficientnet_lite0" and measured["seconds"] > 2)
            ):
                missed.append(f"{name} {precision}")
    print(
        table(
            "Reference evaluator against TensorFlow",
            ("network", "computes in", "error/range", "dB", "s", "peak MiB", "memory x"),
            rows,
        )
    )
    print(f"bars: {'met' if not missed else 'MISSED by ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure every recipe in real runtimes: does it load, does it answer right, how long does it take.

    .venv/bin/python benchmarks/measure_recipes.py FLOAT.tflite SAMPLES.npz PYTHON [PYTHON ...] \
        [--kind saved_model --source MODEL] [--labels LABELS.npy]

Each PYTHON is the interpreter of an environment that holds one runtime and NumPy (tests/board_environments.py
makes two). SAMPLES.npz holds inputs of the only signature by name, first axis = samples; they serve for
calibration and for the comparison. With --source the recipes of TensorFlow's converter are made too.

Prints a Markdown table: size against the float file, and for each runtime the signal to noise ratio against
the float file in that runtime, right answers where there are labels, and the time against float32 (medians of
runs in turns, one thread). Every file is run in a process of its own, because a runtime may die of one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.convert.worker import run_in_worker
from edge_sdk.errors import EdgeError
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.ranges import measure_ranges
from edge_sdk.quantize.recipe import load_recipe, recipe_names

# Runs inside of an environment: FLOAT MADE SAMPLES ANSWERS; two models in turns, so that load hits both.
MEASURE = """
import json, sys, time
import numpy as np
try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter
inputs = np.load(sys.argv[3])

def open_model(path):
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter

def call(interpreter, index):
    for detail in interpreter.get_input_details():
        name = next(key for key in inputs.files if key in detail["name"] or len(inputs.files) == 1)
        value = arrays[name][index][None]
        scale, zero = detail["quantization"]
        if scale and value.dtype == np.float32:
            info = np.iinfo(detail["dtype"])
            value = np.clip(np.round(value / scale) + zero, info.min, info.max).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], value)
    start = time.perf_counter()
    interpreter.invoke()
    taken = time.perf_counter() - start
    detail = interpreter.get_output_details()[0]
    answer = interpreter.get_tensor(detail["index"])
    scale, zero = detail["quantization"]
    if scale:
        answer = (answer.astype(np.float32) - zero) * np.float32(scale)
    return answer[0].copy(), taken

arrays = {name: inputs[name] for name in inputs.files}
try:
    models = [open_model(path) for path in sys.argv[1:3]]
    times, answers = ([], []), ([], [])
    for index in range(len(next(iter(arrays.values())))):
        for side, model in enumerate(models):
            call(model, index)
            answer, taken = call(model, index)
            answers[side].append(answer)
            times[side].append(taken)
    want, got = (np.stack(side).astype(np.float64) for side in answers)
    noise = np.square(want - got).sum()
    print(json.dumps({
        "snr": None if noise == 0 else 10 * np.log10(np.square(want).sum() / noise),
        "time": float(np.median(times[1]) / np.median(times[0])),
        "classes": [int(item.argmax()) for item in got],
    }))
except (RuntimeError, ValueError) as failure:
    print(json.dumps({"refused": str(failure)}))
"""
VERSION = """
from importlib.metadata import version, PackageNotFoundError
for name in ("tflite-runtime", "ai-edge-litert"):
    try:
        print(name, version(name))
        break
    except PackageNotFoundError:
        pass
"""


def measure(python: str, floats: Path, made: Path, samples: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", MEASURE, floats, made, samples], capture_output=True, text=True, timeout=1800
    )
    if done.returncode != 0:
        return {"refused": f"the process died ({done.returncode})"}
    return dict(json.loads(done.stdout))


def describe(result: dict[str, Any], labels: Any) -> str:
    if "refused" in result:
        return "refuses: " + result["refused"].replace("\n", " ").partition(" An older")[0][:100]
    snr = "equal" if result["snr"] is None else f"{result['snr']:.0f} dB"
    right = ""
    if labels is not None:
        right = f", {int((np.asarray(result['classes']) == labels).sum())} of {len(labels)}"
    return f"{snr}{right}, {result['time']:.2f}x"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("pythons", nargs="+")
    parser.add_argument("--kind", default="saved_model")
    parser.add_argument("--source")
    parser.add_argument("--labels", type=Path)
    options = parser.parse_args()
    labels = None if options.labels is None else np.load(options.labels)
    runtimes = [
        subprocess.run([item, "-c", VERSION], capture_output=True, text=True, check=True).stdout.strip()
        for item in options.pythons
    ]
    ranges = measure_ranges(options.model, options.samples)
    print(f"| recipe | size | {' | '.join(runtimes)} |")
    print("|---" * (2 + len(runtimes)) + "|")
    with tempfile.TemporaryDirectory() as scratch:
        for name in recipe_names():
            recipe, made = load_recipe(name), Path(scratch) / f"{name}.tflite"
            try:
                if recipe.backend == "litert":
                    quantize_file(options.model, made, recipe, None, ranges=ranges)
                elif options.source is None:
                    continue
                else:
                    arguments = {
                        "kind": options.kind,
                        "model": options.source,
                        "output": str(made),
                        "recipe": recipe.to_dict(),
                        "samples": str(options.samples),
                    }
                    run_in_worker(
                        "edge_sdk.convert.tflite:quantize_with_tensorflow",
                        arguments,
                        timeout_seconds=1800,
                        log=Path(scratch) / "log",
                    )
            except EdgeError as failure:
                print(f"| `{name}` | cannot be made: {failure.what} |")
                continue
            cells = [
                describe(measure(item, options.model, made, options.samples), labels)
                for item in options.pythons
            ]
            size = made.stat().st_size / options.model.stat().st_size
            print(f"| `{name}` | {size:.3f} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The memory forecast against what processes really take: MobileNetV2, EfficientNet-Lite0, ResNet-152.

    python benchmarks/memory_forecast.py [--all] [--models mobilenet,resnet]

For each model and variant a fresh process imports NumPy and the runtime, notes its resident memory, opens
the model with two threads, runs it twice on zeros and notes its highest resident memory (VmHWM). The
difference is what `forecast_memory` forecasts from the file alone. The bar, 10 %, holds for float and int8
in LiteRT with XNNPACK, which is what `Runner` does by default. --all adds other
variants, LiteRT without XNNPACK, and tflite-runtime where its environment is there: shown, not barred.

Models are made once and kept in ~/.cache/edge_sdk/bench; ResNet-152 and MobileNetV2 have random weights.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import CACHE, mobilenet_v2, table
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.recipe import load_recipe
from edge_sdk.validate.memory import forecast_memory, forecast_together

BAR = 0.10
FOLDER = CACHE / "memory-forecast"

#: Runs in the measured process. Arguments: module of the runtime, "xnnpack" or "none", threads, models.
MEASURE = """
import importlib, json, sys
import numpy as np
module = importlib.import_module(sys.argv[1])

def resident():
    lines = open("/proc/self/status").read().splitlines()
    found = dict(line.split(":", 1) for line in lines if line.startswith("Vm"))
    return {name: int(text.split()[0]) * 1024 for name, text in found.items() if text.strip().endswith("kB")}

# Forget the peak of the imports.
open("/proc/self/clear_refs", "w").write("5")
before = resident()["VmRSS"]
options = {"num_threads": int(sys.argv[3])}
if sys.argv[2] == "none":
    options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
kept = []
for path in sys.argv[4:]:
    interpreter = module.Interpreter(model_path=path, **options)
    interpreter.allocate_tensors()
    for _ in range(2):
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()
    kept.append(interpreter)
json.dump(resident()["VmHWM"] - before, sys.stdout)
"""

_MAKE = {
    "resnet152": """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
model = tf.keras.applications.ResNet152(weights=None)
""",
    "efficientnet_lite0": """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tests.efficientnet_lite0 import efficientnet_lite0
model = efficientnet_lite0()
""",
}
_CONVERT = """
model.export(sys.argv[1], format="tf_saved_model", verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1])
with open(sys.argv[2], "wb") as stream:
    stream.write(converter.convert())
"""


def float_model(name: str) -> Path:
    """Return a float .tflite, made with TensorFlow the first time."""
    if name == "mobilenet_v2":
        return mobilenet_v2()[1]
    path = FOLDER / f"{name}.tflite"
    if not path.exists():
        sys.stderr.write(f"making {name} once...\n")
        FOLDER.mkdir(parents=True, exist_ok=True)
        saved, part = FOLDER / f"{name}.saved_model", path.with_suffix(".part")
        subprocess.run(
            [sys.executable, "-c", _MAKE[name] + _CONVERT, saved, part],
            check=True,
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        part.rename(path)
        shutil.rmtree(saved)
    return path


def variant(name: str, recipe: str) -> Path:
    """Return a variant of a model, calibrated on noise: only its memory is of interest."""
    source = float_model(name)
    if recipe == "float32":
        return source
    path = FOLDER / f"{name}-{recipe}.tflite"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        given = read_tflite(source).signatures[0].inputs[0]
        shape = (2, *(size or 1 for size in (given.shape or ())[1:]))
        samples = FOLDER / f"{name}.npz"
        np.savez(samples, **{given.name: np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)})
        quantize_file(source, path, load_recipe(recipe), samples)
    return path


def measured(python: Path | str, module: str, delegate: str | None, models: list[Path]) -> int:
    """Return the growth of a fresh process in bytes."""
    done = subprocess.run(
        [python, "-c", MEASURE, module, delegate or "none", "2", *map(str, models)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return int(done.stdout)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="other variants and runtimes too")
    parser.add_argument("--models", default="mobilenet_v2,efficientnet_lite0,resnet152")
    chosen = parser.parse_args()
    names = chosen.models.split(",")
    recipes = ("float32", "full_int8") + (("dynamic_int8", "float16", "full_int8_io") if chosen.all else ())
    places: list[tuple[str, Path | str, str, str | None]] = [
        ("litert", sys.executable, "ai_edge_litert.interpreter", "xnnpack")
    ]
    if chosen.all:
        places.append(("litert", sys.executable, "ai_edge_litert.interpreter", None))
        old = sorted((CACHE.parent / "environments").glob("tflite-runtime-3*/bin/python"))
        for delegate in ("xnnpack", None) if old else ():
            places.append(("tflite-runtime", old[0], "tflite_runtime.interpreter", delegate))
    rows, met = [], True
    for runtime, python, module, delegate in places:
        for name in names:
            for recipe in recipes:
                path = variant(name, recipe)
                forecast = forecast_memory(path, runtime=runtime, delegate=delegate, threads=2).total_bytes
                growth = measured(python, module, delegate, [path])
                off = forecast / growth - 1
                barred = (runtime, delegate) == ("litert", "xnnpack") and recipe in ("float32", "full_int8")
                met = met and (not barred or abs(off) <= BAR)
                rows.append((runtime, delegate or "none", f"{name} {recipe}", growth / 2**20,
                             forecast / 2**20, 100 * off, "10 %" if barred else ""))  # fmt: skip
    together = [variant(name, recipe) for name in names for recipe in ("float32", "full_int8")]
    forecast = forecast_together([forecast_memory(path) for path in together]).total_bytes
    growth = measured(sys.executable, "ai_edge_litert.interpreter", "xnnpack", together)
    off = forecast / growth - 1
    met = met and abs(off) <= BAR
    rows.append(("litert", "xnnpack", f"all {len(together)} of these in one process", growth / 2**20,
                 forecast / 2**20, 100 * off, "10 %"))  # fmt: skip
    columns = ("runtime", "delegate", "model", "measured MiB", "forecast MiB", "off by %", "bar")
    print(table("Peak growth of resident memory", columns, rows))
    print("forecast within 10 %:", "met" if met else "MISSED")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

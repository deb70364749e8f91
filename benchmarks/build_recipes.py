"""The recipes of MobileNetV2 from one SavedModel: convert once, quantize many, against one conversion each.

    python benchmarks/build_recipes.py [--samples 16] [--rounds 1]

Both sides start from nothing (a new process that imports TensorFlow), use the same samples, and end with the
files on disk. The other side is one process that calls `tf.lite.TFLiteConverter` once per recipe, for the six
recipes that it can make. Ours makes these six, and weight_only_int8, int4 and int4_block, which it cannot
make; the recipes that ask for TensorFlow's own converter (tf_...) are left out, as they are such calls.

Ours is what has to be done up to the files: a worker converts, then one measures ranges while one applies the
recipes that need none, then one applies the others. Comparing the variants with the source is not in it, as
the other side has no such step.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import mobilenet_v2, table, verdict
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.quantize.recipe import load_recipe, recipe_names

BAR = 0.35
TIMEOUT = 1800.0

#: What TFLiteConverter can make.
THEIRS = ("float32", "float16", "dynamic_int8", "full_int8", "full_int8_io", "int16x8")
ONE_BY_ONE = (
    f"RECIPES = {THEIRS}"
    + """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np
import tensorflow as tf

source, samples, folder = sys.argv[1:]
images = next(iter(np.load(samples).values()))

def representative():
    for image in images:
        yield [image[None]]

for recipe in RECIPES:
    converter = tf.lite.TFLiteConverter.from_saved_model(source)
    if recipe != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.startswith("full") or recipe == "int16x8":
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if recipe == "int16x8":
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    if recipe == "full_int8_io":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with open(os.path.join(folder, recipe + ".tflite"), "wb") as stream:
        stream.write(converter.convert())
"""
)


def one_by_one(source: Path, samples: Path, folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, source, samples, folder],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def convert_once(source: Path, samples: Path, folder: Path) -> tuple[float, dict[str, float]]:
    def work(function: str, name: str, **arguments: object) -> None:
        run_in_worker(function, arguments, timeout_seconds=TIMEOUT, log=folder / "log" / f"{name}.log")

    quantizing = "edge_sdk.pipeline.quantizing"
    floats, ranges = folder / "float32.tflite", folder / "ranges.json"
    parts = {}
    start = time.perf_counter()
    work(
        "edge_sdk.convert.tflite:convert",
        "convert",
        kind="saved_model",
        model=str(source),
        output=str(floats),
    )
    parts["convert"] = time.perf_counter() - start
    given = {"source": str(floats), "signature": "serving_default"}
    recipes = [load_recipe(name) for name in recipe_names("litert") if name != "float32"]

    def quantize(static: bool) -> None:
        chosen = [item for item in recipes if item.needs_calibration is static]
        work(
            f"{quantizing}:quantize_several",
            "static" if static else "plain",
            recipes=[
                {"recipe": item.to_dict(), "destination": str(folder / f"{item.name}.tflite")}
                for item in chosen
            ],
            ranges=str(ranges) if static else None,
            **given,
        )

    with ThreadPoolExecutor(1) as pool:
        plain = pool.submit(quantize, False)
        work(
            f"{quantizing}:calibrate", "ranges", samples=str(samples), output=str(ranges), threads=1, **given
        )
        parts["measure ranges, beside the recipes that need none"] = (
            time.perf_counter() - start - sum(parts.values())
        )
        quantize(True)
        plain.result()
    total = time.perf_counter() - start
    parts["apply the recipes that need ranges"] = total - sum(parts.values())
    return total, parts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=16, help="calibration samples")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side is run, in turns")
    options = parser.parse_args()
    source, _ = mobilenet_v2()
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as scratch:
        samples = Path(scratch) / "samples.npz"
        images = np.random.default_rng(0).uniform(-1, 1, (options.samples, 224, 224, 3)).astype(np.float32)
        np.savez(samples, **{_input_name(source): images})
        for number in range(options.rounds):
            folders = [Path(scratch) / f"{side}{number}" for side in ("theirs", "ours")]
            for folder in folders:
                folder.mkdir()
            theirs.append(one_by_one(source, samples, folders[0]))
            ours.append(convert_once(source, samples, folders[1]))
            for folder, names in zip(folders, (THEIRS, recipe_names("litert")), strict=True):
                missing = [name for name in names if not (folder / f"{name}.tflite").exists()]
                assert not missing, f"{folder.name} did not make {missing}"
        slow, (fast, parts) = min(theirs), min(ours)
    rows: list[tuple[str, float, float]] = [("TFLiteConverter once per recipe, six recipes", slow, 1.0)]
    rows.append(("convert once, quantize many, nine recipes", fast, fast / slow))
    rows += [(f"  {name}", seconds, seconds / slow) for name, seconds in parts.items()]
    title = f"Recipes of MobileNetV2, {options.samples} calibration samples"
    print(table(title, ("way", "seconds", "ratio"), rows))
    return 0 if verdict("nine recipes against six", fast / slow, BAR) else 1


def _input_name(source: Path) -> str:
    from edge_sdk.model.saved_model import read_saved_model

    return str(read_saved_model(source).signatures[0].inputs[0].name)


if __name__ == "__main__":
    sys.exit(main())

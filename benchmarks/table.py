"""What the benchmark scripts share: a model to measure, and a table to print.

Every figure is a ratio of two things measured in the same run, taken in turns, so that a busy machine
slows both. A script prints its table and ends with 1 where a bar is missed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path.home() / ".cache" / "edge_sdk" / "bench"

_MAKE_MOBILENET = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
model = tf.keras.applications.MobileNetV2(weights=None)
# Untrained, the signal dies on its way and every picture gives the same output, which a guard of the build
# rightly rejects. One pass that sets the batch statistics keeps it alive.
for layer in model.layers:
    if isinstance(layer, tf.keras.layers.BatchNormalization):
        layer.momentum = 0.0
model(tf.random.stateless_uniform((16, 224, 224, 3), (1, 2), -1, 1), training=True)
model.export(sys.argv[1], format="tf_saved_model", verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1])
with open(sys.argv[2], "wb") as stream:
    stream.write(converter.convert())
"""


def mobilenet_v2() -> tuple[Path, Path]:
    """Return (SavedModel folder, float .tflite) of MobileNetV2 1.0 224 with random weights.

    Made once with TensorFlow and kept in ~/.cache/edge_sdk/bench; speed does not depend on the weights.
    """
    folder = CACHE / "mobilenet_v2-seed0-live"
    saved_model, tflite = folder / "saved_model", folder / "model.tflite"
    if not (folder / "complete").exists():
        sys.stderr.write("making MobileNetV2 once (about a minute)...\n")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-c", _MAKE_MOBILENET, saved_model, tflite],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        (folder / "complete").touch()
    return saved_model, tflite


def machine() -> str:
    """Describe this machine in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table; numbers are aligned to the right."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(len(column), *(len(row[i]) for row in cells)) for i, column in enumerate(columns)]

    def line(values: Sequence[str], numeric: Sequence[bool]) -> str:
        return "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        ).rstrip()

    right = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
    body = [line(row, right) for row in cells]
    return "\n".join([f"{title} ({machine()})", line(columns, right), *body, ""])


def verdict(name: str, ratio: float, bar: float) -> bool:
    """Print whether `ratio` is at most `bar`; return it."""
    met = ratio <= bar
    print(f"{name}: {ratio:.3f}x, bar {bar:.2f}x: {'met' if met else 'MISSED'}")
    return met


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)

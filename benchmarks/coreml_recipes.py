"""Measure every Core ML recipe on EfficientNet-Lite0: size, precision, right answers, time to make.

    python benchmarks/coreml_recipes.py [--photos 20] [--folder FOLDER]

Converts the model with its ImageNet weights for iOS 16 and iOS 18 (about a minute), applies every recipe,
and runs each package on the photos with the reference evaluator. Prints a table: size against
float32, signal to noise ratio of the scores against the float32 package, right answers, seconds an
image, and whether the size bars are met. FOLDER keeps the packages; what lies there is not
made again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import table
from edge_sdk.convert.formats import FORMATS
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.quantize.recipe import load_recipe, recipe_names
from edge_sdk.validate.coreml_reference import ReferenceModel
from tests import real_models

TARGETS = ("iOS16", "iOS18")
#: Largest size against float32 of recipes whose name starts so.
BARS = {
    "coreml_float16": 0.51,
    "coreml_int8": 0.27,
    "coreml_int4": 0.15,
    "coreml_palette4": 0.15,
    "coreml_uniform_palette4": 0.15,
}
#: More than four bits where they are needed.
NO_BAR = ("coreml_palette4_mixed",)


def save_model(arguments: dict[str, Any]) -> dict[str, Any]:
    """Write EfficientNet-Lite0 as .keras; a worker function."""
    from tests.efficientnet_lite0 import efficientnet_lite0

    efficientnet_lite0().save(arguments["path"])
    return {}


def make(folder: Path) -> dict[str, Path]:
    """Return the package of every recipe, made for the oldest system that it runs on."""

    def work(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return run_in_worker(function, arguments, timeout_seconds=900, log=folder / "log")

    source = folder / "model.keras"
    if not source.exists():
        work("benchmarks.coreml_recipes:save_model", {"path": str(source)})
    found = {}
    for target in TARGETS:
        recipes = [load_recipe(name) for name in recipe_names("coreml")]
        recipes = [item for item in recipes if (item.minimum_ios == "iOS18") == (target == "iOS18")]
        plain = {
            precision: folder / f"{precision}_{target}.mlpackage" for precision in ("float32", "float16")
        }
        for precision, path in plain.items():
            if not path.exists():
                options = {"kind": "keras", "model": str(source), "output": str(path), "precision": precision}
                work(FORMATS["mlpackage"].convert, {**options, "deployment_target": target, "contract": None})
        paths = {item.name: folder / target / f"{item.name}.mlpackage" for item in recipes if item.compresses}
        missing = [item for item in recipes if item.compresses and not paths[item.name].exists()]
        if missing:
            start = time.perf_counter()
            work(
                "edge_sdk.quantize.coreml.compress:compress_several",
                {
                    "source": str(plain["float16"]),
                    "deployment_target": target,
                    "recipes": [
                        {"recipe": item.to_dict(), "destination": str(paths[item.name])} for item in missing
                    ],
                },
            )
            seconds = time.perf_counter() - start
            print(f"{len(missing)} recipes for {target}: {seconds:.0f} s", file=sys.stderr)
        found.update({f"coreml_{precision}": path for precision, path in plain.items()} | paths)
    return {name: found[name] for name in recipe_names("coreml")}


def photos(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return prepared photos, float32 [number, 224, 224, 3], and their labels."""
    from PIL import Image

    pixels, labels = [], []
    for path, label in real_models.imagenet_photos()[:number]:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
        pixels.append((np.asarray(small).astype(np.float32) - 127) / 128)
        labels.append(label)
    return np.stack(pixels), np.array(labels)


def scores(package: Path, pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the scores [photos, classes] and the seconds an image, without the first."""
    answers, taken = [], []
    with ReferenceModel.open(package) as model:
        for one in pixels:
            start = time.perf_counter()
            answers.append(model.evaluate({"image": one[None]})["scores"][0].astype(np.float64))
            taken.append(time.perf_counter() - start)
    return np.stack(answers), float(np.median(taken[1:] or taken))


def size(package: Path) -> int:
    """Return the bytes of all files."""
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def main() -> int:
    """Measure, print, and return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        packages = make(given.folder or Path(scratch))
        pixels, labels = photos(given.photos)
        rows, missed = [], []
        reference, whole = None, size(packages["coreml_float32"])
        for name, package in packages.items():
            answers, seconds = scores(package, pixels)
            reference = answers if reference is None else reference
            noise = np.square(answers - reference).sum()
            signal = (
                "reference" if noise == 0 else f"{10 * np.log10(np.square(reference).sum() / noise):.0f} dB"
            )
            share = size(package) / whole
            bar = next((bar for start, bar in BARS.items() if name.startswith(start)), None)
            if bar is not None and name not in NO_BAR and share > bar:
                missed.append(f"{name}: {share:.3f} is more than {bar}")
            right = int((answers.argmax(1) == labels).sum())
            rows.append(
                [
                    f"`{name}`",
                    load_recipe(name).minimum_ios,
                    f"{share:.3f}",
                    signal,
                    f"{right} of {len(labels)}",
                    f"{seconds:.2f}",
                ]
            )
            print(rows[-1], file=sys.stderr, flush=True)
        print(f"float32 is {whole:,} bytes")
        print(table("Core ML recipes", ["recipe", "lowest", "size", "scores", "right", "s an image"], rows))
    print("\n".join(missed) or "all size bars are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

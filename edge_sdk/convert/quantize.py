"""Quantization as worker functions: `edge_sdk.quantize` behind the process border of `worker.py`.

    run_in_worker("edge_sdk.convert.quantize:calibrate", {...})     once per model and samples
    run_in_worker("edge_sdk.convert.quantize:quantize", {...})      once per recipe, in parallel if you like

Arguments of `calibrate`:
    source          float .tflite
    samples         .npz by input name, first axis = samples
    destination     JSON file to write: the measured ranges
    signature       the one that the samples are for (optional; the default signature)
    threads         for the interpreter (optional, 2)
It returns {"calibrated": [...], "not_calibrated": [...], "samples": n}: signatures with ranges, and without.

Arguments of `quantize`:
    source          float .tflite
    destination     .tflite to write
    recipe          `Recipe.to_dict()`, or a recipe's name or path
    ranges          what `calibrate` wrote (optional), or
    samples         .npz, to calibrate here and now (optional)
    signature, threads as above
It returns `Quantized.to_dict()` with "changed" always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.child import report, stage
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.ranges import Ranges, measure_ranges
from edge_sdk.quantize.recipe import Recipe, load_recipe
from edge_sdk.quantize.writing import atomic_path


def calibrate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the ranges of activations; see the module's text.

    Raises:
        EdgeError: As `edge_sdk.quantize.ranges.measure_ranges`.
    """
    stage("import", "loading the quantizer")
    ranges = measure_ranges(
        Path(arguments["source"]),
        Path(arguments["samples"]),
        signature=arguments.get("signature"),
        threads=int(arguments.get("threads") or 2),
        progress=report,
    )
    with atomic_path(Path(arguments["destination"])) as partial:
        ranges.save(partial)
    return {
        "calibrated": list(ranges.calibrated),
        "not_calibrated": list(ranges.not_calibrated),
        "samples": ranges.samples,
    }


def quantize(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make one variant; see the module's text.

    Raises:
        EdgeError: As `edge_sdk.quantize.apply.quantize_file`.
    """
    stage("import", "loading the quantizer")
    recipe = arguments["recipe"]
    done = quantize_file(
        Path(arguments["source"]),
        Path(arguments["destination"]),
        load_recipe(recipe) if isinstance(recipe, str) else Recipe.from_dict(recipe),
        Path(arguments["samples"]) if arguments.get("samples") else None,
        signature=arguments.get("signature"),
        ranges=Ranges.load(Path(arguments["ranges"])) if arguments.get("ranges") else None,
        threads=int(arguments.get("threads") or 2),
        progress=report,
    )
    return {"changed": done.changed, **done.to_dict()}

"""The quantizer's jobs as worker functions: measure ranges once, apply one recipe or several."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.child import report
from edge_sdk.errors import EdgeError


def calibrate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the ranges of all activations on the samples; every static recipe uses them.

    Args:
        arguments: source (float .tflite), samples (.npz), signature, output (.json to write), threads.

    Returns:
        {"not_calibrated": [signature, ...]}.

    Raises:
        SignatureMismatchError: The samples do not fit the signature.
        ConversionError: The model cannot be run on them.
    """
    from edge_sdk.quantize.ranges import measure_ranges

    ranges = measure_ranges(
        Path(arguments["source"]),
        Path(arguments["samples"]),
        signature=arguments["signature"],
        threads=int(arguments["threads"]),
        progress=report,
    )
    Path(arguments["output"]).write_text(json.dumps(ranges.to_dict(), sort_keys=True), "utf-8")
    return {"not_calibrated": list(ranges.not_calibrated)}


def quantize(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Apply one recipe.

    Args:
        arguments: source (float .tflite), destination, recipe (`Recipe.to_dict()`), signature, ranges (path
            of the .json that `calibrate` wrote, or None).

    Returns:
        `Quantized.to_dict()`.

    Raises:
        EdgeError: The recipe cannot be applied to this model.
    """
    from edge_sdk.quantize.apply import quantize_file
    from edge_sdk.quantize.ranges import Ranges
    from edge_sdk.quantize.recipe import Recipe

    stored = arguments["ranges"]
    done = quantize_file(
        Path(arguments["source"]),
        Path(arguments["destination"]),
        Recipe.from_dict(arguments["recipe"]),
        None,
        signature=arguments["signature"],
        ranges=None if stored is None else Ranges.from_dict(json.loads(Path(stored).read_text("utf-8"))),
        progress=report,
    )
    return done.to_dict()


def quantize_several(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Apply recipes one after the other in one process, which reads the source and starts once.

    A recipe that cannot be applied does not stop the others. One that kills the process leaves the files
    that are finished; whoever calls asks for the missing ones again, one by one.

    Args:
        arguments: source (float .tflite), signature, ranges (path of the .json that `calibrate` wrote, or
            None; used by recipes that need it), recipes (a list of {"recipe": `Recipe.to_dict()`,
            "destination": path}).

    Returns:
        {"results": [...]} in the order of the recipes: {"value": `Quantized.to_dict()`} or
        {"error": `EdgeError.to_dict()`}.

    Raises:
        ModelError: The source is damaged, or quantized already.
    """
    from edge_sdk.quantize.apply import quantize_file
    from edge_sdk.quantize.prepare import prepare_model
    from edge_sdk.quantize.ranges import Ranges
    from edge_sdk.quantize.recipe import Recipe

    source = Path(arguments["source"])
    stored = arguments["ranges"]
    ranges = None if stored is None else Ranges.from_dict(json.loads(Path(stored).read_text("utf-8")))
    prepared = prepare_model(source)
    results: list[dict[str, Any]] = []
    for job in arguments["recipes"]:
        recipe = Recipe.from_dict(job["recipe"])
        try:
            done = quantize_file(
                source,
                Path(job["destination"]),
                recipe,
                None,
                signature=arguments["signature"],
                ranges=ranges if recipe.needs_calibration else None,
                prepared=prepared,
                progress=report,
            )
        except EdgeError as error:
            results.append({"error": error.to_dict()})
        else:
            results.append({"value": done.to_dict()})
    return {"results": results}

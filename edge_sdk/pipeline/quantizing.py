"""The quantizer's two jobs as worker functions: measure ranges once, apply many recipes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.child import report


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

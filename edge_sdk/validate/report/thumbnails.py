"""Small pictures of samples for a report: what the model saw, as data URIs. Runs in a worker.

    run_in_worker("edge_sdk.validate.report.thumbnails:make",
                  {"samples": .npz, "contract": dict, "indices": [3, 17], "size": 96})

gives {"3": "data:image/png;base64,...", "17": ...}. An input that looks like a picture becomes one, an input
of one axis (a sound, a row of a table) becomes a curve; for other inputs there is nothing to draw.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Contract, ImagePreprocess
from edge_sdk.convert.child import stage
from edge_sdk.errors import ConfigError

Array = NDArray[Any]

DEFAULT_SIZE = 96
#: A side that is shorter shows nothing.
_SHORTEST_SIDE = 4
#: A curve through fewer points is no curve.
_FEWEST_POINTS = 8
_CURVE_WIDTH = 2.0


def make(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Draw the chosen samples.

    Args:
        arguments: "samples" (.npz of inputs, first axis = samples), "contract" (dict), "indices" (of samples;
            those beyond the end are left out) and "size" (longest side in pixels, 96 by default).

    Returns:
        A `data:image/png` URI by index, as text; empty where no input can be drawn.

    Raises:
        ConfigError: The size is not positive.
        MissingExtraError: Pillow is not installed.
    """
    size = int(arguments.get("size", DEFAULT_SIZE))
    if size < 1:
        raise ConfigError(f"thumbnails of {size} pixels")
    contract = Contract.from_dict(arguments["contract"])
    with np.load(arguments["samples"], allow_pickle=False) as archive:
        for name in archive.files:
            spec = contract.preprocess[name].image if name in contract.preprocess else None
            samples = archive[name]
            scale = _Scale.of(samples, spec)
            pictures: dict[str, str] = {}
            for index in arguments["indices"]:
                stage("thumbnails", f"sample {index}")
                if 0 <= int(index) < len(samples):
                    pixels = draw(samples[int(index)], spec, scale, size)
                    if pixels is not None:
                        pictures[str(int(index))] = _data_uri(pixels, size)
            if pictures:
                return pictures
    return {}


class _Scale:
    """How values become 0..255: by the contract, else by the values that there are."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, samples: Array, spec: ImagePreprocess | None) -> _Scale:
        if spec is not None or samples.dtype.kind not in "fiub" or samples.size == 0:
            return cls(0.0, 255.0)
        # The same for all samples, so that a dark one stays dark beside the others.
        shown = samples[:: max(1, len(samples) // 64)].astype(np.float64)
        finite = shown[np.isfinite(shown)]
        if finite.size == 0:
            return cls(0.0, 1.0)
        low, high = float(finite.min()), float(finite.max())
        for known in ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)):
            # A tolerance for what resizing overshoots.
            reach = 0.02 * (known[1] - known[0])
            if known[0] - reach <= low and known[1] / 2 < high <= known[1] + reach:
                return cls(*known)
        return cls(low, high if high > low else low + 1.0)


def draw(sample: Array, spec: ImagePreprocess | None, scale: _Scale, size: int) -> Array | None:
    """Return pixels uint8[height, width] or [height, width, 3], or None where there is nothing to draw."""
    if sample.dtype.kind not in "fiub":
        return None
    value = np.nan_to_num(sample.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    while value.ndim > 1 and value.shape[0] == 1:
        value = value[0]
    if spec is not None and value.ndim == 3:
        if spec.layout == "nchw":
            value = value.transpose(1, 2, 0)
        value = (value * np.asarray(spec.std) + np.asarray(spec.mean)) / spec.scale
        if spec.color == "bgr":
            value = value[..., ::-1]
        return _pixels(value)
    if value.ndim == 3 and value.shape[0] in (1, 3) and value.shape[2] not in (1, 3, 4):
        value = value.transpose(1, 2, 0)
    if value.ndim == 2 and 1 in value.shape:
        value = value.reshape(-1)
    if value.ndim == 1:
        return _curve(value, size) if len(value) >= _FEWEST_POINTS else None
    if value.ndim not in (2, 3) or min(value.shape[:2]) < _SHORTEST_SIDE:
        return None
    if value.ndim == 3 and value.shape[2] not in (1, 3, 4):
        return None
    return _pixels((value - scale.low) / (scale.high - scale.low) * 255.0)


def _pixels(value: Array) -> Array:
    pixels = np.clip(np.rint(value), 0, 255).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3]
    return pixels


def _curve(value: Array, size: int) -> Array:
    """Draw the range of values in each column, dark on light: legible on either background."""
    height = max(_SHORTEST_SIDE, size // 2)
    edges = np.linspace(0, len(value), size + 1).astype(int)
    low, high = float(value.min()), float(value.max())
    span = high - low if high > low else 1.0
    pixels = np.full((height, size), 255, np.uint8)
    for column in range(size):
        part = value[edges[column] : max(edges[column] + 1, edges[column + 1])]
        top = (high - part.max()) / span * (height - _CURVE_WIDTH)
        bottom = (high - part.min()) / span * (height - _CURVE_WIDTH) + _CURVE_WIDTH
        pixels[int(top) : max(int(top) + 1, int(np.ceil(bottom))), column] = 40
    return pixels


def _data_uri(pixels: Array, size: int) -> str:
    try:
        from PIL import Image
    except ImportError:
        from edge_sdk.errors import MissingExtraError

        raise MissingExtraError("pillow", extra="host", purpose="draw samples") from None
    picture = Image.fromarray(pixels)
    longest = max(picture.size)
    if longest > size:
        shape = tuple(max(1, round(side * size / longest)) for side in picture.size)
        picture = picture.resize(shape, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")

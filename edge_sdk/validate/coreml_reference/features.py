"""Between what an app gives and takes and what a program computes with: checks, images, states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_sdk.errors import SignatureMismatchError
from edge_sdk.model.coreml.package import Feature, FunctionDescription
from edge_sdk.validate.coreml_reference.precision import Array

_KINDS: dict[str, Any] = {
    "fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "int32": np.int32, "int8": np.int8,
}  # fmt: skip
_CHANNELS = {"RGB": 3, "BGR": 3, "GRAY": 1, "GRAY16": 1}


def program_inputs(description: FunctionDescription, given: Mapping[str, Any]) -> dict[str, Array]:
    """Return inputs as the program takes them.

    Args:
        description: Of the function.
        given: Arrays by input name; images as [1, H, W, C] or [H, W, C].

    Raises:
        SignatureMismatchError: A name, shape or type does not fit.
    """
    rows: list[tuple[str, str, str]] = []
    found: dict[str, Array] = {}
    for feature in description.inputs:
        if feature.name not in given:
            if not feature.optional:
                rows.append((feature.name, _expected(feature), "nothing"))
            continue
        array = np.asarray(given[feature.name])
        fitting = _image(feature, array) if feature.kind == "image" else _tensor(feature, array)
        if fitting is None:
            rows.append((feature.name, _expected(feature), f"{array.dtype} {list(array.shape)}"))
        else:
            found[feature.name] = fitting
    known = {feature.name for feature in description.inputs}
    rows += [(name, "no such input", "an array") for name in given if name not in known]
    if rows:
        raise SignatureMismatchError(rows, subject="evaluate", hint="edge inspect MODEL.mlpackage shows them")
    return found


def states_of(description: FunctionDescription, given: Mapping[str, Array] | None) -> dict[str, Array]:
    """Return the states to begin with: those given, zeros for the others."""
    found: dict[str, Array] = {}
    for feature in description.states:
        # float16 states are held as float32, like every value between operators.
        kind: Any = np.float32 if feature.dtype in (None, "fp16") else _KINDS[str(feature.dtype)]
        before = None if given is None else given.get(feature.name)
        found[feature.name] = (
            np.zeros(feature.shape, kind) if before is None else np.array(before, kind).reshape(feature.shape)
        )
    return found


def package_outputs(description: FunctionDescription, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an app gets: the described outputs in their declared types, pictures as bytes.

    Args:
        description: Of the function.
        results: Of the program, by name.
    """
    found: dict[str, Any] = {}
    for feature in description.outputs:
        if feature.name not in results:
            continue
        value = results[feature.name]
        if feature.kind == "image":
            value = _picture(feature, value)
        elif isinstance(value, np.ndarray) and feature.dtype in _KINDS:
            with np.errstate(over="ignore"):
                value = value.astype(_KINDS[feature.dtype], copy=False)
        found[feature.name] = value
    return found


def _tensor(feature: Feature, array: Array) -> Array | None:
    if not _shape_fits(feature, array.shape):
        return None
    if feature.dtype in ("int32", "int8"):
        limits = np.iinfo(_KINDS[feature.dtype])
        if array.dtype.kind not in "iub":
            return None
        if array.size and not (limits.min <= int(array.min()) and int(array.max()) <= limits.max):
            return None
        return array.astype(_KINDS[feature.dtype])
    if array.dtype.kind not in "fiub":
        return None
    return array.astype(np.float32, copy=False)


def _shape_fits(feature: Feature, shape: tuple[int, ...]) -> bool:
    if feature.shapes:
        return shape in feature.shapes
    if feature.ranges:
        return len(shape) == len(feature.ranges) and all(
            low <= size and (high is None or size <= high)
            for size, (low, high) in zip(shape, feature.ranges, strict=True)
        )
    return not feature.shape or shape == feature.shape


def _image(feature: Feature, array: Array) -> Array | None:
    """Return [1, C, H, W] float32 in the package's order of colours."""
    picture = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
    channels = _CHANNELS.get(feature.color or "")
    if picture.ndim != 3 or picture.shape[2] != channels or picture.dtype.kind not in "fiu":
        return None
    height, width = picture.shape[:2]
    if feature.sizes:
        fitting = (height, width) in feature.sizes
    elif feature.ranges:
        fitting = all(
            low <= size and (high is None or size <= high)
            for size, (low, high) in zip((height, width), feature.ranges, strict=True)
        )
    else:
        fitting = (height, width) == (feature.height, feature.width)
    if not fitting:
        return None
    if feature.color == "BGR":
        picture = picture[..., ::-1]
    return np.ascontiguousarray(np.moveaxis(picture, 2, 0)[None], np.float32)


def _picture(feature: Feature, value: Array) -> Array:
    """Return [1, H, W, C] in RGB order, as the system writes it into a picture: whole numbers in range."""
    picture = np.moveaxis(value, 1, -1)
    if feature.color == "BGR":
        picture = picture[..., ::-1]
    kind = np.uint16 if feature.color == "GRAY16" else np.uint8
    pixels: Array = np.clip(np.rint(np.nan_to_num(picture)), 0, np.iinfo(kind).max)
    return pixels.astype(kind)


def _expected(feature: Feature) -> str:
    if feature.kind == "image":
        channels = _CHANNELS.get(feature.color or "", 3)
        sizes = feature.sizes or ((feature.height, feature.width),)
        return f"{feature.color} picture " + " or ".join(f"[1, {h}, {w}, {channels}]" for h, w in sizes)
    if feature.ranges and not feature.shapes:
        return f"{feature.dtype} [" + ", ".join(f"{low}..{high or ''}" for low, high in feature.ranges) + "]"
    shapes = feature.shapes or (feature.shape,)
    return f"{feature.dtype} " + " or ".join(str(list(shape)) for shape in shapes)

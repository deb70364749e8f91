"""From what a caller has (a picture, a list, an array) to the tensors a signature takes.

The steps and their exact definitions are in docs/reference/contract.md; this is the reference
implementation, the same on the host and on the board, so calibration, validation and inference agree.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.decode import MAX_PIXELS, decode_image, recolor
from edge_sdk.contract.resize import resize
from edge_sdk.contract.spec import Contract, ImagePreprocess, TensorSpec
from edge_sdk.errors import ConfigError, SignatureMismatchError

__all__ = [
    "Placement",
    "decode_image",
    "numpy_dtype",
    "placement",
    "preprocess_image",
    "preprocess_inputs",
    "resize",
    "to_dtype",
]


def preprocess_image(image: Path | str | bytes | np.ndarray, spec: ImagePreprocess) -> np.ndarray:
    """Turn one picture into a tensor with a batch axis of 1.

    Args:
        image: A path, the bytes of a picture file, or pixels: [height, width], [height, width, 1],
            [height, width, 3] in RGB order or [height, width, 4] with alpha (dropped); uint8, or floating
            with values on the 0..255 scale.
        spec: The steps.

    Returns:
        float32[1, height, width, channels], or float32[1, channels, height, width] for layout "nchw".

    Raises:
        ConfigError: Not a picture, or one that the steps cannot take.
        MissingExtraError: Pillow is needed and not installed.
    """
    if spec.height * spec.width > MAX_PIXELS:
        raise ConfigError(
            f"the contract asks for {spec.width} x {spec.height} pixels", why=f"the limit is {MAX_PIXELS:,}"
        )
    pixels = (
        recolor(_as_pixels(image), spec.color) if isinstance(image, np.ndarray) else decode_image(image, spec)
    )
    value = _fit(pixels, spec)
    value = value * np.float32(spec.scale)
    value -= np.asarray(spec.mean, dtype=np.float32)
    value /= np.asarray(spec.std, dtype=np.float32)
    if spec.layout == "nchw":
        value = value.transpose(2, 0, 1)
    return np.ascontiguousarray(value[np.newaxis], dtype=np.float32)


def _as_pixels(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ConfigError(
            f"an array of shape {list(array.shape)} is not a picture",
            why="pixels are [height, width], [height, width, 1], [height, width, 3] or [height, width, 4]",
        )
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise ConfigError(
            f"pixels of dtype {array.dtype}",
            why="uint8, or floating on the 0..255 scale, is expected",
            hint="convert them: pixels.astype('uint8')",
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ConfigError(f"the picture is {array.shape[1]} x {array.shape[0]}", why=f"limit: {MAX_PIXELS:,}")
    return array[..., :3]


@dataclass(frozen=True)
class Placement:
    """Which part of a picture goes where in the tensor; all in whole pixels.

    Attributes:
        source_top: First row that is used.
        source_left: First column that is used.
        source_rows: How many rows are used.
        source_columns: How many columns are used.
        top: Where the resized part begins in the tensor.
        left: Where the resized part begins in the tensor.
        rows: Height of the resized part.
        columns: Width of the resized part.
    """

    source_top: int
    source_left: int
    source_rows: int
    source_columns: int
    top: int
    left: int
    rows: int
    columns: int


def placement(rows: int, columns: int, spec: ImagePreprocess) -> Placement:
    """Return what cropping and fitting do to a picture of `rows` x `columns`."""
    # As tf.image.central_crop: the margin is rounded down, so the crop is never smaller than asked for.
    fraction = spec.crop_fraction
    source_top, source_left = int((rows - rows * fraction) / 2), int((columns - columns * fraction) / 2)
    rows, columns = rows - 2 * source_top, columns - 2 * source_left
    top, left, tall, wide = 0, 0, spec.height, spec.width
    if spec.fit == "crop":
        # As keras smart_resize: the largest centred part of the source with the tensor's aspect ratio.
        source_rows = max(1, min(rows, columns * spec.height // spec.width))
        source_columns = max(1, min(columns, rows * spec.width // spec.height))
        source_top += (rows - source_rows) // 2
        source_left += (columns - source_columns) // 2
        rows, columns = source_rows, source_columns
    elif spec.fit == "pad":
        # As tf.image.resize_with_pad, in exact integers: the size is rounded down, and so is the margin,
        # which is taken from the size *before* rounding.
        if rows * spec.width >= columns * spec.height:
            wide = max(1, columns * spec.height // rows)
            left = (spec.width * rows - columns * spec.height) // (2 * rows)
        else:
            tall = max(1, rows * spec.width // columns)
            top = (spec.height * columns - rows * spec.width) // (2 * columns)
    return Placement(source_top, source_left, rows, columns, top, left, tall, wide)


def _fit(pixels: np.ndarray, spec: ImagePreprocess) -> np.ndarray:
    place = placement(pixels.shape[0], pixels.shape[1], spec)
    bottom, right = place.source_top + place.source_rows, place.source_left + place.source_columns
    part = resize(
        pixels[place.source_top : bottom, place.source_left : right], place.rows, place.columns, spec.resize
    )
    if spec.fit != "pad":
        return part
    out = np.full((spec.height, spec.width, pixels.shape[2]), spec.pad_value, dtype=np.float32)
    out[place.top : place.top + place.rows, place.left : place.left + place.columns] = part
    return out


def preprocess_inputs(contract: Contract, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Turn what a caller gives into the tensors of the default signature.

    For an input that the contract calls a picture: a path, file bytes, a pixel array or a list of these (one
    sample each); an array of the tensor's full rank in floating point or in the contract's dtype is taken as
    the ready tensor; a uint8 array of full rank is a batch of pixel arrays.
    For any other input: anything `np.asarray` takes, or the path of a `.npy` file.

    Args:
        contract: Whose default signature is called.
        values: By input name.

    Returns:
        By input name, in the contract's dtype.

    Raises:
        SignatureMismatchError: A name is missing or unknown, or values do not fit the dtype.
        ConfigError: A picture or file that cannot be used.
    """
    signature = contract.signature
    given = {name: _describe(value) for name, value in values.items()}
    known = {spec.name for spec in signature.inputs}
    rows = [(spec.name, str(spec), given.get(spec.name, "missing")) for spec in signature.inputs]
    rows += [(name, "no such input", text) for name, text in given.items() if name not in known]
    if known != set(values):
        raise SignatureMismatchError(rows, hint=f"inputs: {', '.join(sorted(known))}")
    out: dict[str, np.ndarray] = {}
    for spec in signature.inputs:
        rule = contract.preprocess.get(spec.name)
        if rule is not None and rule.image is not None:
            out[spec.name] = _image_tensor(values[spec.name], rule.image, spec)
        else:
            out[spec.name] = to_dtype(_load(values[spec.name]), spec)
    return out


def _image_tensor(value: Any, image: ImagePreprocess, spec: TensorSpec) -> np.ndarray:
    if isinstance(value, np.ndarray) and value.ndim == 4:
        if value.dtype.kind == "f" or value.dtype == numpy_dtype(spec.dtype):
            return to_dtype(value, spec)
        value = list(value)
    if isinstance(value, (list, tuple)):
        if not value:
            raise ConfigError(f"input {spec.name!r}: no picture in the list")
        return np.concatenate([_image_tensor(item, image, spec) for item in value])
    if not isinstance(value, (str, bytes, os.PathLike, np.ndarray)):
        raise SignatureMismatchError(
            [(spec.name, f"a picture, or {spec}", _describe(value))],
            hint="give a path, the bytes of a picture file, or a NumPy array",
        )
    source = Path(value) if isinstance(value, os.PathLike) else value
    return _from_real(preprocess_image(source, image), spec)


def _from_real(tensor: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """Bring preprocessed real values into a tensor that may be stored as integers."""
    dtype = numpy_dtype(spec.dtype)
    if dtype.kind not in "iu":
        return tensor.astype(dtype, copy=False)
    if spec.quantization is not None:
        scale, zero = spec.quantization.scales[0], spec.quantization.zero_points[0]
        tensor = tensor / np.float32(scale) + np.float32(zero)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(tensor), limits.min, limits.max), dtype=dtype)


def _load(value: Any) -> Any:
    if not isinstance(value, (str, os.PathLike)):
        return value
    path = Path(value)
    if path.suffix != ".npy":
        raise ConfigError(
            f"{path} cannot be read as a tensor",
            why="the contract does not call this input a picture",
            hint="give a .npy file, or describe the picture in edge.toml under [input.NAME]",
        )
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as failure:
        raise ConfigError(f"{path} cannot be read", why=str(failure)) from failure


def to_dtype(value: Any, spec: TensorSpec) -> np.ndarray:
    """Return the value as an array in the dtype of `spec`, where that loses no meaning.

    Floating point may change its width; integers may become any type that holds their values, floating
    types included; bool only comes from bool.

    Raises:
        SignatureMismatchError: The values do not fit.
    """
    dtype = numpy_dtype(spec.dtype)
    try:
        array = value if isinstance(value, np.ndarray) else _regular(value)
    except (ValueError, TypeError) as failure:
        raise SignatureMismatchError([(spec.name, str(spec), f"no regular array ({failure})")]) from failure
    if array.dtype == dtype:
        return array
    kinds = {"f": "fiu", "c": "cfiu", "i": "iu", "u": "iu", "b": "b"}
    fits = array.dtype.kind in kinds.get(dtype.kind, "")
    if fits and dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        fits = int(array.min()) >= limits.min and int(array.max()) <= limits.max
    if not fits:
        raise SignatureMismatchError([(spec.name, str(spec), _describe(array))])
    return array.astype(dtype)


def _regular(value: Any) -> np.ndarray:
    with warnings.catch_warnings():
        # NumPy before 1.24 warns about lists of unequal length and makes objects of them; newer ones refuse.
        warnings.simplefilter("ignore")
        return np.asarray(value)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return NumPy's dtype for a contract's dtype name.

    Raises:
        ConfigError: NumPy has none of its own (bfloat16, int4, string).
    """
    if name in ("string", "bfloat16", "int4"):
        raise ConfigError(f"tensors of dtype {name} cannot be passed", why="NumPy has no such type")
    return np.dtype(name)


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{','.join(map(str, value.shape))}]" + _range(value)
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, (str, os.PathLike)):
        return f"file {os.fspath(value)}"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}"
    return type(value).__name__


def _range(array: np.ndarray) -> str:
    if array.dtype.kind not in "iu" or not array.size:
        return ""
    return f" of {array.min()}..{array.max()}"

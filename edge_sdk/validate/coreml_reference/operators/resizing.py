"""Resizing and sampling of pictures: the last two axes are height and width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


def grid(given: int, wanted: int, mode: str) -> Array:
    """Return the places in 0..given - 1 where `wanted` values are read, as Apple's sampling modes say.

    Args:
        given: Size of the input.
        wanted: Size of the result.
        mode: "STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS" or "UNALIGN_CORNERS".
    """
    steps = np.arange(wanted, dtype=np.float64)
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if wanted == 1:
            places = np.full(1, (given - 1) / 2 if mode == "ALIGN_CORNERS" else 0.0)
        else:
            places = steps * (given - 1) / (wanted - 1)
    elif mode == "DEFAULT":
        places = steps * given / wanted
    elif mode == "OFFSET_CORNERS":
        delta = max(1, given - 1) / wanted
        places = 0.5 * delta + steps * delta
    elif mode == "UNALIGN_CORNERS":
        places = (steps + 0.5) * given / wanted - 0.5
    else:
        raise Unsupported(f"sampling_mode {mode!r}")
    return np.clip(places, 0, given - 1)


def _linear(x: Array, places: Array, axis: int) -> Array:
    """Interpolate between the neighbours of each place along an axis."""
    low = np.floor(places).astype(np.int64)
    high = np.minimum(low + 1, x.shape[axis] - 1)
    shape = [1] * x.ndim
    shape[axis] = -1
    part = (places - low).astype(np.float32).reshape(shape)
    lower, upper = np.take(x, low, axis), np.take(x, high, axis)
    return np.asarray(lower + (upper - lower) * part)


def _bilinear(x: Array, height: int, width: int, mode: str) -> Array:
    rows = _linear(x, grid(x.shape[-2], height, mode), x.ndim - 2)
    return _linear(rows, grid(x.shape[-1], width, mode), x.ndim - 1)


def _nearest(x: Array, height: int, width: int) -> Array:
    for axis, wanted in ((x.ndim - 2, height), (x.ndim - 1, width)):
        x = np.take(x, np.arange(wanted) * x.shape[axis] // max(wanted, 1), axis)
    return x


def resize_bilinear(
    *, x: Array, target_size_height: int = 1, target_size_width: int = 1, sampling_mode: str = "DEFAULT"
) -> Array:
    """Return x resized with linear interpolation."""
    return _bilinear(x, int(target_size_height), int(target_size_width), sampling_mode)


def resize_nearest_neighbor(*, x: Array, target_size_height: int, target_size_width: int) -> Array:
    """Return x resized by copying values: index i reads floor(i * given / wanted)."""
    return _nearest(x, int(target_size_height), int(target_size_width))


def upsample_bilinear(
    *,
    x: Array,
    scale_factor_height: float = 1,
    scale_factor_width: float = 1,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Array:
    """Return x larger by factors, with linear interpolation."""
    half = not align_corners if half_pixel_centers is None else half_pixel_centers
    if align_corners and half:
        raise Unsupported("align_corners together with half_pixel_centers")
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS" if half else "DEFAULT"
    return _bilinear(
        x, _scaled(x.shape[-2], scale_factor_height), _scaled(x.shape[-1], scale_factor_width), mode
    )


def upsample_nearest_neighbor(
    *, x: Array, scale_factor_height: float = 1, scale_factor_width: float = 1
) -> Array:
    """Return x larger by factors, by copying values."""
    height, width = x.shape[-2:]
    tall, wide = _scaled(height, scale_factor_height), _scaled(width, scale_factor_width)
    for given, wanted, factor in ((height, tall, scale_factor_height), (width, wide, scale_factor_width)):
        steps = np.arange(wanted)
        exact = np.minimum(np.floor(steps / np.float32(factor)), given - 1)
        if not np.array_equal(exact, steps * given // max(wanted, 1)):
            # Index i reads i / factor, or i * given / wanted: Apple's text does not say which.
            raise Unsupported(f"a factor of {float(factor):g} for {given} values, which is ambiguous")
    return _nearest(x, tall, wide)


def _scaled(size: int, factor: float) -> int:
    return int(np.floor(size * np.float32(factor)))


def resize(
    *,
    x: Array,
    shape: Any,
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Array:
    """Return x with its last `resized_dims` axes in the sizes at the end of `shape`; 0 keeps one."""
    sizes = [int(size) for size in np.atleast_1d(shape)]
    wanted = sizes[len(sizes) - int(resized_dims) :]
    if interpolation_mode == "LINEAR" and x.dtype.kind != "f":
        raise Unsupported("interpolation of integers: how it rounds is not defined")
    for axis, size in zip(range(x.ndim - len(wanted), x.ndim), wanted, strict=True):
        given = x.shape[axis]
        count = given if size == 0 else size
        if interpolation_mode == "LINEAR":
            x = _linear(x, grid(given, count, sampling_mode), axis)
        elif interpolation_mode == "NEAREST_NEIGHBOR" and sampling_mode == "DEFAULT":
            x = np.take(x, np.arange(count) * given // max(count, 1), axis)
        else:
            raise Unsupported(f"{interpolation_mode} with sampling_mode {sampling_mode}")
    return x


def crop(*, x: Array, crop_height: Any, crop_width: Any) -> Array:
    """Return x without rows and columns at its edges: [before, after] each."""
    (top, bottom), (left, right) = (np.ravel(pair).tolist() for pair in (crop_height, crop_width))
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


def _crop_grid(first: float, last: float, wanted: int, mode: str) -> Array:
    """Return the places between first and last where a box is read; the modes are those of `grid`."""
    steps = np.arange(wanted, dtype=np.float64)
    span = last - first
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if wanted == 1:
            return np.full(1, (first + last) / 2 if mode == "ALIGN_CORNERS" else first)
        return first + steps * span / (wanted - 1)
    if mode == "OFFSET_CORNERS":
        delta = max(1.0, span) / wanted
        return first + 0.5 * delta + steps * delta
    raise Unsupported(f"sampling_mode {mode!r} of a box")


def crop_resize(
    *,
    x: Array,
    roi: Array | None = None,
    boxes: Array | None = None,
    box_indices: Any = None,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Array:
    """Return boxes of pictures, resized.

    Args:
        x: [B, C, H, W].
        roi: [N, 1, 4 or 5, 1, 1], up to iOS 16; a fifth value in front names the picture.
        boxes: [N, 4], from iOS 17 on.
        box_indices: [N], the picture of each box, from iOS 17 on.
        target_height: Rows of each crop.
        target_width: Columns of each crop.
        normalized_coordinates: Boxes are in 0..1.
        spatial_scale: Factor for coordinates that are not normalized.
        box_coordinate_mode: Order and meaning of the four values.
        sampling_mode: See `grid`.
        pad_value: Of what lies outside of the picture.

    Returns:
        [N, B or 1, C, height, width] up to iOS 16, else [N, C, height, width].
    """
    height, width = x.shape[-2:]
    if roi is not None:
        flat = roi.reshape(roi.shape[0], roi.shape[2])
        named = roi.shape[2] == 5
        pictures = [[int(row[0])] if named else list(range(x.shape[0])) for row in flat]
        corners = flat[:, 1:] if named else flat
    elif boxes is not None:
        corners = boxes
        chosen = range(len(boxes)) if box_indices is None else np.atleast_1d(box_indices)
        pictures = [[int(index)] for index in chosen]
    else:
        raise Unsupported("neither roi nor boxes")
    if normalized_coordinates and spatial_scale != 1:
        raise Unsupported("a spatial_scale of normalized coordinates, which is ambiguous")
    found = []
    for row, indices in zip(corners, pictures, strict=True):
        top, left, bottom, right = _corners(row.astype(np.float64), box_coordinate_mode)
        factors = (height - 1, width - 1) if normalized_coordinates else (spatial_scale, spatial_scale)
        rows = _crop_grid(top * factors[0], bottom * factors[0], int(target_height), sampling_mode)
        columns = _crop_grid(left * factors[1], right * factors[1], int(target_width), sampling_mode)
        found.append(np.stack([_read(x[index], rows, columns, pad_value) for index in indices]))
    kept = (x.shape[1], int(target_height), int(target_width))
    if roi is None:
        return np.stack(found)[:, 0] if found else np.zeros((0, *kept), np.float32)
    return np.stack(found) if found else np.zeros((0, 1 if named else x.shape[0], *kept), np.float32)


def _corners(row: Array, mode: str) -> tuple[float, float, float, float]:
    a, b, c, d = (float(value) for value in row)
    if mode.endswith("WIDTH_FIRST"):
        a, b, c, d = b, a, d, c
    if mode.startswith("CENTER_SIZE"):
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    if not mode.startswith("CORNERS"):
        raise Unsupported(f"box_coordinate_mode {mode!r}")
    return a, b, c, d


def _read(picture: Array, rows: Array, columns: Array, fill: float) -> Array:
    """Read a picture [C, H, W] at rows x columns with linear interpolation; outside is one value."""
    height, width = picture.shape[-2:]
    inner = _linear(_linear(picture, np.clip(rows, 0, height - 1), 1), np.clip(columns, 0, width - 1), 2)
    inside = ((rows >= 0) & (rows <= height - 1))[:, None] & ((columns >= 0) & (columns <= width - 1))
    return np.where(inside, inner, np.float32(fill)).astype(np.float32)


def resample(
    *,
    x: Array,
    coordinates: Array,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Array:
    """Return x read at coordinates.

    Args:
        x: [B, C, H1, W1].
        coordinates: [B, H2, W2, 2], (x, y) each.
        sampling_mode: "bilinear" or "nearest".
        padding_mode: "constant", "border", "reflection" or "symmetric".
        padding_value: Of "constant".
        coordinates_mode: "unnormalized", "normalized_minus_one_to_one" or "normalized_zero_to_one".
        align_corners: The ends of the normalized range are the centres of the corner pixels, not their edges.

    Returns:
        [B, C, H2, W2].
    """
    # Apple's own checks do not look at the case of these words.
    sampling_mode, padding_mode, coordinates_mode = (
        word.lower() for word in (sampling_mode, padding_mode, coordinates_mode)
    )
    height, width = x.shape[-2:]
    columns = _unnormalized(coordinates[..., 0], width, coordinates_mode, align_corners)
    rows = _unnormalized(coordinates[..., 1], height, coordinates_mode, align_corners)
    if padding_mode in ("reflection", "symmetric"):
        columns = _reflected(columns, width, edge=padding_mode == "symmetric")
        rows = _reflected(rows, height, edge=padding_mode == "symmetric")
    elif padding_mode == "border":
        columns, rows = np.clip(columns, 0, width - 1), np.clip(rows, 0, height - 1)
    elif padding_mode != "constant":
        raise Unsupported(f"padding_mode {padding_mode!r}")
    if sampling_mode == "nearest":
        return _pick(x, np.rint(rows).astype(np.int64), np.rint(columns).astype(np.int64), padding_value)
    if sampling_mode != "bilinear":
        raise Unsupported(f"sampling_mode {sampling_mode!r}")
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    down, right = (rows - top)[:, None], (columns - left)[:, None]
    parts = (
        _pick(x, top, left, padding_value) * (1 - down) * (1 - right),
        _pick(x, top, left + 1, padding_value) * (1 - down) * right,
        _pick(x, top + 1, left, padding_value) * down * (1 - right),
        _pick(x, top + 1, left + 1, padding_value) * down * right,
    )
    return np.asarray(sum(parts), np.float32)


def _unnormalized(values: Array, size: int, mode: str, align_corners: bool) -> Array:
    places = values.astype(np.float64)
    if mode == "unnormalized":
        return places
    if mode == "normalized_minus_one_to_one":
        places = (places + 1) / 2
    elif mode != "normalized_zero_to_one":
        raise Unsupported(f"coordinates_mode {mode!r}")
    return places * (size - 1) if align_corners else places * size - 0.5


def _reflected(places: Array, size: int, *, edge: bool) -> Array:
    if size == 1:
        return np.zeros_like(places)
    if edge:
        period = 2 * size
        folded = np.mod(places + 0.5, period)
        return np.clip(np.where(folded > size, period - folded, folded) - 0.5, 0, size - 1)
    period = 2 * (size - 1)
    folded = np.mod(places, period)
    return np.asarray(np.where(folded > size - 1, period - folded, folded))


def _pick(x: Array, rows: Array, columns: Array, fill: float) -> Array:
    height, width = x.shape[-2:]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    batch = np.arange(x.shape[0])[:, None, None]
    found = x[batch, :, np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.where(inside[:, None], np.moveaxis(found, -1, 1), np.float32(fill))


def affine(
    *,
    x: Array,
    transform_matrix: Array,
    output_height: int,
    output_width: int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Array:
    """Return a picture moved by a matrix [a0, a1, a2, b0, b1, b2] for each sample, or one for all."""
    if coordinates_mode.lower() != "normalized_minus_one_to_one" or not align_corners:
        raise Unsupported("coordinates other than -1..1 with aligned corners")
    if min(int(output_height), int(output_width)) == 1:
        raise Unsupported("one row or column, which could lie at the edge or in the middle")
    columns = np.linspace(-1, 1, int(output_width))[None, :]
    rows = np.linspace(-1, 1, int(output_height))[:, None]
    matrices = np.broadcast_to(transform_matrix, (x.shape[0], 6)).astype(np.float64)
    places = np.stack(
        [
            np.stack([a0 * columns + a1 * rows + a2, b0 * columns + b1 * rows + b2], -1)
            for a0, a1, a2, b0, b1, b2 in matrices
        ]
    )
    return resample(
        x=x,
        coordinates=places,
        sampling_mode=sampling_mode,
        padding_mode=padding_mode,
        padding_value=padding_value,
        coordinates_mode=coordinates_mode,
        align_corners=align_corners,
    )


TABLE = {
    "affine": affine,
    "crop": crop,
    "crop_resize": crop_resize,
    "resample": resample,
    "resize": resize,
    "resize_bilinear": resize_bilinear,
    "resize_nearest_neighbor": resize_nearest_neighbor,
    "upsample_bilinear": upsample_bilinear,
    "upsample_nearest_neighbor": upsample_nearest_neighbor,
}

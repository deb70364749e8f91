"""Resizing and sampling against TensorFlow, Apple's published grids, and one pixel after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators import resizing

RANDOM = np.random.default_rng(9)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def corners(height: float, width: float, **options: Any) -> np.ndarray:
    """Return a crop of a 4 x 4 picture of the numbers 1 to 16."""
    picture = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    options = {"sampling_mode": "ALIGN_CORNERS", **options}
    return resizing.crop_resize(x=picture, target_height=height, target_width=width, **options)


@pytest.mark.parametrize(
    ("mode", "wanted", "places"),
    [
        ("UNALIGN_CORNERS", 5, [0, 0.1, 0.5, 0.9, 1]),
        ("STRICT_ALIGN_CORNERS", 5, [0, 0.25, 0.5, 0.75, 1]),
        ("ALIGN_CORNERS", 5, [0, 0.25, 0.5, 0.75, 1]),
        ("DEFAULT", 5, [0, 0.4, 0.8, 1, 1]),
        ("OFFSET_CORNERS", 5, [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("UNALIGN_CORNERS", 6, [0, 0, 1 / 3, 2 / 3, 1, 1]),
        ("STRICT_ALIGN_CORNERS", 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("DEFAULT", 6, [0, 1 / 3, 2 / 3, 1, 1, 1]),
        ("OFFSET_CORNERS", 6, [1 / 12, 3 / 12, 5 / 12, 7 / 12, 9 / 12, 11 / 12]),
        ("ALIGN_CORNERS", 1, [0.5]),
        ("STRICT_ALIGN_CORNERS", 1, [0]),
    ],
)
def test_the_grids_of_the_documentation(mode: str, wanted: int, places: list[float]) -> None:
    x = np.float32([0, 1]).reshape(1, 1, 2)
    result = resizing.resize_bilinear(x=x, target_size_height=1, target_size_width=wanted, sampling_mode=mode)
    np.testing.assert_allclose(result.reshape(-1), places, atol=1e-6)
    shape = np.asarray([1, wanted], np.int32)
    newer = resizing.resize(x=x, shape=shape, resized_dims=2, sampling_mode=mode)
    assert np.array_equal(newer, result)


def test_sizes_come_from_the_end_of_a_shape() -> None:
    x = floats(1, 2, 3, 4)
    for shape, dims, wanted in [
        ([1, 6, 8], 2, (1, 2, 6, 8)),
        ([1, 0, 0], 2, (1, 2, 3, 4)),
        ([9, 0, 5], 1, (1, 2, 3, 5)),
        ([7], 0, (1, 2, 3, 4)),
    ]:
        for mode in ("LINEAR", "NEAREST_NEIGHBOR"):
            result = resizing.resize(
                x=x, shape=np.asarray(shape, np.int32), resized_dims=dims, interpolation_mode=mode
            )
            assert result.shape == wanted


def test_what_is_not_defined_has_no_result() -> None:
    x = np.ones((1, 1, 2, 3), np.int32)
    shape = np.asarray([4, 4], np.int32)
    with pytest.raises(Unsupported, match="integers"):
        resizing.resize(x=x, shape=shape, resized_dims=2)
    nearest = {"x": x, "shape": shape, "resized_dims": 2, "interpolation_mode": "NEAREST_NEIGHBOR"}
    assert resizing.resize(**nearest).dtype == np.int32
    with pytest.raises(Unsupported, match="ALIGN_CORNERS"):
        resizing.resize(**nearest, sampling_mode="ALIGN_CORNERS")
    with pytest.raises(Unsupported, match="ambiguous"):
        resizing.upsample_nearest_neighbor(x=floats(1, 3, 3), scale_factor_height=2.6)
    with pytest.raises(Unsupported, match="sampling_mode"):
        resizing.resize_bilinear(x=floats(1, 2, 2), target_size_height=3, sampling_mode="CUBIC")
    with pytest.raises(Unsupported, match="spatial_scale"):
        corners(2, 2, boxes=np.zeros((1, 4)), normalized_coordinates=True, spatial_scale=0.5)


def test_edges_are_cut_off() -> None:
    x = floats(2, 3, 5, 6)
    result = resizing.crop(x=x, crop_height=np.asarray([1, 2]), crop_width=np.asarray([0, 3]))
    assert np.array_equal(result, x[:, :, 1:3, :3])


def test_boxes_as_coremltools_expects_them() -> None:
    roi = np.float32([1, 1, 2, 2]).reshape(1, 1, 4, 1, 1)
    assert corners(2, 2, roi=roi).reshape(-1).tolist() == [6, 7, 10, 11]
    assert corners(1, 1, roi=roi).shape == (1, 1, 1, 1, 1)
    assert corners(1, 1, roi=roi).item() == 8.5
    turned = np.float32([2, 2, 1, 1]).reshape(1, 1, 4, 1, 1)
    assert corners(2, 2, roi=turned).reshape(-1).tolist() == [11, 10, 7, 6]
    named = np.float32([0, 0, 0, 1 / 3, 1 / 3]).reshape(1, 1, 5, 1, 1)
    np.testing.assert_allclose(
        corners(2, 2, roi=named, normalized_coordinates=True).reshape(-1), [1, 2, 5, 6]
    )
    quarters = corners(4, 4, roi=roi).reshape(4, 4)
    np.testing.assert_allclose(quarters, 6 + np.arange(4)[:, None] * 4 / 3 + np.arange(4) / 3, rtol=1e-6)


def test_boxes_are_named_in_four_ways() -> None:
    expected = corners(2, 3, boxes=np.float32([[0, 1, 2, 3]]))
    for mode, box in [
        ("CORNERS_WIDTH_FIRST", [1, 0, 3, 2]),
        ("CENTER_SIZE_HEIGHT_FIRST", [1, 2, 2, 2]),
        ("CENTER_SIZE_WIDTH_FIRST", [2, 1, 2, 2]),
    ]:
        assert np.array_equal(corners(2, 3, boxes=np.float32([box]), box_coordinate_mode=mode), expected)
    assert np.array_equal(corners(2, 3, boxes=np.float32([[0, 2, 4, 6]]), spatial_scale=0.5), expected)
    assert corners(2, 3, boxes=np.zeros((0, 4), np.float32)).shape == (0, 1, 2, 3)
    assert corners(2, 3, roi=np.zeros((0, 1, 4, 1, 1), np.float32)).shape == (0, 1, 1, 2, 3)


def read(picture: np.ndarray, y: int, x: int, mode: str, fill: float) -> float:
    """Return one pixel of a picture that goes on behind its edges."""

    def folded(at: int, size: int) -> int:
        if mode == "border":
            return min(max(at, 0), size - 1)
        while not 0 <= at < size:
            if mode == "symmetric":
                at = -1 - at if at < 0 else 2 * size - 1 - at
            elif size == 1:
                at = 0
            else:
                at = -at if at < 0 else 2 * (size - 1) - at
        return at

    height, width = picture.shape
    if mode == "constant" and not (0 <= y < height and 0 <= x < width):
        return fill
    return float(picture[folded(y, height), folded(x, width)])


@pytest.mark.parametrize("padding", ["constant", "border", "reflection", "symmetric"])
@pytest.mark.parametrize("sampling", ["bilinear", "nearest"])
def test_samples_are_read_one_by_one(sampling: str, padding: str) -> None:
    x = floats(2, 3, 4, 5)
    coordinates = RANDOM.uniform(-6, 9, (2, 6, 7, 2)).astype(np.float32)
    arguments: dict[str, Any] = {
        "x": x,
        "sampling_mode": sampling,
        "padding_mode": padding,
        "padding_value": -2.0,
    }
    result = resizing.resample(
        coordinates=coordinates, coordinates_mode="unnormalized", align_corners=False, **arguments
    )
    for b, c, h, w in np.ndindex(result.shape):
        column, line = (float(value) for value in coordinates[b, h, w])
        picture = x[b, c]
        if sampling == "nearest":
            expected = read(picture, round(line), round(column), padding, -2.0)
        else:
            top, left = math.floor(line), math.floor(column)
            expected = sum(
                read(picture, top + down, left + right, padding, -2.0)
                * (line - top if down else 1 - line + top)
                * (column - left if right else 1 - column + left)
                for down in (0, 1)
                for right in (0, 1)
            )
        assert result[b, c, h, w] == pytest.approx(expected, abs=1e-4)
    sizes = np.float32([5, 4])
    for name, align, normalized in [
        ("normalized_zero_to_one", True, coordinates / (sizes - 1)),
        ("normalized_zero_to_one", False, (coordinates + 0.5) / sizes),
        ("normalized_minus_one_to_one", True, coordinates / (sizes - 1) * 2 - 1),
        ("normalized_minus_one_to_one", False, (coordinates + 0.5) / sizes * 2 - 1),
    ]:
        same = resizing.resample(
            coordinates=normalized, coordinates_mode=name, align_corners=align, **arguments
        )
        np.testing.assert_allclose(same, result, atol=1e-4)


def test_pictures_are_moved() -> None:
    x = floats(2, 1, 3, 5)
    common: dict[str, Any] = {
        "x": x,
        "sampling_mode": "bilinear",
        "padding_mode": "constant",
        "padding_value": 0.0,
        "coordinates_mode": "normalized_minus_one_to_one",
        "align_corners": True,
    }
    still = np.float32([[1, 0, 0, 0, 1, 0]])
    result = resizing.affine(transform_matrix=still, output_height=3, output_width=5, **common)
    np.testing.assert_allclose(result, x, atol=1e-6)
    # One sample is turned upside down, the other moved by one column (half a picture is 1).
    each = np.float32([[1, 0, 0, 0, -1, 0], [1, 0, 0.5, 0, 1, 0]])
    result = resizing.affine(transform_matrix=each, output_height=3, output_width=5, **common)
    np.testing.assert_allclose(result[0], x[0, :, ::-1], atol=1e-6)
    np.testing.assert_allclose(result[1, ..., :4], x[1, ..., 1:], atol=1e-6)
    assert not result[1, ..., 4].any()
    with pytest.raises(Unsupported, match="in the middle"):
        resizing.affine(transform_matrix=still, output_height=1, output_width=5, **common)


@pytest.mark.tensorflow
def test_resizes_as_tensorflow_does(tf: Any) -> None:
    raw = tf.raw_ops
    for height, width, tall, wide in [(4, 5, 7, 9), (5, 3, 2, 3), (6, 6, 3, 12), (3, 4, 1, 1), (2, 7, 5, 4)]:
        x = floats(2, 3, height, width)
        images = x.transpose(0, 2, 3, 1)
        sizes = {"target_size_height": tall, "target_size_width": wide}
        for mode, align, half in [
            ("DEFAULT", False, False),
            ("STRICT_ALIGN_CORNERS", True, False),
            ("UNALIGN_CORNERS", False, True),
        ]:
            expected = raw.ResizeBilinear(
                images=images, size=[tall, wide], align_corners=align, half_pixel_centers=half
            )
            result = resizing.resize_bilinear(x=x, sampling_mode=mode, **sizes)
            np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-5)
        nearest = raw.ResizeNearestNeighbor(images=images, size=[tall, wide])
        expected = nearest.numpy().transpose(0, 3, 1, 2)
        assert np.array_equal(resizing.resize_nearest_neighbor(x=x, **sizes), expected)
        newer = resizing.resize(
            x=x,
            shape=np.asarray([tall, wide], np.int32),
            resized_dims=2,
            interpolation_mode="NEAREST_NEIGHBOR",
        )
        assert np.array_equal(newer, expected)


@pytest.mark.tensorflow
def test_enlarges_as_tensorflow_does(tf: Any) -> None:
    x = floats(1, 2, 3, 5)
    images = x.transpose(0, 2, 3, 1)
    for factors in [(2, 3), (1, 4), (2.0, 1.0), (1.5, 2.4)]:
        size = [int(3 * factors[0]), int(5 * factors[1])]
        scales = {"scale_factor_height": factors[0], "scale_factor_width": factors[1]}
        for align, half, more in [
            (True, False, {}),
            (False, True, {}),
            (False, False, {"half_pixel_centers": False}),
        ]:
            expected = tf.raw_ops.ResizeBilinear(
                images=images, size=size, align_corners=align, half_pixel_centers=half
            )
            result = resizing.upsample_bilinear(x=x, align_corners=align, **scales, **more)
            np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-5)
        if all(factor == int(factor) for factor in factors):
            nearest = tf.raw_ops.ResizeNearestNeighbor(images=images, size=size)
            result = resizing.upsample_nearest_neighbor(x=x, **scales)
            assert np.array_equal(result, nearest.numpy().transpose(0, 3, 1, 2))


@pytest.mark.tensorflow
def test_crops_as_tensorflow_does(tf: Any) -> None:
    x = floats(2, 3, 6, 5)
    boxes = RANDOM.uniform(-0.2, 1.2, (4, 4)).astype(np.float32)
    indices = np.asarray([1, 0, 0, 1], np.int32)
    for tall, wide in [(3, 4), (1, 1), (1, 3)]:
        expected = tf.image.crop_and_resize(
            x.transpose(0, 2, 3, 1), boxes, indices, [tall, wide], extrapolation_value=0.5
        )
        result = resizing.crop_resize(
            x=x,
            boxes=boxes,
            box_indices=indices,
            target_height=tall,
            target_width=wide,
            normalized_coordinates=True,
            sampling_mode="ALIGN_CORNERS",
            pad_value=0.5,
        )
        np.testing.assert_allclose(result, expected.numpy().transpose(0, 3, 1, 2), atol=1e-5)

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.preprocess import preprocess_image, preprocess_inputs, resize, to_dtype
from edge_sdk.contract.spec import Contract, ImagePreprocess, Preprocess, Quantization, Signature, TensorSpec
from edge_sdk.errors import ConfigError, SignatureMismatchError
from tests.contract.pictures import encoded, scene

METHODS = ("bilinear", "bilinear_antialias", "nearest")


@pytest.mark.parametrize("method", METHODS)
def test_the_right_size_is_left_alone_and_a_flat_picture_stays_flat(method: str) -> None:
    np.testing.assert_array_equal(resize(scene(), 12, 20, method), scene())
    flat = np.full((9, 31, 3), 77, np.uint8)
    np.testing.assert_allclose(resize(flat, 17, 4, method), 77, atol=1e-4)


def test_bilinear_by_hand() -> None:
    row = np.array([[[0], [10], [20], [30]]], dtype=np.uint8)
    np.testing.assert_allclose(resize(row, 1, 2, "bilinear")[0, :, 0], [5, 25])
    np.testing.assert_allclose(
        resize(row, 1, 8, "bilinear")[0, :, 0], [0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30]
    )
    # 4 -> 1: without antialias the two middle pixels; with it a triangle over all four.
    np.testing.assert_allclose(resize(row, 1, 1, "bilinear")[0, :, 0], [15])
    spike = np.array([[[0], [0], [100], [0], [0]]], dtype=np.uint8)
    np.testing.assert_allclose(resize(spike, 1, 1, "bilinear")[0, 0, 0], 100)
    assert resize(spike, 1, 1, "bilinear_antialias")[0, 0, 0] == pytest.approx(100 / 3.8)
    np.testing.assert_array_equal(resize(row, 1, 2, "nearest")[0, :, 0], [10, 30])


def test_none_demands_the_size() -> None:
    with pytest.raises(ConfigError, match="the model takes 8 x 7"):
        resize(scene(), 7, 8, "none")
    assert resize(scene(), 12, 20, "none").dtype == np.float32


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(METHODS),
    st.integers(0, 2**32 - 1),
)
def test_resizing_stays_within_the_values_and_knows_no_direction(
    rows: int, columns: int, height: int, width: int, method: str, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (rows, columns, 2), dtype=np.uint8)
    out = resize(image, height, width, method)
    assert out.shape == (height, width, 2)
    assert out.dtype == np.float32
    assert out.min() >= image.min() - 1e-3
    assert out.max() <= image.max() + 1e-3
    np.testing.assert_allclose(
        out, resize(image.swapaxes(0, 1), width, height, method).swapaxes(0, 1), atol=1e-3
    )
    if method != "nearest":
        np.testing.assert_allclose(
            out[::-1, ::-1], resize(image[::-1, ::-1], height, width, method), atol=1e-3
        )


SIZES = [
    ((7, 5), (14, 10)),
    ((7, 5), (3, 2)),
    ((480, 640), (224, 224)),
    ((33, 57), (100, 9)),
    ((1, 1), (5, 7)),
    ((31, 17), (32, 16)),
    ((100, 3), (1, 1)),
    ((641, 479), (640, 481)),
    ((90, 300), (29, 28)),
    ((1000, 13), (77, 300)),
]
FRACTIONS = (0.875, 0.5, 0.33)
#: resize_with_pad counts in float32 and can be a pixel off, or fail with size 0; these it gets right.
PADDED = [((480, 640), (224, 224)), ((33, 57), (100, 9)), ((17, 31), (40, 23)), ((90, 300), (29, 28))]

#: Runs in a process of its own: TensorFlow stays out of the tests' process.
REFERENCE = """
import sys
import numpy as np
import tensorflow as tf
given = dict(np.load(sys.argv[1]))
out = {}
for name, image in given.items():
    kind, height, width = name.split("-")[1:4]
    size = (int(height), int(width))
    if kind == "pad":
        out[name] = tf.image.resize_with_pad(image, *size).numpy()
        continue
    out[name + "-bilinear"] = tf.image.resize(image, size, method="bilinear").numpy()
    out[name + "-bilinear_antialias"] = tf.image.resize(image, size, antialias=True).numpy()
    out[name + "-nearest"] = tf.image.resize(image, size, method="nearest").numpy()
    out[name + "-crop"] = np.asarray(tf.keras.preprocessing.image.smart_resize(image, size))
    for fraction in (0.875, 0.5, 0.33):
        out[name + f"-{fraction}"] = tf.image.central_crop(image, fraction).numpy()
np.savez(sys.argv[2], **out)
"""


@pytest.mark.tensorflow
def test_resizing_gives_the_numbers_of_tensorflow(tmp_path: Path) -> None:
    """Also the geometry: tf.image.central_crop and resize_with_pad, keras smart_resize."""
    if find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    random = np.random.default_rng(0)
    given: dict[str, np.ndarray] = {}
    for kind, sizes in (("all", SIZES), ("pad", PADDED)):
        for index, (source, (height, width)) in enumerate(sizes):
            name = f"{index}-{kind}-{height}-{width}"
            given[name] = random.integers(0, 256, (*source, 3), dtype=np.uint8)
    np.savez(tmp_path / "given.npz", **given)  # type: ignore[arg-type]
    command = [sys.executable, "-c", REFERENCE, str(tmp_path / "given.npz"), str(tmp_path / "expected.npz")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    expected = dict(np.load(tmp_path / "expected.npz"))
    tolerance = 1e-3 * 255
    for name, image in given.items():
        kind = name.split("-")[1]
        height, width = (int(text) for text in name.split("-")[2:4])
        if kind == "pad":
            pad = ImagePreprocess(height=height, width=width, fit="pad")
            np.testing.assert_allclose(preprocess_image(image, pad)[0], expected[name], atol=tolerance)
            continue
        for method in METHODS:
            ours = resize(image, height, width, method)
            np.testing.assert_allclose(ours, expected[f"{name}-{method}"], atol=tolerance, err_msg=name)
        np.testing.assert_array_equal(resize(image, height, width, "nearest"), expected[f"{name}-nearest"])
        crop = ImagePreprocess(height=height, width=width, fit="crop")
        np.testing.assert_allclose(preprocess_image(image, crop)[0], expected[f"{name}-crop"], atol=tolerance)
        for fraction in FRACTIONS:
            spec = ImagePreprocess(height=4, width=4, crop_fraction=fraction)
            middle = resize(expected[f"{name}-{fraction}"], 4, 4, "bilinear")
            np.testing.assert_array_equal(preprocess_image(image, spec)[0], middle)


def test_scale_mean_std_and_layout() -> None:
    spec = ImagePreprocess(
        height=12,
        width=20,
        resize="none",
        scale=1 / 255,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    expected = (scene() / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    value = preprocess_image(scene(), spec)
    assert value.shape == (1, 12, 20, 3)
    assert value.dtype == np.float32
    assert value.flags.c_contiguous
    np.testing.assert_allclose(value[0], expected, atol=1e-5)
    nchw = ImagePreprocess(height=12, width=20, resize="none", layout="nchw", color="bgr")
    planes = preprocess_image(scene(), nchw)
    assert planes.shape == (1, 3, 12, 20)
    assert planes.flags.c_contiguous
    np.testing.assert_array_equal(planes[0, 0], scene()[:, :, 2])


def test_mean_and_std_follow_the_tensors_colour_order() -> None:
    spec = ImagePreprocess(height=12, width=20, resize="none", color="bgr", mean=(1.0, 2.0, 3.0))
    np.testing.assert_array_equal(
        preprocess_image(scene(), spec)[0, 0, 0], scene()[0, 0, ::-1].astype(np.float32) - [1, 2, 3]
    )


def test_padding_is_even_and_normalised_like_any_pixel() -> None:
    white = np.full((10, 20, 3), 255, np.uint8)
    spec = ImagePreprocess(height=20, width=20, fit="pad", pad_value=51.0, scale=1 / 255)
    value = preprocess_image(white, spec)[0, :, :, 0]
    np.testing.assert_allclose(value[:5], 0.2, atol=1e-6)
    np.testing.assert_allclose(value[5:15], 1.0, atol=1e-6)
    np.testing.assert_allclose(value[15:], 0.2, atol=1e-6)


def test_cropping_keeps_the_middle() -> None:
    image = np.zeros((10, 30, 1), np.uint8)
    image[:, 10:20] = 200
    spec = ImagePreprocess(height=10, width=10, color="gray", fit="crop")
    np.testing.assert_array_equal(preprocess_image(image, spec), 200)
    half = ImagePreprocess(height=5, width=5, color="gray", crop_fraction=1 / 3)
    tall = np.zeros((30, 30, 1), np.uint8)
    tall[10:20, 10:20] = 200
    np.testing.assert_array_equal(preprocess_image(tall, half), 200)


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 50),
    st.integers(1, 50),
    st.sampled_from(["stretch", "crop", "pad"]),
    st.floats(0.01, 1.0),
    st.sampled_from(["rgb", "bgr", "gray"]),
    st.sampled_from(["nhwc", "nchw"]),
)
def test_every_combination_gives_the_shape_it_promises(
    rows: int, columns: int, height: int, width: int, fit: str, fraction: float, color: str, layout: str
) -> None:
    spec = ImagePreprocess(
        height=height, width=width, fit=fit, crop_fraction=fraction, color=color, layout=layout
    )
    value = preprocess_image(np.full((rows, columns, 3), 9, np.uint8), spec)
    channels = 1 if color == "gray" else 3
    assert value.shape == ((1, height, width, channels) if layout == "nhwc" else (1, channels, height, width))
    assert np.isfinite(value).all()
    assert value.max() == pytest.approx(9, abs=1e-3)


def test_pixel_arrays_of_every_kind() -> None:
    spec = ImagePreprocess(height=12, width=20, resize="none")
    alpha = np.dstack([scene(), scene()[..., :1]])
    np.testing.assert_array_equal(preprocess_image(alpha, spec)[0], scene())
    np.testing.assert_array_equal(
        preprocess_image(scene()[..., 0], spec)[0], np.repeat(scene()[..., :1], 3, axis=2)
    )
    np.testing.assert_array_equal(preprocess_image(scene().astype(np.float64), spec)[0], scene())
    before = scene().astype(np.float32)
    preprocess_image(before, ImagePreprocess(height=12, width=20, resize="none", mean=(9.0,)))
    np.testing.assert_array_equal(before, scene())


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 2, 3), np.int64),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray) -> None:
    with pytest.raises(ConfigError):
        preprocess_image(array, ImagePreprocess(height=2, width=2))


def test_a_contract_cannot_ask_for_a_tensor_that_fills_the_memory() -> None:
    with pytest.raises(ConfigError, match="limit"):
        preprocess_image(scene(), ImagePreprocess(height=10**6, width=10**6))


def contract(*inputs: TensorSpec, **preprocess: ImagePreprocess) -> Contract:
    return Contract(
        signatures=(Signature(name="s", inputs=inputs, outputs=()),),
        default_signature="s",
        preprocess={name: Preprocess(image=image) for name, image in preprocess.items()},
    )


PICTURE = TensorSpec(name="image", dtype="float32", shape=(None, 12, 20, 3))
SAME = ImagePreprocess(height=12, width=20, resize="none")


def test_pictures_are_taken_in_every_form(tmp_path: Path) -> None:
    raw = encoded(scene())
    (tmp_path / "a.png").write_bytes(raw)
    both = contract(PICTURE, image=SAME)
    for value in (
        raw,
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
        scene(),
        scene()[np.newaxis],
        [raw],
        (scene(),),
    ):
        tensor = preprocess_inputs(both, {"image": value})["image"]
        assert tensor.shape == (1, 12, 20, 3)
        np.testing.assert_array_equal(tensor[0], scene())
    assert preprocess_inputs(both, {"image": [raw, scene(), raw]})["image"].shape == (3, 12, 20, 3)
    assert preprocess_inputs(both, {"image": np.stack([scene()] * 4)})["image"].shape == (4, 12, 20, 3)


def test_a_ready_tensor_passes_through() -> None:
    ready = np.random.default_rng(0).random((2, 12, 20, 3)).astype(np.float32)
    both = contract(PICTURE, image=SAME)
    np.testing.assert_array_equal(preprocess_inputs(both, {"image": ready})["image"], ready)
    wide = preprocess_inputs(both, {"image": ready.astype(np.float64)})["image"]
    assert wide.dtype == np.float32


def test_integer_picture_tensors_are_rounded_or_quantized() -> None:
    plain = TensorSpec(name="image", dtype="uint8", shape=(1, 12, 20, 3))
    tensor = preprocess_inputs(contract(plain, image=SAME), {"image": scene()})["image"]
    assert tensor.dtype == np.uint8
    np.testing.assert_array_equal(tensor[0], scene())
    stored = TensorSpec(
        name="image",
        dtype="int8",
        shape=(1, 12, 20, 3),
        quantization=Quantization(scales=(1 / 255,), zero_points=(-128,)),
    )
    unit = ImagePreprocess(height=12, width=20, resize="none", scale=1 / 255)
    tensor = preprocess_inputs(contract(stored, image=unit), {"image": scene()})["image"]
    np.testing.assert_array_equal(tensor[0], scene().astype(int) - 128)
    ready = np.zeros((1, 12, 20, 3), np.int8)
    np.testing.assert_array_equal(
        preprocess_inputs(contract(stored, image=unit), {"image": ready})["image"], ready
    )


def test_names_must_fit_and_the_message_shows_both_sides() -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        preprocess_inputs(contract(PICTURE), {"img": np.zeros((1, 2)), "image2": [1]})
    text = str(caught.value)
    assert "missing" in text
    assert "no such input" in text
    assert "float32[?,12,20,3]" in text
    assert "float64[1,2]" in text


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float32", [1, 2], np.float32),
        ("float32", [1.5], np.float32),
        ("int32", [1, 2], np.int32),
        ("uint8", [0, 255], np.uint8),
        ("bool", [True], np.bool_),
        ("float16", 3, np.float16),
        ("int64", [], None),
    ],
)
def test_plain_values_take_the_contracts_dtype(dtype: str, value: Any, expected: type | None) -> None:
    spec = TensorSpec(name="x", dtype=dtype, shape=(None,))
    if expected is None:
        with pytest.raises(SignatureMismatchError):
            to_dtype(np.array(value), spec)  # an empty list is float64 to NumPy: no meaning to guess
        return
    array = preprocess_inputs(contract(spec), {"x": value})["x"]
    assert array.dtype == expected
    np.testing.assert_array_equal(array, np.asarray(value, dtype=expected))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("int32", [1.5]),
        ("uint8", [256]),
        ("uint8", [-1]),
        ("int8", np.array([200], np.uint8)),
        ("bool", [1]),
        ("float32", ["a"]),
        ("float32", [True]),
        ("float32", [1j]),
        ("float32", [[1], [1, 2]]),
        ("int64", [2**63]),
    ],
)
def test_values_that_would_lose_meaning_are_refused(dtype: str, value: Any) -> None:
    with pytest.raises(SignatureMismatchError):
        preprocess_inputs(contract(TensorSpec(name="x", dtype=dtype, shape=(None,))), {"x": value})


@pytest.mark.parametrize("dtype", ["string", "bfloat16", "int4"])
def test_dtypes_that_numpy_lacks_are_named(dtype: str) -> None:
    with pytest.raises(ConfigError, match=dtype):
        to_dtype([1], TensorSpec(name="x", dtype=dtype, shape=(1,)))


def test_a_tensor_may_come_from_an_npy_file_without_pickles(tmp_path: Path) -> None:
    spec = contract(TensorSpec(name="x", dtype="float32", shape=(None,)))
    np.save(tmp_path / "x.npy", np.arange(4.0))
    np.testing.assert_array_equal(preprocess_inputs(spec, {"x": tmp_path / "x.npy"})["x"], np.arange(4.0))
    np.save(tmp_path / "p.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00")
    for name in ("p.npy", "bad.npy", "none.npy", "x.png"):
        with pytest.raises(ConfigError):
            preprocess_inputs(spec, {"x": tmp_path / name})


def test_what_is_no_picture_is_described() -> None:
    with pytest.raises(SignatureMismatchError, match="dict"):
        preprocess_inputs(contract(PICTURE, image=SAME), {"image": {}})
    with pytest.raises(ConfigError, match="no picture"):
        preprocess_inputs(contract(PICTURE, image=SAME), {"image": []})

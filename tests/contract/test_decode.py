from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_sdk.contract import decode
from edge_sdk.contract.decode import decode_image, recolor, upright
from edge_sdk.contract.spec import ImagePreprocess
from edge_sdk.errors import ConfigError
from tests.contract.pictures import encoded, png, scene

RGB = ImagePreprocess(height=8, width=8)
BGR = ImagePreprocess(height=8, width=8, color="bgr")
GRAY = ImagePreprocess(height=8, width=8, color="gray")


def test_a_picture_comes_from_a_path_or_from_bytes(tmp_path: Path) -> None:
    (tmp_path / "scene.png").write_bytes(encoded(scene()))
    for source in (tmp_path / "scene.png", str(tmp_path / "scene.png"), encoded(scene())):
        decoded = decode_image(source, RGB)
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, scene())


def test_colour_orders() -> None:
    raw = encoded(scene())
    np.testing.assert_array_equal(decode_image(raw, BGR), scene()[:, :, ::-1])
    gray = decode_image(raw, GRAY)
    assert gray.shape == (12, 20, 1)
    np.testing.assert_array_equal(gray[..., 0], np.array(Image.fromarray(scene()).convert("L")))


def test_gray_is_pillows_luma_for_every_colour() -> None:
    colors = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        recolor(colors, "gray")[..., 0], np.array(Image.fromarray(colors).convert("L"))
    )
    close = recolor(colors.astype(np.float32), "gray")
    assert np.abs(close - recolor(colors, "gray")).max() <= 0.5001


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int) -> None:
    # Pillow's own transpose table, inverted: how a camera stores the scene for each tag.
    stored = {
        1: scene(),
        2: scene()[:, ::-1],
        3: scene()[::-1, ::-1],
        4: scene()[::-1],
        5: scene().swapaxes(0, 1),
        6: np.rot90(scene()),
        7: scene()[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(scene(), -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = encoded(np.ascontiguousarray(stored), exif=exif.tobytes())
    np.testing.assert_array_equal(decode_image(raw, RGB), scene())
    from PIL import ImageOps

    with Image.open(io.BytesIO(raw)) as image:
        np.testing.assert_array_equal(np.array(ImageOps.exif_transpose(image)), scene())
    ignoring = ImagePreprocess(height=8, width=8, orientation="ignore")
    np.testing.assert_array_equal(decode_image(raw, ignoring), stored)


@pytest.mark.parametrize("tag", [0, 9, 255, -1])
def test_an_orientation_that_is_none_does_nothing(tag: int) -> None:
    np.testing.assert_array_equal(upright(scene(), tag), scene())


def test_alpha_is_dropped_and_the_colour_under_it_stays() -> None:
    rgba = np.dstack([scene(), np.full(scene().shape[:2], 0, np.uint8)])
    np.testing.assert_array_equal(decode_image(encoded(rgba), RGB), scene())
    gray_alpha = encoded(Image.fromarray(scene()[..., 0]), mode="LA")
    np.testing.assert_array_equal(decode_image(gray_alpha, GRAY)[..., 0], scene()[..., 0])


def test_a_palette_is_looked_up_also_with_transparency() -> None:
    image = Image.fromarray(scene()).quantize(16)
    expected = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(decode_image(encoded(image), RGB), expected)
    np.testing.assert_array_equal(decode_image(encoded(image, transparency=bytes(range(16))), RGB), expected)
    np.testing.assert_array_equal(decode_image(encoded(image, "GIF"), RGB), expected)


def test_sixteen_bits_keep_their_high_byte() -> None:
    values = np.array([[0, 255, 256, 0x1234, 0xFF00, 0xFFFF]], dtype=">u2")
    gray = png(6, 1, 16, 0, b"\0" + values.tobytes())
    np.testing.assert_array_equal(decode_image(gray, GRAY)[0, :, 0], values[0] >> 8)
    color = png(2, 1, 16, 2, b"\0" + values.tobytes())
    np.testing.assert_array_equal(decode_image(color, RGB)[0], (values[0] >> 8).reshape(2, 3))


def test_one_bit_is_black_and_white() -> None:
    raw = png(8, 1, 1, 0, b"\0\xaa")
    np.testing.assert_array_equal(decode_image(raw, GRAY)[0, :, 0], [255, 0] * 4)


def test_cmyk_becomes_rgb() -> None:
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    raw = encoded(Image.fromarray(flat), "JPEG", mode="CMYK", quality=100, subsampling=0)
    assert np.abs(decode_image(raw, RGB).astype(int) - flat).max() <= 3


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "PPM", "WEBP"])
def test_formats_without_loss_give_the_same_pixels(format_name: str) -> None:
    options = {"lossless": True} if format_name == "WEBP" else {}
    np.testing.assert_array_equal(decode_image(encoded(scene(), format_name, **options), RGB), scene())


def test_formats_that_start_other_programs_are_refused() -> None:
    for raw in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", encoded(scene(), "TIFF")):
        with pytest.raises(ConfigError, match="not a picture"):
            decode_image(raw, RGB)


@pytest.mark.parametrize("size", [(40_000, 40_000), (10_001, 10_000), (2**31 - 1, 2**31 - 1)])
def test_a_huge_picture_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"too large|cannot be decoded"):
        decode_image(png(*size, 8, 2, b"\0"), RGB)
    bitmap = bytearray(encoded(scene(), "BMP"))
    struct.pack_into("<ll", bitmap, 18, *(min(side, 2**31 - 1) for side in size))
    with pytest.raises(ConfigError):
        decode_image(bytes(bitmap), RGB)


def test_bad_paths_and_bad_bytes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        decode_image(tmp_path / "none.png", RGB)
    with pytest.raises(ConfigError, match="is not a file"):
        decode_image(tmp_path, RGB)
    for raw in (b"", b"hello", b"\xff\xd8\xff"):
        with pytest.raises(ConfigError):
            decode_image(raw, RGB)


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_FILE_BYTES", 100)
    (tmp_path / "big.png").write_bytes(bytes(101))
    with pytest.raises(ConfigError, match="too large"):
        decode_image(tmp_path / "big.png", RGB)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM"]))
@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_give_pixels_or_a_config_error(data: st.DataObject, format_name: str) -> None:
    raw = bytearray(encoded(scene(), format_name))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        pixels = decode_image(bytes(raw), RGB)
    except ConfigError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3


def test_pillow_is_only_imported_to_decode() -> None:
    script = (
        "import sys, numpy\n"
        "from edge_sdk.contract.preprocess import preprocess_image\n"
        "from edge_sdk.contract.spec import ImagePreprocess\n"
        "spec = ImagePreprocess(height=4, width=4)\n"
        "preprocess_image(numpy.zeros((9, 9, 3), 'uint8'), spec)\n"
        "assert 'PIL' not in sys.modules\n"
        "sys.modules['PIL'] = None\n"
        "from edge_sdk.errors import MissingExtraError\n"
        "try: preprocess_image(b'x', spec)\n"
        "except MissingExtraError as error: print(error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pip install 'edge-sdk[images]'"

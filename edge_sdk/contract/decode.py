"""From a picture file to pixels: uint8[height, width, 3 or 1].

What becomes of the odd kinds, the same everywhere (docs/reference/contract.md):
- alpha is dropped, as `tf.io.decode_png(channels=3)` does; colours under it show as stored;
- a palette is looked up; one bit becomes 0 or 255;
- 16 bits a channel keep their high byte (Pillow alone would clip gray ones to white);
- CMYK becomes RGB by Pillow's plain formula, colour profiles are ignored;
- of an animation the first frame counts.

Pillow is imported inside the function: a board that gets tensors needs none.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import ImagePreprocess
from edge_sdk.errors import ConfigError, EdgeError, MissingExtraError

#: A picture of more pixels is refused before it is decoded.
MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 512 * 2**20

#: Pillow reads dozens of formats, some by starting other programs. These are what cameras and data sets use.
#: MPO, what some phones write, is opened by the JPEG reader: Pillow registers no reader of that name.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM")
_ORIENTATION_TAG = 0x0112


def decode_image(source: Path | str | bytes, spec: ImagePreprocess) -> np.ndarray:
    """Decode a picture, turn it as its EXIF tag says, and bring it into the contract's colours.

    Args:
        source: Path, or the bytes of a file.
        spec: `orientation` and `color` are used here.

    Returns:
        uint8[height, width, channels], 3 channels in the order of `spec.color`, or 1 for "gray".

    Raises:
        ConfigError: Missing, unreadable, not a picture, damaged, or more than `MAX_PIXELS`.
        MissingExtraError: Pillow is not installed.
    """
    name = "the picture" if isinstance(source, bytes) else str(source)
    raw = source if isinstance(source, bytes) else _read(Path(source))
    try:
        from PIL import Image
    except ImportError as failure:
        raise MissingExtraError("pillow", extra="images", purpose="decode pictures") from failure
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(name, f"it is {image.width} x {image.height}")
            image.load()
            pixels = _pixels(image, name)
            orientation = image.getexif().get(_ORIENTATION_TAG, 1) if spec.orientation == "exif" else 1
    except EdgeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as failure:
        raise _too_large(name, str(failure)) from failure
    except Image.UnidentifiedImageError as failure:
        raise ConfigError(f"{name} is not a picture", why="formats: " + ", ".join(FORMATS)) from failure
    except Exception as failure:
        # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error... on damaged files.
        raise ConfigError(
            f"{name} cannot be decoded", why=str(failure) or type(failure).__name__
        ) from failure
    return recolor(upright(pixels, orientation), spec.color)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ConfigError(f"{path} " + ("is not a file" if path.exists() else "does not exist"))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _too_large(str(path), f"the file has {path.stat().st_size:,} bytes")
        return path.read_bytes()
    except OSError as failure:
        raise ConfigError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure


def _too_large(name: str, why: str) -> ConfigError:
    return ConfigError(f"{name} is too large", why=f"{why}; the limit is {MAX_PIXELS:,} pixels")


def _pixels(image: Any, name: str) -> np.ndarray:
    """Return uint8[height, width, 1 or 3]; three channels are RGB."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        # Older Pillows call a 16-bit gray PNG "I".
        return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)[..., np.newaxis]
    if image.mode in ("I", "F"):
        raise ConfigError(
            f"{name} has {image.mode!r} pixels (32 bits)",
            why="their range is not known",
            hint="pass an array",
        )
    if image.mode == "LA":
        # The luma channel itself: going through RGB would give the same, slower.
        return np.array(image.getchannel("L"))[..., np.newaxis]
    if image.mode in ("L", "1"):
        return np.array(image.convert("L"))[..., np.newaxis]
    if image.mode in ("P", "PA"):
        # By way of RGBA: straight to RGB, Pillow warns about palettes with transparency.
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn pixels[height, width, ...] upright by EXIF tag 0x0112, 1 to 8; other values do nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def recolor(pixels: np.ndarray, color: str) -> np.ndarray:
    """Bring gray or RGB pixels into the contract's colours.

    Args:
        pixels: [height, width, 1 or 3], uint8 or floating, RGB order.
        color: One of `spec.COLORS`.

    Returns:
        The same dtype, [height, width, 1] for "gray", else [height, width, 3].
    """
    if color == "gray":
        return pixels if pixels.shape[2] == 1 else _luma(pixels)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    return pixels[:, :, ::-1] if color == "bgr" else pixels


def _luma(pixels: np.ndarray) -> np.ndarray:
    # ITU-R 601 in 16-bit fixed point, rounded: bit for bit what Pillow's convert("L") computes.
    if pixels.dtype == np.uint8:
        wide = pixels.astype(np.uint32)
        luma = (wide[..., 0] * 19595 + wide[..., 1] * 38470 + wide[..., 2] * 7471 + 0x8000) >> 16
        return luma.astype(np.uint8)[..., np.newaxis]
    weights = np.array([19595, 38470, 7471], dtype=np.float64) / 65536
    return (pixels @ weights).astype(pixels.dtype)[..., np.newaxis]

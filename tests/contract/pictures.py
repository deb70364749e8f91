"""Pictures that the tests make: a small scene whose corners tell which way is up."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def scene(height: int = 12, width: int = 20) -> np.ndarray:
    """Return uint8[height, width, 3]: a ramp in each channel, all corners different."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack(
        [
            rows * 255 // max(1, height - 1),
            columns * 255 // max(1, width - 1),
            (rows * 7 + columns * 3) % 256,
        ],
        axis=-1,
    ).astype(np.uint8)


def encoded(pixels: Any, format_name: str = "PNG", *, mode: str | None = None, **options: Any) -> bytes:
    """Return the bytes of a picture file."""
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, format_name, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, color: int, rows: bytes) -> bytes:
    """Return a PNG of any kind, written by hand: `rows` are raw scan lines with their filter bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", width, height, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )

"""ELF files as small as they can be, with segments of any alignment."""

from __future__ import annotations

import struct


def elf(*segments: tuple[int, int, int], bits: int = 64) -> bytes:
    """Return a shared library with nothing in it.

    Args:
        segments: Offset, address and alignment of each segment to load.
        bits: Of the processor.
    """
    kind = b"\x7fELF" + bytes((2 if bits == 64 else 1, 1, 1)) + bytes(9)
    head = kind + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 0, 0, 64, 56, len(segments) + 1, 0, 0, 0)
    table = struct.pack("<IIQQQQQQ", 4, 4, 0, 0, 0, 0, 0, 4)  # a note, whose alignment does not matter
    for offset, address, align in segments:
        table += struct.pack("<IIQQQQQQ", 1, 5, offset, address, address, 64, 64, align)
    return head + table

"""Checks a .tflite file's structure before native code reads it.

Why: tflite-runtime 2.14.0 trusts the offsets inside the file. Handed a truncated copy it ended with a
segmentation fault, or, with a few bytes missing at the end, ran and gave wrong numbers. LiteRT 2.3
verifies by itself, but then only says that the buffer is not valid.

A flatbuffer is a tree of tables, each with a small table of field offsets. The walk below follows every
offset that leads to another object and demands that the object lies inside the file. It reads the
schema's structure from the tables at the bottom and needs no library. The insides of operator options
are left to the runtime: only their outer bounds are checked.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge_sdk.errors import BundleError

IDENTIFIER = b"TFL3"
_SMALLEST = 16
_MAX_OBJECTS = 50_000_000

_uint16 = struct.Struct("<H").unpack_from
_int32 = struct.Struct("<i").unpack_from
_uint32 = struct.Struct("<I").unpack_from
_uint64 = struct.Struct("<Q").unpack_from


def check_model(model: Path | bytes, *, where: str) -> None:
    """Refuse a file that is not a whole .tflite.

    Args:
        model: The file, or its content.
        where: What to call it in messages.

    Raises:
        BundleError: It is missing, empty, something else, truncated, or points outside itself.
    """
    if isinstance(model, bytes):
        _check(model, where)
        return
    try:
        with model.open("rb") as stream:
            if model.stat().st_size < _SMALLEST:
                _check(stream.read(), where)
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                _check(mapped, where)
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise BundleError(f"{where} cannot be read", why=reason) from failure


def _check(raw: Any, where: str) -> None:
    size = len(raw)
    if size < _SMALLEST or raw[4:8] != IDENTIFIER:
        raise BundleError(
            f"{where} is not a TensorFlow Lite model",
            why="the file is empty"
            if size == 0
            else f"bytes 4 to 8 are {raw[4:8]!r}, a .tflite has {IDENTIFIER!r} there",
        )
    walk = _Walk(raw, size)
    try:
        walk.model()
    except (_DamagedError, struct.error, RecursionError) as failure:
        raise BundleError(
            f"{where} is damaged or cut off",
            why=f"{failure} (the file has {size:,} bytes)",
            hint="copy or build the file again",
        ) from failure


#: Field number -> how to check what the field's value leads to.
Fields = Mapping[int, "Callable[[_Walk, int], None]"]


class _DamagedError(Exception):
    """A rule of the format is broken."""


class _Walk:
    """Follows offsets. Offsets only point forwards in a flatbuffer, so a walk always ends."""

    def __init__(self, raw: Any, size: int) -> None:
        self.raw = raw
        self.size = size
        self.budget = _MAX_OBJECTS
        self.has_large_buffers = False

    def model(self) -> None:
        self.table(_uint32(self.raw, 0)[0], _MODEL)
        # Builders pad the whole buffer to the widest alignment in it, at least four bytes. Data of models
        # above 2 GB is appended behind the flatbuffer and follows other rules.
        if self.size % 4 and not self.has_large_buffers:
            raise _DamagedError(f"{self.size % 4} bytes are left over at the end")

    def table(self, position: int, fields: Fields) -> None:
        """Check the table at `position` and everything its `fields` lead to."""
        self.budget -= 1
        if self.budget < 0:
            raise _DamagedError("there are too many objects")
        if not 8 <= position <= self.size - 4:
            raise _DamagedError(f"a table should start at byte {position:,}")
        vtable = position - _int32(self.raw, position)[0]
        if not 4 <= vtable <= self.size - 4:
            raise _DamagedError(f"the fields of a table should start at byte {vtable:,}")
        fields_bytes, table_bytes = _uint16(self.raw, vtable)[0], _uint16(self.raw, vtable + 2)[0]
        if fields_bytes < 4 or vtable + fields_bytes > self.size or position + table_bytes > self.size:
            raise _DamagedError(f"the table at byte {position:,} reaches past the end")
        for slot, check in fields.items():
            entry = 4 + 2 * slot
            if entry + 2 > fields_bytes:
                continue
            offset = _uint16(self.raw, vtable + entry)[0]
            if offset:
                if offset + 4 > table_bytes:
                    raise _DamagedError(f"a field of the table at byte {position:,} lies outside it")
                check(self, position + offset)

    def target(self, field: int) -> int:
        offset = _uint32(self.raw, field)[0]
        if not 4 <= offset <= self.size - field - 4:
            raise _DamagedError(f"the offset at byte {field:,} points outside the file")
        return field + int(offset)

    def vector(self, field: int, item_bytes: int) -> tuple[int, int]:
        """Check a vector's extent; return (position of the first item, number of items)."""
        position = self.target(field)
        count = _uint32(self.raw, position)[0]
        if count * item_bytes > self.size - position - 4:
            raise _DamagedError(f"{count:,} items at byte {position:,} reach past the end")
        return position + 4, count

    def large_buffer(self, field: int) -> None:
        """Check Buffer.offset: data that lies behind the flatbuffer, counted from the file's start."""
        if field + 8 > self.size:
            raise _DamagedError("a buffer's offset is cut off")
        offset = _uint64(self.raw, field)[0]
        if offset > 1:
            self.has_large_buffers = True
            if offset > self.size:
                raise _DamagedError(f"a buffer should start at byte {offset:,}")


def _numbers(item_bytes: int) -> Callable[[_Walk, int], None]:
    def check(walk: _Walk, field: int) -> None:
        walk.vector(field, item_bytes)

    return check


def _text(walk: _Walk, field: int) -> None:
    position, count = walk.vector(field, 1)
    if position + count >= walk.size or walk.raw[position + count] != 0:
        raise _DamagedError(f"the text at byte {position:,} has no end")


def _table(fields: Fields) -> Callable[[_Walk, int], None]:
    def check(walk: _Walk, field: int) -> None:
        walk.table(walk.target(field), fields)

    return check


def _tables(fields: Fields) -> Callable[[_Walk, int], None]:
    def check(walk: _Walk, field: int) -> None:
        position, count = walk.vector(field, 4)
        for index in range(count):
            walk.table(walk.target(position + 4 * index), fields)

    return check


# The schema, as far as offsets go: field number -> how to check it. Numbers follow schema.fbs of
# TensorFlow Lite version 3; scalar fields are not listed.
_OPTIONS: dict[int, Callable[[_Walk, int], None]] = {}
_QUANTIZATION = {0: _numbers(4), 1: _numbers(4), 2: _numbers(4), 3: _numbers(8), 5: _table(_OPTIONS)}
_TENSOR = {
    0: _numbers(4),
    3: _text,
    4: _table(_QUANTIZATION),
    6: _table(_OPTIONS),
    7: _numbers(4),
    9: _tables(_OPTIONS),
}
_OPERATOR = {
    1: _numbers(4),
    2: _numbers(4),
    4: _table(_OPTIONS),
    5: _numbers(1),
    7: _numbers(1),
    8: _numbers(4),
    12: _table(_OPTIONS),
}
_SUBGRAPH = {0: _tables(_TENSOR), 1: _numbers(4), 2: _numbers(4), 3: _tables(_OPERATOR), 4: _text}
_TENSOR_NAME = {0: _text}
_MODEL = {
    1: _tables({1: _text}),
    2: _tables(_SUBGRAPH),
    3: _text,
    4: _tables({0: _numbers(1), 1: _Walk.large_buffer}),
    5: _numbers(4),
    6: _tables({0: _text}),
    7: _tables({0: _tables(_TENSOR_NAME), 1: _tables(_TENSOR_NAME), 2: _text}),
}

"""Reads constants out of the weights file of a Core ML package, mapped into memory, every offset checked.

The file (MILBlob of coremltools, version 2): a header of 64 bytes with the number of blobs, then for each a
record of 64 bytes and the data, both aligned to 64. A program names a blob by the offset of its record.
Values of fewer than eight bits lie side by side, the first one in the lowest bits.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.model.coreml.program import ELEMENT_TYPES, Blob, ValueType
from edge_sdk.model.flatbuffer import DamagedError

_HEADER = struct.Struct("<II")
_RECORD = struct.Struct("<IIQQQ")
_ALIGNMENT = 64
_SENTINEL = 0xDEADBEEF
_VERSION = 2
#: BlobDataType of MILBlob.
_TYPES = {
    1: "fp16", 2: "fp32", 3: "uint8", 4: "int8", 6: "int16", 7: "uint16", 8: "int4", 9: "uint1", 10: "uint2",
    11: "uint4", 12: "uint3", 13: "uint6", 14: "int32", 15: "uint32",
}  # fmt: skip
_BITS = {"uint1": 1, "uint2": 2, "uint3": 3, "int4": 4, "uint4": 4, "uint6": 6}
#: Types that a blob may have where the program says "bool": one byte a value.
_BOOLEAN = ("uint8", "int8")


class Weights:
    """One weights file.

    Args:
        path: Of the file.

    Raises:
        DamagedError: It is no weights file.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        if self.size < _ALIGNMENT:
            raise DamagedError(f"the weights file has {self.size:,} bytes, less than its header")
        self._data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        _, version = _HEADER.unpack_from(self._data[: _HEADER.size].tobytes())
        if version != _VERSION:
            self.close()
            raise DamagedError(f"the weights file has version {version}; {_VERSION} is known")

    def size_of(self, blob: Blob) -> int:
        """Return the stored bytes of a blob.

        Raises:
            DamagedError: It does not lie in the file.
        """
        return self._record(blob)[1]

    def read(self, blob: Blob) -> NDArray[Any]:
        """Return the values of a blob: a view of the file, or a copy where values are smaller than a byte.

        Raises:
            DamagedError: It does not lie in the file, or is not what the program says.
        """
        offset, size = self._record(blob)
        raw = self._data[offset : offset + size]
        return unpack(raw, blob.type).reshape(_sizes(blob.type))

    def _record(self, blob: Blob) -> tuple[int, int]:
        where = f"the constant at byte {blob.offset:,} of {self.path.name}"
        if blob.offset < _ALIGNMENT or blob.offset % _ALIGNMENT or blob.offset + _ALIGNMENT > self.size:
            raise DamagedError(f"{where} has no place there; the file has {self.size:,} bytes")
        record = self._data[blob.offset : blob.offset + _RECORD.size].tobytes()
        sentinel, number, size, offset, _ = _RECORD.unpack(record)
        if sentinel != _SENTINEL:
            raise DamagedError(f"{where} does not begin with 0x{_SENTINEL:X}")
        stored = _TYPES.get(number)
        if stored != blob.type.dtype and not (blob.type.dtype == "bool" and stored in _BOOLEAN):
            raise DamagedError(f"{where} is {stored or f'type {number}'}; the program says {blob.type.dtype}")
        if offset > self.size or size > self.size - offset:
            raise DamagedError(f"{where} leads to bytes {offset:,} to {offset + size:,} of {self.size:,}")
        wanted = stored_bytes(blob.type)
        if size != wanted:
            raise DamagedError(f"{where} has {size:,} bytes; its type needs {wanted:,}")
        return offset, size

    def close(self) -> None:
        """Let go of the file; arrays that were read keep it mapped."""
        self._data = np.zeros(0, np.uint8)

    def __enter__(self) -> Weights:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def bits_of(dtype: str) -> int:
    """Return the bits that one value of a MIL type takes when stored.

    Raises:
        DamagedError: It is a type whose values are no numbers.
    """
    if dtype == "string" or (dtype not in _BITS and dtype not in ELEMENT_TYPES):
        raise DamagedError(f"constants of type {dtype!r} do not lie in a weights file")
    return _BITS.get(dtype) or np.dtype(ELEMENT_TYPES[dtype]).itemsize * 8


def stored_bytes(kind: ValueType) -> int:
    """Return the bytes that a constant of a type takes."""
    return -(-_count(kind) * bits_of(kind.dtype) // 8)


def unpack(raw: Any, kind: ValueType) -> NDArray[Any]:
    """Return values from their stored bytes, flat.

    Args:
        raw: Bytes or uint8 array.
        kind: Type and shape of the constant.

    Raises:
        DamagedError: There are too few bytes.
    """
    data = np.frombuffer(raw, np.uint8) if isinstance(raw, bytes) else raw
    count, bits = _count(kind), _BITS.get(kind.dtype)
    if len(data) < stored_bytes(kind):
        raise DamagedError(f"a constant of {count:,} {kind.dtype} values holds {len(data):,} bytes")
    if bits is None:
        dtype = np.dtype(ELEMENT_TYPES[kind.dtype]).newbyteorder("<")
        flat = data[: count * dtype.itemsize]
        # A file may hold its blobs at any offset; NumPy reads them where they lie.
        values: NDArray[Any] = np.ndarray((count,), dtype, flat, strides=(dtype.itemsize,))
        return values
    flags = np.unpackbits(data, bitorder="little")[: count * bits].reshape(count, bits)
    wide = np.packbits(flags, axis=1, bitorder="little")[:, 0]
    if kind.dtype == "int4":
        return ((wide ^ 8).astype(np.int16) - 8).astype(np.int8)
    return wide


def _sizes(kind: ValueType) -> tuple[int, ...]:
    if any(size is None for size in kind.shape):
        raise DamagedError("a stored constant has no fixed shape")
    return tuple(int(size or 0) for size in kind.shape)


def _count(kind: ValueType) -> int:
    count = 1
    for size in _sizes(kind):
        count *= size
    return count

"""Reads protocol-buffer messages by field number, from the wire format, within a budget.

A SavedModel is one big message. TensorFlow's own classes need all of TensorFlow; a parser of the protobuf
package builds every nested message at once, and two bytes on the wire can cost it two hundred in memory. This
reader opens only what is asked for, straight from the mapped file.

The wire format in one paragraph: a message is a row of (key, value); the key is a varint, number << 3 | type.
Type 0 is a varint, 1 eight bytes, 5 four bytes, 2 a length and that many bytes: text, a packed list or a
nested message. A map is a repeated message with the key in field 1 and the value in field 2.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Union

from edge_sdk.model.flatbuffer import DamagedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Data = Union[bytes, "mmap.mmap"]

#: Upper end of the budget; a small file has a smaller one. EfficientNet-Lite0 exported by Keras takes 73,000.
MAX_FIELDS = 8_000_000
MAX_TEXT = 2**20


class Budget:
    """Counts fields over all messages of one file.

    Args:
        size: Of the file, in bytes. Real ones take one field for ten bytes or more.
    """

    def __init__(self, size: int) -> None:
        self.left = self.most = min(MAX_FIELDS, size + 1000)

    def spend(self) -> None:
        """Count one field."""
        self.left -= 1
        if self.left < 0:
            raise DamagedError(f"the file describes more than {self.most:,} fields")


def _varint(data: Data, position: int, end: int) -> tuple[int, int]:
    """Return (value, next position)."""
    result = shift = 0
    while True:
        if position >= end or shift > 63:
            raise DamagedError(f"a number at byte {position:,} does not end")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, position
        shift += 7


class Message:
    """One message; nested ones are opened when they are asked for.

    Args:
        data: The whole file.
        start: First byte of the message.
        end: Byte behind its last.
        budget: Shared by all messages of the file.

    Raises:
        DamagedError: From every method, where the bytes are not a message.
    """

    __slots__ = ("_budget", "_data", "_fields")

    def __init__(self, data: Data, start: int, end: int, budget: Budget) -> None:
        self._data = data
        self._budget = budget
        fields: dict[int, list[tuple[int, int]]] = {}
        while start < end:
            budget.spend()
            key, start = _varint(data, start, end)
            kind, number = key & 7, key >> 3
            if kind == 2:
                length, start = _varint(data, start, end)
                value = (start, start + length)
                start += length
            elif kind == 0:
                number_value, start = _varint(data, start, end)
                value = (number_value, -1)
            elif kind in (1, 5):
                width = 8 if kind == 1 else 4
                value = (int.from_bytes(data[start : start + width], "little"), -2)
                start += width
            else:
                raise DamagedError(f"a field of unknown kind {kind} at byte {start:,}")
            if start > end or number == 0:
                raise DamagedError(f"a field leads outside of its message (byte {start:,})")
            fields.setdefault(number, []).append(value)
        self._fields = fields

    def _extents(self, number: int) -> Iterator[tuple[int, int]]:
        for start, end in self._fields.get(number, ()):
            if end < 0:
                raise DamagedError(f"field {number} is a number where text or a message is expected")
            yield start, end

    def number(self, number: int, default: int = 0) -> int:
        """Return an integer field as int64; the last one counts."""
        values = self._fields.get(number)
        if not values:
            return default
        value, kind = values[-1]
        if kind != -1:
            raise DamagedError(f"field {number} is not an integer")
        return _signed(value)

    def numbers(self, number: int) -> list[int]:
        """Return a repeated integer field, packed or not, as int64."""
        found = []
        for value, end in self._fields.get(number, ()):
            if end == -1:
                found.append(_signed(value))
            elif end >= 0:
                position = value
                while position < end:
                    self._budget.spend()
                    item, position = _varint(self._data, position, end)
                    found.append(_signed(item))
        return found

    def floats(self, number: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a repeated field of floats or doubles, packed or not.

        Args:
            number: Of the field.
            dtype: "<f4" or "<f8".
        """
        import numpy as np  # only here: other formats are read without it

        found = []
        for value, end in self._fields.get(number, ()):
            if end == -2:
                if value >= 1 << 8 * dtype.itemsize:
                    raise DamagedError(f"field {number} holds a wider number than its type")
                found.append(np.frombuffer(value.to_bytes(dtype.itemsize, "little"), dtype))
            elif end >= 0:
                if (end - value) % dtype.itemsize:
                    raise DamagedError(f"field {number} ends within a number")
                found.append(np.frombuffer(bytes(self._data[value:end]), dtype))
        return np.concatenate(found) if found else np.zeros(0, dtype)

    def content(self, number: int) -> bytes:
        """Return a bytes field, b"" where it is absent."""
        extents = list(self._extents(number))
        start, end = extents[-1] if extents else (0, 0)
        return self._data[start:end]

    def texts(self, number: int) -> list[str]:
        """Return a repeated text field; bytes that are not UTF-8 are replaced."""
        found = []
        for start, end in self._extents(number):
            if end - start > MAX_TEXT:
                raise DamagedError(f"a name is {end - start:,} bytes long")
            found.append(self._data[start:end].decode("utf-8", "replace"))
        return found

    def text(self, number: int) -> str:
        """Return a text field, "" where it is absent."""
        found = self.texts(number)
        return found[-1] if found else ""

    def size(self, number: int) -> int:
        """Return the bytes of a bytes field, 0 where it is absent."""
        return sum(end - start for start, end in self._extents(number))

    def has(self, number: int) -> bool:
        """Return whether the field is there."""
        return number in self._fields

    def messages(self, number: int) -> Iterator[Message]:
        """Yield the messages of a repeated field."""
        for start, end in self._extents(number):
            yield Message(self._data, start, end, self._budget)

    def message(self, number: int) -> Message:
        """Return a nested message, an empty one where it is absent; of several, the last one."""
        extents = list(self._extents(number))
        start, end = extents[-1] if extents else (0, 0)
        return Message(self._data, start, end, self._budget)

    def map(self, number: int) -> dict[str, Message]:
        """Return a map from text to message."""
        return {entry.text(1): entry.message(2) for entry in self.messages(number)}


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value

"""A FlatBuffers reader that survives hostile files.

The generated readers follow every offset on trust and their schema module takes half a second to import.
This one checks every offset against the buffer before it reads, and counts what it has read: offsets may
overlap, so a small file can describe millions of tables (the FlatBuffers "bomb"), and only a budget stops it.

Layout in one paragraph: a table starts with a signed offset *back* to its vtable; the vtable holds its own
size, the table's size, then one uint16 per field: where the field lies in the table, 0 for "absent". Scalars
lie in the table itself; strings, vectors and tables lie behind an unsigned forward offset.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import Union

Data = Union[bytes, "mmap.mmap"]

#: Upper ends of the budgets; a small file has a smaller one, in proportion.
MAX_TABLES = 1_000_000
MAX_VECTOR_BYTES = 256 * 2**20


class DamagedError(Exception):
    """The buffer breaks the format's rules. Private to the readers, which raise ModelError instead."""


class FlatBuffer:
    """One buffer with its reading budget.

    Args:
        data: The whole file.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self.size = len(data)
        # A table takes four bytes or more, and an honest file is read once. Lists and names may be shared.
        self._tables = self._most_tables = min(MAX_TABLES, self.size // 4 + 16)
        self._vector_bytes = self._most_bytes = min(MAX_VECTOR_BYTES, 16 * self.size + 2**16)

    def root(self) -> Table:
        """Return the root table.

        Raises:
            DamagedError: There is none inside the buffer.
        """
        return Table(self, self.unsigned(0))

    def check(self, position: int, length: int) -> int:
        """Return `position` if `length` bytes from there lie inside the buffer."""
        if position < 0 or length < 0 or position + length > self.size:
            raise DamagedError(f"an offset points outside of the file (byte {position:,} of {self.size:,})")
        return position

    def unsigned(self, position: int) -> int:
        """Return the uint32 at a position."""
        return int(struct.unpack_from("<I", self.data, self.check(position, 4))[0])

    def spend_table(self) -> None:
        """Count one table."""
        self._tables -= 1
        if self._tables < 0:
            raise DamagedError(f"the file describes more than {self._most_tables:,} tables")

    def spend_bytes(self, count: int) -> None:
        """Count bytes of strings and vectors."""
        self._vector_bytes -= count
        if self._vector_bytes < 0:
            raise DamagedError(f"the file describes more than {self._most_bytes:,} bytes of lists and names")


class Table:
    """One table; fields are asked for by their number in the schema, absent ones give the default.

    Raises:
        DamagedError: From every method, where the table leads outside of the buffer.
    """

    __slots__ = ("_buffer", "_fields", "position")

    def __init__(self, buffer: FlatBuffer, position: int) -> None:
        buffer.spend_table()
        buffer.check(position, 4)
        (back,) = struct.unpack_from("<i", buffer.data, position)
        vtable = buffer.check(position - back, 4)
        (size,) = struct.unpack_from("<H", buffer.data, vtable)
        if size < 4 or size % 2:
            raise DamagedError(f"a table at byte {position:,} has no proper field list")
        buffer.check(vtable, size)
        self._buffer = buffer
        self.position = position
        self._fields = struct.unpack_from(f"<{size // 2 - 2}H", buffer.data, vtable + 4)

    def _where(self, field: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        return self.position + offset if offset else None

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """Return a scalar; `kind` is a `struct` letter ("b", "B", "i", "I", "Q")."""
        where = self._where(field)
        if where is None:
            return default
        self._buffer.check(where, struct.calcsize(f"<{kind}"))
        return int(struct.unpack_from(f"<{kind}", self._buffer.data, where)[0])

    def table(self, field: int) -> Table | None:
        """Return a child table, or None."""
        where = self._where(field)
        return None if where is None else Table(self._buffer, where + self._buffer.unsigned(where))

    def extent(self, field: int, item_size: int = 1) -> tuple[int, int]:
        """Return (start, item count) of a vector; (0, 0) where it is absent."""
        where = self._where(field)
        if where is None:
            return 0, 0
        start = where + self._buffer.unsigned(where)
        count = self._buffer.unsigned(start)
        self._buffer.check(start + 4, count * item_size)
        return start + 4, count

    def numbers(self, field: int, kind: str) -> tuple[int, ...]:
        """Return a vector of scalars."""
        size = struct.calcsize(f"<{kind}")
        start, count = self.extent(field, size)
        self._buffer.spend_bytes(count * size)
        return struct.unpack_from(f"<{count}{kind}", self._buffer.data, start) if count else ()

    def reals(self, field: int) -> tuple[float, ...]:
        """Return a vector of float32."""
        start, count = self.extent(field, 4)
        self._buffer.spend_bytes(count * 4)
        return struct.unpack_from(f"<{count}f", self._buffer.data, start) if count else ()

    def text(self, field: int) -> str:
        """Return a string, "" where it is absent; bytes that are not UTF-8 are replaced."""
        start, count = self.extent(field)
        self._buffer.spend_bytes(count)
        return bytes(self._buffer.data[start : start + count]).decode("utf-8", "replace")

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self.extent(field, 4)
        for where in range(start, start + 4 * count, 4):
            yield Table(self._buffer, where + self._buffer.unsigned(where))

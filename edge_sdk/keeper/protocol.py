"""Frames between host and keeper: one code for both ends (docs/reference/keeper-protocol.md).

A frame is one type byte, a four-byte big-endian length, and the payload:

    b"J"  a JSON object, at most 1 MiB
    b"D"  raw data, at most 1 MiB; only after a request that announces how many bytes follow

The board speaks first (`{"hello": ...}`). Then the host sends requests `{"do": NAME, ...}`; each is
answered, in order, by any number of `{"progress": ...}` and exactly one `{"ok": ...}` or `{"error": ...}`.
Anything else (another type byte, a longer frame, broken JSON, data that nobody announced) ends the session:
a peer that lost its place in the stream cannot be trusted with the next length.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import RemoteError

PROTOCOL_VERSION = 1
JSON_FRAME = b"J"
DATA_FRAME = b"D"
#: Payload limit of either kind of frame, bytes.
MAX_FRAME_BYTES = 2**20
#: What a sender should put into one data frame: large enough that framing costs nothing.
DATA_CHUNK_BYTES = 256 * 1024

#: Every request by name, with what it does; the keeper answers any other name with an error.
REQUESTS: Mapping[str, str] = {
    "have": "tell which blobs are missing or damaged",
    "put": "receive one blob",
    "code": "switch to another version of the board-side code",
    "environment": "unpack and switch the Python packages",
    "install": "check, try and switch to a release",
    "rollback": "return to an earlier release",
    "status": "report what is installed",
    "logs": "return the end of the keeper's log",
    "predict": "run the current release once",
    "bye": "end the session",
}

_HEADER = struct.Struct(">cI")
_READ_BYTES = 256 * 1024


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        kind: `JSON_FRAME` or `DATA_FRAME`.
        payload: The bytes as they came.
    """

    kind: bytes
    payload: bytes

    def message(self) -> dict[str, Any]:
        """Return the JSON object of this frame.

        Raises:
            RemoteError: It is a data frame, or its payload is not a JSON object.
        """
        if self.kind != JSON_FRAME:
            raise protocol_error("data came where a message was expected")
        try:
            value = json.loads(self.payload.decode("utf-8"))
        except (ValueError, RecursionError) as failure:
            raise protocol_error(f"a message is not JSON: {failure}") from failure
        if not isinstance(value, dict):
            raise protocol_error("a message is not a JSON object")
        return value


def protocol_error(why: str) -> RemoteError:
    """Return the error for a stream that breaks the rules; the session ends with it."""
    return RemoteError(
        "the other side does not speak the keeper's protocol",
        why=why,
        hint="something else may answer there (a login banner, a shell's start file); "
        "make sure the login prints nothing, then run 'edge board setup' again",
    )


class FrameReader:
    """Cuts a byte stream into frames.

    Args:
        read: Returns 1 to n bytes, or b"" at the end of the stream. It may raise to report a timeout.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()

    def receive(self) -> Frame | None:
        """Return the next frame, or None where the stream ends between two frames.

        Raises:
            RemoteError: The stream ends inside a frame, or breaks the rules.
        """
        if not self._fill(_HEADER.size):
            if self._buffer:
                raise protocol_error(_inside(bytes(self._buffer)))
            return None
        kind, length = _HEADER.unpack_from(self._buffer)
        if kind not in (JSON_FRAME, DATA_FRAME):
            raise protocol_error(_inside(bytes(self._buffer)))
        if length > MAX_FRAME_BYTES:
            raise protocol_error(f"a frame of {length:,} bytes; the limit is {MAX_FRAME_BYTES:,}")
        if not self._fill(_HEADER.size + length):
            raise protocol_error("the stream ended in the middle of a frame")
        payload = bytes(memoryview(self._buffer)[_HEADER.size : _HEADER.size + length])
        del self._buffer[: _HEADER.size + length]
        return Frame(kind, payload)

    @property
    def buffered(self) -> bool:
        """Whether bytes were read that no frame has used yet (for callers that wait with select)."""
        return bool(self._buffer)

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            chunk = self._read(max(size - len(self._buffer), _READ_BYTES))
            if not chunk:
                return False
            self._buffer += chunk
        return True


class FrameWriter:
    """Writes frames.

    Args:
        write: Takes all the bytes it is given, or raises.
    """

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one JSON object.

        Raises:
            RemoteError: It does not fit into a frame.
            ValueError: It is not JSON (NaN and infinity are not).
        """
        payload = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        if len(payload) > MAX_FRAME_BYTES:
            raise RemoteError(f"a message of {len(payload):,} bytes", why=f"the limit is {MAX_FRAME_BYTES:,}")
        self._write(_HEADER.pack(JSON_FRAME, len(payload)) + payload)

    def send_data(self, payload: bytes) -> None:
        """Send one data frame of at most `MAX_FRAME_BYTES`."""
        if len(payload) > MAX_FRAME_BYTES:
            raise ValueError(f"a data frame of {len(payload)} bytes")
        self._write(_HEADER.pack(DATA_FRAME, len(payload)) + payload)


def _inside(start: bytes) -> str:
    return f"expected a frame, got {start[:80]!r}"

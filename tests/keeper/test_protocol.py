"""Framing: what goes in comes out, and anything else ends the session with a reason."""

from __future__ import annotations

import random
import struct

import pytest

from edge_sdk.errors import RemoteError
from edge_sdk.keeper.protocol import (
    DATA_FRAME,
    MAX_FRAME_BYTES,
    Frame,
    FrameReader,
    FrameWriter,
)


def reader(data: bytes, piece: int = 7) -> FrameReader:
    """Return a reader over data that arrives in small pieces."""
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        part = data[position : position + min(size, piece)]
        position += len(part)
        return part

    return FrameReader(read)


def test_frames_survive_any_cutting() -> None:
    out = bytearray()
    writer = FrameWriter(out.extend)
    payload = random.Random(1).randbytes(100_000)
    writer.send({"do": "put", "name": "ö"})
    writer.send_data(payload)
    writer.send_data(b"")
    writer.send({"do": "bye"})
    for piece in (1, 5, 6, 4096, 10**6):
        frames = reader(bytes(out), piece)
        first = frames.receive()
        assert first is not None
        assert first.message() == {"do": "put", "name": "ö"}
        assert frames.receive() == Frame(DATA_FRAME, payload)
        assert frames.receive() == Frame(DATA_FRAME, b"")
        last = frames.receive()
        assert last is not None
        assert last.message() == {"do": "bye"}
        assert frames.receive() is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Welcome to board 7!\n", "Welcome"),
        (b"J\0\0", "expected a frame"),
        (b"J\0\0\0\5{}", "middle of a frame"),
        (b"X\0\0\0\2{}", "expected a frame"),
        (b"J" + struct.pack(">I", MAX_FRAME_BYTES + 1), "limit"),
        (b"D" + struct.pack(">I", 2**32 - 1), "limit"),
    ],
    ids=["banner", "short header", "short payload", "type", "long message", "long data"],
)
def test_a_broken_stream_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RemoteError) as caught:
        reader(data).receive()
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"7", b"\xff", b"{", b"[" * 100_000], ids=lambda value: repr(value[:8])
)
def test_a_message_that_is_no_object_is_refused(payload: bytes) -> None:
    frame = reader(b"J" + struct.pack(">I", len(payload)) + payload, 10**6).receive()
    assert frame is not None
    with pytest.raises(RemoteError, match="does not speak"):
        frame.message()


def test_data_is_no_message() -> None:
    with pytest.raises(RemoteError, match="does not speak"):
        Frame(DATA_FRAME, b"{}").message()


def test_a_sender_refuses_what_a_reader_would() -> None:
    writer = FrameWriter(lambda data: None)
    with pytest.raises(RemoteError, match="bytes"):
        writer.send({"text": "x" * MAX_FRAME_BYTES})
    with pytest.raises(ValueError, match="data frame"):
        writer.send_data(bytes(MAX_FRAME_BYTES + 1))
    with pytest.raises(ValueError, match="JSON"):
        writer.send({"value": float("nan")})

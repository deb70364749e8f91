from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.errors import BundleError
from edge_sdk.runtime.flatbuffer import check_model

MODELS = sorted((Path(__file__).parent.parent / "data" / "models").glob("*.tflite"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_accepts_whole_files_and_refuses_every_shorter_one(path: Path) -> None:
    raw = path.read_bytes()
    check_model(raw, where="whole")
    check_model(path, where="whole")
    for size in range(len(raw)):
        with pytest.raises(BundleError):
            check_model(raw[:size], where="cut")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"short", "not a TensorFlow Lite model"),
        (b"PK\x03\x04" + b"\0" * 60, "not a TensorFlow Lite model"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 60, "not a TensorFlow Lite model"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 64, "damaged or cut off"),
        (b"\xff\xff\xff\x7fTFL3" + b"\0" * 64, "damaged or cut off"),
    ],
)
def test_refuses_other_files(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    for model in (path, content):
        with pytest.raises(BundleError, match=expected):
            check_model(model, where="model.tflite")


def test_refuses_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        check_model(tmp_path / "nothing.tflite", where="nothing.tflite")
    with pytest.raises(BundleError, match="directory"):
        check_model(tmp_path, where="folder")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_gives_a_clear_error_or_nothing(data: st.DataObject) -> None:
    raw = bytearray(MODELS[0].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(raw) - 4))
        struct.pack_into("<I", raw, position, data.draw(st.integers(0, 2**32 - 1)))
    with suppress(BundleError):  # anything else fails the test
        check_model(bytes(raw), where="damaged")

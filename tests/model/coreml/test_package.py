"""The reader of Core ML packages: it reads what coremltools reads, and refuses what is damaged."""

from __future__ import annotations

import json
import random
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.errors import ModelError
from edge_sdk.model.coreml.package import open_package
from edge_sdk.model.coreml.parse import _value
from edge_sdk.model.coreml.program import Blob, ValueType
from edge_sdk.model.coreml.weights import stored_bytes
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Budget, Message

MODEL = Path("Data/com.apple.CoreML/model.mlmodel")
WEIGHTS = Path("Data/com.apple.CoreML/weights/weight.bin")
FORMS = ("dense", "palette", "int4")


@pytest.mark.parametrize("form", FORMS)
def test_reads_what_coremltools_reads(small_packages: Path, form: str) -> None:
    facts = json.loads((small_packages / f"{form}.json").read_text())
    arrays = np.load(small_packages / f"{form}.npz")
    with open_package(small_packages / f"{form}.mlpackage") as package:
        block = package.program.functions["main"].block
        found = [
            [
                operation.kind,
                {
                    name: [item for item in items if isinstance(item, str)]
                    for name, items in operation.inputs.items()
                },
                [output.name for output in operation.outputs],
            ]
            for operation in block.operations
        ]
        assert found == facts["operations"]
        assert package.specification_version == facts["version"] == 9
        assert package.minimum_deployment == "iOS18"
        assert package.program.functions["main"].opset == facts["opset"]
        blobs = [
            item
            for operation in block.walk()
            for items in (*operation.inputs.values(), operation.attributes.values())
            for item in items
            if isinstance(item, Blob)
        ]
        assert {str(blob.offset) for blob in blobs} == set(arrays.files)
        for blob in blobs:
            read = package.read(blob)
            expected = arrays[str(blob.offset)]
            assert read.shape == expected.shape
            assert read.dtype == expected.dtype
            np.testing.assert_array_equal(read, expected)


def test_says_what_the_package_says(small_packages: Path) -> None:
    with open_package(small_packages / "dense.mlpackage") as package:
        assert package.metadata.author == "Nobody"
        assert package.metadata.short_description == "Two layers"
        assert package.metadata.user_defined["colour"] == "grün"
        assert [(item.name, item.shape) for item in package.functions["main"].inputs] == [
            ("image", (1, 8, 8, 8))
        ]
        assert [item.name for item in package.functions["main"].outputs] == ["scores"]


@pytest.fixture
def copied(small_packages: Path, tmp_path: Path) -> Path:
    """Return a copy of a package that a test may damage."""
    return Path(shutil.copytree(small_packages / "palette.mlpackage", tmp_path / "X.mlpackage"))


def _read_all(path: Path) -> bool:
    """Read a package to its end; return whether it was accepted, fail on anything but a refusal."""
    try:
        with open_package(path) as package:
            for function in package.program.functions.values():
                for operation in function.block.walk():
                    for items in (*operation.inputs.values(), operation.attributes.values()):
                        for item in items:
                            if isinstance(item, Blob):
                                package.read(item)
    except ModelError as failure:
        return not failure.hint and pytest.fail("a refusal without a way out")
    return True


@pytest.mark.parametrize("name", [MODEL, Path("Manifest.json"), WEIGHTS], ids=lambda name: name.name)
def test_truncations_are_refused(copied: Path, name: Path) -> None:
    whole = (copied / name).read_bytes()
    cuts = sorted({*range(0, len(whole), max(1, len(whole) // 250)), len(whole) - 1})
    accepted = []
    for cut in cuts:
        (copied / name).write_bytes(whole[:cut])
        if _read_all(copied):
            accepted.append(cut)
    # Only what no constant takes may be missing: the padding behind the last one, the file's last line break.
    assert all(len(whole) - cut <= 64 for cut in accepted), accepted


@pytest.mark.parametrize("name", [MODEL, Path("Manifest.json"), WEIGHTS], ids=lambda name: name.name)
def test_flipped_bytes_never_crash(copied: Path, name: Path) -> None:
    whole = (copied / name).read_bytes()
    dice = random.Random(4)
    tracemalloc.start()
    try:
        for _ in range(120):
            damaged = bytearray(whole)
            for _ in range(dice.choice((1, 1, 2, 8))):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            (copied / name).write_bytes(damaged)
            _read_all(copied)
        assert tracemalloc.get_traced_memory()[1] < 64e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", ["../../outside.mlmodel", "/etc/passwd", "a/../../b", ""])
def test_the_manifest_stays_inside(copied: Path, path: str) -> None:
    manifest = json.loads((copied / "Manifest.json").read_text())
    manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"] = path
    (copied / "Manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="leads out of the package"):
        open_package(copied)


def test_links_are_refused(copied: Path, tmp_path: Path) -> None:
    shutil.move(copied / WEIGHTS, tmp_path / "weight.bin")
    (copied / WEIGHTS).symlink_to(tmp_path / "weight.bin")
    with pytest.raises(ModelError, match="is a link"):
        open_package(copied)


def test_missing_weights_are_named(copied: Path) -> None:
    (copied / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"weights/weight\.bin' is missing"):
        open_package(copied)


def test_a_wrong_sentinel_is_named(copied: Path) -> None:
    data = bytearray((copied / WEIGHTS).read_bytes())
    place = data.index(bytes.fromhex("efbeadde"))
    data[place] = 0
    (copied / WEIGHTS).write_bytes(data)
    with pytest.raises(ModelError, match="0xDEADBEEF"):
        open_package(copied)


@pytest.mark.parametrize(("field", "what"), [(500, "old type"), (202, "pipeline"), (556, "linked")])
def test_other_kinds_of_models_are_refused(copied: Path, field: int, what: str) -> None:
    key = field << 3 | 2
    (copied / MODEL).write_bytes(bytes([8, 4, key & 0x7F | 0x80, key >> 7, 0]))
    with pytest.raises(ModelError, match=what):
        open_package(copied)


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "X.mlmodelc").mkdir()
    (tmp_path / "X.mlmodel").write_bytes(b"\x08\x04")
    for name, what in (("X.mlmodelc", "compiled"), ("X.mlmodel", "single-file"), ("Y", "does not exist")):
        with pytest.raises(ModelError, match=what):
            open_package(tmp_path / name)


def _message(number: int, content: bytes) -> bytes:
    length = len(content)
    size = b""
    while length > 0x7F:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


def _parsed(tensor_type: bytes, value: bytes) -> object:
    data = _message(2, _message(1, tensor_type)) + value
    return _value(Message(data, 0, len(data), Budget(len(data))), 0)


def test_hostile_constants_are_refused() -> None:
    vector = b"\x08\x0b" + b"".join([_message(3, _message(1, b"\x08\x01"))])  # fp32[1]
    eight_wide = _message(3, _message(1, _message(1, b"\x09" + b"\xff" * 8)))
    with pytest.raises(DamagedError, match="wider"):
        _parsed(vector, eight_wide)
    texts = _message(1, b"a" * 2**20) + _message(1, b"") * 1000
    with pytest.raises(DamagedError, match="too long"):
        _parsed(b"\x08\x02", _message(3, _message(1, _message(4, texts))))
    with pytest.raises(DamagedError, match="do not lie"):
        stored_bytes(ValueType("string", (2,)))

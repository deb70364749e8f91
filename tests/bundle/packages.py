"""A Core ML package so small that it is written by hand: y = relu(x), x of shape [1, 4]. No coremltools.

Field numbers are those of Model.proto, FeatureTypes.proto and MIL.proto.
"""

from __future__ import annotations

import json

_FP32, _ARRAY_FLOAT32 = 11, 65568
#: Specification version by the first system that loads it.
SPECIFICATIONS = {"iOS15": 6, "iOS16": 7, "iOS17": 8, "iOS18": 9}
MODEL = "Data/com.apple.CoreML/model.mlmodel"


def tiny_package(minimum_ios: str = "iOS16") -> dict[str, bytes]:
    """Return the files of the package by relative name."""
    entry = {
        "author": "com.apple.CoreML",
        "description": "CoreML Model Specification",
        "name": "model.mlmodel",
        "path": "com.apple.CoreML/model.mlmodel",
    }
    listing = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": {"model": entry},
        "rootModelIdentifier": "model",
    }
    return {"Manifest.json": json.dumps(listing).encode(), MODEL: _model(SPECIFICATIONS[minimum_ios])}


def _model(specification_version: int) -> bytes:
    array = _field(1, b"".join(map(_varint, (1, 4)))) + _field(2, _ARRAY_FLOAT32)
    description = b"".join(
        _field(number, _field(1, name) + _field(3, _field(5, array)))
        for number, name in ((1, "x"), (10, "y"))
    )
    sizes = b"".join(_field(3, _field(1, _field(1, size))) for size in (1, 4))
    tensor = _field(1, _field(1, _FP32) + _field(2, 2) + sizes)
    x, y = (_field(1, name) + _field(2, tensor) for name in ("x", "y"))
    argument = _field(1, "x") + _field(2, _field(1, _field(1, "x")))  # the parameter x is the value x
    block = _field(2, "y") + _field(3, _field(1, "relu") + _field(2, argument) + _field(3, y))
    function = _field(1, x) + _field(2, "CoreML6") + _field(3, _field(1, "CoreML6") + _field(2, block))
    program = _field(1, 1) + _field(2, _field(1, "main") + _field(2, function))
    return _field(1, specification_version) + _field(2, description) + _field(502, program)


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])

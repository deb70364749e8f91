"""Reads an ML Program from its protobuf form into the values of `program`.

Field numbers are those of MIL.proto of coremltools.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.model.coreml.program import (
    ELEMENT_TYPES,
    Argument,
    Blob,
    Block,
    Constant,
    Function,
    NamedType,
    Operation,
    Program,
    ValueType,
)
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Message

#: DataType of MIL.proto.
_DATA_TYPES = {
    1: "bool", 2: "string", 10: "fp16", 11: "fp32", 12: "fp64", 21: "int8", 22: "int16", 23: "int32",
    24: "int64", 25: "int4", 31: "uint8", 32: "uint16", 33: "uint32", 34: "uint64", 35: "uint4", 36: "uint2",
    37: "uint1", 38: "uint6", 39: "uint3",
}  # fmt: skip
#: Blocks in cond and while_loop, lists in tuples: programs of people nest three or four deep.
MAX_DEPTH = 32
MAX_RANK = 16
#: Values of one tensor, dimensions of size 0 left out.
MAX_VALUES = 2**48
#: Letters of all texts of a constant when each is as long as the longest; ImageNet's labels take 131,000.
MAX_TEXTS = 16 * 2**20


def parse_program(message: Message) -> Program:
    """Read a program.

    Raises:
        DamagedError: It is none.
    """
    return Program({name: _function(name, body) for name, body in message.map(2).items()})


def _function(name: str, message: Message) -> Function:
    opset = message.text(2)
    blocks = message.map(3)
    if opset not in blocks:
        raise DamagedError(f"function {name!r} has no block for its operator set {opset!r}")
    return Function(name=name, inputs=_named(message, 1), opset=opset, block=_block(blocks[opset], 0))


def _block(message: Message, depth: int) -> Block:
    if depth > MAX_DEPTH:
        raise DamagedError(f"blocks are nested deeper than {MAX_DEPTH}")
    return Block(
        inputs=_named(message, 1),
        outputs=tuple(message.texts(2)),
        operations=tuple(_operation(item, depth) for item in message.messages(3)),
    )


def _operation(message: Message, depth: int) -> Operation:
    return Operation(
        kind=message.text(1),
        inputs={name: _argument(item) for name, item in message.map(2).items()},
        outputs=_named(message, 3),
        attributes={name: _value(item, 0) for name, item in message.map(5).items()},
        blocks=tuple(_block(item, depth + 1) for item in message.messages(4)),
    )


def _argument(message: Message) -> tuple[Argument, ...]:
    found: list[Argument] = []
    for binding in message.messages(1):
        found.append(_value(binding.message(2), 0) if binding.has(2) else binding.text(1))
    return tuple(found)


def _named(message: Message, number: int) -> tuple[NamedType, ...]:
    return tuple(NamedType(item.text(1), value_type(item.message(2))) for item in message.messages(number))


def value_type(message: Message, depth: int = 0) -> ValueType:
    """Read a ValueType.

    Raises:
        DamagedError: A type that does not exist.
    """
    if depth > MAX_DEPTH:
        raise DamagedError(f"types are nested deeper than {MAX_DEPTH}")
    if message.has(1):
        tensor = message.message(1)
        number = tensor.number(1)
        if number not in _DATA_TYPES:
            raise DamagedError(f"element type {number} is not known")
        shape = tuple(_dimension(item) for item in tensor.messages(3))
        # Checked here, before anybody multiplies sizes or gives them to NumPy, which counts in 64 bits.
        if len(shape) > MAX_RANK or math.prod(size or 1 for size in shape) > MAX_VALUES:
            raise DamagedError(f"a type has {len(shape)} dimensions and more values than any tensor")
        return ValueType(_DATA_TYPES[number], shape)
    if message.has(5):
        return ValueType("state", value_type(message.message(5).message(1), depth + 1).shape)
    for field, name in ((2, "list"), (3, "tuple"), (4, "dictionary")):
        if message.has(field):
            return ValueType(name)
    raise DamagedError("a value has no type")


def _dimension(message: Message) -> int | None:
    if not message.has(1):
        return None
    size = message.message(1).number(1)
    if not 0 <= size < 2**40:
        raise DamagedError(f"a dimension of {size:,}")
    return size


def _value(message: Message, depth: int) -> Constant | Blob:
    if depth > MAX_DEPTH:
        raise DamagedError(f"constants are nested deeper than {MAX_DEPTH}")
    found = value_type(message.message(2))
    if message.has(5):
        blob = message.message(5)
        return Blob(found, blob.text(1), blob.number(2))
    immediate = message.message(3)
    if immediate.has(1):
        return Constant(found, _tensor(immediate.message(1), found))
    if immediate.has(4):
        pairs = immediate.message(4).messages(1)
        return Constant(
            found,
            {
                _plain(_value(pair.message(1), depth + 1)): _inner(_value(pair.message(2), depth + 1))
                for pair in pairs
            },
        )
    for field in (2, 3):
        if immediate.has(field):
            return Constant(
                found,
                tuple(_inner(_value(item, depth + 1)) for item in immediate.message(field).messages(1)),
            )
    raise DamagedError("a constant has no value")


def _inner(value: Constant | Blob) -> Any:
    return value.value if isinstance(value, Constant) else value


def _plain(value: Constant | Blob) -> Any:
    inner = _inner(value)
    return inner.item() if isinstance(inner, np.ndarray) and inner.ndim == 0 else str(inner)


def _tensor(message: Message, kind: ValueType) -> Any:
    """Return the values of a tensor; of a scalar string the str itself."""
    values = _elements(message, kind)
    shape = tuple(size or 0 for size in kind.shape)
    wanted = int(np.prod(shape, dtype=object)) if shape else 1
    if len(values) != wanted:
        raise DamagedError(f"a constant of shape {list(shape)} holds {len(values):,} values")
    if kind.dtype == "string" and not shape:
        return str(values[0])
    return values.reshape(shape)


def _elements(message: Message, kind: ValueType) -> NDArray[Any]:
    if kind.dtype == "string":
        texts = message.message(4).texts(1)
        # NumPy gives every text the room of the longest one.
        if len(texts) * max(map(len, texts), default=0) > MAX_TEXTS:
            raise DamagedError(f"a constant of {len(texts):,} texts has one that is too long")
        return np.asarray(texts, dtype=np.str_)
    if kind.dtype not in ELEMENT_TYPES:
        raise DamagedError(f"a tensor of {kind.dtype!r}")
    dtype = np.dtype(ELEMENT_TYPES[kind.dtype])
    if message.has(7):
        from edge_sdk.model.coreml.weights import unpack

        return unpack(message.message(7).content(1), kind)
    for field, wire in ((1, "<f4"), (6, "<f8")):
        if message.has(field):
            if dtype.kind != "f":
                raise DamagedError(f"a constant of {kind.dtype} holds fractions")
            with np.errstate(all="ignore"):  # a number beyond the type becomes infinite
                return message.message(field).floats(1, np.dtype(wire)).astype(dtype)
    for field in (2, 3, 5):
        if message.has(field):
            numbers = np.asarray(message.message(field).numbers(1), np.int64)
            return _narrowed(numbers, dtype)
    return np.zeros(0, dtype)


def _narrowed(numbers: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    # int32 on the wire is a 64-bit varint, whose upper half a writer may leave out for negative numbers.
    if dtype.kind in "iu" and dtype.itemsize < 8:
        return numbers.astype(np.int64).astype(dtype, casting="unsafe")
    with np.errstate(all="ignore"):
        return numbers.astype(dtype)


def operations(program: Program) -> Mapping[str, int]:
    """Return how many operations of each kind a program has, constants left out, by kind."""
    counts: dict[str, int] = {}
    for function in program.functions.values():
        for operation in function.block.walk():
            if operation.kind != "const":
                counts[operation.kind] = counts.get(operation.kind, 0) + 1
    return dict(sorted(counts.items()))

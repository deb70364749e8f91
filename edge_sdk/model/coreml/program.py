"""An ML Program as plain values: what `edge_sdk.model.coreml.package` reads from a `.mlpackage`.

The words are those of the format (MIL.proto of coremltools): a program has functions, a function one block
for each operator set it is written for, a block operations in order, an operation named inputs, each of which
is the name of a value made before or a constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Types of tensor elements as MIL spells them in its text form, with the NumPy type that holds them after
#: reading. Types below eight bits are held in int8 or uint8; `ValueType.dtype` keeps what they are.
ELEMENT_TYPES: dict[str, Any] = {
    "bool": np.bool_,
    "string": np.str_,
    "fp16": np.float16,
    "fp32": np.float32,
    "fp64": np.float64,
    "int4": np.int8,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint1": np.uint8,
    "uint2": np.uint8,
    "uint3": np.uint8,
    "uint4": np.uint8,
    "uint6": np.uint8,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
}


@dataclass(frozen=True)
class ValueType:
    """Type of one value.

    Attributes:
        dtype: One of `ELEMENT_TYPES`; "state", "list", "tuple" or "dictionary" for what is no tensor.
        shape: One entry a dimension, None where it is known only at run time; () for a scalar.
    """

    dtype: str
    shape: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class NamedType:
    """A value that an operation makes or a function takes."""

    name: str
    type: ValueType


@dataclass(frozen=True)
class Blob:
    """A constant in the weights file, not read yet.

    Attributes:
        type: Of the value.
        file: As the program names it, "@model_path/weights/weight.bin".
        offset: Of its metadata record, in bytes.
    """

    type: ValueType
    file: str
    offset: int


@dataclass(frozen=True)
class Constant:
    """A constant that the program holds itself.

    Attributes:
        type: Of the value.
        value: NumPy array of `ELEMENT_TYPES[type.dtype]` and the type's shape (0-dimensional for a scalar),
            str, or a tuple or dict of such.
    """

    type: ValueType
    value: Any


#: What an operation is given: the name of a value made before, or a constant.
Argument = str | Constant | Blob


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        kind: "conv", "const", "constexpr_lut_to_dense", ...
        inputs: Arguments by input name; more than one where the input takes several (`concat`'s `values`).
        outputs: What it makes.
        attributes: "name" and, for `const` and older `constexpr_*`, the value ("val") itself.
        blocks: Of `cond` and `while_loop`.
    """

    kind: str
    inputs: Mapping[str, tuple[Argument, ...]]
    outputs: tuple[NamedType, ...]
    attributes: Mapping[str, Constant | Blob] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    @property
    def name(self) -> str:
        """Its own name where it has one, else that of its first output."""
        given = self.attributes.get("name")
        if isinstance(given, Constant):
            return str(given.value)
        return self.outputs[0].name if self.outputs else self.kind


@dataclass(frozen=True)
class Block:
    """Operations in order.

    Attributes:
        inputs: What it takes (of a loop's blocks: the loop variables).
        outputs: Names of the values it gives.
        operations: In an order that can be run.
    """

    inputs: tuple[NamedType, ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]

    def walk(self) -> Iterator[Operation]:
        """Yield every operation, those of nested blocks after the one that holds them."""
        for operation in self.operations:
            yield operation
            for block in operation.blocks:
                yield from block.walk()


@dataclass(frozen=True)
class Function:
    """One entry of a program.

    Attributes:
        name: "main", or one of several in a multifunction package.
        inputs: What it takes, in order.
        opset: Of the block: "CoreML5" (iOS 15) to "CoreML9" (iOS 26).
        block: The operations.
    """

    name: str
    inputs: tuple[NamedType, ...]
    opset: str
    block: Block


@dataclass(frozen=True)
class Program:
    """A whole program; functions by name."""

    functions: Mapping[str, Function]

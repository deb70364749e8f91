"""Tiny programs as plain values: what the reader makes of a package, without writing one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_sdk.model.coreml.package import Feature, FunctionDescription, Metadata, Package
from edge_sdk.model.coreml.program import (
    Block,
    Constant,
    Function,
    NamedType,
    Operation,
    Program,
    ValueType,
)

IMAGE = (1, 8, 16, 16)


def numbers(*values: int) -> Constant:
    return Constant(ValueType("int32", (len(values),)), np.array(values, np.int32))


def const(name: str, *values: int) -> Operation:
    """A constant that other operations name, as coremltools writes them."""
    value = numbers(*values)
    return Operation("const", {}, (NamedType(name, value.type),), {"val": value})


def weights(name: str, *shape: int, dtype: str = "fp16") -> Operation:
    return Operation("constexpr_lut_to_dense", {}, (NamedType(name, ValueType(dtype, shape)),))


def op(
    kind: str,
    name: str,
    inputs: Mapping[str, str | Constant],
    *,
    shape: tuple[int | None, ...] = IMAGE,
    dtype: str = "fp16",
    blocks: tuple[Block, ...] = (),
) -> Operation:
    return Operation(
        kind,
        {key: (value,) for key, value in inputs.items()},
        (NamedType(name, ValueType(dtype, shape)),),
        blocks=blocks,
    )


def package(
    *operations: Operation,
    shape: tuple[int | None, ...] = IMAGE,
    dtype: str = "fp16",
    feature: Feature | None = None,
) -> Package:
    """A package of one function "main" with an input "x" and these operations."""
    function = Function(
        "main",
        (NamedType("x", ValueType(dtype, shape)),),
        "CoreML6",
        Block((), (operations[-1].name,) if operations else (), operations),
    )
    described = feature or Feature(
        name="x", kind="tensor", dtype=dtype, shape=tuple(size or 1 for size in shape)
    )
    return Package(
        path=Path("made.mlpackage"),
        specification_version=7,
        minimum_deployment="iOS16",
        functions={"main": FunctionDescription(inputs=(described,), outputs=())},
        default_function="main",
        metadata=Metadata(),
        program=Program({"main": function}),
        files=(),
        size_bytes=0,
        _model=Path("made.mlpackage"),
    )

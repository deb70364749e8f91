"""The parts of a TFLite file as values: tensors, operators, graphs and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_sdk.contract.spec import Quantization


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of a graph.

    Attributes:
        name: As written in the file; may be empty and need not be unique.
        dtype: NumPy's spelling.
        shape: Sizes; None where free. None as a whole where the rank is unknown.
        fixed_shape: Sizes with 1 where free; what the file's memory plan assumes.
        buffer: Number of its buffer.
        constant_bytes: Bytes of its constant value, 0 for a computed tensor.
        scales: How many quantization scales; 0 means that it is not quantized.
        quantization: Scales and zero points, kept for inputs and outputs of graphs only.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    fixed_shape: tuple[int, ...]
    buffer: int
    constant_bytes: int
    scales: int
    quantization: Quantization | None = None

    @property
    def elements(self) -> int:
        """Number of elements, a free size counted as 1."""
        return math.prod(self.fixed_shape)

    @property
    def is_parameter(self) -> bool:
        """True for a trained value: a constant that is float, or an integer that stands for a real."""
        return self.constant_bytes > 0 and (self.scales > 0 or "float" in self.dtype)


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph; inputs and outputs are tensor numbers, -1 for an absent optional input."""

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    calls: tuple[int, ...] = ()
    adjoint_x: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """One subgraph."""

    name: str
    tensors: tuple[TensorInfo, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one operator costs.

    Attributes:
        name: Name of its first output, shortened to the first of names that the converter has fused.
        op: Operator.
        parameters: Trained values that it is the first to read.
        bytes: Bytes of all constants that it is the first to read.
        macs: Multiply-accumulates of one call; None where it has some but they cannot be counted.
    """

    name: str
    op: str
    parameters: int
    bytes: int
    macs: int | None


@dataclass(frozen=True, slots=True)
class OperatorUse:
    """One row of the operator inventory.

    Attributes:
        name: "CONV_2D", a custom operator's own name, or a TensorFlow operator's name.
        kind: "builtin", "custom" or "flex".
        version: Highest version used.
        count: How many nodes, over all graphs.
    """

    name: str
    kind: str
    version: int
    count: int

"""Which weights of an ML Program are compressed, counted in the specification that coremltools holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge_sdk.contract.document import Document

#: What is smaller is a parameter, not a weight: shapes, axes, scales.
_SMALLEST = 10
#: FLOAT16 and FLOAT32 of the format's `DataType`.
_FLOATS = (10, 11)


@dataclass(frozen=True, kw_only=True)
class Weight(Document):
    """One constant that operators read.

    Attributes:
        name: Of the constant.
        elements: Number of values.
        compressed: True where it is expanded from a smaller form.
    """

    name: str
    elements: int
    compressed: bool


def list_weights(specification: Any) -> tuple[Weight, ...]:
    """Return the float weights of all functions, in the order of the program.

    Args:
        specification: `MLModel.get_spec()` of an ML Program.
    """
    found: list[Weight] = []
    for name in sorted(specification.mlProgram.functions):
        function = specification.mlProgram.functions[name]
        block = function.block_specializations[function.opset]
        operations = list(_operations(block))
        parts = {
            binding.name
            for operation in operations
            if operation.type.startswith("constexpr_")
            for argument in operation.inputs.values()
            for binding in argument.arguments
        }
        for operation in operations:
            if operation.type != "const" and not operation.type.startswith("constexpr_"):
                continue
            # The last output is the weight itself; sparse forms give their mask before it.
            output = operation.outputs[-1]
            elements = _elements(output.type)
            if output.name not in parts and elements >= _SMALLEST:
                found.append(
                    Weight(name=output.name, elements=elements, compressed=operation.type != "const")
                )
    return tuple(found)


def _operations(block: Any) -> Iterator[Any]:
    for operation in block.operations:
        yield operation
        for inner in operation.blocks:
            yield from _operations(inner)


def _elements(kind: Any) -> int:
    tensor = kind.tensorType
    if tensor.dataType not in _FLOATS:
        return 0
    number = 1
    for dimension in tensor.dimensions:
        number *= dimension.constant.size
    return number

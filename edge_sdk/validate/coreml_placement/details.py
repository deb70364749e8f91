"""Facts about each operation of a function that rules ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edge_sdk.model.coreml.package import FunctionDescription
from edge_sdk.model.coreml.program import Argument, Block, Constant, Function, Operation, ValueType

#: What holds weights and is no work of its own when the model runs.
_NOT_TENSORS = ("list", "tuple", "dictionary")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one operation.

    Attributes:
        dtype: That it computes in: of its output; where that is no float, of the first computed input.
        touched: Of all computed inputs and outputs.
        rank: Most dimensions of a computed tensor.
        dimension: Largest known dimension of a computed tensor.
        kernel: Largest side of the kernel or window; 0 without one.
        dilation: Largest dilation; 1 without.
        spatial: Dimensions of the kernel or window; 0 without one.
        dynamic: A size is known only at run time.
        flexible: Of what kind the function's inputs are: "enumerated", "range", or "" for fixed.
        nested: It is inside of control flow.
    """

    dtype: str
    touched: frozenset[str]
    rank: int = 0
    dimension: int = 0
    kernel: int = 0
    dilation: int = 1
    spatial: int = 0
    dynamic: bool = False
    flexible: str = ""
    nested: bool = False


def is_constant(operation: Operation) -> bool:
    """Return whether an operation only holds or expands weights."""
    return operation.kind == "const" or operation.kind.startswith("constexpr_")


def read_facts(
    function: Function, description: FunctionDescription | None
) -> Iterator[tuple[Operation, Facts]]:
    """Yield every operation of a function that is work, with its facts, in program order.

    Args:
        function: Of the program.
        description: Of the same function; None where the package describes none.
    """
    values = _Values(function)
    flexible = _flexibility(description)
    yield from _facts_of(function.block, values, flexible, nested=False)


def _facts_of(
    block: Block, values: _Values, flexible: str, *, nested: bool
) -> Iterator[tuple[Operation, Facts]]:
    for operation in block.operations:
        if is_constant(operation):
            continue
        yield operation, _facts(operation, values, flexible, nested=nested)
        for inner in operation.blocks:
            yield from _facts_of(inner, values, flexible, nested=True)


class _Values:
    """Types of all values of a function, and which of them are constants."""

    def __init__(self, function: Function) -> None:
        self.types: dict[str, ValueType] = {item.name: item.type for item in function.inputs}
        self.constants: dict[str, Operation] = {}
        self._add(function.block)

    def _add(self, block: Block) -> None:
        for item in block.inputs:
            self.types[item.name] = item.type
        for operation in block.operations:
            for made in operation.outputs:
                self.types[made.name] = made.type
                if is_constant(operation):
                    self.constants[made.name] = operation
            for inner in operation.blocks:
                self._add(inner)

    def type_of(self, argument: Argument) -> ValueType | None:
        """Return an argument's type; None for a name that nothing makes."""
        return self.types.get(argument) if isinstance(argument, str) else argument.type

    def numbers(self, arguments: tuple[Argument, ...]) -> list[int]:
        """Return a small integer constant as a list; empty where it is computed, absent or kept elsewhere."""
        if not arguments:
            return []
        argument: object = arguments[0]
        if isinstance(argument, str) and argument in self.constants:
            argument = self.constants[argument].attributes.get("val")
        if not isinstance(argument, Constant):
            return []
        array = np.asarray(argument.value)
        return [int(value) for value in array.ravel()] if array.dtype.kind in "iu" else []


def _facts(operation: Operation, values: _Values, flexible: str, *, nested: bool) -> Facts:
    given = [
        found
        for group in operation.inputs.values()
        for argument in group
        if isinstance(argument, str) and argument not in values.constants
        if (found := values.type_of(argument)) is not None
    ]
    made = [item.type for item in operation.outputs]
    tensors = [item for item in (*given, *made) if item.dtype not in _NOT_TENSORS]
    kernel = _kernel(operation, values)
    return Facts(
        dtype=_computed_in(given, made),
        touched=frozenset(item.dtype for item in (*given, *made)),
        rank=max((len(item.shape) for item in tensors), default=0),
        dimension=max((size or 0 for item in tensors for size in item.shape), default=0),
        kernel=max(kernel, default=0),
        dilation=max(values.numbers(operation.inputs.get("dilations", ())), default=1),
        spatial=len(kernel),
        dynamic=any(size is None for item in tensors for size in item.shape),
        flexible=flexible,
        nested=nested,
    )


def _computed_in(given: list[ValueType], made: list[ValueType]) -> str:
    for item in (*made, *given):
        if item.dtype.startswith("fp"):
            return item.dtype
    return made[0].dtype if made else ""


def _kernel(operation: Operation, values: _Values) -> list[int]:
    if operation.kind in ("conv", "conv_transpose"):
        weights = operation.inputs.get("weight", ())
        found = values.type_of(weights[0]) if weights else None
        return [size or 0 for size in found.shape[2:]] if found is not None else []
    return values.numbers(operation.inputs.get("kernel_sizes", ()))


def _flexibility(description: FunctionDescription | None) -> str:
    if description is None:
        return ""
    kinds: Mapping[str, bool] = {
        "range": any(low != high for item in description.inputs for low, high in item.ranges),
        "enumerated": any(len(item.shapes) > 1 or len(item.sizes) > 1 for item in description.inputs),
    }
    return next((name for name, held in kinds.items() if held), "")

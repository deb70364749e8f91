"""Runs the operations of a function, one after the other."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import ModelError
from edge_sdk.model.coreml.package import Package
from edge_sdk.model.coreml.program import (
    Argument,
    Blob,
    Block,
    Constant,
    Function,
    Operation,
    ValueType,
)
from edge_sdk.validate.coreml_reference import constants, control
from edge_sdk.validate.coreml_reference.errors import UnknownOperatorError, Unsupported
from edge_sdk.validate.coreml_reference.operators import OPERATORS
from edge_sdk.validate.coreml_reference.precision import Precision, rounded, widened

Array = NDArray[Any]
Values = dict[str, Any]

#: Handled by the machine itself.
OWN = ("const", "cond", "while_loop")


def is_known(operation: Operation) -> bool:
    """Tell whether there is something that runs this kind of operation."""
    kind = operation.kind
    return kind in OWN or kind in OPERATORS or kind in constants.TABLE or kind in control.TABLE


class Machine:
    """Runs functions of one package and keeps its expanded constants.

    Args:
        package: Open as long as the machine is used.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        self._constants: dict[tuple[str, int], Any] = {}
        self._expanded: dict[tuple[int, Precision], Any] = {}

    def run(
        self, function: Function, inputs: Mapping[str, Any], precision: Precision, state: Values
    ) -> dict[str, Any]:
        """Return the function's outputs by name.

        Args:
            function: To run.
            inputs: By name, in the types of the function.
            precision: Whether float16 is emulated.
            state: Values of the model's states by input name; written by the program.

        Raises:
            UnknownOperatorError: An operator is not known, or not in this form.
            ModelError: The program does not fit together.
        """
        names = {item.name: item.type for item in function.inputs}
        values: Values = {
            name: control.State(state, name, kind) if kind.dtype == "state" else inputs[name]
            for name, kind in names.items()
        }
        found = self._run_block(function.block, values, function.opset, precision)
        return dict(zip(function.block.outputs, found, strict=True))

    def _run_block(self, block: Block, values: Values, opset: str, precision: Precision) -> list[Any]:
        last_use = _last_uses(block)
        own: Values = dict(values)
        for index, operation in enumerate(block.operations):
            found = self._run(operation, own, opset, precision)
            for output, value in zip(operation.outputs, found, strict=True):
                own[output.name] = value
            for name in last_use.get(index, ()):
                own.pop(name, None)
        return [own[name] for name in block.outputs]

    def _run(self, operation: Operation, values: Values, opset: str, precision: Precision) -> list[Any]:
        kind = operation.kind
        if kind == "const":
            return [self._constant(operation, precision)]
        if kind.startswith("constexpr_") and kind in constants.TABLE:
            return self._expand(operation, values, precision)
        if kind == "cond":
            chosen = operation.blocks[0 if bool(self._argument(operation, "pred", values)) else 1]
            return self._run_block(chosen, values, opset, precision)
        if kind == "while_loop":
            return self._loop(operation, values, opset, precision)
        function = control.TABLE.get(kind) or OPERATORS.get(kind)
        if function is None:
            raise UnknownOperatorError(kind, operation.name)
        inputs = {name: self._given(items, values) for name, items in operation.inputs.items()}
        given = {name: widened(value) for name, value in inputs.items()} if kind in OPERATORS else inputs
        return self._call(operation, function, given, opset, precision)

    def _call(
        self,
        operation: Operation,
        function: Callable[..., Any],
        given: dict[str, Any],
        opset: str,
        precision: Precision,
    ) -> list[Any]:
        wanted = _parameters(function)
        if "opset" in wanted:
            given["opset"] = opset
        if "output_types" in wanted:
            given["output_types"] = tuple(output.type for output in operation.outputs)
        unknown = sorted(set(given) - wanted) if None not in wanted else []
        if unknown:
            raise UnknownOperatorError(
                operation.kind, operation.name, f"its input {unknown[0]!r} is not known"
            )
        try:
            with np.errstate(all="ignore"):
                result = function(**given)
        except Unsupported as failure:
            raise UnknownOperatorError(operation.kind, operation.name, str(failure)) from failure
        except (ValueError, IndexError, TypeError, ZeroDivisionError) as failure:
            raise ModelError(
                f"op {operation.kind} at {operation.name!r} cannot be computed",
                why=str(failure),
                hint="the program does not fit together, or its inputs do not fit the program",
            ) from failure
        results = list(result) if isinstance(result, tuple) else [result]
        if len(results) != len(operation.outputs):
            raise UnknownOperatorError(
                operation.kind, operation.name, f"it has {len(operation.outputs)} outputs here"
            )
        with np.errstate(over="ignore"):
            return [
                rounded(value, output.type, precision)
                for value, output in zip(results, operation.outputs, strict=True)
            ]

    def _loop(self, operation: Operation, values: Values, opset: str, precision: Precision) -> list[Any]:
        condition, body = operation.blocks
        current = [self._value(item, values) for item in operation.inputs["loop_vars"]]
        while True:
            inner = {
                **values,
                **{item.name: value for item, value in zip(condition.inputs, current, strict=True)},
            }
            (more,) = self._run_block(condition, inner, opset, precision)
            if not bool(more):
                return current
            inner = {
                **values,
                **{item.name: value for item, value in zip(body.inputs, current, strict=True)},
            }
            current = self._run_block(body, inner, opset, precision)

    def _given(self, items: Sequence[Argument], values: Values) -> Any:
        found = tuple(self._value(item, values) for item in items)
        return found[0] if len(found) == 1 else found

    def _argument(self, operation: Operation, name: str, values: Values) -> Any:
        return self._given(operation.inputs[name], values)

    def _value(self, item: Argument, values: Values) -> Any:
        if isinstance(item, str):
            if item not in values:
                raise ModelError(f"the program uses {item!r} before it is made")
            return values[item]
        return _plain(self._read(item), item.type)

    def _read(self, item: Blob | Constant) -> Any:
        if isinstance(item, Constant):
            return item.value
        key = (item.file, item.offset)
        if key not in self._constants:
            self._constants[key] = self._package.read(item)
        return self._constants[key]

    def _constant(self, operation: Operation, precision: Precision) -> Any:
        item = operation.attributes.get("val")
        if item is None:
            raise ModelError(f"constant {operation.name!r} has no value")
        value = _plain(self._read(item), item.type)
        if isinstance(value, np.ndarray) and item.type.dtype == "fp16":
            # Kept as float32, which holds it exactly: operators widen it anyway, each time.
            key = (id(operation), precision)
            if key not in self._expanded:
                self._expanded[key] = value.astype(np.float32)
            return self._expanded[key]
        return value

    def _expand(self, operation: Operation, values: Values, precision: Precision) -> list[Any]:
        key = (id(operation), precision)
        if key not in self._expanded:
            given = {
                **{name: self._read(item) for name, item in operation.attributes.items() if name != "name"},
                **{name: self._given(items, values) for name, items in operation.inputs.items()},
            }
            function = constants.TABLE[operation.kind]
            found = self._call(operation, function, {n: _scalar(v) for n, v in given.items()}, "", precision)
            self._expanded[key] = [widened(value) for value in found]
        result: list[Any] = self._expanded[key]
        return result


def _scalar(value: Any) -> Any:
    """Return a 0-dimensional integer as int, so that it can be an axis."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return int(value)
    return value


def _plain(value: Any, kind: ValueType) -> Any:
    """Return a scalar constant as a Python value; arrays and text as they are."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        if kind.dtype == "string":
            return str(value)
        return value.item()
    return value


def _last_uses(block: Block) -> dict[int, list[str]]:
    """Return the values that are not needed any more, by the index of the last operation that uses them."""
    last: dict[str, int] = {}
    for index, operation in enumerate(block.operations):
        for name in _used(operation):
            last[name] = index
    made = {output.name for operation in block.operations for output in operation.outputs}
    gone: dict[int, list[str]] = {}
    for name, index in last.items():
        if name in made and name not in block.outputs:
            gone.setdefault(index, []).append(name)
    return gone


def _used(operation: Operation) -> list[str]:
    names = [item for items in operation.inputs.values() for item in items if isinstance(item, str)]
    for block in operation.blocks:
        names += [name for inner in block.operations for name in _used(inner)]
        names += block.outputs
    return names


@functools.cache
def _parameters(function: Callable[..., Any]) -> frozenset[str | None]:
    """Return the names of a function's parameters; None among them where it takes any."""
    found = inspect.signature(function).parameters.values()
    return frozenset(None if item.kind is item.VAR_KEYWORD else item.name for item in found)

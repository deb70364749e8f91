"""Runs one function of a program: operations in order, each result rounded as declared, freed after use.

Constants are expanded when an operation first wants them, and kept. What an operator does not know stops the
run with `UnknownOperatorError`; so does a result whose shape is not the declared one, because then either the
operator or the reading of its inputs is wrong, and no verdict may rest on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from edge_sdk.errors import ModelError
from edge_sdk.model.coreml.package import Package
from edge_sdk.model.coreml.program import (
    Argument,
    Blob,
    Block,
    Constant,
    Function,
    NamedType,
    Operation,
)
from edge_sdk.validate.coreml_reference import lists
from edge_sdk.validate.coreml_reference.constants import CONSTANTS
from edge_sdk.validate.coreml_reference.errors import UnknownOperatorError, Unsupported
from edge_sdk.validate.coreml_reference.operators import OPERATORS
from edge_sdk.validate.coreml_reference.precision import Array, Precision, fits, settle

Operator = Callable[..., Any]

#: Inputs that take any number of values: always a tuple.
_SEVERAL = frozenset({"values", "ref_tensors", "loop_vars", "elem_shape"})
#: Inputs that are arrays even where they hold one number; any other single number comes as a Python value.
_ARRAYS = frozenset({
    "a", "b", "bias", "cond", "data", "indices", "initial_c", "initial_h", "input", "ls", "probabilities",
    "ref_tensor", "updates", "update", "value_like", "weight", "x", "y",
})  # fmt: skip
#: Operators that are part of the machine itself.
_OWN = frozenset({"cond", "const", "coreml_update_state", "read_state", "while_loop", "write_state"})
#: More rounds than this is a loop that does not end.
_MAX_ROUNDS = 1_000_000
#: What NumPy and Python raise where inputs do not fit an operator.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)

TABLE: Mapping[str, Operator] = {**OPERATORS, **lists.TABLE}


@dataclass
class Scope:
    """Values of a block by name; an enclosing block's are seen too.

    A constant stands as its operation until it is wanted.
    """

    values: dict[str, Any]
    outer: Scope | None = None

    def find(self, name: str) -> tuple[Any, Scope]:
        """Return a value and the scope that holds it.

        Raises:
            ModelError: There is none.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name], scope
            scope = scope.outer
        raise ModelError(f"the program uses {name!r:.120} before anything makes it", hint="convert it again")


@dataclass
class Machine:
    """Runs one function at one precision; keeps its constants between runs.

    Attributes:
        package: Holds the weights.
        function: The one to run.
        precision: "program" or "float32".
    """

    package: Package
    function: Function
    precision: Precision = "program"
    _constants: dict[tuple[int, str], Any] = field(default_factory=dict, repr=False)
    _last_uses: dict[int, list[tuple[str, ...]]] = field(default_factory=dict, repr=False)

    def run(self, inputs: Mapping[str, Any], states: MutableMapping[str, Array]) -> dict[str, Any]:
        """Run the function.

        Args:
            inputs: Arrays by name, as the program declares them.
            states: Arrays by name; changed in place where the program writes them.

        Returns:
            The function's outputs by name.

        Raises:
            UnknownOperatorError: An operator, or a form of one, is not known.
            ModelError: The program makes no sense.
        """
        self._states = states
        try:
            with np.errstate(all="ignore"):
                return self._answer(inputs)
        except _FAILURES as failure:
            # An operator's own failure is named where it happens; this program does not hang together.
            raise ModelError(
                f"function {self.function.name!r} cannot be run",
                why=f"{type(failure).__name__}: {str(failure)[:300]}",
                hint="the package is damaged: convert it again",
            ) from failure

    def _answer(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        scope = Scope({})
        for item in self.function.inputs:
            if item.type.dtype == "state":
                scope.values[item.name] = _State(item.name)
            elif item.name in inputs:
                scope.values[item.name] = settle(inputs[item.name], item.type, self.precision)
        block = self.function.block
        return dict(zip(block.outputs, self._block(block, scope), strict=True))

    def _block(self, block: Block, scope: Scope) -> list[Any]:
        last_uses = self._last_uses.get(id(block))
        if last_uses is None:
            last_uses = self._last_uses[id(block)] = _last_uses(block)
        for operation, done in zip(block.operations, last_uses, strict=True):
            if operation.kind == "const" or operation.kind in CONSTANTS:
                for output in operation.outputs:
                    scope.values[output.name] = operation
                continue
            self._run(operation, scope)
            for name in done:
                scope.values.pop(name, None)
        return [self._value(name, scope) for name in block.outputs]

    def _run(self, operation: Operation, scope: Scope) -> None:
        if operation.kind in _OWN:
            results = self._own(operation, scope)
        else:
            results = self._call(operation, self._arguments(operation, scope))
        if len(results) != len(operation.outputs):
            raise UnknownOperatorError(
                operation.kind,
                operation.name,
                f"it gives {len(results)} values, the program wants {len(operation.outputs)}",
            )
        for output, result in zip(operation.outputs, results, strict=True):
            scope.values[output.name] = self._settled(operation, output, result)

    def _settled(self, operation: Operation, output: NamedType, result: Any) -> Any:
        value = settle(result, output.type, self.precision)
        if isinstance(value, np.ndarray) and not fits(value, output.type):
            raise UnknownOperatorError(
                operation.kind,
                operation.name,
                f"{output.name} comes out as {list(value.shape)}, the program says {list(output.type.shape)}",
            )
        return value

    def _call(self, operation: Operation, arguments: dict[str, Any]) -> tuple[Any, ...]:
        function = TABLE.get(operation.kind)
        if function is None:
            raise UnknownOperatorError(operation.kind, operation.name)
        wanted = _parameters(function)
        if "opset" in wanted:
            arguments["opset"] = self.function.opset
        if "output_types" in wanted:
            arguments["output_types"] = tuple(output.type for output in operation.outputs)
        return _as_tuple(_attempt(operation, function, arguments))

    def _arguments(self, operation: Operation, scope: Scope) -> dict[str, Any]:
        return {name: self._argument(name, given, scope) for name, given in operation.inputs.items() if given}

    def _argument(self, name: str, given: tuple[Argument, ...], scope: Scope) -> Any:
        if name in _SEVERAL or len(given) > 1:
            return tuple(self._value(item, scope) for item in given)
        value = self._value(given[0], scope)
        if isinstance(value, np.ndarray):
            if value.ndim == 0 and name not in _ARRAYS:
                return value.item()
        elif name in _ARRAYS and isinstance(value, (bool, int, float)):
            return np.asarray(value)
        return value

    def _value(self, argument: Argument, scope: Scope) -> Any:
        if isinstance(argument, (Constant, Blob)):
            key = (id(argument), "")
            if key not in self._constants:
                self._constants[key] = self._literal(argument)
            return self._constants[key]
        value, owner = scope.find(argument)
        return self._constant(value, argument, owner) if isinstance(value, Operation) else value

    def _literal(self, argument: Constant | Blob) -> Any:
        """Return a constant as operators take it."""
        if isinstance(argument, Constant) and not isinstance(argument.value, np.ndarray):
            return argument.value
        return settle(self.package.read(argument), argument.type, self.precision)

    def _constant(self, operation: Operation, name: str, scope: Scope) -> Any:
        """Return a `const` or an expanded `constexpr_*`, made once."""
        key = (id(operation), name)
        if key not in self._constants:
            if operation.kind == "const":
                self._constants[key] = self._literal(_stored(operation))
            else:
                results = self._expanded(operation, scope)
                for output, result in zip(operation.outputs, results, strict=True):
                    self._constants[id(operation), output.name] = self._settled(operation, output, result)
        return self._constants[key]

    def _expanded(self, operation: Operation, scope: Scope) -> tuple[Any, ...]:
        given: dict[str, Any] = {
            # What only this one needs is read, not kept: the expanded values are what runs.
            name: self._raw(values[0], scope)
            for name, values in operation.inputs.items()
            if values
        }
        given |= {
            name: self._raw(value, scope) for name, value in operation.attributes.items() if name != "name"
        }
        return _as_tuple(_attempt(operation, CONSTANTS[operation.kind], given))

    def _raw(self, argument: Argument, scope: Scope) -> Any:
        if isinstance(argument, str):
            value, owner = scope.find(argument)
            if not isinstance(value, Operation):
                return value
            if value.kind == "const":
                return self._raw(_stored(value), owner)
            return dict(
                zip((output.name for output in value.outputs), self._expanded(value, owner), strict=True)
            )[argument]
        if isinstance(argument, Constant) and not isinstance(argument.value, np.ndarray):
            return argument.value
        value = self.package.read(argument)
        return value.item() if value.ndim == 0 else value

    def _own(self, operation: Operation, scope: Scope) -> tuple[Any, ...]:
        if operation.kind == "cond":
            chosen = operation.blocks[0 if bool(self._only(operation, "pred", scope)) else 1]
            return tuple(self._block(chosen, Scope({}, scope)))
        if operation.kind == "while_loop":
            return self._loop(operation, scope)
        state = self._only(operation, "state" if "state" in operation.inputs else "input", scope)
        if not isinstance(state, _State):
            raise UnknownOperatorError(operation.kind, operation.name, "it names no state of the function")
        if operation.kind != "read_state":
            value = self._only(operation, "value" if "value" in operation.inputs else "data", scope)
            kept = self._states[state.name]
            if kept.shape != np.shape(value):
                raise UnknownOperatorError(
                    operation.kind,
                    operation.name,
                    f"{list(np.shape(value))} written to a state of {list(kept.shape)}",
                )
            self._states[state.name] = np.array(value, kept.dtype)
        # A copy: the value that was read stays what it was when the state is written.
        return (self._states[state.name].copy(),) if operation.outputs else ()

    def _only(self, operation: Operation, name: str, scope: Scope) -> Any:
        given = operation.inputs.get(name)
        if not given:
            raise UnknownOperatorError(operation.kind, operation.name, f"it has no input {name!r}")
        return self._value(given[0], scope)

    def _loop(self, operation: Operation, scope: Scope) -> tuple[Any, ...]:
        values: list[Any] = [self._value(item, scope) for item in operation.inputs.get("loop_vars", ())]
        if len(operation.blocks) != 2:
            raise UnknownOperatorError(operation.kind, operation.name, f"{len(operation.blocks)} blocks")
        condition, body = operation.blocks
        for _ in range(_MAX_ROUNDS):
            if not bool(self._inner(condition, values, scope)[0]):
                return tuple(values)
            values = self._inner(body, values, scope)
        raise ModelError(
            f"the loop {operation.name!r} was stopped after {_MAX_ROUNDS:,} rounds",
            hint="give inputs with which it ends",
        )

    def _inner(self, block: Block, values: list[Any], scope: Scope) -> list[Any]:
        names = [item.name for item in block.inputs]
        return self._block(block, Scope(dict(zip(names, values, strict=True)), scope))


@dataclass(frozen=True)
class _State:
    """Stands for a state that a function is given; its value lies apart, as it outlives the run."""

    name: str


def unknown_operators(function: Function) -> tuple[tuple[str, str], ...]:
    """Return (kind, name) of every operation that cannot be run, found without running."""
    found = []
    for operation in function.block.walk():
        if operation.kind in _OWN:
            continue
        known = CONSTANTS.get(operation.kind) or TABLE.get(operation.kind)
        if known is None or set(operation.inputs) - set(_parameters(known)):
            found.append((operation.kind, operation.name))
    return tuple(found)


@cache
def _parameters(function: Operator) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def _attempt(operation: Operation, function: Operator, arguments: dict[str, Any]) -> Any:
    extra = set(arguments) - _parameters(function)
    if extra:
        raise UnknownOperatorError(operation.kind, operation.name, f"input {min(extra)!r} is not known")
    try:
        return function(**arguments)
    except Unsupported as failure:
        raise UnknownOperatorError(operation.kind, operation.name, str(failure)) from failure
    except _FAILURES as failure:
        why = f"its inputs do not fit: {type(failure).__name__}: {failure}"
        raise UnknownOperatorError(operation.kind, operation.name, why) from failure


def _as_tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def _stored(operation: Operation) -> Constant | Blob:
    value = operation.attributes.get("val")
    if value is None:
        raise ModelError(f"the constant {operation.name!r:.120} has no value", hint="convert it again")
    return value


def _last_uses(block: Block) -> list[tuple[str, ...]]:
    """Return, for each operation of a block, the names that nothing after it needs."""
    needed = set(block.outputs)
    found: list[tuple[str, ...]] = []
    for operation in reversed(block.operations):
        used = set(_names(operation)) | {output.name for output in operation.outputs}
        found.append(tuple(used - needed))
        needed |= used
    return found[::-1]


def _names(operation: Operation) -> Iterable[str]:
    for given in operation.inputs.values():
        yield from (item for item in given if isinstance(item, str))
    for block in operation.blocks:
        yield from block.outputs
        for inner in block.operations:
            yield from _names(inner)

"""Walks the graphs of a SavedModel: which operators a signature runs, which weights it reads, what they cost.

A signature names tensors of the main graph. From there the walk goes back over inputs, and down into every
function that is called (PartitionedCall, While, If...), binding arguments to what the caller passed; so a
Conv2D deep inside a function is known to read the variable "conv2d/kernel".

MACs are counted for: Conv2D, Conv3D, DepthwiseConv2dNative, their transposed forms, MatMul, BatchMatMul (V2,
V3) and Einsum without an ellipsis. Free sizes count as 1; the body of a loop counts once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Message

Shape = tuple[int | None, ...] | None

#: DataType of tensor types.proto: (our name, bits an element). Reference types are these plus 100.
DTYPES: Mapping[int, tuple[str, int]] = {
    1: ("float32", 32), 2: ("float64", 64), 3: ("int32", 32), 4: ("uint8", 8), 5: ("int16", 16),
    6: ("int8", 8), 7: ("string", 0), 8: ("complex64", 64), 9: ("int64", 64), 10: ("bool", 8),
    11: ("qint8", 8), 12: ("quint8", 8), 13: ("qint32", 32), 14: ("bfloat16", 16), 15: ("qint16", 16),
    16: ("quint16", 16), 17: ("uint16", 16), 18: ("complex128", 128), 19: ("float16", 16),
    20: ("resource", 0), 21: ("variant", 0), 22: ("uint32", 32), 23: ("uint64", 64),
    24: ("float8_e5m2", 8), 25: ("float8_e4m3fn", 8), 29: ("int4", 4), 30: ("uint4", 4),
}  # fmt: skip

MAX_NODES = 500_000
MAX_DEPTH = 64

_CALLS = {"f", "body", "cond", "then_branch", "else_branch", "branches"}
_LOOPS = ("While", "StatelessWhile")
_NOT_COUNTED = frozenset(
    {"XlaConvV2", "XlaDotV2", "CudnnRNNV3", "PyFunc", "EagerPyFunc", "RFFT", "RFFT2D", "FFT"}
)
#: The value goes through unchanged, as far as "which weight is this" is concerned.
_TRANSPARENT = frozenset(
    {
        "Identity", "IdentityN", "ReadVariableOp", "Cast", "Reshape", "ExpandDims", "Squeeze", "Transpose",
        "StopGradient", "Enter", "CheckNumerics", "EnsureShape",
    }
)  # fmt: skip
_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")


def dtype_name(number: int) -> str:
    """Return our name of a DataType; an unknown one is shown by its number."""
    name, _ = DTYPES.get(number - 100 if number > 100 else number, (f"dtype {number}", 0))
    return name


def read_shape(message: Message) -> Shape:
    """Return the sizes of a TensorShapeProto, None where the rank is unknown."""
    if message.number(3):
        return None
    sizes = [dim.number(1) for dim in message.messages(2)]
    return tuple(None if size < 0 else size for size in sizes)


@dataclass(frozen=True)
class Weight:
    """A variable or a constant of the graph.

    Attributes:
        name: Of the variable, or of the constant's node.
        dtype: NumPy's spelling.
        shape: Sizes.
        constant: True for a constant.
    """

    name: str
    dtype: str
    shape: Shape
    constant: bool = False

    @property
    def elements(self) -> int:
        """Number of elements; 0 where the shape is not fully known."""
        return 0 if self.shape is None or None in self.shape else _product(self.shape)


@dataclass(frozen=True)
class Operation:
    """One operator that multiplies.

    Attributes:
        name: Of its node.
        op: Operator.
        weight: Name of the weight that it reads, or "".
        macs: Multiply-accumulates, None where its shapes do not tell.
    """

    name: str
    op: str
    weight: str
    macs: int | None


@dataclass
class Cost:
    """What one signature reaches.

    Attributes:
        operators: How many nodes, by operator.
        operations: Those that multiply.
        weights: Variables and float constants of more than one element, by name.
        uncounted: Operators that may multiply but were not counted; loops, whose body counts once.
    """

    operators: Counter[str] = field(default_factory=Counter)
    operations: list[Operation] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)
    uncounted: set[str] = field(default_factory=set)

    @property
    def macs(self) -> int | None:
        """Sum of all MACs; None where there are some but none could be counted."""
        known = [operation.macs for operation in self.operations if operation.macs is not None]
        return sum(known) if known or not self.uncounted else None


class _Node:
    """One node: the few attributes that matter, read once."""

    __slots__ = ("attributes", "inputs", "name", "op")

    def __init__(self, message: Message) -> None:
        self.name = message.text(1)
        self.op = message.text(2)
        self.inputs = [_reference(text) for text in message.texts(3) if not text.startswith("^")]
        self.attributes = message.map(5)

    def shapes(self) -> list[Shape]:
        if "_output_shapes" in self.attributes:
            return [read_shape(shape) for shape in self.attributes["_output_shapes"].message(1).messages(7)]
        if self.op in (*_VARIABLES, "Placeholder") and "shape" in self.attributes:
            return [read_shape(self.attributes["shape"].message(7))]
        if self.op == "Const":
            return (
                [read_shape(self.attributes["value"].message(8).message(2))]
                if "value" in self.attributes
                else []
            )
        return []

    def flag(self, name: str) -> bool:
        return name in self.attributes and bool(self.attributes[name].number(5))

    def called(self) -> list[str]:
        """Names of the functions that it calls."""
        found = []
        for key in _CALLS & self.attributes.keys():
            value = self.attributes[key]
            functions = [value.message(10)] if value.has(10) else list(value.message(1).messages(9))
            found += [function.text(1) for function in functions if function.has(1)]
        return sorted(found)


def _reference(text: str) -> tuple[str, int]:
    """Split "node", "node:1" (main graph) or "node:output:1" (function) into node and number."""
    parts = text.split(":")
    return parts[0], int(parts[-1]) if len(parts) > 1 and parts[-1].isascii() and parts[-1].isdigit() else 0


#: What is known about a tensor: the weight behind it, and its shape.
_Value = tuple[Weight | None, Shape]
_UNKNOWN: _Value = (None, None)


class GraphReader:
    """Reads a GraphDef.

    Args:
        graph: The message.

    Raises:
        DamagedError: From every method, where the graph breaks the format's rules.
    """

    def __init__(self, graph: Message) -> None:
        self._main = {node.name: node for node in map(_Node, graph.messages(1))}
        self._functions = {function.message(1).text(1): function for function in graph.message(2).messages(1)}
        self._bodies: dict[str, tuple[list[str], dict[str, _Node]]] = {}
        self._visited = 0

    def variables(self) -> dict[str, Weight]:
        """Return all variables of the main graph by name."""
        weights = [self._weight(node) for node in self._main.values() if node.op in _VARIABLES]
        return {weight.name: weight for weight in weights if weight is not None}

    def cost(self, tensors: Iterable[str]) -> Cost:
        """Return what is run and read to compute tensors of the main graph."""
        cost = Cost()
        needed: dict[str, _Node] = {}
        waiting = [_reference(tensor)[0] for tensor in tensors]
        while waiting:
            name = waiting.pop()
            node = self._main.get(name)
            if node is not None and name not in needed:
                needed[name] = node
                waiting += [source for source, _ in node.inputs]
        # In the file's order, so that layers come out in the order in which they were written.
        nodes = {name: node for name, node in self._main.items() if name in needed}
        self._run(nodes, {}, cost, scope="", depth=0)
        return cost

    def _body(self, name: str) -> tuple[list[str], dict[str, _Node]] | None:
        if name not in self._bodies:
            function = self._functions.get(name)
            if function is None:
                return None
            arguments = [argument.text(1) for argument in function.message(1).messages(2)]
            self._bodies[name] = arguments, {node.name: node for node in map(_Node, function.messages(3))}
        return self._bodies[name]

    def _run(
        self,
        nodes: Mapping[str, _Node],
        arguments: Mapping[str, _Value],
        cost: Cost,
        *,
        scope: str,
        depth: int,
    ) -> None:
        if depth > MAX_DEPTH:
            raise DamagedError(f"functions call each other more than {MAX_DEPTH} deep")
        known: dict[tuple[str, int], _Value] = {}

        def value(reference: tuple[str, int]) -> _Value:
            trail: list[tuple[str, int]] = []
            found = _UNKNOWN
            # Follow the transparent nodes back to their source, without recursion and without going round.
            while reference not in known and len(trail) < 10_000:
                name, output = reference
                if name in arguments:
                    found = arguments[name]
                    break
                node = nodes.get(name)
                if node is None:
                    break
                trail.append(reference)
                if node.op in _TRANSPARENT and node.inputs:
                    known[reference] = _UNKNOWN
                    reference = node.inputs[min(output, len(node.inputs) - 1)]
                    continue
                found = (self._weight(node), None)
                break
            else:
                found = known.get(reference, _UNKNOWN)
            for name, output in reversed(trail):
                shapes = nodes[name].shapes()
                # A variable's own shape is that of its handle: a scalar. Its value has the shape attribute.
                own = shapes[output] if output < len(shapes) else None
                weight = found[0]
                if nodes[name].op in _VARIABLES and weight is not None:
                    own = weight.shape
                known[name, output] = (weight, own if own is not None else found[1])
                found = known[name, output]
            return found

        for node in nodes.values():
            self._visited += 1
            if self._visited > MAX_NODES:
                raise DamagedError(f"a signature runs more than {MAX_NODES:,} operators")
            cost.operators[node.op] += 1
            weight = self._weight(node)
            if weight is not None and _is_parameter(weight):
                # Every function may have a constant called "Const".
                cost.weights.setdefault(f"{scope}{weight.name}" if weight.constant else weight.name, weight)
            called = node.called() or ([node.op] if node.op in self._functions else [])
            for name in called:
                body = self._body(name)
                if body is None:
                    continue
                names, inside = body
                # If and Case take the choice as their first input.
                skip = 1 if node.op in ("If", "StatelessIf", "Case", "StatelessCase") else 0
                bound = [value(reference) for reference in node.inputs[skip:]]
                given = dict(zip(names, bound, strict=False))
                self._run(inside, given, cost, scope=f"{name}/", depth=depth + 1)
            if node.op in _LOOPS or node.op in _NOT_COUNTED:
                cost.uncounted.add(node.op)
            formula = _FORMULAS.get(node.op)
            if formula is not None:
                operands = [value(reference) for reference in node.inputs]
                outputs = node.shapes()
                macs = formula(node, [shape for _, shape in operands], outputs[0] if outputs else None)
                weights = [weight.name for weight, _ in operands if weight is not None]
                cost.operations.append(Operation(node.name, node.op, weights[0] if weights else "", macs))
                if macs is None:
                    cost.uncounted.add(node.op)

    @staticmethod
    def _weight(node: _Node) -> Weight | None:
        if node.op in _VARIABLES:
            attributes = node.attributes
            shared = attributes.get("shared_name")
            name = (shared.text(2) if shared else "") or node.name
            dtype = dtype_name(attributes["dtype"].number(6)) if "dtype" in attributes else "unknown"
            shape = read_shape(attributes["shape"].message(7)) if "shape" in attributes else None
            return Weight(name, dtype, shape)
        if node.op == "Const" and "value" in node.attributes:
            tensor = node.attributes["value"].message(8)
            return Weight(
                node.name, dtype_name(tensor.number(1)), read_shape(tensor.message(2)), constant=True
            )
        return None


def _is_parameter(weight: Weight) -> bool:
    return not weight.constant or ("float" in weight.dtype and weight.elements > 1)


def _product(shape: Sequence[int | None]) -> int:
    return math.prod(1 if size is None else size for size in shape)


def _filter(shape: Shape, rank: int) -> tuple[int, ...] | None:
    if shape is None or len(shape) != rank or None in shape:
        return None
    return tuple(size for size in shape if size is not None)


def _convolution(node: _Node, operands: list[Shape], output: Shape) -> int | None:
    rank = 5 if node.op == "Conv3D" else 4
    kernel = _filter(operands[1], rank) if len(operands) > 1 else None  # [height, width, in per group, out]
    return None if kernel is None or output is None else _product(output) * math.prod(kernel[:-1])


def _depthwise(node: _Node, operands: list[Shape], output: Shape) -> int | None:
    kernel = _filter(operands[1], 4) if len(operands) > 1 else None  # [height, width, in, multiplier]
    return None if kernel is None or output is None else _product(output) * kernel[0] * kernel[1]


def _transposed(node: _Node, operands: list[Shape], output: Shape) -> int | None:
    rank = 5 if node.op == "Conv3DBackpropInputV2" else 4
    kernel = _filter(operands[1], rank) if len(operands) > 2 else None  # [height, width, out, in]
    if kernel is None or operands[2] is None:
        return None
    return _product(operands[2]) * math.prod(kernel[:-1])


def _matmul(node: _Node, operands: list[Shape], output: Shape) -> int | None:
    x = operands[0] if operands else None
    if x is None or len(x) < 2 or output is None:
        return None
    inner = x[-2] if node.flag("transpose_a") or node.flag("adj_x") else x[-1]
    return None if inner is None else _product(output) * inner


def _einsum(node: _Node, operands: list[Shape], output: Shape) -> int | None:
    equation = node.attributes["equation"].text(2) if "equation" in node.attributes else ""
    terms = equation.split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, operands, strict=False):
        if shape is None or len(term) != len(shape) or not term.isalpha():
            return None
        sizes.update({letter: 1 if size is None else size for letter, size in zip(term, shape, strict=True)})
    return math.prod(sizes.values()) if sizes and len(terms) == len(operands) == 2 else None


_FORMULAS = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Conv2DBackpropInput": _transposed,
    "Conv3DBackpropInputV2": _transposed,
    "MatMul": _matmul,
    "BatchMatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "BatchMatMulV3": _matmul,
    "Einsum": _einsum,
}

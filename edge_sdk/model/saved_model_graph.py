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

from edge_sdk.model import saved_model_schema as schema
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Message

Shape = tuple[int | None, ...] | None

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
    name, _ = schema.DTYPES.get(number - 100 if number > 100 else number, (f"dtype {number}", 0))
    return name


def read_shape(message: Message) -> Shape:
    """Return the sizes of a TensorShapeProto, None where the rank is unknown."""
    field = schema.TensorShapeProto
    if message.number(field.UNKNOWN_RANK):
        return None
    sizes = [dim.number(field.SIZE) for dim in message.messages(field.DIM)]
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
        field = schema.NodeDef
        self.name = message.text(field.NAME)
        self.op = message.text(field.OP)
        self.inputs = [_reference(text) for text in message.texts(field.INPUT) if not text.startswith("^")]
        self.attributes = message.map(field.ATTR)

    def shapes(self) -> list[Shape]:
        attributes, field = self.attributes, schema.AttrValue
        if "_output_shapes" in attributes:
            listed = attributes["_output_shapes"].message(field.LIST)
            return [read_shape(shape) for shape in listed.messages(schema.ListValue.SHAPE)]
        if self.op in (*_VARIABLES, "Placeholder") and "shape" in attributes:
            return [read_shape(attributes["shape"].message(field.SHAPE))]
        if self.op == "Const" and "value" in attributes:
            return [
                read_shape(attributes["value"].message(field.TENSOR).message(schema.TensorProto.TENSOR_SHAPE))
            ]
        return []

    def flag(self, name: str) -> bool:
        return name in self.attributes and bool(self.attributes[name].number(schema.AttrValue.B))

    def called(self) -> list[str]:
        """Names of the functions that it calls."""
        found = []
        for key in _CALLS & self.attributes.keys():
            value = self.attributes[key]
            single = value.has(schema.AttrValue.FUNC)
            several = value.message(schema.AttrValue.LIST).messages(schema.ListValue.FUNC)
            functions = [value.message(schema.AttrValue.FUNC)] if single else list(several)
            name = schema.NameAttrList.NAME
            found += [function.text(name) for function in functions if function.has(name)]
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
        self._main = {node.name: node for node in map(_Node, graph.messages(schema.GraphDef.NODE))}
        library = graph.message(schema.GraphDef.LIBRARY)
        self._functions = {
            function.message(schema.FunctionDef.SIGNATURE).text(schema.OpDef.NAME): function
            for function in library.messages(schema.FunctionDefLibrary.FUNCTION)
        }
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
            signature = function.message(schema.FunctionDef.SIGNATURE)
            arguments = [item.text(schema.OpDef.NAME) for item in signature.messages(schema.OpDef.INPUT_ARG)]
            nodes = map(_Node, function.messages(schema.FunctionDef.NODE_DEF))
            self._bodies[name] = arguments, {node.name: node for node in nodes}
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
                weights = [
                    weight.name for weight, _ in operands if weight is not None and _is_parameter(weight)
                ]
                cost.operations.append(Operation(node.name, node.op, weights[0] if weights else "", macs))
                if macs is None:
                    cost.uncounted.add(node.op)

    @staticmethod
    def _weight(node: _Node) -> Weight | None:
        attributes, field = node.attributes, schema.AttrValue
        if node.op in _VARIABLES:
            shared = attributes.get("shared_name")
            name = (shared.text(field.S) if shared else "") or node.name
            dtype = dtype_name(attributes["dtype"].number(field.TYPE)) if "dtype" in attributes else "unknown"
            shape = read_shape(attributes["shape"].message(field.SHAPE)) if "shape" in attributes else None
            return Weight(name, dtype, shape)
        if node.op == "Const" and "value" in attributes:
            tensor = attributes["value"].message(field.TENSOR)
            dtype = dtype_name(tensor.number(schema.TensorProto.DTYPE))
            shape = read_shape(tensor.message(schema.TensorProto.TENSOR_SHAPE))
            return Weight(node.name, dtype, shape, constant=True)
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
    equation = node.attributes["equation"].text(schema.AttrValue.S) if "equation" in node.attributes else ""
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

"""Makes loops convertible whose condition looks at the number of iterations.

TensorFlow's loops carry two values in front of the model's own: a counter and a limit. coremltools drops the
first two values of every loop, which is right only where the condition does not use them. Those of Keras'
LSTM and GRU do, and the conversion fails. So such a loop gets two idle values in front, to be dropped
instead.
"""

from __future__ import annotations

import re
from typing import Any

_LOOPS = ("While", "StatelessWhile")
_IDLE = 2


def carry_counters(definition: Any) -> None:
    """Rewrite the loops of a graph and of its functions in place, where their condition needs it.

    Args:
        definition: GraphDef; its new functions also become known to TensorFlow, where coremltools looks them
            up.
    """
    functions = {item.signature.name: item for item in definition.library.function}
    graphs = [definition.node, *(item.node_def for item in functions.values())]
    for index, nodes in enumerate(graphs):
        for node in list(nodes):
            if node.op in _LOOPS and _counts(functions[node.attr["cond"].func.name]):
                _carry(definition, functions, nodes, node, inside=index > 0)


def _counts(condition: Any) -> bool:
    """Tell whether a condition uses the counter or the limit."""
    front = {item.name for item in condition.signature.input_arg[:_IDLE]}
    return any(text in front for node in condition.node_def for text in node.input)


def _carry(definition: Any, functions: dict[str, Any], nodes: Any, node: Any, *, inside: bool) -> None:
    from tensorflow.core.framework import types_pb2
    from tensorflow.python.eager import context

    for role in ("cond", "body"):
        changed = _with_idle_inputs(functions[node.attr[role].func.name])
        if role == "body":
            _give_idle_outputs(changed)
        name = changed.signature.name
        node.attr[role].func.name = name
        if name not in functions:
            functions[name] = changed
            definition.library.function.append(changed)
            if not context.context().has_function(name):
                context.context().add_function_def(changed)
    node.attr["T"].list.type[:] = [types_pb2.DT_INT32] * _IDLE + list(node.attr["T"].list.type)
    for key in ("output_shapes", "_output_shapes"):
        if key in node.attr and node.attr[key].list.shape:
            old = node.attr[key].list.shape
            kind = type(old[0])
            shapes = [kind() for _ in range(_IDLE)]
            shapes += [kind.FromString(item.SerializeToString()) for item in old]
            del old[:]
            old.extend(shapes)
    # Inside of a function a value is called "node:output:index", in a graph "node:index".
    pattern = re.compile(re.escape(node.name) + (r":output:(\d+)" if inside else r"(?::(\d+))?"))
    for other in nodes:
        for index, text in enumerate(other.input):
            found = pattern.fullmatch(text)
            if found and other is not node:
                number = int(found.group(1) or 0) + _IDLE
                other.input[index] = f"{node.name}:output:{number}" if inside else f"{node.name}:{number}"
    _separate(nodes, node)
    idle = [_idle_constant(nodes, f"{node.name}/idle_{number}") for number in range(_IDLE)]
    node.input[:] = [f"{name}:output:0" if inside else name for name in idle] + list(node.input)


def _separate(nodes: Any, loop: Any) -> None:
    """Give a loop its own copy of a constant that it gets twice: coremltools takes no value twice."""
    by_name = {node.name: node for node in nodes}
    seen: set[str] = set()
    for index, text in enumerate(loop.input):
        name = text.partition(":")[0]
        if text in seen and name in by_name and by_name[name].op == "Const":
            copy = nodes.add()
            copy.CopyFrom(by_name[name])
            copy.name = f"{loop.name}/copy_{index}"
            loop.input[index] = copy.name + text[len(name) :]
        seen.add(text)


def _with_idle_inputs(function: Any) -> Any:
    from tensorflow.core.framework import types_pb2

    changed = type(function).FromString(function.SerializeToString())
    signature = changed.signature
    signature.name = f"{signature.name}_with_idle_values"
    kept = [type(item).FromString(item.SerializeToString()) for item in signature.input_arg]
    idle = [type(kept[0])(name=f"idle_{number}", type=types_pb2.DT_INT32) for number in range(_IDLE)]
    del signature.input_arg[:]
    signature.input_arg.extend([*idle, *kept])
    changed.arg_attr.clear()  # by position, and only hints
    return changed


def _give_idle_outputs(body: Any) -> None:
    from tensorflow.core.framework import types_pb2

    old = [(item.name, item.type) for item in body.signature.output_arg]
    values = {name: body.ret[name] for name, _ in old}
    for number in range(_IDLE):
        node = body.node_def.add(name=f"idle_{number}_passed", op="Identity", input=[f"idle_{number}"])
        node.attr["T"].type = types_pb2.DT_INT32
    del body.signature.output_arg[:]
    body.ret.clear()
    # coremltools finds an output by its place: the name has to end in "identity_PLACE".
    for place in range(_IDLE + len(old)):
        name = f"identity_{place}" if place else "identity"
        kind = types_pb2.DT_INT32 if place < _IDLE else old[place - _IDLE][1]
        body.signature.output_arg.add(name=name, type=kind)
        body.ret[name] = f"idle_{place}_passed:output:0" if place < _IDLE else values[old[place - _IDLE][0]]


def _idle_constant(nodes: Any, name: str) -> str:
    from tensorflow.core.framework import types_pb2

    node = nodes.add(name=name, op="Const")
    node.attr["dtype"].type = types_pb2.DT_INT32
    node.attr["value"].tensor.dtype = types_pb2.DT_INT32
    node.attr["value"].tensor.tensor_shape.SetInParent()
    node.attr["value"].tensor.int_val.append(0)
    node.attr["_output_shapes"].list.shape.add()
    return name

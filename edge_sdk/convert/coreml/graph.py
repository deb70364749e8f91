"""Traces one signature as one concrete function with settled shapes, and freezes it into a plain graph.

coremltools takes one function without variables. Given a SavedModel folder or a Keras model it loads these by
its own means, which fails for what Keras 3 exports; so it gets the frozen graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.convert.coreml.images import Image
from edge_sdk.convert.coreml.loops import carry_counters
from edge_sdk.convert.coreml.shapes import Shapes
from edge_sdk.convert.source import SourceView
from edge_sdk.errors import ConversionError, ModelError

#: Calls that TensorFlow puts around every loaded function; they say nothing in a layer's name.
_CALLS = re.compile(r"^((Stateful)?PartitionedCall(_\d+)?/)+")
_OPTIMIZERS = ("constfold", "dependency", "debug_stripper")


@dataclass(frozen=True)
class Graph:
    """A frozen function.

    Attributes:
        definition: TensorFlow's GraphDef.
        inputs: Node by name of the signature's input; those that nothing depends on are missing.
        outputs: Node by name of the signature's output.
        activated: Node of the classifier's probabilities, where they are not an output themselves.
    """

    definition: Any
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    activated: str | None


def load_signatures(view: SourceView) -> Any:
    """Load the source's functions.

    Raises:
        ModelError: TensorFlow cannot load it.
    """
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(view.folder), tags=list(view.tags))
    except (ValueError, AttributeError, KeyError, TypeError, tf.errors.OpError) as failure:
        raise ModelError(
            "TensorFlow cannot load the SavedModel",
            why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
            hint="save it again with the installed version, or give a function that builds the model",
        ) from failure


def trace(
    function: Any,
    signature: Signature,
    shapes: Mapping[str, Shapes],
    images: Mapping[str, Image],
    names: Mapping[str, str],
    *,
    activation: tuple[str, str] | None = None,
) -> Graph:
    """Trace and freeze one signature.

    Args:
        function: As it was loaded; takes its inputs by name and returns its outputs by name.
        signature: Its names and types.
        shapes: Of the inputs.
        images: The inputs that get pixels.
        names: Of the inputs in the package; the nodes get them where TensorFlow allows it.
        activation: (output, "softmax" or "sigmoid") of which the graph gives the activated values too.

    Raises:
        ModelError: TensorFlow cannot run the function on these shapes.
        ConversionError: The function keeps state that cannot be frozen.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def call(*tensors: Any) -> list[Any]:
        feed = {
            spec.name: _restore(tensor, spec, shapes[spec.name])
            for spec, tensor in zip(signature.inputs, tensors, strict=True)
        }
        answers = function(**feed)
        results = [answers[spec.name] for spec in signature.outputs]
        if activation is not None:
            activate = tf.nn.softmax if activation[1] == "softmax" else tf.nn.sigmoid
            results.append(activate(tf.cast(answers[activation[0]], tf.float32)))
        return [tf.identity(result) for result in results]

    specs = [
        tf.TensorSpec(
            shapes[spec.name].traced,
            tf.float32 if spec.name in images else tf.dtypes.as_dtype(spec.dtype),
            name=names[spec.name] if names[spec.name][0].isalpha() else f"input{names[spec.name]}",
        )
        for spec in signature.inputs
    ]
    try:
        concrete = tf.function(call, input_signature=specs, autograph=False).get_concrete_function()
        frozen = convert_variables_to_constants_v2(
            concrete, lower_control_flow=False, aggressive_inlining=True
        )
    except (ValueError, TypeError, KeyError, tf.errors.OpError) as failure:
        raise ModelError(
            f"TensorFlow cannot trace signature {signature.name!r} for "
            + ", ".join(f"{name} {list(item.traced)}" for name, item in shapes.items()),
            why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
            hint="do the shapes fit each other? Name them under [coreml.shapes]",
        ) from failure
    placeholders = {tensor.name.partition(":")[0] for tensor in frozen.inputs}
    inputs = {
        spec.name: tensor.name.partition(":")[0]
        for spec, tensor in zip(signature.inputs, concrete.inputs, strict=False)
        if tensor.name.partition(":")[0] in placeholders
    }
    nodes = [tensor.name.partition(":")[0] for tensor in frozen.outputs]
    definition = _optimize(frozen)
    state = sorted({node.op for node in definition.node if node.op in ("VarHandleOp", "ReadVariableOp")})
    if state:
        raise ConversionError(
            f"signature {signature.name!r} keeps state between calls",
            why=f"its graph still has {', '.join(state)} when every variable is made a constant",
            hint="save a signature that takes the state as an input and returns it as an output",
        )
    for name in images:
        if name in inputs:
            _drop_rounding(definition, inputs[name])
    _shorten(definition, keep={*inputs.values(), *nodes})
    used = _order(definition, nodes)
    carry_counters(definition)
    activated = nodes.pop() if activation is not None else None
    return Graph(
        definition=definition,
        inputs={name: node for name, node in inputs.items() if node in used},
        outputs={spec.name: node for spec, node in zip(signature.outputs, nodes, strict=True)},
        activated=activated,
    )


def _restore(tensor: Any, spec: TensorSpec, shapes: Shapes) -> Any:
    """Give the source what it takes: no dimension for a scalar, its own type for pixels."""
    import tensorflow as tf

    if shapes.scalar:
        tensor = tf.reshape(tensor, ())
    wanted = tf.dtypes.as_dtype(spec.dtype)
    return tensor if tensor.dtype == wanted else tf.cast(tensor, wanted)


def _optimize(frozen: Any) -> Any:
    """Fold constants as TensorFlow does for any converter."""
    from tensorflow.lite.python.util import get_grappler_config, run_graph_optimizations

    definition = frozen.graph.as_graph_def(add_shapes=True)
    _settle_sizes(definition, frozen.graph)
    return run_graph_optimizations(
        definition,
        list(frozen.inputs),
        frozen.outputs,
        config=get_grappler_config(list(_OPTIMIZERS)),
        graph=frozen.graph,
    )


def _settle_sizes(definition: Any, graph: Any) -> None:
    """Make the sizes that a model asks for constants: the shapes are settled.

    TensorFlow's optimizer does not, because it must expect any shape at an input. A loop that runs as often
    as a size says cannot be converted else.
    """
    import numpy as np
    import tensorflow as tf

    for node in definition.node:
        if node.op != "Shape":
            continue
        shape = graph.get_operation_by_name(node.name).inputs[0].shape
        if not shape.is_fully_defined():
            continue
        kind = tf.dtypes.as_dtype(node.attr["out_type"].type)
        node.op = "Const"
        node.input[:] = [text for text in node.input if text.startswith("^")]
        shapes = node.attr["_output_shapes"].list.shape
        kept = [type(item).FromString(item.SerializeToString()) for item in shapes]
        node.attr.clear()
        node.attr["dtype"].type = kind.as_datatype_enum
        value = np.array(shape.as_list(), kind.as_numpy_dtype)
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        node.attr["_output_shapes"].list.shape.extend(kept)


def _drop_rounding(definition: Any, placeholder: str) -> None:
    """Let pixels stay floats where the model turns its integers into floats at once.

    Pixels are whole numbers, so the cast to the model's own type and back changes nothing; it would keep the
    compute units from taking the first layer.
    """
    import tensorflow as tf

    consumers: dict[str, list[Any]] = {}
    for node in definition.node:
        for text in node.input:
            consumers.setdefault(text, []).append(node)
    for cast in consumers.get(placeholder, []):
        after = consumers.get(cast.name, [])
        if cast.op != "Cast" or not after or any(node.op != "Cast" for node in after):
            continue
        if any(not tf.dtypes.as_dtype(node.attr["DstT"].type).is_floating for node in after):
            continue
        for node in after:
            node.input[0] = placeholder
            node.attr["SrcT"].type = cast.attr["SrcT"].type


def _shorten(definition: Any, keep: set[str]) -> None:
    """Take the names of calls off the nodes' names, so that they read as the model's layers."""
    taken = {node.name for node in definition.node}
    renamed: dict[str, str] = {}
    for node in definition.node:
        short = _CALLS.sub("", node.name)
        if node.name not in keep and short and short not in taken:
            renamed[node.name] = short
            taken.add(short)
    for node in definition.node:
        node.name = renamed.get(node.name, node.name)
        node.attr.pop("_class", None)  # where a device would keep it, by the old name
        for index, text in enumerate(node.input):
            control, name, rest = re.fullmatch(r"(\^?)([^:]*)(.*)", text).groups()  # type: ignore[union-attr]
            node.input[index] = control + renamed.get(name, name) + rest


def _order(definition: Any, nodes: list[str]) -> set[str]:
    """Keep what the nodes depend on, each node after its inputs; return its names.

    TensorFlow's optimizer leaves nodes in the order of a hash table, which is another one in every process,
    and coremltools keeps the order.
    """
    by_name = {node.name: node for node in definition.node}
    order: dict[str, None] = {}
    waiting = [(name, False) for name in reversed(nodes)]
    entered: set[str] = set()
    while waiting:
        name, complete = waiting.pop()
        if complete:
            order[name] = None
        elif name not in entered:
            entered.add(name)
            waiting.append((name, True))
            before = [text.removeprefix("^").partition(":")[0] for text in by_name[name].input]
            waiting += [(item, False) for item in reversed(before)]
    kept = [type(definition.node[0]).FromString(by_name[name].SerializeToString()) for name in order]
    del definition.node[:]
    definition.node.extend(kept)
    return set(order)

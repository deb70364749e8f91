"""Rebuilds a Keras 3 model in tf_keras, the only Keras that TensorFlow Model Optimization can train.

The graph of calls is walked and every call is made again with a tf_keras layer of the same settings; models
inside the model are opened, so the result is flat. The weights are moved over, and `prove_equal` shows that
both answer the same. What cannot be carried over is refused by the name of the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.errors import ModelError
from edge_sdk.optimize.layers import rebuild_layer, refuse

#: Largest difference between the two models, as a share of the largest answer.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Rebuilt:
    """A model that can be trained, and where its layers come from.

    Attributes:
        model: tf_keras model with a flat list of inputs and outputs.
        origin: The layers it was made from, by the name of the rebuilt layer.
        input_names: In the order of `model.inputs`.
        output_names: In the order of `model.outputs`.
        legacy: The source was a tf_keras model already.
    """

    model: Any
    origin: Mapping[str, Any]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    legacy: bool


def rebuild(model: Any) -> Rebuilt:
    """Rebuild a model.

    Args:
        model: Keras 3 `Sequential` or functional model, built; or the same of tf_keras.

    Raises:
        ModelError: It is subclassed, or a layer cannot be carried over; the layer is named.
    """
    if _is_legacy(model):
        return _take_legacy(model)
    return _Rebuilder().run(model)


def prove_equal(source: Any, rebuilt: Rebuilt, inputs: Mapping[str, Any]) -> float:
    """Run both models on the same inputs and return the largest absolute difference.

    Args:
        source: The model as it was given.
        rebuilt: What `rebuild` made of it.
        inputs: By input name, a batch each.

    Raises:
        ModelError: An output differs by more than `TOLERANCE` of its largest value; it is named.
    """
    feed = [np.asarray(inputs[name]) for name in rebuilt.input_names]
    wanted = _answers(source, feed)
    given = _answers(rebuilt.model, feed)
    largest = 0.0
    for name, want, have in zip(rebuilt.output_names, wanted, given, strict=True):
        difference = float(np.max(np.abs(want - have), initial=0.0))
        scale = max(float(np.max(np.abs(want), initial=0.0)), 1e-6)
        # A comparison with NaN is false: both must be finite to be called equal.
        if not (want.shape == have.shape and difference <= TOLERANCE * scale):
            raise ModelError(
                f"output {name!r} of the rebuilt model differs by {difference:.3g}",
                why=f"the largest answer is {scale:.3g}; a training would start from another model",
                hint="report which layers the model has (edge inspect MODEL)",
            )
        largest = max(largest, difference)
    return largest


def _answers(model: Any, feed: list[Any]) -> list[Any]:
    import tensorflow as tf

    given = feed[0] if len(feed) == 1 else _arranged(model, feed)
    return [np.asarray(item) for item in tf.nest.flatten(model(given, training=False))]


def _arranged(model: Any, feed: list[Any]) -> Any:
    import tensorflow as tf

    structure = getattr(model, "_inputs_struct", None)
    return feed if structure is None else tf.nest.pack_sequence_as(structure, feed)


def _is_legacy(model: Any) -> bool:
    return any(cls.__module__.startswith("tf_keras.") for cls in type(model).__mro__)


def _take_legacy(model: Any) -> Rebuilt:
    import tf_keras

    if not getattr(model, "_is_graph_network", False):
        raise _subclassed(model)
    for layer in model.layers:
        if isinstance(layer, tf_keras.Model):
            raise refuse(layer, "it is a model inside the model, and the source is a tf_keras model")
        if isinstance(layer, tf_keras.layers.Lambda):
            raise refuse(layer, "a Lambda layer holds code")
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return Rebuilt(
        model=copy,
        origin={layer.name: layer for layer in model.layers},
        input_names=_unique([tensor.name.partition(":")[0] for tensor in model.inputs]),
        output_names=_unique(list(model.output_names)),
        legacy=True,
    )


class _Rebuilder:
    """One walk over a Keras 3 model."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._origin: dict[str, Any] = {}

    def run(self, model: Any) -> Rebuilt:
        import tf_keras

        graph = _graph(model)
        names = _unique([tensor.name for tensor in graph.inputs])
        inputs = [
            tf_keras.Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype, name=name)
            for tensor, name in zip(graph.inputs, names, strict=True)
        ]
        outputs = self._walk(graph, inputs, prefix="")
        rebuilt = tf_keras.Model(inputs, outputs, name=_plain(model.name))
        for name, source in self._origin.items():
            self._move(source, rebuilt.get_layer(name))
        return Rebuilt(
            model=rebuilt,
            origin=dict(self._origin),
            input_names=names,
            output_names=_unique(_output_names(model, graph)),
            legacy=False,
        )

    def _walk(self, graph: Any, inputs: list[Any], prefix: str) -> list[Any]:
        """Make every call of a graph again, in order; return its outputs."""
        tensors = {id(tensor): value for tensor, value in zip(graph.inputs, inputs, strict=True)}
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if node.is_input or any(id(item) not in tensors for item in node.input_tensors):
                    continue
                arguments, options = node.arguments.fill_in(tensors)
                answer = self._call(node.operation, arguments, options, prefix)
                flat = _flatten(answer)
                tensors.update(zip([id(item) for item in node.outputs], flat, strict=True))
        return [tensors[id(tensor)] for tensor in graph.outputs]

    def _call(self, operation: Any, arguments: Any, options: Any, prefix: str) -> Any:
        import keras

        options = {name: value for name, value in options.items() if value is not None}
        if isinstance(operation, keras.Model):
            graph = _graph(operation, inner=True)
            return self._walk(graph, _flatten(arguments[0]), prefix=f"{prefix}{operation.name}_")
        layer = self._made.get(id(operation))
        if layer is None:
            name = _plain(operation.name)
            if name in self._origin:
                name = f"{_plain(prefix)}{name}"
            layer = self._made[id(operation)] = rebuild_layer(operation, name, arguments)
            self._origin[layer.name] = operation
        if not isinstance(operation, keras.layers.Layer):
            # An operation on tensors: its constants are settings of the layer that stands for it.
            import tensorflow as tf

            tensors = [
                item for item in _flatten(arguments) if tf.is_tensor(item) or hasattr(item, "_keras_history")
            ]
            return layer(tensors[0] if len(tensors) == 1 else tensors)
        try:
            return layer(*arguments, **options)
        except (TypeError, ValueError) as failure:
            raise refuse(
                operation, f"tf_keras cannot call it the same way: {str(failure).strip()[:300]}"
            ) from failure

    def _move(self, source: Any, layer: Any) -> None:
        weights = source.get_weights() if hasattr(source, "get_weights") else []
        try:
            layer.set_weights(weights)
        except ValueError as failure:
            raise refuse(
                source, f"its weights are laid out otherwise: {str(failure).strip()[:300]}"
            ) from failure


def _graph(model: Any, *, inner: bool = False) -> Any:
    """Return the functional graph of a model.

    Raises:
        ModelError: It has none.
    """
    import keras
    from keras.src.models.functional import Functional

    if isinstance(model, keras.Sequential):
        if type(model).call is not keras.Sequential.call:
            raise _subclassed(model)
        graph = getattr(model, "_functional", None)
        if graph is None:
            raise ModelError(
                f"the model {model.name!r} has no input shape",
                why="a Sequential model that was never built does not know it",
                hint="start it with keras.Input(shape), or call it once before it is saved",
            )
        return graph
    if isinstance(model, Functional) and type(model).call is Functional.call:
        return model
    if inner:
        raise refuse(model, "it is a subclassed model: its calls are code, not a graph")
    raise _subclassed(model)


def _subclassed(model: Any) -> ModelError:
    return ModelError(
        f"the model {model.name!r} is a subclassed model ({type(model).__name__})",
        why="its calls are code, not a graph, so it cannot be rebuilt in tf_keras",
        hint="write it as a functional model: keras.Model(inputs, outputs)",
    )


def _output_names(model: Any, graph: Any) -> list[str]:
    # The same names that the conversion gives them.
    names = list(getattr(model, "output_names", None) or ())
    if not names and type(model).__name__ == "Sequential" and model.layers:
        names = [model.layers[-1].name]
    return names if len(names) == len(graph.outputs) else [f"output_{i}" for i in range(len(graph.outputs))]


def _flatten(value: Any) -> list[Any]:
    import tensorflow as tf

    return list(tf.nest.flatten(value))


def _plain(name: str) -> str:
    return name.replace("/", "_")


def _unique(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        result.append(name if count == 0 else f"{name}_{count}")
    return tuple(result)

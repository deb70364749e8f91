"""Follows the layers of a Keras configuration from inputs to outputs, to know shapes and costs.

Two notations exist. Keras 2 wrote a layer's inputs as ["layer", call, output, {}]; Keras 3 writes the
arguments of the call, with tensors in them as {"class_name": "__keras_tensor__", "config": {"keras_history":
[...]}}. Keras 3 also notes the shape of every tensor, used where our own tables do not know a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edge_sdk.errors import ModelError
from edge_sdk.model.keras_shapes import Shape, infer

_MODELS = ("Functional", "Model", "Sequential")
_MAX_LAYERS = 100_000
_MAX_NESTING = 20

#: (layer name, number of the call, number of the output)
_Key = tuple[str, int, int]
_Named = tuple[str, str, Shape]


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """One layer.

    Attributes:
        name: Its own name.
        class_name: For example "Conv2D".
        output_shape: Of its first output; None where unknown.
        macs: Of all its calls, None where they were not counted.
        parents: Names of the nested models around it, outermost first.
        parameters: Elements of its weights.
        bytes: Bytes of its weights.
    """

    name: str
    class_name: str
    output_shape: Shape
    macs: int | None
    parents: tuple[str, ...]
    parameters: int = 0
    bytes: int = 0

    def sized(self, parameters: int, size: int) -> KerasLayer:
        """Return the layer with the size of its weights."""
        return replace(self, parameters=parameters, bytes=size)


@dataclass(frozen=True)
class KerasGraph:
    """Inputs and outputs as (name, dtype, shape), and the layers in the order of the file."""

    inputs: tuple[_Named, ...]
    outputs: tuple[_Named, ...]
    layers: tuple[KerasLayer, ...]


def read_graph(config: Mapping[str, Any]) -> KerasGraph:
    """Follow a model's configuration.

    Args:
        config: {"class_name": ..., "config": {...}}, as `keras_config.parse_config` returned it.

    Raises:
        ModelError: The configuration is no proper graph.
    """
    walk = _Walk()
    try:
        inputs, outputs = walk.model(config, (), None)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as failure:
        raise ModelError(
            "the model configuration is damaged", why=f"{type(failure).__name__}: {failure}"
        ) from failure
    return KerasGraph(tuple(inputs), tuple(outputs), tuple(walk.layers))


class _Walk:
    def __init__(self) -> None:
        self.layers: list[KerasLayer] = []

    def model(
        self, entry: Mapping[str, Any], parents: tuple[str, ...], given: list[Shape] | None
    ) -> tuple[list[_Named], list[_Named]]:
        """Walk one model; return its inputs and outputs."""
        if len(parents) > _MAX_NESTING:
            raise ModelError("the models in the file are nested too deep", why=f"over {_MAX_NESTING} levels")
        config = entry["config"]
        # A subclassed model has a configuration of its own, without layers that could be followed.
        layers = config.get("layers") if isinstance(config, Mapping) else config
        if not isinstance(layers, list):
            return [], []
        if len(layers) + len(self.layers) > _MAX_LAYERS:
            raise ModelError("the model has too many layers", why=f"over {_MAX_LAYERS:,}")
        if entry.get("class_name") == "Sequential":
            return self._sequential(config if isinstance(config, Mapping) else {}, layers, parents, given)
        return self._functional(config, layers, parents, given)

    def _sequential(
        self,
        config: Mapping[str, Any],
        layers: list[Any],
        parents: tuple[str, ...],
        given: list[Shape] | None,
    ) -> tuple[list[_Named], list[_Named]]:
        first = layers[0]["config"] if layers and isinstance(layers[0].get("config"), Mapping) else {}
        shape = _sizes(_declared(first) or config.get("build_input_shape"))
        if layers and layers[0]["class_name"] in _MODELS and shape is None:
            inner = _first_input(layers[0])
            shape = _sizes(_declared(inner)) if inner else None
        name, dtype = str(first.get("name", "input")), _dtype(first)
        if layers and layers[0]["class_name"] != "InputLayer":
            name = f"{name}_input"
        current: list[Shape] = given if given else [shape]
        inputs = [(name, dtype, current[0])]
        last = name
        for layer in layers:
            current = self._call(layer, parents, current)
            last = str(layer["config"].get("name", layer["class_name"]))
        return inputs, [(last, "float32", current[0] if current else None)]

    def _functional(
        self,
        config: Mapping[str, Any],
        layers: list[Any],
        parents: tuple[str, ...],
        given: list[Shape] | None,
    ) -> tuple[list[_Named], list[_Named]]:
        by_name = {str(layer.get("name") or layer["config"]["name"]): layer for layer in layers}
        noted = dict(_noted_shapes(layers))
        input_keys = list(_keys(config.get("input_layers")))
        output_keys = list(_keys(config.get("output_layers")))
        known: dict[_Key, Shape] = {}
        for position, key in enumerate(input_keys):
            declared = _sizes(_declared(by_name[key[0]]["config"]))
            known[key] = given[position] if given and position < len(given) else declared
        order = _order(by_name)
        for name in order:
            layer = by_name[name]
            calls = list(_calls(layer))
            if layer["class_name"] == "InputLayer" or not calls:
                self._add(name, layer, known.get((name, 0, 0)), 0, parents)
                continue
            for number, sources in enumerate(calls):
                shapes = [known.get(source, noted.get(source)) for source in sources]
                results = self._call(layer, parents, shapes, again=number > 0)
                for output, shape in enumerate(results):
                    key = (name, number, output)
                    known[key] = noted.get(key) if shape is None else shape
        inputs = [
            (name, _dtype(by_name[name]["config"]), known[name, call, output])
            for name, call, output in input_keys
        ]
        outputs = [(key[0], "float32", known.get(key, noted.get(key))) for key in output_keys]
        return inputs, _unique(outputs)

    def _call(
        self, layer: Mapping[str, Any], parents: tuple[str, ...], shapes: list[Shape], *, again: bool = False
    ) -> list[Shape]:
        """Follow one call of a layer; a second call adds to the cost, not to the list."""
        kind, config = str(layer["class_name"]), layer["config"]
        name = str(layer.get("name") or (config.get("name") if isinstance(config, Mapping) else "") or kind)
        if kind in _MODELS:
            if not again:
                self._add(name, layer, None, 0, parents)
            before = len(self.layers)
            _, outputs = self.model(layer, (*parents, name), shapes)
            if again:
                self._merge(before)
            return [shape for _, _, shape in outputs] or [None]
        if kind == "InputLayer":
            shape = shapes[0] if shapes and shapes[0] is not None else _sizes(_declared(config))
            self._add(name, layer, shape, 0, parents)
            return [shape]
        results, macs = infer(kind, config, shapes)
        self._add(name, layer, results[0] if results else None, macs, parents)
        if again:
            self._merge(len(self.layers) - 1)
        return results

    def _add(
        self, name: str, layer: Mapping[str, Any], shape: Shape, macs: int | None, parents: tuple[str, ...]
    ) -> None:
        self.layers.append(KerasLayer(name, str(layer["class_name"]), shape, macs, parents))

    def _merge(self, start: int) -> None:
        """Add the cost of the layers from `start` on to their first appearance, and drop them."""
        extra = self.layers[start:]
        del self.layers[start:]
        places = {(layer.parents, layer.name): place for place, layer in enumerate(self.layers)}
        for layer in extra:
            place = places.get((layer.parents, layer.name))
            if place is not None:
                first = self.layers[place]
                both = None if layer.macs is None or first.macs is None else layer.macs + first.macs
                self.layers[place] = replace(first, macs=both)


def _declared(config: Mapping[str, Any]) -> Any:
    return config.get("batch_shape") or config.get("batch_input_shape")


def _first_input(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = entry["config"]
    layers = config.get("layers") if isinstance(config, Mapping) else config
    for layer in layers if isinstance(layers, list) else []:
        if isinstance(layer.get("config"), Mapping) and _declared(layer["config"]):
            found: Mapping[str, Any] = layer["config"]
            return found
    return None


def _sizes(value: Any) -> Shape:
    if not isinstance(value, (list, tuple)):
        return None
    if any(size is not None and (not isinstance(size, int) or isinstance(size, bool)) for size in value):
        return None
    return tuple(value)


def _dtype(config: Mapping[str, Any]) -> str:
    dtype = config.get("dtype")
    if isinstance(dtype, Mapping):
        dtype = dtype["config"].get("name") if isinstance(dtype.get("config"), Mapping) else None
    return dtype if isinstance(dtype, str) else "float32"


def _keys(value: Any) -> Iterator[_Key]:
    """Yield the tensors in any nesting of ["layer", call, output]."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _keys(item)
    elif isinstance(value, list):
        if (
            len(value) == 3
            and isinstance(value[0], str)
            and isinstance(value[1], int)
            and isinstance(value[2], int)
        ):
            yield value[0], value[1], value[2]
        else:
            for item in value:
                yield from _keys(item)


def _calls(layer: Mapping[str, Any]) -> Iterator[list[_Key]]:
    """Yield the inputs of each call of a layer."""
    for node in layer.get("inbound_nodes") or []:
        if isinstance(node, Mapping):
            yield [key for key, _ in _tensors([node.get("args"), node.get("kwargs")])]
        elif isinstance(node, list):
            yield list(_old_keys(node))


def _old_keys(node: Any) -> Iterator[_Key]:
    # ["layer", call, output, {keyword arguments}], where an argument may be a tensor again.
    if isinstance(node, Mapping):
        for item in node.values():
            yield from _old_keys(item)
    elif isinstance(node, list):
        if (
            len(node) >= 3
            and isinstance(node[0], str)
            and isinstance(node[1], int)
            and isinstance(node[2], int)
        ):
            yield node[0], node[1], node[2]
            yield from _old_keys(node[3:])
        else:
            for item in node:
                yield from _old_keys(item)


def _tensors(value: Any) -> Iterator[tuple[_Key, Shape]]:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, call, output = value["config"]["keras_history"]
            yield (str(name), int(call), int(output)), _sizes(value["config"].get("shape"))
        else:
            for item in value.values():
                yield from _tensors(item)
    elif isinstance(value, list):
        for item in value:
            yield from _tensors(item)


def _noted_shapes(layers: list[Any]) -> Iterator[tuple[_Key, Shape]]:
    for layer in layers:
        for node in layer.get("inbound_nodes") or []:
            if isinstance(node, Mapping):
                yield from _tensors([node.get("args"), node.get("kwargs")])


def _order(by_name: Mapping[str, Any]) -> list[str]:
    """Return the layers so that each follows those whose first call it needs; a cycle is left at the end."""
    needs = {
        name: {key[0] for sources in list(_calls(layer))[:1] for key in sources if key[0] in by_name}
        for name, layer in by_name.items()
    }
    users: dict[str, list[str]] = {name: [] for name in by_name}
    for name, sources in needs.items():
        for source in sources:
            users[source].append(name)
    waiting = {name: len(sources) for name, sources in needs.items()}
    order, ready = [], [name for name, count in waiting.items() if not count]
    while ready:
        current = ready.pop(0) if len(ready) < 1000 else ready.pop()
        order.append(current)
        for user in users[current]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    placed = set(order)
    return order + [name for name in by_name if name not in placed]


def _unique(outputs: list[_Named]) -> list[_Named]:
    seen: dict[str, int] = {}
    unique = []
    for name, dtype, shape in outputs:
        number = seen.get(name, 0)
        seen[name] = number + 1
        unique.append((f"{name}_{number}" if number else name, dtype, shape))
    return unique

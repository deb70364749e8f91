"""One Keras 3 layer or operation as a tf_keras layer: the same class, the same settings.

Initializers are left out, because the weights are moved over. A setting that tf_keras does not know is left
out only where it has its default; else the layer is refused, for it would compute something else.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from edge_sdk.errors import ModelError

#: Settings that say nothing about what a layer computes.
_IGNORED = (
    "name",
    "dtype",
    "trainable",
    "batch_shape",
    "build_config",
    "quantization_config",
    "lora_rank",
    "lora_alpha",
)
#: Settings under another name.
_RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}
#: Activations that the two compute differently, though they share the name.
_OTHERWISE = ("hard_sigmoid",)
#: Operations on two tensors, by the layer that does the same.
_MERGES = {
    "Add": "Add",
    "Subtract": "Subtract",
    "Multiply": "Multiply",
    "Maximum": "Maximum",
    "Minimum": "Minimum",
}
#: Operations on one tensor, by the activation that does the same.
_ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Swish": "swish",
    "Silu": "swish",
}


def refuse(layer: Any, why: str) -> ModelError:
    """Return the error that names a layer which cannot be carried over."""
    kind = type(layer).__name__
    return ModelError(
        f"layer {layer.name!r} ({kind}) cannot be rebuilt in tf_keras",
        why=why,
        hint="pruning, clustering and QAT train in tf_keras: replace the layer by layers of Keras itself, or "
        "leave training out (edge build quantizes after training)",
        layer=layer.name,
        kind=kind,
    )


def rebuild_layer(source: Any, name: str, arguments: Any = ()) -> Any:
    """Make the tf_keras layer for a Keras 3 layer, or for an operation between layers.

    Args:
        source: The layer or operation.
        name: Of the new layer.
        arguments: Of the call; the constants of an operation are among them.

    Raises:
        ModelError: It cannot be carried over; it is named.
    """
    import keras

    if not isinstance(source, keras.layers.Layer):
        return _rebuild_operation(source, name, arguments)
    kind = type(source).__name__
    if not type(source).__module__.startswith("keras.src.layers"):
        raise refuse(source, f"{type(source).__module__}.{kind} is a class of your own, not of Keras")
    if kind == "Lambda":
        raise refuse(source, "a Lambda layer holds code")
    import tf_keras

    target = getattr(tf_keras.layers, kind, None)
    if target is None:
        raise refuse(source, "tf_keras has no such layer")
    if kind == "TimeDistributed":
        made = target(rebuild_layer(source.layer, source.layer.name), name=name)
    elif kind == "Bidirectional":
        made = target(
            rebuild_layer(source.forward_layer, source.forward_layer.name),
            backward_layer=rebuild_layer(source.backward_layer, source.backward_layer.name),
            merge_mode=source.merge_mode,
            name=name,
        )
    else:
        settings = _settings(source, target)
        try:
            made = target(**settings, name=name)
        except (TypeError, ValueError) as failure:
            raise refuse(
                source, f"tf_keras does not take its settings: {str(failure).strip()[:300]}"
            ) from failure
    made.trainable = source.trainable
    return made


def _settings(source: Any, target: Any) -> dict[str, Any]:
    config = source.get_config()
    policy = getattr(source, "compute_dtype", "float32")
    if policy not in ("float32", None) and not str(policy).startswith("int"):
        raise refuse(source, f"it computes in {policy}; training here is done in float32")
    known = _parameters(target)
    defaults = _parameters(type(source))
    settings = {}
    for key, value in config.items():
        if key in _IGNORED or key.endswith("_initializer"):
            continue
        key = _RENAMED.get((type(source).__name__, key), key)
        if key not in known:
            default = defaults[key].default if key in defaults else None
            if value is None or value == default or value is False:
                continue
            raise refuse(source, f"tf_keras has no setting {key!r} for it, and it is {value!r} here")
        settings[key] = _translate(source, key, value)
    return settings


def _parameters(target: Any) -> dict[str, inspect.Parameter]:
    """Return what a layer's constructor takes, also what it hands on to its parents."""
    found: dict[str, inspect.Parameter] = {}
    for cls in target.__mro__:
        if "__init__" not in vars(cls):
            continue
        parameters = inspect.signature(vars(cls)["__init__"]).parameters
        for key, parameter in parameters.items():
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(key, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
        if cls.__name__ == "Layer":
            break
    found.pop("self", None)
    return found


def _translate(source: Any, key: str, value: Any) -> Any:
    if isinstance(value, dict) and "class_name" in value:
        import tf_keras

        family = "regularizers" if key.endswith("regularizer") else "constraints"
        if not key.endswith(("regularizer", "constraint")):
            return _activation(source, key, value)
        cls = getattr(getattr(tf_keras, family), value["class_name"], None)
        if cls is None:
            raise refuse(source, f"tf_keras has no {value['class_name']} for its {key}")
        return cls(**{name: _number(item) for name, item in value.get("config", {}).items()})
    if key == "activation" and isinstance(value, str):
        return _known_activation(source, value)
    return value


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0 else value


def _activation(source: Any, key: str, value: dict[str, Any]) -> Any:
    config = value.get("config")
    if (
        key.endswith("activation")
        and isinstance(config, str)
        and str(value.get("module", "")).startswith("keras")
    ):
        return _known_activation(source, config)
    raise refuse(
        source,
        f"its {key} is {value.get('registered_name') or value['class_name']}, which is code of your own",
    )


def _known_activation(source: Any, name: str) -> str:
    import tf_keras

    # Keras 3 says "silu" where tf_keras and its quantization know "swish".
    name = "swish" if name == "silu" else name
    if name in _OTHERWISE:
        raise refuse(source, f"Keras 3 and tf_keras compute {name!r} differently")
    try:
        tf_keras.activations.get(name)
    except ValueError as failure:
        raise refuse(source, f"tf_keras has no activation {name!r}") from failure
    return name


def _rebuild_operation(source: Any, name: str, arguments: Any) -> Any:
    import tf_keras

    kind = type(source).__name__
    if type(source).__module__.startswith("keras.src.ops"):
        numbers = [
            item for item in arguments if isinstance(item, (int, float)) and not isinstance(item, bool)
        ]
        if kind in _MERGES and not numbers and len(arguments) == 2:
            return getattr(tf_keras.layers, _MERGES[kind])(name=name)
        if kind in ("Add", "Multiply") and len(numbers) == 1 and len(arguments) == 2:
            if kind == "Add":
                return tf_keras.layers.Rescaling(1.0, offset=float(numbers[0]), name=name)
            return tf_keras.layers.Rescaling(float(numbers[0]), name=name)
        if kind in _ACTIVATIONS and len(arguments) == 1:
            return tf_keras.layers.Activation(_ACTIVATIONS[kind], name=name)
    raise refuse(source, f"it is an operation between layers ({kind}), for which no layer is known")

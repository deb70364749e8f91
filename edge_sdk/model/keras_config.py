"""Judges the configuration of a Keras model without running any of it.

Keras rebuilds a model by importing the modules and calling the classes that the file names, and a Lambda
layer may carry marshalled bytecode. A file from somewhere else is therefore a program. Here the
configuration is data: it is walked, every class in it is compared with what Keras itself brings, and whatever
would execute foreign code is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from edge_sdk.errors import ModelError
from edge_sdk.model.keras_names import ACTIVATIONS, LAYERS, OBJECTS

MAX_CONFIG_BYTES = 64 * 2**20
_MAX_VALUES = 5_000_000

#: Layers whose configuration is code, or leads to code outside of the file.
_CODE_LAYERS = frozenset({"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"})
#: Values that Keras writes in the form of an object, and that are none.
_PLAIN_VALUES = frozenset(
    {"__tensor__", "__keras_tensor__", "__numpy__", "__tuple__", "__bytes__", "__ellipsis__", "__slice__",
     "__complex__", "__typespec__", "TypeSpec", "TensorShape", "slice", "tuple", "CompositeTensor"}
)  # fmt: skip
_MODULES = ("layers", "models", "initializers", "regularizers", "constraints", "dtype_policies", "quantizers",
            "engine", "mixed_precision", "activations", "saving")  # fmt: skip
#: Parts that say how the model was trained; they are never loaded.
_TRAINING = frozenset({"compile_config", "training_config", "optimizer_config"})

_BUILD_FUNCTION = (
    "write a function that builds the model in Python, loads the weights and returns it, "
    "and give that: edge build module:function"
)


def parse_config(text: str | bytes, name: str) -> dict[str, Any]:
    """Return the configuration as plain data.

    Raises:
        ModelError: It is no JSON object, or too large.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise ModelError(f"the model configuration in {name} is {len(text):,} bytes", why="that is no model")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise ModelError(f"the model configuration in {name} is damaged", why=str(failure)) from failure
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ModelError(f"the model configuration in {name} is damaged", why="it describes no model")
    return config


def find_problems(config: Mapping[str, Any], name: str) -> list[ModelError]:
    """Return why the model cannot be rebuilt from the file alone; empty where it can.

    Args:
        config: As `parse_config` returned it.
        name: The file, for messages.
    """
    code, custom = [], set()
    for value in _objects(config):
        kind = str(value.get("class_name"))
        inner = value.get("config")
        own_name = inner.get("name") if isinstance(inner, dict) else None
        if kind in _CODE_LAYERS:
            code.append(f"{kind} {own_name!r}" if own_name else kind)
        elif kind == "__lambda__" and not code:
            code.append("a lambda function")
        elif kind != "__lambda__" and (foreign := _foreign_name(kind, value)):
            custom.add(foreign)
        for key in ("activation", "recurrent_activation"):
            function = inner.get(key) if isinstance(inner, dict) else None
            if isinstance(function, str) and function not in ACTIVATIONS:
                custom.add(f"function {function}")
    problems = []
    if code:
        problems.append(
            ModelError(
                f"{name} holds Python code: {_some(code)}",
                why="reading such a layer means running code out of the file, which edge never does",
                hint=f"replace the layer by one of Keras' own, or {_BUILD_FUNCTION}",
                layers=code,
            )
        )
    if custom:
        problems.append(
            ModelError(
                f"{name} uses custom classes or functions: {_some(sorted(custom))}",
                why="the file names them but does not hold their code",
                hint=_BUILD_FUNCTION,
                custom=sorted(custom),
            )
        )
    return problems


def weights_only(name: str) -> ModelError:
    """Return the error for a file without a model configuration."""
    return ModelError(
        f"{name} holds weights only, not the model",
        why="there is no model configuration in it",
        hint=_BUILD_FUNCTION,
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _objects(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every serialized object, however deep, in the order of the file."""
    waiting, seen = [config], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > _MAX_VALUES:
            raise ModelError("the model configuration is too large", why=f"over {_MAX_VALUES:,} values")
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting += [item for key, item in reversed(list(value.items())) if key not in _TRAINING]
        elif isinstance(value, list):
            waiting += reversed(value)


def _foreign_name(kind: str, value: Mapping[str, Any]) -> str | None:
    """Return the name of a class or function that Keras does not bring, else None."""
    if kind in _PLAIN_VALUES:
        return None
    module, registered = value.get("module"), value.get("registered_name")
    ours = isinstance(module, str) and _is_keras(module)
    if kind == "function":
        inner = value.get("config")
        return None if ours and str(module).endswith("activations") else f"function {inner}"
    if isinstance(registered, str) and ">" in registered:
        return registered
    if isinstance(module, str) and not ours:
        return kind if module in ("builtins", "__main__") else f"{module}.{kind}"
    if kind in LAYERS or kind in OBJECTS or ours:
        return None
    # Keras 2 wrote initializers and the like by the names of their functions.
    return None if kind.replace("_", "").lower() in _LOWERED else kind


_LOWERED = frozenset(name.lower() for name in OBJECTS)


def _is_keras(module: str) -> bool:
    parts = module.removeprefix("tensorflow.python.").split(".")
    if parts[0] not in ("keras", "tf_keras"):
        return False
    rest = [part for part in parts[1:] if part not in ("src", "api", "_tf_keras", "keras")]
    return not rest or rest[0] in _MODULES

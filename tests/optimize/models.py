"""Keras models that are rebuilt, or must be refused; used as `module:function` and in a worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def sequential() -> Any:
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.1),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def several() -> Any:
    """Two inputs, two outputs, a shared layer, recurrent layers, attention, arithmetic."""
    import keras
    from keras import layers

    first, second = keras.Input((8,), name="a"), keras.Input((4, 3), name="b")
    hidden = layers.Dense(8, activation="gelu")(first)
    sequence = layers.LSTM(8, return_sequences=True)(second)
    states = layers.Bidirectional(layers.GRU(4))(sequence)
    shared = layers.Dense(8)
    joined = layers.Concatenate()([shared(hidden), shared(first), states]) * 2.0
    joined = joined + joined
    attention = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(sequence, sequence))
    steps = layers.TimeDistributed(layers.Dense(2))(attention)
    return keras.Model(
        {"a": first, "b": second},
        {
            "p": layers.Dense(1, activation="sigmoid", name="p")(joined),
            "q": layers.GlobalAveragePooling1D(name="q")(steps),
        },
    )


def mobilenet() -> Any:
    """MobileNetV2 inside a Sequential, as transfer learning has it."""
    import keras
    from keras import layers

    base = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, include_top=False, weights=None)
    return keras.Sequential(
        [keras.Input((64, 64, 3), name="image"), base, layers.GlobalAveragePooling2D(), layers.Dense(5)]
    )


def with_lambda() -> Any:
    import keras

    start = keras.Input((4,))
    return keras.Model(start, keras.layers.Lambda(lambda x: x * 2, name="doubled")(start))


def with_own_layer() -> Any:
    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    start = keras.Input((4,))
    return keras.Model(start, Own(name="mine")(start))


def subclassed() -> Any:
    import keras
    import numpy as np

    class Whole(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="whole")
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Whole()
    model(np.zeros((1, 4), np.float32))
    return model


def with_new_layer() -> Any:
    import keras

    start = keras.Input((8, 8, 3))
    return keras.Model(start, keras.layers.RMSNormalization(name="rms")(start))


def with_operation() -> Any:
    import keras

    start = keras.Input((8,))
    return keras.Model(start, keras.ops.cumsum(start, axis=1))


def with_other_sigmoid() -> Any:
    import keras

    start = keras.Input((8,))
    return keras.Model(start, keras.layers.Dense(3, activation="hard_sigmoid", name="gate")(start))


def not_built() -> Any:
    import keras

    return keras.Sequential([keras.layers.Dense(2)], name="loose")


def check(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Rebuild the named models with lively weights; return differences, or why they were refused."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import keras
    import numpy as np

    from edge_sdk.errors import ModelError
    from edge_sdk.optimize.rebuild import prove_equal, rebuild

    # Of some random weights a sigmoid at its end hides every change.
    keras.utils.set_random_seed(0)

    random = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for name in arguments["names"]:
        model = globals()[name]()
        try:
            for layer in rebuild(model).origin.values():
                if type(layer).__name__ == "BatchNormalization":
                    layer.set_weights([random.uniform(0.5, 1.5, item.shape) for item in layer.get_weights()])
            rebuilt = rebuild(model)
        except ModelError as error:
            found[name] = {"what": error.what, "why": error.why}
            continue
        inputs = {
            key: random.normal(size=(3, *tensor.shape[1:])).astype(np.float32)
            for key, tensor in zip(rebuilt.input_names, rebuilt.model.inputs, strict=True)
        }
        found[name] = {
            "difference": prove_equal(model, rebuilt, inputs),
            "inputs": list(rebuilt.input_names),
            "outputs": list(rebuilt.output_names),
            "nested": any(isinstance(layer, type(rebuilt.model)) for layer in rebuilt.model.layers),
        }
        kernel = next(item for item in reversed(rebuilt.model.weights) if len(item.shape) > 1)
        kernel.assign(kernel * 0.9)
        try:
            prove_equal(model, rebuilt, inputs)
        except ModelError as error:
            found[name]["changed"] = error.what
    return found

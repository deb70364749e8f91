"""Makes the model files of these tests with real TensorFlow and Keras, in a process of its own.

    python -m tests.model.make_files FOLDER

Writes facts.json beside them: what TensorFlow and Keras themselves say about the files.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.core.framework import function_pb2, graph_pb2, node_def_pb2, op_def_pb2, tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2, saved_object_graph_pb2, struct_pb2

FACTS: dict[str, Any] = {}


def branches() -> keras.Model:
    """Two inputs, two named outputs, a nested model that is called twice, every kind of counted layer."""
    image = keras.Input((16, 16, 3), name="image")
    hints = keras.Input((7, 5), name="hints")
    shared = keras.Sequential(
        [keras.Input((14, 14, 4)), layers.DepthwiseConv2D(3), layers.Conv2D(5, 1)], name="shared"
    )
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Add()([shared(x), shared(layers.ReLU()(x))])
    x = layers.SeparableConv2D(6, 3, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x)
    x = layers.MaxPooling2D()(layers.ZeroPadding2D(1)(x))
    x = layers.GlobalAveragePooling2D()(x)
    y = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(hints)
    y = layers.GRU(3)(y)
    x = layers.Concatenate()([x, y])
    return keras.Model([image, hints], {"a": layers.Dense(3, name="a")(x), "b": layers.Dense(2, name="b")(x)})


@keras.saving.register_keras_serializable("mine")
class Own(layers.Layer):
    """A layer that no file can hold."""

    def call(self, x: Any) -> Any:
        return x


def double(x: Any) -> Any:
    """A named function in a Lambda."""
    return x * 2


def keras_files(folder: Path) -> None:
    """Models that load, and every kind that must be refused."""
    model = branches()
    model.compile("adam", {"a": "mse", "b": "mse"})
    model.fit(
        [np.zeros((2, 16, 16, 3)), np.zeros((2, 7, 5))],
        {"a": np.zeros((2, 3)), "b": np.zeros((2, 2))},
        verbose=0,
    )
    model.save(folder / "branches.keras")
    model.save(folder / "branches.h5")
    model.save_weights(folder / "branches.weights.h5")
    model.export(folder / "branches", verbose=False)
    FACTS["branches"] = {
        "parameters": model.count_params(),
        "shapes": {layer.name: list(layer.output.shape) for layer in model.layers},
    }
    given = keras.Input((3,), name="given")
    refused = {
        "lambda": layers.Lambda(lambda x: x * 2, name="twice"),
        "named_lambda": layers.Lambda(double, name="double"),
        "nested_lambda": keras.Sequential(
            [
                keras.Input((3,)),
                keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x, name="deep")]),
            ]
        ),
        "wrapped_lambda": None,
        "custom": Own(),
        "custom_function": layers.Dense(3, activation=double),
    }
    for name, layer in refused.items():
        if layer is None:
            steps = keras.Input((4, 3))
            built = keras.Model(
                steps, layers.TimeDistributed(layers.Lambda(lambda x: x, name="inner"))(steps)
            )
        else:
            built = keras.Model(given, layers.Dense(1)(layer(given)))
        built.save(folder / f"{name}.keras")
        built.save(folder / f"{name}.h5")
    text = keras.Input((1,), dtype="string", name="text")
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    keras.Model(text, layers.Embedding(4, 2)(lookup(text))).save(folder / "text.keras")


class Maths(tf.Module):
    """Operators that multiply, a loop, several functions."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.ones((3, 3, 4, 6)), name="kernel")
        self.matrix = tf.Variable(tf.ones((8, 5)), name="matrix")
        self.unused = tf.Variable(tf.ones((10,)), name="unused")

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 4), name="x")])
    def convolve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.nn.conv2d(x, self.kernel, 1, "SAME")
        y = tf.nn.conv2d_transpose(y, tf.constant(np.ones((2, 2, 7, 6), np.float32)), (1, 16, 16, 7), 2)
        return {
            "y": tf.nn.depthwise_conv2d(
                y, tf.constant(np.ones((3, 3, 7, 1), np.float32)), (1, 1, 1, 1), "VALID"
            )
        }

    @tf.function(input_signature=[tf.TensorSpec((None, 8), name="x")])
    def repeat(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        total = tf.matmul(x, self.matrix)
        for _ in tf.range(tf.shape(x)[0]):
            total += tf.einsum("ab,bc->ac", x, self.matrix)
        return {"total": total}


class Text(tf.Module):
    """Takes text."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="words")])
    def lengths(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"lengths": tf.strings.length(words)}


def saved_models(folder: Path) -> None:
    """SavedModels of several kinds."""
    maths, text = Maths(), Text()
    signatures = {"convolve": maths.convolve, "repeat": maths.repeat}
    tf.saved_model.save(maths, folder / "maths", signatures=signatures)
    tf.saved_model.save(maths, folder / "no_signature", signatures={})
    tf.saved_model.save(text, folder / "text", signatures={"serving_default": text.lengths})
    one = tf.compat.v1.Graph()
    with one.as_default(), tf.compat.v1.Session(graph=one) as session:
        x = tf.compat.v1.placeholder(tf.float32, (None, 3), name="x")
        weight = tf.compat.v1.get_variable("layer/weight", (3, 2), use_resource=False)
        y = tf.linalg.matmul(x, weight)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(folder / "version_one"), {"x": x}, {"y": y})


def numbers() -> None:
    """Field numbers and enumerations as TensorFlow's own classes have them."""
    kinds = {
        "SavedModel": saved_model_pb2.SavedModel,
        "MetaGraphDef": meta_graph_pb2.MetaGraphDef,
        "MetaInfoDef": meta_graph_pb2.MetaGraphDef.MetaInfoDef,
        "SignatureDef": meta_graph_pb2.SignatureDef,
        "TensorInfo": meta_graph_pb2.TensorInfo,
        "GraphDef": graph_pb2.GraphDef,
        "FunctionDefLibrary": function_pb2.FunctionDefLibrary,
        "FunctionDef": function_pb2.FunctionDef,
        "OpDef": op_def_pb2.OpDef,
        "NodeDef": node_def_pb2.NodeDef,
        "TensorProto": tensor_pb2.TensorProto,
        "SavedObject": saved_object_graph_pb2.SavedObject,
        "SavedVariable": saved_object_graph_pb2.SavedVariable,
        "SavedObjectGraph": saved_object_graph_pb2.SavedObjectGraph,
        "SavedFunction": saved_object_graph_pb2.SavedFunction,
        "SavedConcreteFunction": saved_object_graph_pb2.SavedConcreteFunction,
        "StructuredValue": struct_pb2.StructuredValue,
    }
    FACTS["fields"] = {
        name: {field.name: field.number for field in kind.DESCRIPTOR.fields} for name, kind in kinds.items()
    }
    FACTS["dtypes"] = {
        number: tf.dtypes.as_dtype(number).name
        for name, number in types_pb2.DataType.items()
        if 0 < number < 100 and name != "DT_INVALID"
    }


def names() -> None:
    """What Keras 2 and 3 bring."""
    import tf_keras

    FACTS["layers"] = sorted(
        name
        for module in (keras.layers, tf_keras.layers)
        for name in dir(module)
        if isinstance(getattr(module, name), type)
    )
    FACTS["objects"] = sorted(
        name
        for package in (keras, tf_keras)
        for part in ("initializers", "regularizers", "constraints")
        for name in dir(getattr(package, part))
        if isinstance(getattr(getattr(package, part), name), type) and name[0].isupper()
    )
    FACTS["activations"] = sorted(
        name
        for name in dir(keras.activations)
        if name[0].islower() and name not in ("deserialize", "get", "serialize")
    )


def main(folder: Path) -> None:
    """Write everything."""
    folder.mkdir(parents=True, exist_ok=True)
    keras_files(folder)
    saved_models(folder)
    numbers()
    names()
    (folder / "facts.json").write_text(json.dumps(FACTS))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Makes the source models of test_tflite.py: `python -m tests.convert.make_sources FOLDER`, with TensorFlow.

One process makes them all, because importing TensorFlow takes most of the time.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import tensorflow as tf


class TwoFunctions(tf.Module):
    """Two signatures with other inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 6), tf.float32, name="features")])
    def classify(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = features @ self.kernel
        return {"scores": tf.nn.softmax(logits), "logits": logits}

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 6), tf.float32, name="right"),
            tf.TensorSpec((None, 6), tf.float32, name="left"),
        ]
    )
    def compare(self, right: tf.Tensor, left: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"distance": tf.reduce_sum(tf.square(left @ self.kernel - 2 * right @ self.kernel), -1)}


def save_function(folder: Path, function: object, spec: tf.TensorSpec) -> None:
    module = tf.Module()
    module.function = tf.function(function, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.function})


def classifier() -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), name="image")
    hidden = keras.layers.Conv2D(8, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(4, name="scores")(keras.layers.Flatten()(hidden)))


def main(folder: Path) -> None:
    """Write all sources into the folder."""
    model = classifier()
    model.save(folder / "classifier.keras")
    model.save(folder / "classifier.h5")
    model.export(str(folder / "exported"), verbose=False)
    archive = keras.export.ExportArchive()
    archive.track(model)
    image = tf.TensorSpec((None, 8, 8, 3), tf.float32, name="image")
    archive.add_endpoint("serve", model.call, input_signature=[image])
    archive.add_endpoint("half", lambda image: model(image * 0.5), input_signature=[image])
    archive.write_out(str(folder / "archive"), verbose=False)

    two = TwoFunctions()
    tf.saved_model.save(
        two, str(folder / "module"), signatures={"classify": two.classify, "compare": two.compare}
    )

    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Concatenate()([left, right])
    pair = keras.Model([left, right], {"sum": keras.layers.Dense(3)(both), "raw": both})
    pair.save(folder / "pair.keras")
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(folder / "sequential.keras")

    def optimized() -> None:
        # A SavedModel with an optimizer inside, as tf.keras wrote it up to 2.15.
        import tf_keras

        legacy = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(5,))])
        legacy.compile(tf_keras.optimizers.legacy.Adam(), "mse")
        legacy.fit(np.zeros((2, 5)), np.zeros((2, 2)), verbose=0)
        legacy.save(folder / "optimized", save_format="tf")

    with contextlib.suppress(ImportError):
        optimized()

    # Keras inside of a tf.Module: its variables survive the converter unset.
    holder = tf.Module()
    holder.model = model
    function = tf.function(lambda image: {"scores": model(image)}, input_signature=[image])
    tf.saved_model.save(holder, str(folder / "held"), signatures={"serving_default": function})

    matrix = tf.TensorSpec((1, 3, 3), tf.float32, name="matrix")
    save_function(folder / "determinant", lambda matrix: {"d": tf.linalg.det(matrix)}, matrix)
    save_function(
        folder / "two_unsupported",
        lambda matrix: {"d": tf.linalg.det(matrix) + tf.reduce_sum(tf.linalg.logdet(matrix @ matrix))},
        matrix,
    )
    save_function(
        folder / "double",
        lambda x: {"y": tf.nn.relu(x)},
        tf.TensorSpec((1, 3), tf.float64, name="x"),
    )
    save_function(
        folder / "text", lambda x: {"n": tf.strings.length(x)}, tf.TensorSpec((1,), tf.string, name="x")
    )
    save_function(
        folder / "loop",
        lambda x: {"y": tf.while_loop(lambda y: tf.reduce_sum(y) < 100.0, lambda y: [y * 2.0 + 1.0], [x])[0]},
        tf.TensorSpec((1, 3), tf.float32, name="x"),
    )
    bare = tf.Module()
    bare.v = tf.Variable(1.0)
    tf.saved_model.save(bare, str(folder / "no_signature"))

    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        x = tf.compat.v1.placeholder(tf.float32, (None, 3), name="x")
        kernel = tf.compat.v1.get_variable("kernel", initializer=np.eye(3, 2, dtype=np.float32))
        y = tf.matmul(x, kernel, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(folder / "tf1"), {"x": x}, {"y": y})


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Make the tiny models of tests/data/models.

    .venv/bin/python tests/data/make_models.py

Needs TensorFlow; takes some seconds. Weights come from a fixed NumPy seed, so the same TensorFlow
writes the same bytes. The files are committed: tests that read them need no TensorFlow.
tests/data/models/README.md says what each file holds; keep the two in step.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

FOLDER = Path(__file__).parent / "models"


def _weights(*shape: int, seed: int, scale: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def _spec(*shape: int | None, name: str, dtype: tf.DType = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype, name=name)


def _convert(
    module: tf.Module,
    signatures: dict[str, Any],
    set_up: Callable[[tf.lite.TFLiteConverter], None] | None = None,
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        if set_up:
            set_up(converter)
        return bytes(converter.convert())


class TwoInputs(tf.Module):
    """Inputs of different shape and dtype, outputs of different shape."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(_weights(6, 4, seed=1), name="kernel")
        self.table = tf.Variable(_weights(5, 4, seed=2), name="table")

    @tf.function
    def __call__(self, features: tf.Tensor, kind: tf.Tensor) -> dict[str, tf.Tensor]:
        hidden = tf.matmul(features, self.kernel) + tf.gather(self.table, kind)
        return {"scores": tf.nn.softmax(hidden), "total": tf.reduce_sum(tf.nn.relu(hidden), axis=1)}

    def convert(self) -> bytes:
        """features float32[1,6] and kind int32[1] to scores float32[1,4] and total float32[1]."""
        function = self.__call__.get_concrete_function(
            _spec(1, 6, name="features"), _spec(1, name="kind", dtype=tf.int32)
        )
        return _convert(self, {"serving_default": function})


class DynamicBatch(tf.Module):
    """A free first axis."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(_weights(8, 3, seed=3), name="kernel")

    @tf.function
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.tanh(tf.matmul(x, self.kernel))}

    def convert(self) -> bytes:
        """x float32[?,8] to y float32[?,3]."""
        return _convert(
            self, {"serving_default": self.__call__.get_concrete_function(_spec(None, 8, name="x"))}
        )


class Convolution(tf.Module):
    """A small picture classifier: convolution, depthwise convolution, mean, dense, softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.first = tf.Variable(_weights(3, 3, 3, 8, seed=4), name="first")
        self.depthwise = tf.Variable(_weights(3, 3, 8, 1, seed=5), name="depthwise")
        self.dense = tf.Variable(_weights(8, 5, seed=6, scale=2.0), name="dense")
        self.bias = tf.Variable(_weights(5, seed=7), name="bias")

    @tf.function
    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        x = tf.nn.relu6(tf.nn.conv2d(image, self.first, 2, "SAME"))
        x = tf.nn.relu6(tf.nn.depthwise_conv2d(x, self.depthwise, [1, 1, 1, 1], "SAME"))
        return {"probabilities": tf.nn.softmax(tf.matmul(tf.reduce_mean(x, [1, 2]), self.dense) + self.bias)}

    def convert(self, stored: tf.DType | None = None) -> bytes:
        """image float32[1,16,16,3] to probabilities float32[1,5].

        With `stored` the insides are int8 and both are `stored`: float32, int8 or uint8.
        """

        def quantize(converter: tf.lite.TFLiteConverter) -> None:
            def samples() -> Iterator[dict[str, np.ndarray]]:
                generator = np.random.default_rng(8)
                for _ in range(16):
                    yield {"image": generator.random((1, 16, 16, 3), dtype=np.float32)}

            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = samples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = stored

        function = self.__call__.get_concrete_function(_spec(1, 16, 16, 3, name="image"))
        return _convert(self, {"serving_default": function}, quantize if stored else None)


class ManySignatures(tf.Module):
    """Two signatures that share a variable; the converter gives each a subgraph of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(_weights(6, 2, seed=9), name="kernel")

    @tf.function(input_signature=[_spec(1, 6, name="sample")])
    def encode(self, sample: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"code": tf.matmul(sample, self.kernel)}

    @tf.function(input_signature=[_spec(1, 2, name="code")])
    def decode(self, code: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sample": tf.matmul(code, self.kernel, transpose_b=True), "norm": tf.norm(code)}

    def convert(self) -> bytes:
        """encode: sample float32[1,6] to code float32[1,2]; decode: code to sample and norm float32[]."""
        return _convert(self, {"encode": self.encode, "decode": self.decode})


class FlexOperator(tf.Module):
    """An operator that only TensorFlow has."""

    @tf.function(input_signature=[_spec(1, 3, 3, name="matrix")])
    def __call__(self, matrix: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"determinant": tf.linalg.det(matrix)}

    def convert(self) -> bytes:
        """matrix float32[1,3,3] to determinant float32[1], through FlexMatrixDeterminant."""

        def allow(converter: tf.lite.TFLiteConverter) -> None:
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS,
                tf.lite.OpsSet.SELECT_TF_OPS,
            ]

        return _convert(self, {"serving_default": self.__call__}, allow)


def _edit(raw: bytes, change: Callable[[Any], None]) -> bytes:
    """Change a .tflite through the schema's object interface."""
    import flatbuffers

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(raw, 0))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _without_signatures(model: Any) -> None:
    model.signatureDefs = None


def _custom_operator(model: Any) -> None:
    """Turn the TANH into a custom operator called EdgeTanh."""
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.TANH:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
            code.customCode, code.version = b"EdgeTanh", 1


def _future_version(model: Any) -> None:
    """Ask for a version of FULLY_CONNECTED that no runtime has."""
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.version = 99


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    dynamic = DynamicBatch().convert()
    two_inputs = TwoInputs().convert()
    files = {
        "two_inputs.tflite": two_inputs,
        "no_signatures.tflite": _edit(two_inputs, _without_signatures),
        "dynamic_batch.tflite": dynamic,
        "conv_float.tflite": Convolution().convert(),
        "conv_int8.tflite": Convolution().convert(tf.int8),
        "conv_uint8.tflite": Convolution().convert(tf.uint8),
        "many_signatures.tflite": ManySignatures().convert(),
        "flex_operator.tflite": FlexOperator().convert(),
        "conv_int8_float_io.tflite": Convolution().convert(tf.float32),
        "custom_operator.tflite": _edit(dynamic, _custom_operator),
        "future_version.tflite": _edit(dynamic, _future_version),
    }
    for name, raw in files.items():
        (FOLDER / name).write_bytes(raw)
        sys.stdout.write(f"{name:<26} {len(raw):>6,} bytes\n")


if __name__ == "__main__":
    main()

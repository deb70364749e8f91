"""A recipe in the language of TensorFlow's converter: optimizations, operators, representative data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Signature
from edge_sdk.errors import ConfigError, SignatureMismatchError
from edge_sdk.model.tflite_file import default_signature
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.quantize.samples import iterate_feeds, misfits


def representative_inputs(
    recipe: Recipe, signatures: Sequence[Signature], samples: str | None
) -> dict[str, NDArray[Any]]:
    """Read the calibration samples of a recipe that needs them; nothing for one that does not.

    Args:
        recipe: With backend "tensorflow".
        signatures: Of the source model.
        samples: Path of a .npz with inputs of the default signature, first axis = samples.

    Returns:
        By input name, first axis = samples.

    Raises:
        ConfigError: No samples, or a signature that they do not fit: the converter needs all of them.
        SignatureMismatchError: They do not fit the default signature.
    """
    if not recipe.needs_calibration:
        return {}
    if samples is None:
        raise ConfigError(
            f"recipe {recipe.name} needs calibration samples",
            why="the ranges of activations are measured on real inputs",
            hint="--calibration DATA (a .npz, a folder of images, or module:function)",
        )
    with np.load(samples, allow_pickle=False) as archive:
        inputs = {name: archive[name] for name in archive.files}
    default = default_signature(signatures)
    for signature in signatures:
        rows = misfits(signature, inputs)
        if rows and signature.name == default:
            raise SignatureMismatchError(rows, subject=f"calibration data for signature {default!r}")
        if rows:
            raise ConfigError(
                f"recipe {recipe.name}: the samples do not fit signature {signature.name!r}",
                why="TensorFlow's converter calibrates every signature or none",
                hint="the recipes of the LiteRT quantizer (full_int8) leave such a signature in float",
            )
    return inputs


def ask_tensorflow(
    converter: Any, recipe: Recipe, signatures: Sequence[Signature], inputs: Mapping[str, NDArray[Any]]
) -> None:
    """Set up a `TFLiteConverter` for a recipe.

    Args:
        converter: Changed in place; operator sets that it has already stay allowed.
        recipe: With backend "tensorflow".
        signatures: Of the source model.
        inputs: What `representative_inputs` gave.
    """
    import tensorflow as tf

    operators = tf.lite.OpsSet
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if "FULLY_CONNECTED" in recipe.per_tensor_weights:
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if recipe.method == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.method != "static":
        return

    def feeds() -> Iterator[Any]:
        for signature in signatures:
            for feed in iterate_feeds(signature, inputs):
                yield signature.name, feed

    converter.representative_dataset = feeds
    integers = (
        operators.TFLITE_BUILTINS_INT8
        if recipe.activation_bits == 8
        else operators.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    )
    # What has no integer kernel stays float, as with the other backend.
    others = [item for item in converter.target_spec.supported_ops if item != operators.TFLITE_BUILTINS]
    converter.target_spec.supported_ops = [integers, operators.TFLITE_BUILTINS, *others]
    if recipe.io == "int8":
        converter.inference_input_type = converter.inference_output_type = tf.int8

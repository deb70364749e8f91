"""Brings a trained model into a file that `edge build` takes.

Without quantization-aware training the weights go back into the source model itself, so the result is a file
of the same kind: the same layers, names and signatures. With it the result is a SavedModel, whose graph
holds the trained ranges as fake-quantization; the conversion reads them from there.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_sdk.errors import ModelError
from edge_sdk.optimize.rebuild import Rebuilt

SIGNATURE = "serving_default"


def load_source(kind: str, location: str, build: Any = None) -> Any:
    """Load a Keras model for training; nothing in the file is executed.

    Args:
        kind: "keras", "h5" or "function".
        location: Path, or what the user typed.
        build: For "function": the function that returns the model.

    Raises:
        ModelError: It cannot be loaded, or is no Keras model.
    """
    import keras
    import tf_keras

    if kind == "function":
        model = build()
        if not isinstance(model, (keras.Model, tf_keras.Model)):
            raise ModelError(
                f"{location} returned {type(model).__name__}",
                why="a function given as the model must return a Keras model",
            )
        return model
    try:
        return keras.models.load_model(location, compile=False)
    except Exception as failure:
        if kind == "h5":
            # Keras 3 refuses layer settings that Keras 2 wrote into HDF5 files.
            with contextlib.suppress(Exception):
                return tf_keras.models.load_model(location, compile=False)
        raise ModelError(
            f"Keras {keras.__version__} cannot load {location}",
            why=str(failure).strip()[:2000] or type(failure).__name__,
            hint="give a function that builds the model and loads its weights: module:function",
        ) from failure


def give_back(source: Any, rebuilt: Rebuilt, trained: Any) -> Any:
    """Put the trained weights into the source model and return it.

    Args:
        source: The model that `rebuild` was given.
        rebuilt: What it made.
        trained: Plain tf_keras model with the layers of `rebuilt.model`.
    """
    for name, origin in rebuilt.origin.items():
        weights = trained.get_layer(name).get_weights()
        if weights:
            origin.set_weights(weights)
    return source


def save(model: Any, path: Path) -> Path:
    """Write a model as a `.keras` file (Keras 3) or `.h5` file (tf_keras); whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{path.name}")
    try:
        model.save(str(part), **({"save_format": "h5"} if path.suffix == ".h5" else {}))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def export(model: Any, folder: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Path:
    """Write a tf_keras model as a SavedModel with one signature; whole or not at all.

    Args:
        model: With fake-quantization.
        folder: To write; replaced where it exists.
        inputs: Names in the order of the model's inputs.
        outputs: Names in the order of its outputs.
    """
    import tensorflow as tf
    import tf_keras

    def call(*tensors: Any) -> dict[str, Any]:
        answer = model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        return dict(zip(outputs, tf.nest.flatten(answer), strict=True))

    specs = [
        tf.TensorSpec(tuple(tensor.shape), tensor.dtype, name=name)
        for tensor, name in zip(model.inputs, inputs, strict=True)
    ]
    archive = tf_keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(SIGNATURE, call, input_signature=specs)
    part = folder.with_name(f".part-{folder.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it lists every variable
            archive.write_out(str(part))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder

"""The worker of test_real_models.py: several conversions in one process, and TensorFlow's own answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def export_models(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the sources that can be had, by name, as arguments of `convert`."""
    import keras

    from tests import real_models
    from tests.efficientnet_lite0 import efficientnet_lite0

    efficientnet_lite0().export(str(folder / "lite0"), verbose=False)
    keras.utils.set_random_seed(7)
    digits = keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, name="scores"),
        ]
    )  # of examples/digits
    digits.save(folder / "digits.keras")
    return {
        "lite0": {"kind": "saved_model", "model": str(folder / "lite0")},
        "digits": {"kind": "keras", "model": str(folder / "digits.keras")},
        "fer": {"kind": "h5", "model": str(real_models.fer_hdf5())},
        "basic_pitch": {"kind": "saved_model", "model": str(real_models.basic_pitch_saved_model())},
    }


def convert_real_models(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Convert every real model; write NAME.npz with one input and what TensorFlow answers.

    Args:
        arguments: folder, and options: by package name (model, arguments of `convert`).
    """
    import numpy as np
    import tensorflow as tf

    from edge_sdk.contract.spec import Signature
    from edge_sdk.convert.coreml import convert
    from edge_sdk.convert.source import open_source

    folder = Path(arguments["folder"])
    sources = export_models(folder)
    values = {}
    for name, (model, options) in arguments["options"].items():
        output = str(folder / f"{name}.mlpackage")
        values[name] = convert({**sources[model], "output": output, **options})
    random = np.random.default_rng(3)
    for model, source in sources.items():
        with tempfile.TemporaryDirectory() as scratch:
            view = open_source(source["kind"], source["model"], Path(scratch))
            signature = next(item for item in view.signatures if item.name == "serving_default")
            loaded = tf.saved_model.load(str(view.folder), tags=list(view.tags))
            (spec,) = Signature.from_dict(signature.to_dict()).inputs
            shape = [size or 1 for size in spec.shape or ()]
            given = random.uniform(-1, 1, shape).astype(np.float32)
            answers = loaded.signatures["serving_default"](**{spec.name: tf.constant(given)})
            arrays = {f"out {key}": value.numpy() for key, value in answers.items()}
            np.savez(folder / f"{model}.npz", **{f"in {spec.name}": given}, **arrays)
    return values

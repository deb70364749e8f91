"""SqueezeNet 1.1 with its ImageNet weights, rebuilt in Keras from a pickled dictionary of arrays.

model = squeezenet()               1.24 M parameters
    input "image" float32 [?,227,227,3], BGR minus MEAN; output "scores" [?,1000], softmax
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tests import real_models

#: Of ImageNet, in the order of the channels.
MEAN = (104.006, 116.669, 122.679)
#: Name, squeeze filters, expand filters; a pooling layer comes before fire4 and fire6.
FIRES = (
    ("fire2", 16, 64),
    ("fire3", 16, 64),
    ("fire4", 32, 128),
    ("fire5", 32, 128),
    ("fire6", 48, 192),
    ("fire7", 48, 192),
    ("fire8", 64, 256),
    ("fire9", 64, 256),
)


def _empty_array(kind: Any, shape: Any, dtype: Any) -> np.ndarray:
    return np.ndarray.__new__(np.ndarray, shape, dtype)


class _ArraysOnly(pickle.Unpickler):
    """A pickle holds a program; this one may name NumPy's arrays and their dtypes, nothing else."""

    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _empty_array,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")
        return self._ALLOWED[module, name]


def read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Read kernel and bias by layer name."""
    with path.open("rb") as stream:
        found = _ArraysOnly(stream).load()
    return {str(name): [np.asarray(array, np.float32) for array in arrays] for name, arrays in found.items()}


def squeezenet() -> Any:
    """Return the Keras model with its weights."""
    import keras
    from keras import layers

    weights = read_weights(real_models.fetch("squeezenet/weights.pkl"))

    def convolution(x: Any, name: str, filters: int, kernel: int, **options: Any) -> Any:
        layer = layers.Conv2D(filters, kernel, name=name.replace("/", "_"), activation="relu", **options)
        y = layer(x)
        stored, bias = weights[name]
        layer.set_weights([stored, bias.reshape(-1)])
        return y

    image = keras.Input((227, 227, 3), name="image")
    x = convolution(image, "conv1", 64, 3, strides=2)
    x = layers.MaxPooling2D(3, 2)(x)
    for name, squeeze, expand in FIRES:
        if name in ("fire4", "fire6"):
            x = layers.MaxPooling2D(3, 2)(x)
        x = convolution(x, f"{name}/squeeze1x1", squeeze, 1)
        x = layers.Concatenate()(
            [
                convolution(x, f"{name}/expand1x1", expand, 1),
                convolution(x, f"{name}/expand3x3", expand, 3, padding="same"),
            ]
        )
    x = convolution(x, "conv10", 1000, 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Softmax(name="scores")(x), name="squeezenet")

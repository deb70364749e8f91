"""EfficientNet-Lite0 with its ImageNet weights, rebuilt in Keras from a PyTorch file without PyTorch.

    model = efficientnet_lite0()       4.7 M parameters
        input "image" float32 [?,224,224,3] = (pixel - 127) / 128; output "scores" [?,1000], softmax

Kept apart from `tests.real_models`, which stays free of NumPy and TensorFlow at import.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tests import real_models

#: repeats, kernel, stride, expansion, output channels
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *rest: Any) -> tuple[Any, int, Any, Any]:
    return storage, offset, size, stride


class _TensorsOnly(pickle.Unpickler):
    """A pickle holds a program; this one may name tensors, storages and OrderedDict, nothing else."""

    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
        ("collections", "OrderedDict"): OrderedDict,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")
        return self._ALLOWED[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        return identifier


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read a state dict of the old PyTorch container: four small pickles, a key list, raw storages."""
    with path.open("rb") as stream:
        for _ in range(3):  # magic number, protocol version, system information
            _TensorsOnly(stream).load()
        tensors = _TensorsOnly(stream).load()
        keys = _TensorsOnly(stream).load()
        dtypes = {storage[2]: storage[1] for storage, *_ in tensors.values()}
        storages = {}
        for key in keys:
            count = int.from_bytes(stream.read(8), "little")
            storages[key] = np.frombuffer(stream.read(count * dtypes[key].itemsize), dtypes[key])
    weights = {}
    for name, (storage, offset, size, stride) in tensors.items():
        flat = storages[storage[2]][offset:]
        steps = [step * flat.itemsize for step in stride]
        weights[name] = np.lib.stride_tricks.as_strided(flat, size, steps).copy()
    return weights


def efficientnet_lite0() -> Any:
    """Return the Keras model with its weights."""
    import keras
    from keras import layers

    weights = read_weights(real_models.fetch("efficientnet_lite0/weights.pth"))

    def convolution(x: Any, name: str, filters: int, kernel: int, stride: int = 1) -> Any:
        layer = layers.Conv2D(
            filters, kernel, stride, padding="same", use_bias=False, name=name.replace(".", "_").strip("_")
        )
        y = layer(x)
        layer.set_weights([weights[f"{name}.weight"].transpose(2, 3, 1, 0)])
        return y

    def depthwise(x: Any, name: str, kernel: int, stride: int) -> Any:
        layer = layers.DepthwiseConv2D(
            kernel, stride, padding="same", use_bias=False, name=name.replace(".", "_").strip("_")
        )
        y = layer(x)
        layer.set_weights([weights[f"{name}.weight"].transpose(2, 3, 0, 1)])
        return y

    def normalize(x: Any, name: str, *, relu: bool = True) -> Any:
        layer = layers.BatchNormalization(epsilon=1e-3, name=name.replace(".", "_").strip("_"))
        y = layer(x)
        layer.set_weights(
            [weights[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
        )
        return layers.ReLU(6.0)(y) if relu else y

    image = keras.Input((224, 224, 3), name="image")
    x = normalize(convolution(image, "_conv_stem", 32, 3, 2), "_bn0")
    index, channels = 0, 32
    for repeats, kernel, first_stride, expansion, filters in BLOCKS:
        for repeat in range(repeats):
            name, stride = f"_blocks.{index}", first_stride if repeat == 0 else 1
            y = x
            if expansion != 1:
                y = normalize(convolution(y, f"{name}._expand_conv", channels * expansion, 1), f"{name}._bn0")
            y = normalize(depthwise(y, f"{name}._depthwise_conv", kernel, stride), f"{name}._bn1")
            y = normalize(convolution(y, f"{name}._project_conv", filters, 1), f"{name}._bn2", relu=False)
            x = layers.Add()([x, y]) if stride == 1 and channels == filters else y
            channels, index = filters, index + 1
    x = normalize(convolution(x, "_conv_head", 1280, 1), "_bn1")
    x = layers.GlobalAveragePooling2D()(x)
    dense = layers.Dense(1000, activation="softmax", name="scores")
    model = keras.Model(image, dense(x), name="efficientnet_lite0")
    dense.set_weights([weights["_fc.weight"].T, weights["_fc.bias"]])
    return model

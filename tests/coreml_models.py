"""Core ML packages of real networks for tests, each with what TensorFlow answers, made once and cached.

    python -m tests.coreml_models            make them all (about ten minutes on 2 cores)
    python -m tests.coreml_models NAME...    make these

    made = coreml_models.made("MobileNetV2")
    made.package("float32"), made.package("float16"), made.inputs, made.outputs

Each network is built and converted in one process of its own, because importing coremltools takes ten
seconds and its TensorFlow must not end up in a test. The cache is ~/.cache/edge_sdk/coreml-models,
one folder per network, keyed by the versions of the converters and the text of the function that builds it; a
lock file lets parallel test workers make each only once. The weights are random, the batch-norm statistics
those of real activations, so that values stay in the range of a trained network.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk" / "coreml-models"
PRECISIONS = ("float32", "float16")

#: The networks of keras.applications that the evaluator must know.
APPLICATIONS = (
    "MobileNetV2",
    "MobileNetV3Large",
    "EfficientNetB0",
    "ResNet50",
    "DenseNet121",
    "InceptionV3",
    "NASNetMobile",
)
#: Converted by this package's own converter: made again when it changes.
OUR_OWN = ("text_classifier", "basic_pitch")


@dataclass(frozen=True)
class Made:
    """One network's packages and what TensorFlow answers.

    Attributes:
        folder: That holds them.
        inputs: Arrays by the package's input name.
        outputs: TensorFlow's answer by the package's output name, float32 (NHWC, as the source has it).
        facts: What the maker wrote down about it, for example the seconds that TensorFlow takes.
    """

    folder: Path
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]

    def package(self, precision: str) -> Path:
        """Return the package of a compute precision.

        Args:
            precision: "float32" or "float16".
        """
        return self.folder / f"{precision}.mlpackage"


def made(name: str) -> Made:
    """Return a network of `MODELS`, made now if it is not in the cache.

    Skips the calling test where TensorFlow or coremltools is not installed.
    """
    _skip_without("tensorflow", "coremltools")
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"{name}-{_key(name)}"
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(folder.name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            _make_in_a_process(name, unfinished)
            for old in CACHE.glob(f"{name}-*"):
                if old != unfinished:
                    shutil.rmtree(old)
            unfinished.rename(folder)
    arrays, facts = dict(np.load(folder / "arrays.npz")), folder / "facts.json"
    return Made(
        folder=folder,
        inputs={key.removeprefix("in/"): value for key, value in arrays.items() if key.startswith("in/")},
        outputs={key.removeprefix("out/"): value for key, value in arrays.items() if key.startswith("out/")},
        facts=json.loads(facts.read_text()) if facts.exists() else {},
    )


def _skip_without(*packages: str) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        import pytest

        pytest.skip(f"{missing[0]} is not installed")


def _key(name: str) -> str:
    build = MODELS[name]
    function = build.func if isinstance(build, partial) else build
    parts = [name, *map(inspect.getsource, (function, write, calibrate))]
    for package in ("tensorflow", "keras", "coremltools"):
        try:
            parts.append(version(package))
        except PackageNotFoundError:
            parts.append("none")
    if name in OUR_OWN:
        converter = Path(__file__).parents[1] / "edge_sdk" / "convert" / "coreml"
        parts += [path.read_text() for path in sorted(converter.glob("*.py"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _make_in_a_process(name: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.coreml_models", "--into", str(folder), name],
        cwd=Path(__file__).parents[1],
        env={
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "KERAS_BACKEND": "tensorflow",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "TQDM_DISABLE": "1",
            "PYTHONHASHSEED": "0",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} could not be made:\n{done.stderr[-4000:]}")


# What follows runs in the maker's process.


def application(name: str, folder: Path) -> None:
    """Build one of keras.applications with random weights and convert it."""
    import keras

    size = {"InceptionV3": 299}.get(name, 224)
    keras.utils.set_random_seed(7)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    random = np.random.default_rng(7)
    # Smooth pictures: noise would average out to the same value everywhere.
    coarse = random.uniform(0, 255, (4, 12, 12, 3)).astype(np.float32)
    pictures = np.asarray(keras.ops.image.resize(coarse, (size, size), interpolation="bicubic"))
    pictures = np.clip(pictures + random.normal(0, 8, pictures.shape), 0, 255).astype(np.float32)
    if name not in ("MobileNetV3Large", "EfficientNetB0"):  # these two scale inside
        pictures = pictures / 127.5 - 1
    calibrate(model, pictures)
    write(model, {"picture": pictures[:1]}, folder)


def calibrate(model: Any, batch: Any) -> None:
    """Give batch-norm layers random scales, then the statistics of what really arrives at them.

    The shift is mostly positive: a deep network with statistics of mean 0 everywhere is chaotic and
    multiplies any rounding error by hundreds (the float16 MobileNetV2 then has 39.3 dB, with only its weights
    rounded 44.7 dB), which no trained network does.
    """
    import keras

    random = np.random.default_rng(11)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.momentum = 0.0
        if layer.gamma is not None:
            layer.gamma.assign(random.uniform(0.6, 1.4, layer.gamma.shape))
        if layer.beta is not None:
            layer.beta.assign(random.normal(0.6, 0.3, layer.beta.shape))
    if layers:
        model(batch, training=True)


def text_classifier(folder: Path) -> None:
    """Words, two recurrent layers of either kind, one both ways, one backwards."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    words = keras.Input((24,), dtype="int32", name="words")
    values = layers.Embedding(400, 32)(words)
    values = layers.Bidirectional(layers.LSTM(24, return_sequences=True))(values)
    values = layers.GRU(20, return_sequences=True)(values)
    values = layers.GRU(16, reset_after=False, go_backwards=True)(values)
    model = keras.Model(words, layers.Dense(5, activation="softmax")(layers.LayerNormalization()(values)))
    given = np.random.default_rng(5).integers(0, 400, (1, 24)).astype(np.int32)
    # Converted by ourselves: coremltools alone does not take the loops of a concrete function.
    model.save(folder / "model.keras")
    convert_both("keras", folder / "model.keras", folder)
    answers = {"output_0": model(given, training=False).numpy()}
    keep({"words": given}, answers, folder)


def transformer(folder: Path) -> None:
    """Two encoder blocks with positions, attention, GELU and layer normalization."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(6)
    words = keras.Input((32,), dtype="int32", name="words")
    places = layers.Embedding(32, 48)(keras.ops.arange(32))
    values = layers.Embedding(500, 48)(words) + places
    for _ in range(2):
        attended = layers.MultiHeadAttention(4, 12)(values, values)
        values = layers.LayerNormalization()(values + attended)
        inner = keras.activations.gelu(layers.Dense(96)(values), approximate=True)
        values = layers.LayerNormalization()(values + layers.Dense(48)(inner))
    values = layers.GlobalAveragePooling1D()(values)
    model = keras.Model(words, layers.Dense(6, activation="softmax")(values))
    given = np.random.default_rng(6).integers(0, 500, (1, 32)).astype(np.int32)
    write(model, {"words": given}, folder)


def efficientnet_lite0(folder: Path) -> None:
    """EfficientNet-Lite0 with its trained weights, and TensorFlow's answers to the 20 photos."""
    from PIL import Image

    from tests import efficientnet_lite0 as lite
    from tests import real_models

    photos = []
    for path, _ in real_models.imagenet_photos():
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))
        photos.append((pixels.astype(np.float32) - 127) / 128)
    write(lite.efficientnet_lite0(), {"image": np.stack(photos)}, folder)


def basic_pitch(folder: Path) -> None:
    """Basic Pitch converted by ourselves, on synthetic notes."""
    import tensorflow as tf

    from tests import real_models

    convert_both("saved_model", real_models.basic_pitch_saved_model(), folder)
    notes = synthetic_notes()
    interpreter = tf.lite.Interpreter(str(real_models.basic_pitch_tflite()))
    keep({"input_2": notes}, interpreter.get_signature_runner()(input_2=notes), folder)


def convert_both(kind: str, model: Path, folder: Path) -> None:
    """Convert with the package's own converter, in both precisions."""
    from edge_sdk.convert.coreml import convert

    for precision in PRECISIONS:
        package = folder / f"{precision}.mlpackage"
        convert(
            {
                "kind": kind,
                "model": str(model),
                "output": str(package),
                "deployment_target": "iOS16",
                "precision": precision,
                "contract": None,
            }
        )


def keep(inputs: Mapping[str, Any], outputs: Mapping[str, Any], folder: Path) -> None:
    """Write down what TensorFlow took and answered."""
    arrays = {f"in/{name}": value for name, value in inputs.items()}
    np.savez(folder / "arrays.npz", **arrays, **{f"out/{name}": value for name, value in outputs.items()})


def synthetic_notes() -> np.ndarray:
    """Return a short melody of plucked strings, float32 [1, 43844, 1] at 22,050 Hz."""
    rate, count = 22050, 43844
    time = np.arange(count) / rate
    sound = np.zeros(count)
    for start, pitch in ((0.05, 60), (0.4, 64), (0.8, 67), (1.2, 72), (1.5, 55)):
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        since = time - start
        envelope = np.where(since >= 0, np.exp(-3 * np.maximum(since, 0)), 0)
        for harmonic in range(1, 6):
            sound += envelope * np.sin(2 * np.pi * frequency * harmonic * since) / harmonic**1.5
    return (sound / np.abs(sound).max() * 0.8).astype(np.float32)[None, :, None]


def write(model: Any, inputs: Mapping[str, Any], folder: Path) -> None:
    """Convert a Keras model of one input from a concrete function, in both precisions; keep its answers."""
    import time

    import coremltools as ct
    import tensorflow as tf

    ((name, given),) = inputs.items()
    spec = tf.TensorSpec((1, *given.shape[1:]), given.dtype, name=name)
    function = tf.function(lambda value: model(value, training=False)).get_concrete_function(spec)
    began = time.perf_counter()
    answers = np.concatenate([function(tf.constant(row[None])).numpy() for row in given])
    seconds = (time.perf_counter() - began) / len(given)
    for precision in PRECISIONS:
        converted = ct.convert(
            [function],
            source="tensorflow",
            convert_to="mlprogram",
            inputs=[ct.TensorType(name=name, shape=(1, *given.shape[1:]), dtype=given.dtype)],
            compute_precision=ct.precision.FLOAT16 if precision == "float16" else ct.precision.FLOAT32,
            minimum_deployment_target=ct.target.iOS16,
            skip_model_load=True,
        )
        converted.save(str(folder / f"{precision}.mlpackage"))
    output = converted.get_spec().description.output[0].name
    keep({name: given}, {output: answers}, folder)
    (folder / "facts.json").write_text(json.dumps({"tensorflow_seconds": seconds}))


#: Builders by name.
MODELS: dict[str, Callable[[Path], None]] = {
    **{name: partial(application, name) for name in APPLICATIONS},
    "text_classifier": text_classifier,
    "transformer": transformer,
    "efficientnet_lite0": efficientnet_lite0,
    "basic_pitch": basic_pitch,
}


def main() -> int:
    """Make what is named."""
    if sys.argv[1:2] == ["--into"]:
        MODELS[sys.argv[3]](Path(sys.argv[2]))
        return 0
    for name in sys.argv[1:] or MODELS:
        print(f"{name:<20} {made(name).folder}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

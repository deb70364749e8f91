"""Bundles of real models for projects, made by `edge build` as a user makes them, once, and cached.

    python -m tests.scaffold.real_bundles            make them all (about five minutes on 2 cores)
    python -m tests.scaffold.real_bundles NAME...    make these

    path = real_bundles.made("digits")

Each lies in ~/.cache/edge_sdk/real-bundles, in a folder of its name and of a digest of everything that makes
it: its recipe here, the parts of edge_sdk that build, and the converters' versions. A lock file lets parallel
test workers make each only once. The golden vectors in a bundle are those that its build has recorded.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from tests import real_models

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk" / "real-bundles"
#: Rooms of edge_sdk whose code decides what is in a bundle.
_ROOMS = ("bundle", "contract", "convert", "pipeline", "quantize", "pack.py", "targets.py")


@dataclass(frozen=True)
class RealBundle:
    """How one bundle is made.

    Attributes:
        prepare: Fills a folder with `edge.toml` and the data that it names.
        platforms: That have a variant in it.
    """

    prepare: Callable[[Path], None]
    platforms: tuple[str, ...] = ("android", "ios")


def made(name: str) -> Path:
    """Return the bundle of one of `BUNDLES`, made now if it is not in the cache.

    Skips the calling test where a model cannot be had, or TensorFlow or coremltools is not installed.
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
            BUNDLES[name].prepare(unfinished)
            _build(name, unfinished)
            for old in CACHE.glob(f"{name}-*"):
                if old != unfinished:
                    shutil.rmtree(old)
            unfinished.rename(folder)
    return folder / "build" / f"{name}.edge"


def _skip_without(*packages: str) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        import pytest

        pytest.skip(f"{missing[0]} is not installed")


def _key(name: str) -> str:
    digest = hashlib.sha256(inspect.getsource(BUNDLES[name].prepare).encode())
    for path in _sources():
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    for package in ("tensorflow", "keras", "coremltools", "litert-quantizer"):
        try:
            digest.update(version(package).encode())
        except PackageNotFoundError:
            digest.update(b"none")
    return digest.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    for room in _ROOMS:
        place = ROOT / "edge_sdk" / room
        yield from sorted(place.rglob("*.py")) if place.is_dir() else (place,)
    yield from (ROOT / "devices" / "android.toml", ROOT / "devices" / "ios.toml")


def _build(name: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", "build", "--name", name, "--json"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),  # where edge.toml names a function of the tests
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONHASHSEED": "0",
        },
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} could not be built:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    shutil.rmtree(folder / ".edge", ignore_errors=True)


def _settings(folder: Path, *, text: str = "", **sections: Mapping[str, Any]) -> None:
    """Write edge.toml; `text` is TOML for what is no plain value."""
    lines = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    (folder / "edge.toml").write_text(text + "\n" + "\n".join(lines) + "\n", "utf-8")


def digits(folder: Path) -> None:
    """Real handwriting, a CNN with int8 inputs and outputs on Android, and a classifier on iOS."""
    from tests.pipeline.digits import train_digits

    train_digits(folder)
    _settings(
        folder,
        text=f"labels = {json.dumps(list('0123456789'))}\n"
        "[input.image.image]\nheight = 28\nwidth = 28\ncolor = 'gray'\nscale = 0.00392156862745098\n"
        "[output.scores]\nactivation = 'softmax'\ntop_k = 3\n",
        model={"path": "digits.keras", "version": "1.0.0"},
        build={
            "targets": ["android", "ios"],
            "recipes": ["full_int8_io", "coreml_float16"],
            "calibration": "calibration.npz",
            "evaluation": "evaluation.npz",
        },
    )


def efficientnet_lite0(folder: Path) -> None:
    """ImageNet photos of the camera, 1000 labels with commas and apostrophes."""
    real_models.fetch("efficientnet_lite0/weights.pth")
    for path, label in real_models.imagenet_photos():
        (folder / "photos" / str(label)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / "photos" / str(label))
    (folder / "labels.txt").write_text("\n".join(real_models.imagenet_names()) + "\n", "utf-8")
    _settings(
        folder,
        text="labels = 'labels.txt'\n"
        "[input.image.image]\nheight = 224\nwidth = 224\ncrop_fraction = 0.875\nfit = 'crop'\n"
        "resize = 'bilinear'\nmean = [127.0]\nstd = [128.0]\n"
        "[output.scores]\ntop_k = 5\n",
        model={"path": "tests.efficientnet_lite0:efficientnet_lite0", "version": "1.0.0"},
        build={
            "targets": ["android", "ios"],
            "recipes": ["full_int8", "coreml_int8"],
            "calibration": "photos",
            "evaluation": "photos",
        },
    )


def basic_pitch(folder: Path) -> None:
    """Two seconds of sound as a tensor, three outputs of notes; nothing to be seen."""
    time = np.arange(43_844) / 22_050
    tones = []
    for midi in (45, 57, 64, 74):
        pitch = 440 * 2 ** ((midi - 69) / 12)
        wave = sum(np.sin(2 * np.pi * pitch * part * time) / part for part in range(1, 6))
        tones.append(np.asarray(0.2 * wave * np.exp(-time), np.float32)[:, None])
    np.savez(folder / "tones.npz", x=np.stack(tones))
    _settings(
        folder,
        model={"path": str(real_models.basic_pitch_saved_model()), "version": "0.4.0"},
        build={
            "targets": ["android", "ios"],
            "recipes": ["float32", "coreml_float32"],
            "evaluation": "tones.npz",
        },
    )


def blaze_face(folder: Path) -> None:
    """MediaPipe's face detector: boxes with six points each, from a .tflite that has no signature."""
    from PIL import Image

    faces = folder / "faces"
    faces.mkdir()
    for index, face in enumerate(real_models.lfw_faces()[:8]):
        # A face fills a quarter of the picture, as on a selfie.
        picture = Image.new("RGB", (128, 128), (90, 90, 90))
        picture.paste(Image.fromarray(face).convert("RGB").resize((64, 64)), (32, 32))
        picture.save(faces / f"{index}.png")
    _settings(
        folder,
        text="labels = ['face']\n"
        "[input.input.image]\nheight = 128\nwidth = 128\nfit = 'pad'\nresize = 'bilinear'\n"
        "mean = [127.5]\nstd = [127.5]\n"
        "[detections]\nboxes = 'regressors'\nscores = 'classificators'\nform = 'cxcywh'\n"
        "box_scale = [128.0, 128.0, 128.0, 128.0]\nkeypoints = 6\nactivation = 'sigmoid'\n"
        "suppression = 'weighted'\noverlap = 0.3\n"
        "[[detections.anchors]]\nrows = 16\ncolumns = 16\nsizes = [[1.0, 1.0], [1.0, 1.0]]\n"
        "[[detections.anchors]]\nrows = 8\ncolumns = 8\nsizes = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0],"
        " [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]\n",
        model={"path": str(real_models.fetch("mediapipe/face_detection_short_range.tflite"))},
        build={"targets": ["android"], "recipes": ["as_is"], "evaluation": "faces"},
    )


def two_inputs_model() -> Any:
    """Return a model of a small picture and five numbers: what is to be seen, and the next numbers."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(11)
    picture = keras.Input((24, 32, 3), name="picture")
    history = keras.Input((5,), name="history")
    seen = layers.Conv2D(6, 3, strides=2, activation="relu")(picture)
    seen = layers.GlobalAveragePooling2D()(seen)
    both = layers.Concatenate()([seen, layers.Dense(6, activation="tanh")(history)])
    kind = layers.Dense(3, activation="softmax", name="kind")(both)
    following = layers.Dense(5, name="following")(both)
    return keras.Model([picture, history], {"kind": kind, "following": following})


def two_inputs(folder: Path) -> None:
    """A picture and a tensor together, two outputs of different meaning."""
    random = np.random.default_rng(5)
    np.savez(
        folder / "samples.npz",
        picture=random.uniform(0, 1, (6, 24, 32, 3)).astype(np.float32),
        history=random.normal(size=(6, 5)).astype(np.float32),
    )
    _settings(
        folder,
        text="labels = ['empty', 'one', 'many']\n"
        "[input.picture.image]\nheight = 24\nwidth = 32\nfit = 'stretch'\nscale = 0.00392156862745098\n"
        "[output.kind]\ntop_k = 3\n",
        model={"path": "tests.scaffold.real_bundles:two_inputs_model"},
        build={
            "targets": ["android", "ios"],
            "recipes": ["float32", "coreml_float32"],
            "evaluation": "samples.npz",
        },
    )


#: By name.
BUNDLES: dict[str, RealBundle] = {
    "digits": RealBundle(digits),
    "efficientnet_lite0": RealBundle(efficientnet_lite0),
    "basic_pitch": RealBundle(basic_pitch),
    "blaze_face": RealBundle(blaze_face, platforms=("android",)),
    "two_inputs": RealBundle(two_inputs),
}


if __name__ == "__main__":
    for wanted in sys.argv[1:] or BUNDLES:
        print(wanted, made(wanted))

"""Trained models of others, from their own file to a bundle through `edge_sdk.build`, on real inputs.

What each recipe does to these models without the rest of a build is in tests/convert/test_real_models.py;
clothes and SqueezeNet are in tests/validate/test_real_inputs.py; digits in test_build_tensorflow.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import ImagePreprocess, Preprocess
from edge_sdk.runtime.runner import Runner
from tests import real_models

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]

ROOT = Path(__file__).parents[2]
ALL = ("float32", "float16", "dynamic_int8", "full_int8")

#: A central crop of 224/256, then `tf.image.resize` as it is by default. The resize matters more than any
#: recipe: with antialias the float model has 17 of the 20 photos right, and so has every variant.
PHOTO = ImagePreprocess(
    height=224, width=224, crop_fraction=0.875, fit="crop", resize="bilinear", mean=(127.0,), std=(128.0,)
)
CIFAR = ImagePreprocess(height=32, width=32, resize="none", mean=(128.0,), std=(128.0,))
FACE = ImagePreprocess(height=64, width=64, color="gray", mean=(127.5,), std=(127.5,))
#: MIDI numbers.
NOTES = (45, 52, 57, 60, 64, 69, 74, 79)


@dataclass(frozen=True)
class Build:
    """A finished build, and the folder where it and its data lie."""

    folder: Path
    result: edge_sdk.BuildResult

    @property
    def details(self) -> dict[str, Any]:
        path = self.folder / "build" / self.result.name / "details.json"
        return dict(json.loads(path.read_text()))

    def answers(self, variant: str, values: Sequence[Any]) -> np.ndarray:
        """Return what a variant of the bundle answers at its only output, one row a sample."""
        assert self.result.bundle is not None
        with Runner.open(self.result.bundle, variant=variant) as runner:
            return rows(runner, values)


def rows(runner: Runner, values: Sequence[Any]) -> np.ndarray:
    (port,), (output,) = runner.signature.inputs, runner.signature.outputs
    return np.concatenate([runner.run(**{port.name: value})[output.name] for value in values])


def build(folder: Path, model: str | Path, **options: Any) -> Build:
    return Build(folder, edge_sdk.build(model, out=folder / "build", cache=folder / ".edge/cache", **options))


def labelled(pictures: list[tuple[Path, int]], folder: Path) -> Path:
    """Lay pictures out as FOLDER/<label>/*."""
    for path, label in pictures:
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / str(label))
    return folder


def levels(found: dict[str, Any], level: str) -> list[str]:
    return [item["code"] for item in found["findings"] if item["level"] == level]


@pytest.fixture(scope="module")
def lite0(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """EfficientNet-Lite0 on 20 photos."""
    folder = tmp_path_factory.mktemp("lite0")
    real_models.fetch("efficientnet_lite0/weights.pth")
    photos = labelled(real_models.imagenet_photos(), folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # where `tests` can be imported
        return build(
            folder,
            "tests.efficientnet_lite0:efficientnet_lite0",
            calibration=photos,
            evaluation=photos,
            inputs={"image": Preprocess(image=PHOTO)},
            name="lite0",
        )


def test_photos_through_every_recipe(lite0: Build) -> None:
    result = lite0.result
    assert result.ok, result
    assert tuple(item.id for item in result.variants) == ALL
    assert (result.data, result.samples) == ("evaluation", 20)
    for item in result.variants:
        assert item.metric_name == "top1"
        assert item.metric == pytest.approx(18 / 20), item.id
        assert item.metric_interval is not None
        low, high = item.metric_interval
        assert low < 0.75, item.id  # twenty photos do not know it better
        assert high > 0.95, item.id
        assert item.metric_drop_interval is not None
        low, high = item.metric_drop_interval
        assert low < -0.1, item.id
        assert high > 0.1, item.id
    size = {item.id: item.size_bytes for item in result.variants}
    assert size["float16"] <= 0.51 * size["float32"]
    assert size["dynamic_int8"] <= 0.27 * size["float32"]
    assert size["full_int8"] <= 0.27 * size["float32"]
    assert result.picked in ("dynamic_int8", "full_int8")


def test_the_bundle_answers_as_the_build_said(lite0: Build) -> None:
    photos = real_models.imagenet_photos()
    labels = np.asarray([label for _, label in photos])
    best = lite0.answers("full_int8", [path for path, _ in photos]).argmax(1)
    assert (best == labels).sum() == 18


def test_all_that_was_found_is_in_the_details(lite0: Build) -> None:
    found = lite0.details
    assert levels(found["calibration"], "error") == []
    assert levels(found["calibration"], "warning") == []
    assert set(levels(found["calibration"], "note")) >= {"CALIBRATION-FEW", "CALIBRATION-OVERLAP"}
    # The float file is the reference of the maps. 61 operators, and the worst is not the first.
    assert set(found["error_maps"]) == set(ALL) - {"float32"}
    for name, errors in found["error_maps"].items():
        assert len(errors["layers"]) >= 50, name
    signal = {name: found["error_maps"][name]["layers"][0]["snr_db"] for name in found["error_maps"]}
    assert signal["float16"] > signal["full_int8"] + 10
    for section in ("delegates", "memory"):
        assert set(found[section]["host"]) == set(ALL)
    for name in ALL:
        (xnnpack,) = [plan for plan in found["delegates"]["host"][name] if plan["delegate"] == "xnnpack"]
        assert xnnpack["nodes"] >= 60
        assert xnnpack["predicted"]
        memory = found["memory"]["host"][name]
        assert memory["total_bytes"] > memory["weights_bytes"] >= 4_000_000
        # The two photos that the model itself gets wrong.
        assert len(found["worst"][name]) == 2
        assert all(item["given"] != item["label"] for item in found["worst"][name])
        pairs = found["confusion"][name]["pairs"]
        assert sum(pair["count"] for pair in pairs) == 2
    indices = {str(item["index"]) for rows in found["worst"].values() for item in rows}
    assert set(found["thumbnails"]) == indices
    assert all(picture.startswith("data:image/png;base64,") for picture in found["thumbnails"].values())


WRONG = {
    "pixels that were only divided by 255": lambda pixels: pixels / 255,
    "the mean and deviation of another model": lambda pixels: (
        (pixels / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrongly_normalized_calibration_ends_in_rejection_with_its_cause(
    mistake: str, lite0: Build, tmp_path: Path
) -> None:
    """From the float file of the first build: the mistake is in the calibration, not in the model.

    The first mistake ruins int8 (0.35 of the photos right). The second costs nothing that twenty photos could
    show, so no comparison of answers finds it: the look at the data itself does.
    """
    raw = ImagePreprocess(height=224, width=224, crop_fraction=0.875, fit="crop", resize="bilinear")
    pixels = np.concatenate([preprocess_image(path, raw) for path, _ in real_models.imagenet_photos()])
    np.savez("wrong.npz", image=WRONG[mistake](pixels).astype(np.float32))
    Path("edge.toml").write_text(
        f"[model]\npath = {str(lite0.result.variant('float32').path)!r}\n"
        '[input.image]\nimage = { height = 224, width = 224, crop_fraction = 0.875, fit = "crop", '
        'resize = "bilinear", mean = [127.0], std = [128.0] }\n'
    )
    recipes = ("as_is", "full_int8", "full_int8_io")
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", "build", "--json", "--name", "wrong"]
        + ["--calibration", "wrong.npz", "--evaluation", str(lite0.folder / "photos")]
        + [word for name in recipes for word in ("--recipe", name)],
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    verdicts = {item["id"]: item["verdict"] for item in found["variants"]}
    assert verdicts == {"as_is": "passed", "full_int8": "rejected", "full_int8_io": "rejected"}
    for item in found["variants"][1:]:
        causes = [
            reason for reason in item["reasons"] if reason.startswith("calibration: CALIBRATION-SCALE: ")
        ]
        assert any("beyond" in cause or "below 0" in cause for cause in causes), item["reasons"]
        assert any("the evaluation data" in cause for cause in causes), item["reasons"]
    assert found["picked"] == "as_is"


def test_tiny_pictures_against_the_vendors_own_int8(tmp_path: Path) -> None:
    source, vendor = real_models.silabs("image_classification")
    photos = real_models.cifar10_photos()
    pictures = labelled(photos, tmp_path / "pictures")
    made = build(
        tmp_path,
        source,
        recipes=["float32", "full_int8"],
        calibration=pictures,
        evaluation=pictures,
        inputs={"input_1": Preprocess(image=CIFAR)},
        name="resnet8",
    )
    assert made.result.ok, made.result
    small = made.result.variant("full_int8")
    labels = np.asarray([label for _, label in photos])
    ours = made.answers("full_int8", [path for path, _ in photos])
    with Runner.open(vendor) as runner:
        theirs = rows(runner, [preprocess_image(path, CIFAR) for path, _ in photos])
    assert (ours.argmax(1) == labels).mean() == pytest.approx(small.metric)
    # Measured: both have 19 of 20 right, and the same 20 answers, though the scores differ by up to 0.18.
    assert (ours.argmax(1) == labels).sum() >= 18
    assert (theirs.argmax(1) == labels).sum() == 19
    assert (ours.argmax(1) == theirs.argmax(1)).sum() >= 19
    assert np.abs(ours - theirs).max() <= 0.3
    assert small.size_bytes <= vendor.stat().st_size  # 93,984 and 99,280


def test_faces_against_the_authors_own_quantized_file(tmp_path: Path) -> None:
    """On a hundred real faces; tests/convert has waves in place of faces.

    Their file has 8-bit weights and computes in float: it is nearest to dynamic_int8.
    """
    faces = real_models.lfw_faces()
    ready = [preprocess_image(face, FACE) for face in faces]
    np.savez(tmp_path / "faces.npz", x=np.concatenate(ready))
    made = build(
        tmp_path,
        real_models.fer_hdf5(),
        recipes=["float32", "dynamic_int8", "full_int8"],
        calibration=tmp_path / "faces.npz",
        evaluation=tmp_path / "faces.npz",
        name="fer",
    )
    result = made.result
    assert result.ok, result
    assert all(item.passed and item.metric is None for item in result.variants)  # nobody labelled the faces
    with Runner.open(real_models.fer_tflite()) as runner:
        theirs = rows(runner, ready)
    float32 = made.answers("float32", ready)
    # Measured: 100, 98 and 93 of a hundred like theirs; scores differ by at most 0.0041, 0.020 and 0.11.
    for name, same, difference in (("dynamic_int8", 99, 0.01), ("float32", 97, 0.04), ("full_int8", 90, 0.2)):
        ours = made.answers(name, ready)
        assert (ours.argmax(1) == theirs.argmax(1)).sum() >= same, name
        assert np.abs(ours - theirs).max() <= difference, name
        # What the build says of the agreement with the source model is what comes out of the bundle.
        agreement = (ours.argmax(1) == float32.argmax(1)).mean()
        assert result.variant(name).agreement == pytest.approx(agreement, abs=0.011), name
    sizes = {item.id: item.size_bytes for item in result.variants}
    assert sizes["full_int8"] < sizes["dynamic_int8"] <= real_models.fer_tflite().stat().st_size
    assert sizes["dynamic_int8"] <= 0.4 * sizes["float32"]


def tone(midi: int) -> np.ndarray:
    """Return two seconds of a fading note with five harmonics, float32 [1, 43844, 1] at 22.05 kHz."""
    time = np.arange(43_844) / 22_050
    pitch = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(np.sin(2 * np.pi * pitch * part * time) / part for part in range(1, 6))
    return np.asarray(0.2 * wave * np.exp(-time), np.float32)[None, :, None]


def test_sound_against_the_authors_own_file(tmp_path: Path) -> None:
    sounds = [tone(midi) for midi in NOTES]
    np.savez(tmp_path / "tones.npz", x=np.concatenate(sounds))
    made = build(
        tmp_path,
        real_models.basic_pitch_saved_model(),
        calibration=tmp_path / "tones.npz",
        evaluation=tmp_path / "tones.npz",
        name="pitch",
    )
    # This model does not survive 8-bit activations, and the guard says so (agreement 0.34).
    assert {item.id: item.verdict for item in made.result.variants} == {
        "float32": "passed",
        "float16": "passed",
        "dynamic_int8": "passed",
        "full_int8": "rejected",
    }
    assert made.result.variant("full_int8").reasons[0].startswith("agreement collapsed: output 'onset'")

    def answers(runner: Runner) -> dict[str, np.ndarray]:
        found = [runner.run(input_2=sound) for sound in sounds]
        return {name: np.concatenate([item[name] for item in found]) for name in found[0]}

    with Runner.open(real_models.basic_pitch_tflite()) as runner:
        theirs = answers(runner)
    assert heard(theirs) == list(NOTES)
    assert made.result.bundle is not None
    # Measured, the largest of all three outputs: 2.4e-7, 0.17 and 0.37. Every file hears the eight notes.
    for name, difference in (("float32", 1e-5), ("float16", 0.3), ("dynamic_int8", 0.5)):
        with Runner.open(made.result.bundle, variant=name) as runner:
            ours = answers(runner)
        assert {key: values.shape for key, values in ours.items()} == {
            "contour": (8, 172, 264),
            "note": (8, 172, 88),
            "onset": (8, 172, 88),
        }
        assert max(np.abs(values - theirs[key]).max() for key, values in ours.items()) <= difference, name
        assert heard(ours) == list(NOTES), name
    with Bundle.open(made.result.bundle) as bundle:
        assert "full_int8" not in {variant.id for variant in bundle.manifest.variants}
    sizes = {item.id: item.size_bytes for item in made.result.variants}
    assert sizes["dynamic_int8"] < sizes["float16"] < sizes["float32"]


def heard(answers: dict[str, np.ndarray]) -> list[int]:
    """Return the MIDI number of the note that is loudest in each sound; the first of 88 is 21."""
    return [int(note) for note in answers["note"].mean(1).argmax(1) + 21]

"""Trained models of others as Core ML packages, from their own file to a bundle, on photos, faces, sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import Preprocess
from edge_sdk.runtime.runner import Runner
from edge_sdk.validate.coreml_reference import ReferenceModel
from tests import real_models
from tests.pipeline.test_real_inputs import FACE, NOTES, PHOTO, ROOT, labelled, tone

RECIPES = (
    "coreml_float32",
    "coreml_float16",
    "coreml_int8",
    "coreml_palette4",
    "coreml_palette4_mixed",
)

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]


def test_photos_through_the_packages_of_efficientnet_lite0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_models.fetch("efficientnet_lite0/weights.pth")
    photos = labelled(real_models.imagenet_photos(), tmp_path / "photos")
    monkeypatch.chdir(ROOT)  # where `tests` can be imported
    result = edge_sdk.build(
        "tests.efficientnet_lite0:efficientnet_lite0",
        targets=["ios"],
        recipes=RECIPES,
        evaluation=photos,
        inputs={"image": Preprocess(image=PHOTO)},
        name="lite0",
        out=tmp_path / "build",
        cache=tmp_path / ".edge/cache",
    )
    found = {item.id: item for item in result.variants}
    assert tuple(found) == RECIPES
    plain = found["coreml_float32"]
    assert plain.metric == pytest.approx(18 / 20)  # as TensorFlow and every .tflite have it
    assert plain.snr_db is not None
    assert plain.snr_db > 90
    for name, share in (("coreml_float16", 0.51), ("coreml_int8", 0.27), ("coreml_palette4", 0.15)):
        item = found[name]
        assert item.size_bytes <= share * plain.size_bytes, (name, item.size_bytes / plain.size_bytes)
        if name != "coreml_palette4":
            assert item.metric == plain.metric
            assert item.agreement == 1.0, name
    mixed = found["coreml_palette4_mixed"]  # plain 4 bits lose half of the photos, with any converter
    assert mixed.passed
    assert mixed.agreement is not None
    assert mixed.agreement >= 0.95
    image = result.variant("coreml_int8")
    with ReferenceModel.open(image.path) as model:
        (feature,) = model.inputs
        assert (feature.kind, feature.width, feature.height, feature.color) == ("image", 224, 224, "RGB")


def test_faces_as_tensors(tmp_path: Path) -> None:
    faces = np.concatenate([preprocess_image(face, FACE) for face in real_models.lfw_faces()])
    np.savez(tmp_path / "faces.npz", x=faces)
    result = edge_sdk.build(
        real_models.fer_hdf5(),
        targets=["ios"],
        evaluation=tmp_path / "faces.npz",
        recipes=["coreml_float32", "coreml_float16", "coreml_int8"],
        name="fer",
        out=tmp_path / "build",
        cache=tmp_path / ".edge/cache",
    )
    assert result.ok, result
    with Runner.open(real_models.fer_tflite()) as runner:
        (port,), (output,) = runner.signature.inputs, runner.signature.outputs
        theirs = np.concatenate([runner.run(**{port.name: face[None]})[output.name] for face in faces])
    package = result.variant("coreml_int8").path
    with ReferenceModel.open(package) as model:
        (given,), (answer,) = model.inputs, model.outputs
        ours = np.concatenate([model.evaluate({given.name: face[None]})[answer.name] for face in faces])
    assert (ours.argmax(1) == theirs.argmax(1)).sum() >= 97  # both are int8, each in its own way
    for item in result.variants:
        assert item.agreement is not None
        assert item.agreement >= 0.97, item.id


def test_sounds_four_ways(tmp_path: Path) -> None:
    """The authors' own package, their .tflite, their SavedModel in TensorFlow's place, and our package."""
    sounds = [tone(midi) for midi in NOTES]
    np.savez(tmp_path / "tones.npz", x=np.concatenate(sounds))
    result = edge_sdk.build(
        real_models.basic_pitch_saved_model(),
        targets=["ios"],
        evaluation=tmp_path / "tones.npz",
        recipes=["coreml_float32", "coreml_float16"],
        name="pitch",
        out=tmp_path / "build",
        cache=tmp_path / ".edge/cache",
    )
    plain, half = result.variant("coreml_float32"), result.variant("coreml_float16")
    assert plain.passed
    assert plain.snr_db is not None
    assert plain.snr_db > 60
    # Its logarithm of small powers does not fit into float16: the drift is shown, not hidden.
    assert half.snr_db is not None
    assert half.snr_db < plain.snr_db - 20
    with Runner.open(real_models.basic_pitch_tflite()) as runner:
        theirs = [runner.run(input_2=sound)["note"] for sound in sounds]
    with (
        ReferenceModel.open(real_models.basic_pitch_mlpackage()) as shipped,
        ReferenceModel.open(plain.path) as converted,
    ):
        for sound, midi, want in zip(sounds, NOTES, theirs, strict=True):
            # The authors' package has lost its outputs' names; Identity_1 is "note".
            first = shipped.evaluate({"input_2": sound})["Identity_1"]
            second = converted.evaluate({"input_2": sound})["note"]
            for answer in (first, second):
                assert np.abs(answer - want).max() < 1e-3
                assert answer[0].mean(0).argmax() + 21 == midi

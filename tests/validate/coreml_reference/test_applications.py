"""Real networks: the packages that lie on disk against TensorFlow.

Made once by `tests.coreml_models` (minutes on a machine that has none of them cached), then seconds each.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference import ReferenceModel, evaluate
from tests import coreml_models, real_models

pytestmark = pytest.mark.slow

#: Largest error of a float32 program, as a part of the output's range.
FLOAT32 = 1e-4
#: Signal to noise of a float16 program, in decibels.
FLOAT16 = 40.0


def decibels(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return signal to noise."""
    wide = wanted.astype(np.float64)
    noise = float(((found.astype(np.float64) - wide) ** 2).sum())
    return 10 * np.log10(float((wide**2).sum()) / noise) if noise else np.inf


@pytest.mark.parametrize("name", [*coreml_models.APPLICATIONS, "text_classifier", "transformer"])
def test_answers_are_those_of_tensorflow(name: str) -> None:
    made = coreml_models.made(name)
    (wanted,) = made.outputs.values()
    with ReferenceModel.open(made.package("float32")) as model:
        assert model.unknown_operators() == ()
        (found,) = model.evaluate(made.inputs).values()
    assert np.abs(found - wanted).max() <= FLOAT32 * np.ptp(wanted)
    with ReferenceModel.open(made.package("float16")) as model:
        assert model.unknown_operators() == ()
        (half,) = model.evaluate(made.inputs).values()
        (weights_only,) = model.evaluate(made.inputs, precision="float32").values()
    assert decibels(half, wanted) >= FLOAT16
    assert decibels(weights_only, wanted) >= FLOAT16
    assert not np.array_equal(half, weights_only)  # rounding after every operator does something


def test_photos_get_the_same_class_in_float16() -> None:
    made = coreml_models.made("efficientnet_lite0")
    ((output, wanted),) = made.outputs.items()
    (photos,) = made.inputs.values()
    best = wanted.argmax(-1)
    labels = np.array([label for _, label in real_models.imagenet_photos()])
    assert (best == labels).mean() >= 0.6  # the weights are the real ones
    for precision in coreml_models.PRECISIONS:
        with ReferenceModel.open(made.package(precision)) as model:
            found = np.concatenate([model.evaluate({"image": photo[None]})[output] for photo in photos])
        assert np.array_equal(found.argmax(-1), best), precision
        if precision == "float32":
            assert np.abs(found - wanted).max() <= FLOAT32 * np.ptp(wanted)
        assert decibels(found, wanted) >= FLOAT16


def test_basic_pitch_of_its_authors_and_of_ours_hear_the_same_notes() -> None:
    """Their .mlpackage, our conversion in both precisions, and their .tflite."""
    made = coreml_models.made("basic_pitch")
    (notes,) = made.inputs.values()
    wanted = made.outputs
    assert {key: value.shape[1:] for key, value in wanted.items()} == {
        "contour": (172, 264),
        "note": (172, 88),
        "onset": (172, 88),
    }
    answers = {
        "float32": evaluate(made.package("float32"), {"input_2": notes}),
        "theirs": shipped(real_models.basic_pitch_mlpackage(), notes),
    }
    for found in answers.values():
        for key, value in wanted.items():
            # Theirs has lost the outputs' names; it computes in float32 like ours.
            nearest = min(
                (other for other in found.values() if other.shape == value.shape),
                key=lambda other, value=value: float(np.abs(other - value).max()),
            )
            assert np.abs(nearest - value).max() <= 1e-3, key
            assert decibels(nearest, value) >= 80
    # In float16 the logarithm of small magnitudes is lost: 15 to 21 dB, as the authors' choice suggests. Loud
    # notes are heard all the same.
    half = evaluate(made.package("float16"), {"input_2": notes})
    assert 10 < decibels(half["note"], wanted["note"]) < 40
    assert heard(half["note"]) == heard(wanted["note"]) == {60, 64, 67, 72, 55}


def heard(note: np.ndarray) -> set[int]:
    """Return the MIDI numbers of notes; the piano's first key is 21."""
    return {int(key) + 21 for key in np.flatnonzero(note[0].max(0) > 0.5)}


def shipped(package: Path, notes: np.ndarray) -> dict[str, np.ndarray]:
    with ReferenceModel.open(package) as model:
        assert model.unknown_operators() == ()
        return model.evaluate({"input_2": notes})

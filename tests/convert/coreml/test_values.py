"""The packages compute what TensorFlow computes from the source: run by the reference evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.validate.coreml_reference import evaluate
from tests.convert.coreml.conftest import Made
from tests.convert.coreml.make_packages import LABELS, VALUES

pytestmark = pytest.mark.tensorflow
FUNCTIONS = {"two": ("encode", "decode")}


def references(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(path) as archive:
        inputs = {name[3:]: archive[name] for name in archive.files if name.startswith("in ")}
        outputs = {
            bytes.fromhex(name[4:]).decode(): archive[name] for name in archive.files if name[:4] == "out "
        }
    return inputs, outputs


@pytest.mark.parametrize("name", VALUES)
def test_numbers_are_those_of_tensorflow(made: Made, name: str) -> None:
    names = CoreMLFacts.from_dict(made.value(name)["coreml"]).output_names
    calls = sorted((made.folder / "references").glob(f"{name}.*.npz"))
    assert calls
    for index, path in enumerate(calls):
        inputs, expected = references(path)
        function = FUNCTIONS[name][index] if name in FUNCTIONS else None
        for precision, tolerance in (("float32", 2e-3), ("program", 1e-2)):
            found = evaluate(made.path(name), inputs, function=function, precision=precision)
            for output, wanted in expected.items():
                answer = found[names.get(output, output)]
                assert answer.shape == (wanted.shape or answer.shape)
                worst = np.abs(answer.astype(np.float64) - wanted.astype(np.float64)).max()
                if wanted.dtype.kind in "ui" and output == "small":
                    assert worst <= 1, (output, precision)  # cut off, not rounded: 41.9999 is 41
                else:
                    assert worst <= tolerance * max(np.abs(wanted).max(), 1e-3), (output, precision)


def test_float32_programs_agree_to_the_last_bits(made: Made) -> None:
    for name in ("plain_float32", "recurrent", "loop"):
        for path in (made.folder / "references").glob(f"{name}.*.npz"):
            inputs, expected = references(path)
            found = evaluate(made.path(name), inputs)
            for output, wanted in expected.items():
                np.testing.assert_allclose(found[output], wanted, rtol=1e-5, atol=2e-6)


def test_a_classifier_names_the_best_class_and_gives_its_scores(made: Made) -> None:
    inputs, expected = references(made.folder / "references" / "image.0.npz")
    found = evaluate(made.path("image"), inputs)
    scores = expected["scores"].reshape(-1)
    assert str(np.asarray(found["classLabel"]).item()) == LABELS[int(scores.argmax())]
    probabilities = np.exp(scores) / np.exp(scores).sum()
    by_class: Any = found["classLabel_probs"]
    by_class = by_class.item() if isinstance(by_class, np.ndarray) else by_class
    for label, wanted in zip(LABELS, probabilities, strict=True):
        assert float(by_class[label]) == pytest.approx(float(wanted), abs=5e-3)

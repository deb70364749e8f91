"""XNNPACK's rules against what the runtimes really delegate: operator by operator, and on whole models."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import EdgeError
from edge_sdk.validate.delegates.plan import predict, prepare
from edge_sdk.validate.delegates.rules import load_rules
from tests import real_models
from tests.board_environments import board_environment
from tests.validate.delegates.probe import probe

RUNTIMES = ("litert", "tflite-runtime")
REAL = (
    "silabs/image_classification.tflite",
    "silabs/keyword_spotting.tflite",
    "silabs/visual_wake_words.tflite",
    "silabs/anomaly_detection.tflite",
    "fer/emotion_model_quantized.tflite",
    "basic_pitch/basic_pitch.tflite",
    "microwakeword/alexa.tflite",
    "mediapipe/face_detection_short_range.tflite",
    "mediapipe/face_detection_full_range_sparse.tflite",
)


def differences(runtime: str, models: dict[str, bytes], folder: Path) -> tuple[int, list[str]]:
    """Return (how many models were compared, those where prediction and runtime differ)."""
    rules = load_rules("xnnpack", runtime)
    assert rules is not None
    answers = probe().ask(str(board_environment(runtime).python), models)
    compared, found = 0, []
    path = folder / "model.tflite"
    for name, answer in answers.items():
        if answer["failed"]:
            continue  # the runtime cannot prepare it, with or without a delegate
        path.write_bytes(models[name])
        prediction = predict(prepare(path), rules)
        predicted = sorted(list(part.nodes) for part in prediction.stretches if part.taken)
        compared += 1
        if predicted != sorted(answer["stretches"]):
            found.append(f"{name}: predicted {predicted}, the runtime took {answer['stretches']}")
    return compared, found


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_rules_say_for_every_operator_and_type_what_the_runtime_does(
    runtime: str, tmp_path: Path
) -> None:
    compared, found = differences(runtime, probe().one_operator_models(), tmp_path)
    assert compared > 800
    assert found == []


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_stretches_of_real_models_are_predicted_node_by_node(
    runtime: str, models: Path, tmp_path: Path
) -> None:
    # The default signature of many_signatures.tflite is not its first graph, which is what the probe opens.
    files = [path for path in models.glob("*.tflite") if path.stem != "many_signatures"]
    files += [real_models.fetch(name) for name in REAL]
    compared, found = differences(runtime, {path.name: path.read_bytes() for path in files}, tmp_path)
    assert compared >= 14
    assert found == []


def test_a_damaged_file_is_refused_in_words(tmp_path: Path, models: Path) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes((models / "conv_float.tflite").read_bytes()[:900])
    with pytest.raises(EdgeError):
        prepare(path)

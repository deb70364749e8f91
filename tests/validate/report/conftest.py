"""A browser, and a real build, for the report's tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.smooth_pictures import smooth_pictures

MODELS = Path(__file__).parents[2] / "data/models"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven through playwright, without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: apt-get install chromium")
        pytest.skip("no chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        # The sandbox needs rights that root in a container does not have.
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real build of conv_float.tflite, with calibration and labelled evaluation data."""
    import edge_sdk
    from edge_sdk.runtime.runner import Runner

    folder = tmp_path_factory.mktemp("report")
    random, model = np.random.default_rng(5), MODELS / "conv_float.tflite"
    np.savez(folder / "calibration.npz", image=smooth_pictures(random, 40))
    images = smooth_pictures(random, 60)
    with Runner.open(model, threads=1) as runner:
        labels = np.asarray(
            [int(np.argmax(runner.predict(image=one[None])["probabilities"])) for one in images]
        )
    labels[::10] = (labels[::10] + 1) % 5
    np.savez(folder / "evaluation.npz", image=images, y=labels)
    edge_sdk.build(
        model,
        recipes=["as_is", "float16", "full_int8"],
        calibration=folder / "calibration.npz",
        evaluation=folder / "evaluation.npz",
        out=folder / "build",
        cache=folder / "cache",
        threads=1,
    )
    return folder / "build/conv_float"

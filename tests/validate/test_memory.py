"""The memory forecast: against processes that really run, and its arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.memory_forecast import BAR, measured, variant
from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.validate.memory import MemoryForecast, forecast_memory, forecast_together
from tests.board_environments import board_environment
from tests.validate.delegates.probe import probe

MODULES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 3x3 convolution from 512 to 512 channels on 28 x 28 pixels: 9.4 MB of weights."""
    import numpy as np

    schema = probe()
    make = schema.Maker()
    x = make.tensor([1, 28, 28, 512], "float32")
    weights = make.tensor([512, 3, 3, 512], "float32", np.ones((512, 3, 3, 512)))
    bias = make.tensor([512], "float32", np.ones(512))
    y = make.tensor([1, 28, 28, 512], "float32")
    options = schema._with(
        "Conv2DOptions", strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1, padding=0
    )
    path = tmp_path_factory.mktemp("wide") / "wide.tflite"
    path.write_bytes(make.model("CONV_2D", [x, weights, bias], [y], options=options))
    return path


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_within_ten_percent_of_a_process_that_runs_the_model(runtime: str, wide: Path) -> None:
    python = board_environment(runtime).python
    forecast = forecast_memory(wide, runtime=runtime)
    growth = measured(python, MODULES[runtime], "xnnpack", [wide])
    assert forecast.total_bytes == pytest.approx(growth, rel=BAR)
    assert forecast.packed_weights_bytes == pytest.approx(512 * 512 * 9 * 4, rel=0.01)
    assert forecast.arena_bytes == 2 * 28 * 28 * 512 * 4


def test_several_models_in_one_process(wide: Path, models: Path) -> None:
    paths = [wide, models / "conv_float.tflite", wide]
    together = forecast_together([forecast_memory(path) for path in paths])
    growth = measured(board_environment("litert").python, MODULES["litert"], "xnnpack", paths)
    # A file that is mapped twice counts twice in resident memory, though its pages are shared.
    assert together.total_bytes == pytest.approx(growth, rel=BAR)
    assert together.models == 3


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("recipe", ["float32", "full_int8"])
@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0"])
def test_real_networks_within_ten_percent(name: str, recipe: str) -> None:
    path = variant(name, recipe)
    growth = measured(board_environment("litert").python, MODULES["litert"], "xnnpack", [path])
    assert forecast_memory(path).total_bytes == pytest.approx(growth, rel=BAR)


def test_the_parts_add_up_and_survive_json(models: Path) -> None:
    one = forecast_memory(models / "conv_int8.tflite")
    assert one.total_bytes == (
        one.weights_bytes + one.packed_weights_bytes + one.arena_bytes + one.tables_bytes + one.runtime_bytes
    )
    assert one.predicted
    assert one.to_dict()["predicted"] is True
    assert MemoryForecast.from_dict(one.to_dict()) == one
    two = forecast_together([one, one])
    assert two.weights_bytes == 2 * one.weights_bytes
    assert two.runtime_bytes < 2 * one.runtime_bytes
    assert two.total_bytes < 2 * one.total_bytes


def test_the_runtimes_own_kernels_keep_other_copies(wide: Path) -> None:
    one, two = (forecast_memory(wide, delegate=None, threads=threads) for threads in (1, 2))
    assert one.packed_weights_bytes == 0
    assert two.packed_weights_bytes == 512 * 512 * 9 * 4
    # With one thread each window of pixels is copied first.
    assert one.arena_bytes > two.arena_bytes + 28 * 28 * 9 * 512 * 4 - 3_000_000


def test_what_is_not_known_is_said(models: Path) -> None:
    notes = forecast_memory(models / "dynamic_batch.tflite").notes
    assert any("free sizes count as 1" in note for note in notes)
    assert any(
        "default signature alone" in note for note in forecast_memory(models / "many_signatures.tflite").notes
    )


def test_bad_input_is_named(models: Path, tmp_path: Path) -> None:
    path = models / "conv_float.tflite"
    with pytest.raises(ConfigError, match="no runtime called 'onnx'"):
        forecast_memory(path, runtime="onnx")
    with pytest.raises(ConfigError, match="the delegate 'gpu' cannot be predicted"):
        forecast_memory(path, delegate="gpu")
    with pytest.raises(ModelError, match="does not exist"):
        forecast_memory(tmp_path / "nothing.tflite")
    with pytest.raises(ConfigError, match="no models"):
        forecast_together([])
    with pytest.raises(ConfigError, match="one process runs one runtime"):
        forecast_together([forecast_memory(path), forecast_memory(path, runtime="tflite-runtime")])

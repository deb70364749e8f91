"""Every recipe on both runtimes, in environments of their own: it loads, and answers as the float model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names
from tests.board_environments import board_environment
from tests.quantize.dense_model import write_dense_model
from tests.quantize.test_apply import run, samples, snr

ANSWER = """
import json, sys
import numpy as np
from {module} import Interpreter
results = {{}}
feed = np.load(sys.argv[1])
for path in sys.argv[2:]:
    try:
        runner = Interpreter(model_path=path).get_signature_runner("serving_default")
        given = {{}}
        for name, detail in runner.get_input_details().items():
            scale, zero = detail["quantization"]
            value = feed[name]
            if scale:
                info = np.iinfo(detail["dtype"])
                value = np.clip(np.round(value / scale) + zero, info.min, info.max).astype(detail["dtype"])
            given[name] = value
        answers = runner(**given)
        for name, detail in runner.get_output_details().items():
            scale, zero = detail["quantization"]
            if scale:
                answers[name] = (answers[name].astype(np.float32) - zero) * np.float32(scale)
        results[path] = {{name: value.tolist() for name, value in answers.items()}}
    except (RuntimeError, ValueError) as failure:
        results[path] = str(failure)
print(json.dumps(results))
"""
MODULES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}


def ask(runtime: str, feed: Path, files: list[Path]) -> dict[str, object]:
    import subprocess

    python = board_environment(runtime).python
    done = subprocess.run(
        [str(python), "-c", ANSWER.format(module=MODULES[runtime]), str(feed), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    image = np.random.default_rng(21).normal(size=(1, 16, 16, 3)).astype(np.float32)
    np.savez(tmp_path / "feed.npz", image=image)
    return tmp_path / "feed.npz"


@pytest.mark.parametrize("runtime", sorted(MODULES))
def test_every_recipe_runs_and_agrees(runtime: str, models: Path, feed: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    data = samples(tmp_path / "samples.npz", source)
    files = []
    for name in recipe_names("litert"):
        files.append(tmp_path / f"{name}.tflite")
        quantize_file(source, files[-1], load_recipe(name), data)
    with np.load(feed) as archive:
        want = run(source, "serving_default", {"image": archive["image"]})["probabilities"]
    for path, answer in ask(runtime, feed, files).items():
        assert isinstance(answer, dict), f"{Path(path).stem}: {answer}"
        assert snr(want, np.asarray(answer["probabilities"], np.float32)) > 15, Path(path).stem


#: Lowest signal to noise of the dense model in dB; None where the old runtime has to refuse.
DENSE = {
    "float32": (90.0, 90.0),
    "float16": (60.0, 60.0),
    "weight_only_int8": (40.0, 40.0),
    "dynamic_int8": (25.0, 25.0),
    "full_int8": (10.0, 10.0),
    "full_int8_io": (10.0, 10.0),
    "int16x8": (10.0, 10.0),
    "int4": (15.0, 15.0),
    "int4_block": (20.0, None),
}


def test_dense_layers_with_unlike_channels(tmp_path: Path) -> None:
    """A runtime that took one channel's scale for all would be at 2 dB here."""
    source = write_dense_model(tmp_path / "dense.tflite")
    data = samples(tmp_path / "samples.npz", source)
    given = np.random.default_rng(0).normal(size=(1, 128)).astype(np.float32)
    np.savez(tmp_path / "feed.npz", x=given)
    want = run(source, "serving_default", {"x": given})["y"]
    assert set(DENSE) == set(recipe_names("litert"))
    for place, runtime in enumerate(("litert", "tflite-runtime")):
        files = [tmp_path / f"{name}.tflite" for name in DENSE]
        for path in files:
            quantize_file(source, path, load_recipe(path.stem), data)
        for path, answer in ask(runtime, tmp_path / "feed.npz", files).items():
            name = Path(path).stem
            lowest = DENSE[name][place]
            if lowest is None:
                assert "FULLY_CONNECTED" in str(answer)
                assert "version '14'" in str(answer)
                continue
            assert isinstance(answer, dict), f"{name} in {runtime}: {answer}"
            assert snr(want, np.asarray(answer["y"], np.float32)) > lowest, (name, runtime)


#: What tflite-runtime 2.14 would get wrong or die of: method, bits, and the version it refuses.
REFUSED = {
    "int8 dense layers with a scale per channel": ("dynamic", 8, 128, "FULLY_CONNECTED", "12"),
    "int4 weights turned into floats": ("weight_only", 4, 128, "DEQUANTIZE", "6"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_the_old_runtime_refuses_dense_layers_that_it_would_get_wrong(case: str, tmp_path: Path) -> None:
    method, bits, inputs, operator, version = REFUSED[case]
    source = write_dense_model(tmp_path / "dense.tflite", inputs=inputs)
    recipe = Recipe(name="mine", title="t", method=method, weight_bits=bits)
    quantize_file(source, tmp_path / "mine.tflite", recipe, None)
    np.savez(tmp_path / "feed.npz", x=np.ones((1, inputs), np.float32))
    (old,) = ask("tflite-runtime", tmp_path / "feed.npz", [tmp_path / "mine.tflite"]).values()
    assert operator in str(old)
    assert f"version '{version}'" in str(old)
    (new,) = ask("litert", tmp_path / "feed.npz", [tmp_path / "mine.tflite"]).values()
    assert isinstance(new, dict)


def test_the_old_runtime_refuses_the_convolution_that_would_kill_it(
    models: Path, feed: Path, tmp_path: Path
) -> None:
    recipe = Recipe(name="mine", title="t", method="dynamic", weight_bits=4)
    quantize_file(models / "conv_float.tflite", tmp_path / "mine.tflite", recipe, None)
    (old,) = ask("tflite-runtime", feed, [tmp_path / "mine.tflite"]).values()
    assert "CONV_2D" in str(old)
    assert "version '8'" in str(old)
    (new,) = ask("litert", feed, [tmp_path / "mine.tflite"]).values()
    assert isinstance(new, dict)

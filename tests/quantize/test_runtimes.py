"""Every recipe on both runtimes, in environments of their own: it loads, and answers as the float model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names
from tests.board_environments import board_environment
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
    for name in recipe_names():
        files.append(tmp_path / f"{name}.tflite")
        quantize_file(source, files[-1], load_recipe(name), data)
    with np.load(feed) as archive:
        want = run(source, "serving_default", {"image": archive["image"]})["probabilities"]
    for path, answer in ask(runtime, feed, files).items():
        assert isinstance(answer, dict), f"{Path(path).stem}: {answer}"
        assert snr(want, np.asarray(answer["probabilities"], np.float32)) > 15, Path(path).stem


def test_an_old_runtime_refuses_what_it_would_get_wrong(models: Path, feed: Path, tmp_path: Path) -> None:
    per_channel = Recipe(name="mine", title="t", method="dynamic", weight_bits=8)
    quantize_file(models / "conv_float.tflite", tmp_path / "mine.tflite", per_channel, None)
    (old,) = ask("tflite-runtime", feed, [tmp_path / "mine.tflite"]).values()
    assert "FULLY_CONNECTED" in str(old)
    assert "version '12'" in str(old)
    (new,) = ask("litert", feed, [tmp_path / "mine.tflite"]).values()
    assert isinstance(new, dict)

"""Recipes that TensorFlow's converter makes from the source model, each in a worker."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.convert.tensorflow_recipe import representative_inputs
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.errors import ConfigError, SignatureMismatchError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names
from tests.quantize.test_apply import run, snr
from tests.quantize.test_runtimes import ask

pytestmark = pytest.mark.tensorflow


def quantize(recipe: Recipe, model: Path, tmp_path: Path, samples: Path | None = None) -> dict[str, Any]:
    arguments = {
        "kind": "saved_model",
        "model": str(model),
        "output": str(tmp_path / f"{recipe.name}.tflite"),
        "recipe": recipe.to_dict(),
        "samples": None if samples is None else str(samples),
    }
    return run_in_worker(
        "edge_sdk.convert.tflite:quantize_with_tensorflow",
        arguments,
        timeout_seconds=300,
        log=tmp_path / "quantize.log",
    )


@dataclasses.dataclass(frozen=True)
class Made:
    """What the recipes gave.

    Attributes:
        folder: Holds `float.tflite`, one file per recipe, and `samples.npz`.
        results: What the worker returned, by recipe.
    """

    folder: Path
    results: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("tensorflow_recipes")
    images = np.random.default_rng(2).normal(size=(8, 8, 8, 3)).astype(np.float32)
    np.savez(folder / "samples.npz", image=images)
    run_in_worker(
        "edge_sdk.convert.tflite:convert",
        {"kind": "saved_model", "model": str(sources / "exported"), "output": str(folder / "float.tflite")},
        timeout_seconds=300,
        log=folder / "convert.log",
    )
    results = {
        name: quantize(load_recipe(name), sources / "exported", folder, folder / "samples.npz")
        for name in recipe_names("tensorflow")
    }
    return Made(folder, results)


def test_the_recipes_run_in_both_runtimes_and_agree(made: Made, tmp_path: Path) -> None:
    with np.load(made.folder / "samples.npz") as archive:
        feed = {"image": archive["image"][:1]}
    np.savez(tmp_path / "feed.npz", **feed)
    want = run(made.folder / "float.tflite", "serving_default", feed)["output_0"]
    files = [made.folder / f"{name}.tflite" for name in made.results]
    for path in files:
        assert made.results[path.stem]["changed"]
        assert made.results[path.stem]["tools"]["tensorflow"]
        # Both names that Keras writes are there, over one graph.
        assert {item.name for item in read_tflite(path).signatures} == {"serve", "serving_default"}
        assert len(read_tflite(path).graphs) == 1
    for runtime in ("litert", "tflite-runtime"):
        for file, answer in ask(runtime, tmp_path / "feed.npz", files).items():
            assert isinstance(answer, dict), f"{file}: {answer}"
            assert snr(want, np.asarray(answer["output_0"], np.float32)) > 20, (file, runtime)


def test_the_same_source_gives_the_same_bytes(made: Made, sources: Path, tmp_path: Path) -> None:
    again = quantize(load_recipe("tf_full_int8"), sources / "exported", tmp_path, made.folder / "samples.npz")
    assert again == made.results["tf_full_int8"]
    assert (again["samples"], again["calibrated"]) == (8, ["serving_default", "serve"])
    digests = {
        hashlib.sha256((folder / "tf_full_int8.tflite").read_bytes()).hexdigest()
        for folder in (made.folder, tmp_path)
    }
    assert len(digests) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "dtype", "version"),
    [({"io": "int8"}, "int8", 3), ({"activation_bits": 16}, "float32", None)],
)
def test_other_types(
    changes: dict[str, Any],
    dtype: str,
    version: int | None,
    made: Made,
    sources: Path,
    tmp_path: Path,
) -> None:
    recipe = dataclasses.replace(load_recipe("tf_full_int8"), name="mine", **changes)
    quantize(recipe, sources / "exported", tmp_path, made.folder / "samples.npz")
    file = read_tflite(tmp_path / "mine.tflite")
    signature = file.signatures[0]
    assert [item.dtype for item in (*signature.inputs, *signature.outputs)] == [dtype, dtype]
    assert version is None or file.op_versions["CONV_2D"] == version
    assert not file.is_float


def test_samples_that_fit_one_signature_only_are_refused(tmp_path: Path) -> None:
    recipe = load_recipe("tf_full_int8")
    signatures = [
        Signature(name=name, inputs=(TensorSpec(name=given, dtype="float32", shape=(None, 6)),), outputs=())
        for name, given in (("classify", "features"), ("compare", "left"))
    ]
    samples = tmp_path / "samples.npz"
    np.savez(samples, features=np.ones((4, 6), np.float32))
    assert set(representative_inputs(recipe, signatures[:1], str(samples))) == {"features"}
    with pytest.raises(ConfigError, match="do not fit signature 'compare'"):
        representative_inputs(recipe, signatures, str(samples))
    with pytest.raises(ConfigError, match="needs calibration samples"):
        representative_inputs(recipe, signatures, None)
    np.savez(samples, other=np.ones((4, 6), np.float32))
    with pytest.raises(SignatureMismatchError):
        representative_inputs(recipe, signatures, str(samples))
    assert representative_inputs(load_recipe("tf_dynamic_int8"), signatures, None) == {}

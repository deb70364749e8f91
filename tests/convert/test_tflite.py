"""Conversions of real SavedModels and Keras files, each in its own worker as users get them."""

from __future__ import annotations

import hashlib
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.convert.worker import run_in_worker
from edge_sdk.errors import ModelError, SignatureMismatchError, UnsupportedOpError
from edge_sdk.model.tflite_file import read_tflite
from tests import real_models

pytestmark = pytest.mark.tensorflow


def convert(kind: str, model: Path | str, tmp_path: Path, **options: Any) -> dict[str, Any]:
    arguments = {"kind": kind, "model": str(model), "output": str(tmp_path / "out.tflite"), **options}
    return run_in_worker(
        "edge_sdk.convert.tflite:convert", arguments, timeout_seconds=300, log=tmp_path / "convert.log"
    )


def names(path: Path) -> dict[str, tuple[list[str], list[str]]]:
    return {
        item.name: (sorted(spec.name for spec in item.inputs), sorted(spec.name for spec in item.outputs))
        for item in read_tflite(path).signatures
    }


def answers(model: Path, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    return dict(Interpreter(model_path=str(model)).get_signature_runner(signature)(**inputs))


def test_every_name_that_keras_export_writes_survives(sources: Path, tmp_path: Path) -> None:
    value = convert("saved_model", sources / "exported", tmp_path)
    expected = {name: (["image"], ["output_0"]) for name in ("serve", "serving_default")}
    assert names(tmp_path / "out.tflite") == expected
    assert value["default_signature"] == "serving_default"
    assert [item["name"] for item in value["signatures"]] == ["serving_default", "serve"]
    # Two names, one function: one graph.
    assert len(read_tflite(tmp_path / "out.tflite").graphs) == 1


def test_extra_endpoints_survive_and_compute_their_own(sources: Path, tmp_path: Path) -> None:
    convert("saved_model", sources / "archive", tmp_path)
    made = tmp_path / "out.tflite"
    assert set(names(made)) == {"half", "serve", "serving_default"}
    assert len(read_tflite(made).graphs) == 2
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    whole = answers(made, "serving_default", {"image": image})["output_0"]
    half = answers(made, "half", {"image": image})["output_0"]
    np.testing.assert_allclose(answers(made, "serve", {"image": image})["output_0"], whole)
    np.testing.assert_allclose(half, answers(made, "serve", {"image": image / 2})["output_0"], rtol=1e-5)
    assert not np.allclose(whole, half)


def test_a_module_with_several_signatures_and_its_reference(sources: Path, tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(7, 6)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", features=features)
    value = convert(
        "saved_model",
        sources / "module",
        tmp_path,
        samples=str(tmp_path / "samples.npz"),
        reference=str(tmp_path / "reference.npz"),
    )
    made = tmp_path / "out.tflite"
    assert names(made) == {
        "classify": (["features"], ["logits", "scores"]),
        "compare": (["left", "right"], ["distance"]),
    }
    assert value["default_signature"] == "classify"
    assert value["reference_calls"] == 7
    with np.load(tmp_path / "reference.npz") as reference:
        assert reference["scores"].shape == (7, 1, 3)
        for index in range(7):
            given = answers(made, "classify", {"features": features[index : index + 1]})
            np.testing.assert_allclose(given["scores"], reference["scores"][index], atol=1e-6)
    # The inputs keep their names, not only their places.
    one, two = features[:1], features[1:2]
    forward = answers(made, "compare", {"left": one, "right": two})["distance"]
    assert not np.allclose(forward, answers(made, "compare", {"left": two, "right": one})["distance"])


def test_the_same_source_gives_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    digests = set()
    for kind, name in (("saved_model", "archive"), ("keras", "classifier.keras")):
        for run in ("a", "b"):
            (tmp_path / run).mkdir(exist_ok=True)
            convert(kind, sources / name, tmp_path / run)
            digests.add(hashlib.sha256((tmp_path / run / "out.tflite").read_bytes()).hexdigest())
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("kind", "name", "inputs", "outputs"),
    [
        ("keras", "classifier.keras", ["image"], ["scores"]),
        ("h5", "classifier.h5", ["image"], ["scores"]),
        ("keras", "pair.keras", ["left", "right"], ["raw", "sum"]),
    ],
)
def test_keras_files_keep_the_names_of_their_layers(
    kind: str, name: str, inputs: list[str], outputs: list[str], sources: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    shapes = {"image": (3, 8, 8, 3), "left": (3, 4), "right": (3, 2)}
    samples = {item: random.normal(size=shapes[item]).astype(np.float32) for item in inputs}
    np.savez(tmp_path / "samples.npz", **samples)
    options = {"samples": str(tmp_path / "samples.npz"), "reference": str(tmp_path / "reference.npz")}
    convert(kind, sources / name, tmp_path, **options)
    assert names(tmp_path / "out.tflite") == {"serving_default": (inputs, outputs)}
    with np.load(tmp_path / "reference.npz") as reference:
        for index in range(3):
            feed = {item: array[index : index + 1] for item, array in samples.items()}
            given = answers(tmp_path / "out.tflite", "serving_default", feed)
            for output in outputs:
                np.testing.assert_allclose(given[output], reference[output][index], atol=1e-5)


def test_weights_that_the_converter_leaves_unset_become_constants(sources: Path, tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", image=image)
    options = {"samples": str(tmp_path / "samples.npz"), "reference": str(tmp_path / "reference.npz")}
    convert("saved_model", sources / "held", tmp_path, **options)
    given = answers(tmp_path / "out.tflite", "serving_default", {"image": image})
    with np.load(tmp_path / "reference.npz") as reference:
        np.testing.assert_allclose(given["scores"], reference["scores"][0], atol=1e-5)
    assert "READ_VARIABLE" not in read_tflite(tmp_path / "out.tflite").op_versions


def test_a_function_that_returns_a_model(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        textwrap.dedent("""
        import keras
        def build():
            return keras.Sequential([keras.Input((5,), name="row"), keras.layers.Dense(2, name="both")])
        def unbuilt():
            return keras.Sequential([keras.layers.Dense(2)])
        def other():
            return 5
    """)
    )
    convert("function", "train:build", tmp_path)
    assert names(tmp_path / "out.tflite") == {"serving_default": (["row"], ["both"])}
    with pytest.raises(ModelError, match="no input shapes"):
        convert("function", "train:unbuilt", tmp_path)
    with pytest.raises(ModelError, match="returned int"):
        convert("function", "train:other", tmp_path)
    with pytest.raises(ModelError, match="it has build, other, unbuilt"):
        convert("function", "train:missing", tmp_path)


def test_an_optimizer_that_keras_does_not_know_is_no_obstacle(sources: Path, tmp_path: Path) -> None:
    if not (sources / "optimized").exists():
        pytest.skip("tf-keras is not installed: no SavedModel with an old optimizer")
    convert("saved_model", sources / "optimized", tmp_path)
    assert list(names(tmp_path / "out.tflite")) == ["serving_default"]


def test_a_savedmodel_of_tensorflow_1(sources: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", x=np.ones((2, 3), np.float32))
    options = {"samples": str(tmp_path / "samples.npz"), "reference": str(tmp_path / "reference.npz")}
    convert("saved_model", sources / "tf1", tmp_path, **options)
    given = answers(tmp_path / "out.tflite", "serving_default", {"x": np.ones((1, 3), np.float32)})
    with np.load(tmp_path / "reference.npz") as reference:
        np.testing.assert_allclose(given["y"], reference["y"][0])


def test_loops_keep_their_graphs(sources: Path, tmp_path: Path) -> None:
    convert("saved_model", sources / "loop", tmp_path)
    given = answers(tmp_path / "out.tflite", "serving_default", {"x": np.ones((1, 3), np.float32)})
    assert given["y"].tolist() == [[63.0, 63.0, 63.0]]


def test_operators_without_a_kernel_are_named(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError) as caught:
        convert("saved_model", sources / "determinant", tmp_path)
    assert caught.value.details["ops"] == ["MatrixDeterminant"]
    assert "--select-tf-ops" in (caught.value.hint or "")
    assert not (tmp_path / "out.tflite").exists()
    with pytest.raises(UnsupportedOpError) as caught:
        convert("saved_model", sources / "two_unsupported", tmp_path)
    assert caught.value.details["ops"] == ["Cholesky", "MatrixDeterminant", "MatrixDiagPartV3"]
    with pytest.raises(UnsupportedOpError, match="float64"):
        convert("saved_model", sources / "double", tmp_path)


def test_select_tf_ops_lets_them_in(sources: Path, tmp_path: Path) -> None:
    convert("saved_model", sources / "determinant", tmp_path, select_tf_ops=True)
    assert read_tflite(tmp_path / "out.tflite").flex_ops == ("MatrixDeterminant",)


def test_sources_that_cannot_be_used(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes text: x"):
        convert("saved_model", sources / "text", tmp_path)
    with pytest.raises(ModelError, match="has no signature"):
        convert("saved_model", sources / "no_signature", tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match="damaged"):
        convert("saved_model", tmp_path / "broken", tmp_path)
    (tmp_path / "broken.keras").write_bytes(b"PK not really")
    with pytest.raises(ModelError, match="cannot load"):
        convert("keras", tmp_path / "broken.keras", tmp_path)


def test_reference_samples_must_fit(sources: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", feature=np.ones((2, 6), np.float32))
    options = {"samples": str(tmp_path / "samples.npz"), "reference": str(tmp_path / "reference.npz")}
    with pytest.raises(SignatureMismatchError):
        convert("saved_model", sources / "module", tmp_path, **options)


def test_basic_pitch_converts_though_tensorflow_cannot_load_it(tmp_path: Path) -> None:
    source = real_models.basic_pitch_saved_model()
    audio = np.sin(np.arange(43844) * 2 * np.pi * 440 / 22050).astype(np.float32)[None, :, None]
    np.savez(tmp_path / "samples.npz", input_2=audio)
    options = {"samples": str(tmp_path / "samples.npz"), "reference": str(tmp_path / "reference.npz")}
    convert("saved_model", source, tmp_path, **options)
    made = tmp_path / "out.tflite"
    assert names(made) == {"serving_default": (["input_2"], ["contour", "note", "onset"])}
    given = answers(made, "serving_default", {"input_2": audio})
    with np.load(tmp_path / "reference.npz") as reference:
        for name in ("contour", "note", "onset"):
            np.testing.assert_allclose(given[name], reference[name][0], atol=2e-3)
    # 440 Hz is MIDI 69, row 48 of the notes from 21 on.
    assert int(given["note"][0].mean(axis=0).argmax()) + 21 == 69

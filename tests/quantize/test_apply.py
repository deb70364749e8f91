from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import (
    ConfigError,
    ConversionError,
    ModelError,
    SignatureMismatchError,
    UnsupportedOpError,
)
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.pipeline.quantizing import quantize_several
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.flatfile import read_flatfile, write_flatfile
from edge_sdk.quantize.ranges import Ranges, measure_ranges
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names
from tests.quantize.dense_model import write_dense_model

STATIC = ["full_int8", "full_int8_io", "int16x8"]


def samples(path: Path, model: Path, signature: str | None = None, count: int = 16) -> Path:
    file = read_tflite(model)
    wanted = next(item for item in file.signatures if signature in (None, item.name))
    random = np.random.default_rng(3)
    arrays = {}
    for spec in wanted.inputs:
        shape = (count, *(size or 1 for size in spec.shape[1:]))
        arrays[spec.name] = (
            random.normal(size=shape).astype(np.float32)
            if spec.dtype == "float32"
            else random.integers(0, 4, shape).astype(spec.dtype)
        )
    np.savez(path, **arrays)
    return path


def run(model: Path, signature: str, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Call a file with real values, whatever it stores; returns real values."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model))
    runner = interpreter.get_signature_runner(signature)
    given = {}
    for name, detail in runner.get_input_details().items():
        scale, zero = detail["quantization"]
        value = feed[name]
        if scale and value.dtype == np.float32:
            info = np.iinfo(detail["dtype"])
            value = np.clip(np.round(value / scale) + zero, info.min, info.max).astype(detail["dtype"])
        given[name] = value
    answers = runner(**given)
    for name, detail in runner.get_output_details().items():
        scale, zero = detail["quantization"]
        if scale:
            answers[name] = (answers[name].astype(np.float32) - zero) * np.float32(scale)
    return answers


def snr(reference: np.ndarray, given: np.ndarray) -> float:
    noise = float(np.square(reference - given).sum())
    return 99.0 if noise == 0 else 10 * np.log10(float(np.square(reference).sum()) / noise)


def make(name: str, source: Path, tmp_path: Path, signature: str | None = None, **options: Any) -> Path:
    destination = tmp_path / f"{name}.tflite"
    data = samples(tmp_path / "samples.npz", source, signature)
    quantize_file(source, destination, load_recipe(name), data, signature=signature, **options)
    return destination


@pytest.mark.parametrize("name", recipe_names("litert"))
def test_every_recipe_keeps_names_shapes_and_answers(name: str, models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    made = make(name, source, tmp_path)
    before, after = read_tflite(source), read_tflite(made)
    assert [item.name for item in after.signatures] == [item.name for item in before.signatures]
    io = "int8" if name == "full_int8_io" else "float32"
    for old, new in zip(before.signatures[0].inputs, after.signatures[0].inputs, strict=True):
        assert (new.name, new.dtype, new.shape) == (old.name, io, old.shape)
    for old, new in zip(before.signatures[0].outputs, after.signatures[0].outputs, strict=True):
        assert (new.name, new.dtype, new.shape) == (old.name, io, old.shape)
    random = np.random.default_rng(9)
    signature = before.signatures[0].name
    quality = []
    for _ in range(5):
        feed = {"image": random.normal(size=(1, 16, 16, 3)).astype(np.float32)}
        want = run(source, signature, feed)["probabilities"]
        quality.append(snr(want, run(made, signature, feed)["probabilities"]))
    floor = {
        "float32": 98,
        "float16": 45,
        "weight_only_int8": 40,
        "dynamic_int8": 20,
        "full_int8": 20,
        "full_int8_io": 15,
        "int16x8": 25,
        "int4": 20,
        "int4_block": 20,
    }
    assert min(quality) > floor[name]


@pytest.mark.parametrize("name", [item for item in recipe_names("litert") if item != "float32"])
def test_the_same_input_gives_the_same_bytes(name: str, models: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for source in (models / "conv_float.tflite", write_dense_model(tmp_path / "dense.tflite")):
        first, second = make(name, source, tmp_path / "a"), make(name, source, tmp_path / "b")
        assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert first.stat().st_size < source.stat().st_size


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "dtypes", "version"),
    [
        ("int4", 128, 600, ["int4", "int4"], 10),
        ("int4", 33, 600, ["int8", "int4"], 10),
        ("int4", 128, 3, ["int4", "int8"], 10),
        ("int4_block", 128, 600, ["int4", "int4"], 14),
        ("int4_block", 100, 600, ["int4", "int4"], 14),
        ("int4_block", 33, 600, ["int8", "int4"], 14),
    ],
)
def test_layers_that_do_not_fit_get_the_nearest_precision(
    name: str, inputs: int, outputs: int, dtypes: list[str], version: int, tmp_path: Path
) -> None:
    source = write_dense_model(tmp_path / "dense.tflite", inputs=inputs, outputs=outputs)
    made = read_tflite(make(name, source, tmp_path))
    (graph,) = made.graphs
    assert [graph.tensors[node.inputs[1]].dtype for node in graph.nodes] == dtypes
    assert made.op_versions["FULLY_CONNECTED"] == version


def test_equal_vectors_are_written_once(models: Path, tmp_path: Path) -> None:
    source = write_dense_model(tmp_path / "dense.tflite", inputs=64, hidden=512, outputs=512)
    made = make("full_int8", source, tmp_path)
    zeros = bytes(8 * 512)
    content = made.read_bytes()
    assert content.count(zeros) == 1
    scales = [
        len(item.quantization.zeroPoint)
        for item in read_flatfile(content).subgraphs[0].tensors
        if item.quantization is not None and item.quantization.zeroPoint is not None
    ]
    assert scales.count(512) == 4


def test_the_order_of_samples_does_not_matter(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    data = samples(tmp_path / "samples.npz", source)
    with np.load(data) as archive:
        np.savez(tmp_path / "reversed.npz", **{name: archive[name][::-1] for name in archive.files})
    ranges = [measure_ranges(source, path).values for path in (data, tmp_path / "reversed.npz")]
    assert ranges[0] == ranges[1]


def test_ranges_measured_once_serve_every_static_recipe(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    measured = measure_ranges(source, samples(tmp_path / "samples.npz", source))
    measured.save(tmp_path / "ranges.json")
    ranges = Ranges.load(tmp_path / "ranges.json")
    assert ranges == measured
    for name in STATIC:
        quantize_file(source, tmp_path / "fast.tflite", load_recipe(name), None, ranges=ranges)
        assert (tmp_path / "fast.tflite").read_bytes() == make(name, source, tmp_path).read_bytes()


@pytest.mark.parametrize("name", STATIC)
def test_several_inputs_are_calibrated_by_name(name: str, models: Path, tmp_path: Path) -> None:
    source = models / "two_inputs.tflite"
    made = make(name, source, tmp_path)
    signature = read_tflite(source).signatures[0]
    feed = {"features": np.ones((1, 6), np.float32), "kind": np.array([2], np.int32)}
    want, got = run(source, signature.name, feed), run(made, signature.name, feed)
    assert set(got) == {"scores", "total"}
    for output in want:
        assert snr(want[output], got[output]) > 20


@pytest.mark.parametrize("name", recipe_names("litert"))
def test_all_signatures_survive_and_work(name: str, models: Path, tmp_path: Path) -> None:
    source = models / "many_signatures.tflite"
    data = samples(tmp_path / "samples.npz", source, "encode")
    done = quantize_file(source, tmp_path / "made.tflite", load_recipe(name), data, signature="encode")
    file = read_tflite(tmp_path / "made.tflite")
    assert [item.name for item in file.signatures] == [item.name for item in read_tflite(source).signatures]
    if name in STATIC:
        assert done.calibrated == ("encode",)
        assert done.not_calibrated == ("decode",)
    random = np.random.default_rng(4)
    for signature in file.signatures:
        feed = {
            spec.name: random.normal(size=[size or 1 for size in spec.shape]).astype(np.float32)
            for spec in signature.inputs
        }
        want, got = run(source, signature.name, feed), run(tmp_path / "made.tflite", signature.name, feed)
        assert set(want) == set(got)
        for output in want:
            assert snr(want[output], got[output]) > 15, (signature.name, output)


@pytest.mark.parametrize("name", recipe_names("litert"))
def test_a_file_without_signatures_keeps_its_tensor_names(name: str, models: Path, tmp_path: Path) -> None:
    source = models / "no_signatures.tflite"
    made = make(name, source, tmp_path)
    before, after = read_tflite(source), read_tflite(made)
    assert not after.has_signatures
    for side in ("inputs", "outputs"):
        old, new = getattr(before.signatures[0], side), getattr(after.signatures[0], side)
        assert [item.name for item in new] == [item.name for item in old]


@pytest.mark.parametrize("name", STATIC)
def test_a_free_batch_stays_free(name: str, models: Path, tmp_path: Path) -> None:
    made = make(name, models / "dynamic_batch.tflite", tmp_path)
    assert read_tflite(made).signatures[0].inputs[0].shape == (None, 8)
    feed = {"x": np.ones((3, 8), np.float32)}
    signature = read_tflite(made).signatures[0].name
    assert run(made, signature, feed)["y"].shape == (3, 3)


def test_static_recipes_need_samples(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs calibration samples"):
        quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", load_recipe("full_int8"), None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["conv_float", "many_signatures"])
def test_a_source_read_once_gives_the_same_files(name: str, models: Path, tmp_path: Path) -> None:
    source = models / f"{name}.tflite"
    signature = read_tflite(source).signatures[-1].name
    data = samples(tmp_path / "samples.npz", source, signature)
    ranges = measure_ranges(source, data, signature=signature)
    ranges.save(tmp_path / "ranges.json")
    names = recipe_names("litert")[1:]
    broken = Recipe(name="broken", title="t", method="dynamic", weight_bits=8, keep_float=("NO_SUCH",))
    recipes = [*map(load_recipe, names[:3]), broken, *map(load_recipe, names[3:])]
    found = quantize_several(
        {
            "source": str(source),
            "signature": signature,
            "ranges": str(tmp_path / "ranges.json"),
            "recipes": [
                {"recipe": item.to_dict(), "destination": str(tmp_path / "several" / f"{item.name}.tflite")}
                for item in recipes
            ],
        }
    )["results"]
    assert "NO_SUCH" in str(found.pop(3)["error"])
    for item, result in zip(names, found, strict=True):
        alone = tmp_path / "alone.tflite"
        done = quantize_file(source, alone, load_recipe(item), None, signature=signature, ranges=ranges)
        assert result["value"] == done.to_dict(), item
        assert (tmp_path / "several" / f"{item}.tflite").read_bytes() == alone.read_bytes(), item


def test_recipes_of_tensorflow_start_from_the_source(models: Path, tmp_path: Path) -> None:
    recipe = load_recipe("tf_dynamic_int8")
    with pytest.raises(ConfigError, match="starts from the source model"):
        quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", recipe, None)


def test_samples_of_another_model_are_refused(models: Path, tmp_path: Path) -> None:
    data = samples(tmp_path / "samples.npz", models / "dynamic_batch.tflite")
    with pytest.raises(SignatureMismatchError) as caught:
        quantize_file(models / "conv_float.tflite", tmp_path / "o.tflite", load_recipe("full_int8"), data)
    assert ["image", "float32[16,16,3]", "nothing"] in caught.value.details["rows"]
    assert not (tmp_path / "o.tflite").exists()


@pytest.mark.parametrize("name", recipe_names("litert"))
@pytest.mark.parametrize("source", ["conv_int8.tflite", "conv_int8_float_io.tflite"])
def test_a_quantized_file_is_refused(source: str, name: str, models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="quantized already") as caught:
        quantize_file(models / source, tmp_path / "x.tflite", load_recipe(name), None)
    assert "as_is" in (caught.value.hint or "")


def test_calibration_names_the_operator_that_cannot_run(models: Path, tmp_path: Path) -> None:
    source = models / "flex_operator.tflite"
    data = samples(tmp_path / "samples.npz", source)
    with pytest.raises(UnsupportedOpError) as caught:
        quantize_file(source, tmp_path / "x.tflite", load_recipe("full_int8"), data)
    assert "MatrixDeterminant" in caught.value.what
    quantize_file(source, tmp_path / "x.tflite", load_recipe("float16"), None)
    custom = models / "custom_operator.tflite"
    with pytest.raises(UnsupportedOpError, match="EdgeTanh"):
        quantize_file(custom, tmp_path / "x.tflite", load_recipe("full_int8"), samples(data, custom))


def test_a_damaged_file_is_refused(models: Path, tmp_path: Path) -> None:
    content = (models / "conv_float.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.tflite").write_text("hello")
    for name in ("cut.tflite", "text.tflite"):
        with pytest.raises(ModelError):
            quantize_file(tmp_path / name, tmp_path / "x.tflite", load_recipe("float16"), None)


def test_an_operator_unknown_to_the_quantizer_is_named(models: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="mine", title="t", method="dynamic", weight_bits=8, keep_float=("SOFTMAXX",))
    with pytest.raises(ConfigError, match="SOFTMAXX"):
        quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", recipe, None)


def test_keep_float_keeps_operators_float(models: Path, tmp_path: Path) -> None:
    recipe = Recipe(
        name="mine",
        title="t",
        method="dynamic",
        weight_bits=8,
        keep_float=("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"),
    )
    done = quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", recipe, None)
    assert not done.changed
    assert read_tflite(tmp_path / "x.tflite").is_float


def test_versions_rise_so_that_old_runtimes_refuse(models: Path, tmp_path: Path) -> None:
    source = models / "dynamic_batch.tflite"
    for per_tensor, version in ((("FULLY_CONNECTED",), 3), ((), 12)):
        recipe = Recipe(
            name="mine", title="t", method="dynamic", weight_bits=8, per_tensor_weights=per_tensor
        )
        assert quantize_file(source, tmp_path / "x.tflite", recipe, None).changed
        assert read_tflite(tmp_path / "x.tflite").op_versions["FULLY_CONNECTED"] == version
    made = make("full_int8", source, tmp_path)
    assert read_tflite(made).op_versions["FULLY_CONNECTED"] >= 4
    assert read_tflite(made).op_versions["DEQUANTIZE"] == 2


def test_weights_lie_aligned_inside_the_flatbuffer(models: Path, tmp_path: Path) -> None:
    for name in recipe_names("litert")[1:]:
        content = make(name, models / "conv_float.tflite", tmp_path).read_bytes()
        model = read_flatfile(content)
        for buffer in model.buffers:
            if buffer.data is not None and any(buffer.data) and content.count(bytes(buffer.data)) == 1:
                assert content.find(bytes(buffer.data)) % 16 == 0
        assert write_flatfile(read_flatfile(content)) == content


def test_a_failure_leaves_no_file(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from litert_quantizer import quantizer

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("no way")

    monkeypatch.setattr(quantizer.Quantizer, "quantize", refuse)
    with pytest.raises(ConversionError, match="no way"):
        quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", load_recipe("float16"), None)
    assert not list(tmp_path.iterdir())

"""The error map, on real files run by the real runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import Contract, ImagePreprocess
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.errors import ModelError
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.recipe import load_recipe
from edge_sdk.validate.error_map import ErrorMap, LayerError, map_errors
from tests import real_models, shapes
from tests.pipeline.conftest import edit_model, unbalance_channels
from tests.smooth_pictures import smooth_pictures

MODELS = Path(__file__).parents[1] / "data/models"
FLOAT = MODELS / "conv_float.tflite"
#: Its layers, by the name of the first output.
CONV, DEPTHWISE, MEAN, DENSE, SOFTMAX = LAYERS = (
    "Relu6;Conv2D",
    "Relu6_1;depthwise",
    "Mean",
    "MatMul;add",
    "StatefulPartitionedCall:0",
)
RECIPES = ("float32", "float16", "dynamic_int8", "full_int8", "full_int8_io", "int16x8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("map")


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Path:
    path = folder / "pictures.npz"
    np.savez(path, image=smooth_pictures(np.random.default_rng(0), 12))
    return path


@pytest.fixture(scope="module")
def made(folder: Path, pictures: Path) -> dict[str, Path]:
    """conv_float.tflite through every recipe."""
    files = {name: folder / f"{name}.tflite" for name in RECIPES}
    for name, path in files.items():
        quantize_file(FLOAT, path, load_recipe(name), pictures)
    return files


def arguments_for(
    float_model: Path, model: Path, samples: Path, *, signature: str | None = None, limit: int = 8
) -> dict[str, Any]:
    signatures = read_tflite(float_model).signatures
    return {
        "float_model": str(float_model),
        "model": str(model),
        "contract": Contract(
            signatures=signatures, default_signature=signature or default_signature(signatures)
        ).to_dict(),
        "samples": str(samples),
        "limit": limit,
        "threads": 1,
    }


def compare(float_model: Path, model: Path, samples: Path, **options: Any) -> ErrorMap:
    arguments = arguments_for(float_model, model, samples, **options)
    return ErrorMap.from_dict(json.loads(json.dumps(map_errors(arguments))))


def names(layers: tuple[LayerError, ...]) -> list[str]:
    return [layer.name for layer in layers]


def silent(layer: LayerError) -> bool:
    return (layer.snr_db, layer.cosine, layer.max_abs_error, layer.added_noise_db) == (150.0, 1.0, 0.0, None)


def constant(where: int, change: Any) -> Any:
    """Return an edit: the weights of an operator of the only graph become `change(weights)`."""

    def edit(model: Any) -> None:
        (graph,) = model.subgraphs
        buffer = model.buffers[graph.tensors[graph.operators[where].inputs[1]].buffer]
        weights = np.frombuffer(bytes(bytearray(buffer.data)), np.float32)
        buffer.data = np.frombuffer(np.asarray(change(weights), np.float32).tobytes(), np.uint8)

    return edit


def noisy(where: int, amount: float) -> Any:
    """Return an edit that adds noise of a share of their own spread to an operator's weights."""
    random = np.random.default_rng(3)
    return constant(where, lambda weights: weights + random.normal(0, weights.std() * amount, weights.shape))


def rename(old: str, new: str) -> Any:
    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.name == old.encode():
                tensor.name = new.encode()

    return edit


def several_edits(*edits: Any) -> Any:
    def edit(model: Any) -> None:
        for change in edits:
            change(model)

    return edit


def real_values(path: Path, name: str, images: np.ndarray) -> np.ndarray:
    """Run a file and return one of its tensors as real numbers, by plain NumPy."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(path),
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    (wanted,) = [item for item in interpreter.get_tensor_details() if item["name"] == name]
    values = []
    for image in images:
        given = image[None]
        if entry["dtype"] != np.float32:
            scale, zero = entry["quantization"]
            given = np.clip(np.floor(given / np.float32(scale) + 0.5) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(entry["index"], given)
        interpreter.invoke()
        value = interpreter.get_tensor(wanted["index"])
        if wanted["dtype"] != np.float32:
            scale, zero = wanted["quantization"]
            value = (value.astype(np.float64) - zero) * scale
        values.append(value.astype(np.float64))
    return np.stack(values)


def test_the_float_file_against_itself_is_silent(pictures: Path, made: dict[str, Path]) -> None:
    for variant in (FLOAT, made["float32"]):
        found = compare(FLOAT, variant, pictures)
        assert names(found.layers) == list(LAYERS)
        assert [layer.index for layer in found.layers] == [0, 1, 2, 3, 4]
        assert [layer.op for layer in found.layers][:3] == ["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN"]
        assert all(map(silent, found.layers))
        assert (found.unmatched, found.samples) == ((), 8)
    # With nothing between them, the order is that of execution.
    assert found.worst() == found.layers


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("float16", 55, 75), ("full_int8", 25, 45), ("full_int8_io", 25, 45), ("int16x8", 30, 60)],
)
def test_every_layer_of_a_variant_is_found(
    name: str, low: float, high: float, pictures: Path, made: dict[str, Path]
) -> None:
    found = compare(FLOAT, made[name], pictures)
    assert names(found.layers) == list(LAYERS)
    assert found.unmatched == ()
    for layer in found.layers:
        assert low < layer.snr_db < high, layer
        assert 0.999 < layer.cosine <= 1.0
        assert 0.0 < layer.max_abs_error < 0.1
        assert layer.lowest < layer.highest
        # Made in the layer can be no more than what is there.
        assert layer.added_noise_db is None or layer.added_noise_db <= -layer.snr_db + 1e-3


@pytest.mark.parametrize("name", ["conv_int8", "conv_uint8", "conv_int8_float_io"])
def test_files_that_tensorflow_quantized(name: str, pictures: Path) -> None:
    found = compare(FLOAT, MODELS / f"{name}.tflite", pictures)
    assert set(names(found.layers)) | set(found.unmatched) == set(LAYERS)
    assert len(found.layers) >= 3
    assert all(layer.snr_db > 15 for layer in found.layers), found.layers


def test_integer_input_counts_as_what_came_in(pictures: Path, made: dict[str, Path]) -> None:
    inside, outside = (
        compare(FLOAT, made[name], pictures).layers[0] for name in ("full_int8", "full_int8_io")
    )
    # The same integers reach the first layer; only in the second file the rounding is the caller's.
    assert inside.snr_db == outside.snr_db
    assert inside.added_noise_db is not None
    assert outside.added_noise_db is not None
    assert outside.added_noise_db < inside.added_noise_db


def test_dynamic_int8(folder: Path) -> None:
    """Weights are int8, what flows between layers is float. The tiny model's weights are too few for it."""
    source, samples, variant = shapes.model("unit"), folder / "shapes.npz", folder / "shapes_dynamic.tflite"
    (entry,) = read_tflite(source).signatures[0].inputs
    np.savez(samples, **{entry.name: shapes.scaled(shapes.pictures(6, seed=1)[0], "unit")})
    quantize_file(source, variant, load_recipe("dynamic_int8"), None)
    assert any("int8" in tensor.dtype for tensor in read_tflite(variant).tensors)
    found = compare(source, variant, samples)
    assert found.unmatched == ()
    assert any(layer.added_noise_db is not None for layer in found.layers)
    assert all(layer.snr_db > 15 for layer in found.layers)


@pytest.mark.parametrize("layer", [CONV, DEPTHWISE, DENSE])
@pytest.mark.parametrize("name", ["float16", "full_int8", "full_int8_io", "int16x8"])
def test_numbers_are_those_of_plain_numpy(
    name: str, layer: str, pictures: Path, made: dict[str, Path]
) -> None:
    with np.load(pictures) as archive:
        images = archive["image"][:5]
    want, got = (real_values(path, layer, images).ravel() for path in (FLOAT, made[name]))
    found = next(item for item in compare(FLOAT, made[name], pictures, limit=5).layers if item.name == layer)
    snr = 10 * np.log10(np.mean(want**2) / np.mean((got - want) ** 2))
    cosine = np.dot(want, got) / np.linalg.norm(want) / np.linalg.norm(got)
    assert found.snr_db == pytest.approx(snr, rel=1e-4)
    assert found.cosine == pytest.approx(cosine, abs=1e-5)
    assert found.max_abs_error == pytest.approx(np.abs(got - want).max(), rel=1e-4)
    assert (found.lowest, found.highest) == pytest.approx((want.min(), want.max()), rel=1e-4)


def test_added_noise_is_the_share_less_what_came_in(pictures: Path, made: dict[str, Path]) -> None:
    with np.load(pictures) as archive:
        images = archive["image"][:8]
    shares = []
    for layer in (CONV, DEPTHWISE):
        want, got = (real_values(path, layer, images) for path in (FLOAT, made["full_int8"]))
        shares.append(np.sum((got - want) ** 2) / np.sum(want**2))
    found = compare(FLOAT, made["full_int8"], pictures).layers
    assert found[0].added_noise_db == pytest.approx(10 * np.log10(shares[0]), rel=1e-4)
    assert found[1].added_noise_db == pytest.approx(10 * np.log10(shares[1] - shares[0]), rel=1e-4)


@pytest.mark.parametrize("amount", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("where", [1, 3])
def test_the_layer_that_makes_the_error_comes_first(
    where: int, amount: float, pictures: Path, tmp_path: Path
) -> None:
    damaged = edit_model(FLOAT, tmp_path / "damaged.tflite", noisy(where, amount))
    found = compare(FLOAT, damaged, pictures)
    assert all(map(silent, found.layers[:where]))
    culprit = found.layers[where]
    assert culprit.added_noise_db == pytest.approx(-culprit.snr_db)
    assert found.worst(1) == (culprit,)
    for layer in found.layers[where + 1 :]:
        assert layer.snr_db < 50
        assert layer.added_noise_db is None or layer.added_noise_db < culprit.added_noise_db - 2


def test_error_of_the_first_layer_is_not_charged_to_what_passes_it_on(pictures: Path, tmp_path: Path) -> None:
    """The depthwise layer behind cancels signal, so it may come up too; the mean and the softmax must not."""
    found = compare(FLOAT, edit_model(FLOAT, tmp_path / "damaged.tflite", noisy(0, 0.05)), pictures)
    first, depthwise, mean, dense, softmax = found.layers
    assert set(names(found.worst(2))) == {first.name, depthwise.name}
    assert mean.added_noise_db is None
    assert softmax.added_noise_db is None
    assert dense.added_noise_db is not None
    assert dense.added_noise_db < -first.snr_db - 2


def test_layers_that_pass_error_on_come_later(pictures: Path, tmp_path: Path) -> None:
    found = compare(FLOAT, edit_model(FLOAT, tmp_path / "damaged.tflite", noisy(1, 0.2)), pictures)
    order = found.worst()
    assert len(order) == len(found.layers)
    makers = [layer.added_noise_db is not None for layer in order]
    assert makers == sorted(makers, reverse=True)
    made_here = [layer.added_noise_db for layer in order if layer.added_noise_db is not None]
    assert made_here == sorted(made_here, reverse=True)
    passed_on = [layer.snr_db for layer in order if layer.added_noise_db is None]
    assert passed_on == sorted(passed_on)
    assert names(order)[-1] == CONV  # in front of the damage
    assert found.worst(0) == ()
    assert found.worst(2) == order[:2]


def test_channels_that_int8_cannot_hold_point_at_their_layer(pictures: Path, tmp_path: Path) -> None:
    source = edit_model(FLOAT, tmp_path / "unbalanced.tflite", unbalance_channels)
    variant = tmp_path / "ruined.tflite"
    quantize_file(source, variant, load_recipe("full_int8"), pictures)
    worst = compare(source, variant, pictures).worst(2)
    # The small channels are lost where the integers are coarse; the dense layer needs them and shows it.
    assert {layer.name for layer in worst} <= {DEPTHWISE, MEAN, DENSE}
    assert worst[0].snr_db < 15


def test_renamed_tensors_are_unmatched(pictures: Path, tmp_path: Path) -> None:
    renamed = edit_model(FLOAT, tmp_path / "renamed.tflite", rename(MEAN, "other"))
    found = compare(FLOAT, renamed, pictures)
    assert found.unmatched == (MEAN,)
    assert names(found.layers) == [CONV, DEPTHWISE, DENSE, SOFTMAX]
    assert all(map(silent, found.layers))


def test_error_in_front_of_an_unmatched_layer_is_not_charged_behind_it(
    pictures: Path, tmp_path: Path
) -> None:
    edits = (noisy(1, 0.2), rename(MEAN, "other"))
    whole = compare(FLOAT, edit_model(FLOAT, tmp_path / "whole.tflite", edits[0]), pictures)
    gap = compare(
        FLOAT, edit_model(FLOAT, tmp_path / "gap.tflite", several_edits(noisy(1, 0.2), edits[1])), pictures
    )
    assert gap.unmatched == (MEAN,)
    assert gap.worst(1) == whole.worst(1)
    assert gap.layers[2].name == DENSE
    assert gap.layers[2].snr_db == whole.layers[3].snr_db
    # The depthwise layer's error share is larger than the dense layer's: nothing was made between them.
    assert gap.layers[2].added_noise_db is None


def first_weight(value: float) -> Any:
    """Return an edit that sets the first weight of the dense layer."""

    def change(weights: np.ndarray) -> np.ndarray:
        return np.concatenate([[value], weights[1:]])

    return constant(3, change)


def test_layers_with_nan_are_unmatched(pictures: Path, tmp_path: Path) -> None:
    broken = edit_model(FLOAT, tmp_path / "broken.tflite", first_weight(np.nan))
    for first, second in ((FLOAT, broken), (broken, FLOAT), (broken, broken)):
        found = compare(first, second, pictures)
        assert DENSE in found.unmatched
        assert names(found.layers)[:3] == [CONV, DEPTHWISE, MEAN]
        assert all(map(silent, found.layers[:3]))
        assert DENSE not in names(found.worst())


def test_infinity(pictures: Path, tmp_path: Path) -> None:
    """The dense kernel clamps it to the largest float; so there is a number for it."""
    broken = edit_model(FLOAT, tmp_path / "broken.tflite", first_weight(np.inf))
    found = compare(FLOAT, broken, pictures)
    assert found.worst(1)[0].name == DENSE
    assert found.worst(1)[0].snr_db == -150.0
    assert all(map(silent, compare(broken, broken, pictures).layers))
    assert compare(broken, FLOAT, pictures).unmatched == ()


def test_infinity_that_flows(tmp_path: Path) -> None:
    """An input of infinity reaches the layers of both files; what comes of it cannot be compared."""
    samples = tmp_path / "samples.npz"
    values = np.ones((3, 1, 2), np.float32)
    values[1] = np.inf
    np.savez(samples, code=values)
    source = MODELS / "many_signatures.tflite"
    found = compare(source, source, samples, signature="decode")
    assert len(found.layers) + len(found.unmatched) == 5
    assert found.unmatched
    assert all(layer.snr_db == 150.0 for layer in found.layers)


def test_layers_of_zeros(pictures: Path, tmp_path: Path) -> None:
    zero = edit_model(FLOAT, tmp_path / "zero.tflite", constant(1, np.zeros_like))
    both = compare(zero, zero, pictures)
    assert all(map(silent, both.layers))
    lost = compare(FLOAT, zero, pictures).layers[1]
    # Bias and activation stay, so it is not all silence; but the worst that can be is a finite number.
    assert lost.snr_db < 10
    assert compare(zero, FLOAT, pictures).layers[1].snr_db >= -150.0


def two_input_samples(path: Path, **as_named: str) -> Path:
    random = np.random.default_rng(1)
    np.savez(
        path,
        **{
            as_named.get("features", "features"): random.normal(size=(6, 6)).astype(np.float32),
            as_named.get("kind", "kind"): random.integers(0, 5, (6,)).astype(np.int32)[:, None],
        },
    )
    return path


@pytest.mark.parametrize("recipe", ["float32", "full_int8"])
def test_several_inputs_with_and_without_signatures(recipe: str, tmp_path: Path) -> None:
    found = []
    for name in ("two_inputs", "no_signatures"):
        source, variant = MODELS / f"{name}.tflite", tmp_path / f"{name}.tflite"
        file = read_tflite(source)
        assert file.has_signatures == (name == "two_inputs")
        features, kind = (spec.name for spec in file.signatures[0].inputs)
        samples = two_input_samples(tmp_path / f"{name}.npz", features=features, kind=kind)
        quantize_file(source, variant, load_recipe(recipe), samples)
        found.append(compare(source, variant, samples))
    assert found[0] == found[1]
    operators = [layer.op for layer in found[0].layers]
    assert operators == ["GATHER", "FULLY_CONNECTED", "ADD", "RELU", "SUM", "SOFTMAX"]
    assert found[0].unmatched == ()
    if recipe == "float32":
        assert all(map(silent, found[0].layers))
    else:
        assert all(20 < layer.snr_db < 80 for layer in found[0].layers), found[0].layers


@pytest.mark.parametrize(("signature", "size", "layers"), [("encode", 6, 1), ("decode", 2, 5)])
def test_each_signature_has_its_own_graph(signature: str, size: int, layers: int, tmp_path: Path) -> None:
    source, variant = MODELS / "many_signatures.tflite", tmp_path / "variant.tflite"
    assert len(read_tflite(source).graphs) == 2
    entry = {"encode": "sample", "decode": "code"}[signature]
    samples = tmp_path / "samples.npz"
    np.savez(samples, **{entry: np.random.default_rng(2).normal(size=(6, 1, size)).astype(np.float32)})
    itself = compare(source, source, samples, signature=signature)
    assert len(itself.layers) == layers
    assert all(map(silent, itself.layers))
    quantize_file(source, variant, load_recipe("full_int8"), samples, signature=signature)
    found = compare(source, variant, samples, signature=signature)
    assert len(found.layers) + len(found.unmatched) == layers
    dense = next(layer for layer in found.layers if layer.op == "FULLY_CONNECTED")
    assert 20 < dense.snr_db < 60
    # The graphs share tensor numbers; values of the other one would be far off.
    assert dense.cosine > 0.999


def test_a_free_batch_axis(tmp_path: Path) -> None:
    source, samples = MODELS / "dynamic_batch.tflite", tmp_path / "samples.npz"
    np.savez(samples, x=np.random.default_rng(4).normal(size=(5, 8)).astype(np.float32))
    found = compare(source, source, samples)
    assert [layer.op for layer in found.layers] == ["FULLY_CONNECTED", "TANH"]
    assert all(map(silent, found.layers))


def test_the_limit_is_kept(pictures: Path, made: dict[str, Path]) -> None:
    few, all_of_them = (compare(FLOAT, made["full_int8"], pictures, limit=limit) for limit in (3, 100))
    assert (few.samples, all_of_them.samples) == (3, 12)
    assert few != all_of_them
    with np.load(pictures) as archive:
        np.savez(pictures.with_name("three.npz"), image=archive["image"][:3])
    assert few == compare(FLOAT, made["full_int8"], pictures.with_name("three.npz"), limit=100)


def test_round_trip_and_the_worker(pictures: Path, made: dict[str, Path], tmp_path: Path) -> None:
    here = compare(FLOAT, made["full_int8"], pictures)
    assert ErrorMap.from_dict(here.to_dict()) == here
    assert any(layer.added_noise_db is None for layer in here.layers)
    steps: list[str] = []
    there = run_in_worker(
        "edge_sdk.validate.error_map:map_errors",
        arguments_for(FLOAT, made["full_int8"], pictures),
        timeout_seconds=60,
        log=tmp_path / "map.log",
        progress=lambda step: steps.append(step.message),
    )
    assert ErrorMap.from_dict(there) == here
    assert any("comparing layers on 8 samples" in message for message in steps)


def test_what_cannot_be_compared_is_named(pictures: Path, made: dict[str, Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.tflite"
    torn.write_bytes(made["full_int8"].read_bytes()[:-2000])
    nothing, text = tmp_path / "nothing.tflite", tmp_path / "text.tflite"
    text.write_text("not a model at all")
    arguments = arguments_for(FLOAT, FLOAT, pictures)
    for broken in (torn, nothing, text):
        for key in ("float_model", "model"):
            with pytest.raises(ModelError, match=broken.name):
                map_errors({**arguments, key: str(broken)})
    with pytest.raises(ModelError, match=r"future_version\.tflite cannot be run"):
        compare(MODELS / "dynamic_batch.tflite", MODELS / "future_version.tflite", pictures)
    with pytest.raises(ModelError, match="no signature 'serving_default'"):
        compare(FLOAT, MODELS / "many_signatures.tflite", pictures)
    with pytest.raises(ModelError, match="no input 'image'"):
        compare(FLOAT, MODELS / "dynamic_batch.tflite", pictures)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_efficientnet_lite0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_models.fetch("efficientnet_lite0/weights.pth")
    monkeypatch.chdir(Path(__file__).parents[2])  # the worker imports tests.efficientnet_lite0
    source, variant, samples = (tmp_path / name for name in ("source.tflite", "int8.tflite", "photos.npz"))
    run_in_worker(
        "edge_sdk.convert.tflite:convert",
        {"kind": "function", "model": "tests.efficientnet_lite0:efficientnet_lite0", "output": str(source)},
        timeout_seconds=600,
        log=tmp_path / "convert.log",
    )
    image = ImagePreprocess(
        height=224, width=224, fit="crop", resize="bilinear_antialias", mean=(127.0,), std=(128.0,)
    )
    photos = [preprocess_image(path, image) for path, _ in real_models.imagenet_photos()[:4]]
    np.savez(samples, image=np.concatenate(photos))
    quantize_file(source, variant, load_recipe("full_int8"), samples)
    first, again = (compare(source, variant, samples, limit=2) for _ in range(2))
    assert first == again
    assert first.worst() == again.worst()
    assert first.unmatched == ()
    (graph,) = read_tflite(source).graphs
    assert len(first.layers) == len(graph.nodes) > 60
    snr = [layer.snr_db for layer in first.layers]
    assert 0 < min(snr) < np.median(snr) < max(snr) < 60
    assert first.worst(1)[0].added_noise_db is not None
    # Error adds up: the last quarter is worse than the first.
    assert np.median(snr[-15:]) < np.median(snr[:15])

"""Real models through every recipe, on real pictures with known labels."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, ImagePreprocess, Preprocess, Signature
from edge_sdk.convert.worker import run_in_worker
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.calibration import Samples, load_samples
from edge_sdk.quantize.ranges import measure_ranges
from edge_sdk.quantize.recipe import load_recipe, recipe_names
from edge_sdk.quantize.samples import iterate_feeds
from tests import real_models
from tests.quantize.test_apply import run

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def labelled(pictures: list[tuple[Path, int]], folder: Path) -> str:
    """Lay pictures out as FOLDER/<label>/*."""
    for path, label in pictures:
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / str(label))
    return str(folder)


def build(
    kind: str, model: str, image: ImagePreprocess, data: str, tmp_path: Path
) -> tuple[Signature, Samples, dict[str, Path]]:
    value = run_in_worker(
        "edge_sdk.convert.tflite:convert",
        {"kind": kind, "model": model, "output": str(tmp_path / "source.tflite")},
        timeout_seconds=600,
        log=tmp_path / "convert.log",
    )
    signature = Signature.from_dict(value["signatures"][0])
    contract = Contract(
        signatures=(signature,),
        default_signature=signature.name,
        preprocess={signature.inputs[0].name: Preprocess(image=image)},
    )
    samples = load_samples(data, contract, need_labels=True)
    np.savez(tmp_path / "samples.npz", **samples.inputs)
    ranges = measure_ranges(tmp_path / "source.tflite", tmp_path / "samples.npz")
    made = {}
    for name in recipe_names("litert"):
        made[name] = tmp_path / f"{name}.tflite"
        quantize_file(tmp_path / "source.tflite", made[name], load_recipe(name), None, ranges=ranges)
    return signature, samples, made


def right_answers(signature: Signature, samples: Samples, made: dict[str, Path]) -> dict[str, int]:
    assert samples.labels is not None
    (output,) = (spec.name for spec in signature.outputs)
    result = {}
    for name, path in made.items():
        best = [
            int(run(path, signature.name, feed)[output].argmax())
            for feed in iterate_feeds(signature, samples.inputs)
        ]
        result[name] = int((np.asarray(best) == samples.labels).sum())
    return result


def test_efficientnet_lite0_on_imagenet_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_models.fetch(next(key for key in real_models.SOURCES if "efficientnet" in key))
    # As in the model's own evaluation: a central crop of 224/256 of the shorter side, then 224 x 224.
    image = ImagePreprocess(
        height=224,
        width=224,
        crop_fraction=0.875,
        fit="crop",
        resize="bilinear_antialias",
        mean=(127.0,),
        std=(128.0,),
    )
    data = labelled(real_models.imagenet_photos(), tmp_path / "photos")
    monkeypatch.chdir(Path(__file__).parents[2])
    made = build("function", "tests.efficientnet_lite0:efficientnet_lite0", image, data, tmp_path)
    right = right_answers(*made)
    sizes = {name: path.stat().st_size / 2**20 for name, path in made[2].items()}
    print({name: (right[name], round(sizes[name], 2)) for name in right})
    assert right["float32"] >= 17
    assert all(right[name] >= right["float32"] - 1 for name in right)
    most = {"float16": 0.51, "int16x8": 0.28, "int4": 0.24, "int4_block": 0.24}
    for name in recipe_names("litert")[1:]:
        assert sizes[name] <= most.get(name, 0.27) * sizes["float32"], name


def test_resnet8_on_cifar_pictures(tmp_path: Path) -> None:
    source, _ = real_models.silabs("image_classification")
    image = ImagePreprocess(height=32, width=32, resize="none", mean=(128.0,), std=(128.0,))
    data = labelled(real_models.cifar10_photos(), tmp_path / "pictures")
    right = right_answers(*build("h5", str(source), image, data, tmp_path))
    print(right)
    assert right["float32"] >= 17
    assert all(right[name] >= right["float32"] - 2 for name in right)


def test_fer_agrees_with_its_own_authors_file(tmp_path: Path) -> None:
    theirs = real_models.fer_tflite()
    run_in_worker(
        "edge_sdk.convert.tflite:convert",
        {"kind": "h5", "model": str(real_models.fer_hdf5()), "output": str(tmp_path / "source.tflite")},
        timeout_seconds=600,
        log=tmp_path / "convert.log",
    )
    quantize_file(tmp_path / "source.tflite", tmp_path / "made.tflite", load_recipe("dynamic_int8"), None)
    from ai_edge_litert.interpreter import Interpreter

    def answers(path: Path, faces: np.ndarray) -> np.ndarray:
        interpreter = Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
        result = []
        for face in faces:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], face[None])
            interpreter.invoke()
            result.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
        return np.stack(result)

    rows = np.linspace(-1, 1, 64, dtype=np.float32)
    random = np.random.default_rng(0)
    faces = np.stack(
        [
            np.sin(rows[:, None] * a + b) * np.cos(rows[None, :] * c)
            for a, b, c in random.uniform(0, 6, (40, 3))
        ]
    )[..., None].astype(np.float32)
    ours, others = answers(tmp_path / "made.tflite", faces), answers(theirs, faces)
    assert (ours.argmax(1) == others.argmax(1)).mean() >= 0.9
    assert np.abs(ours - others).max() < 0.15
    assert (tmp_path / "made.tflite").stat().st_size < 0.15 * real_models.fer_hdf5().stat().st_size

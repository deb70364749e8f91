from __future__ import annotations

import json

import numpy as np
import pytest

from edge_sdk.bundle.digest import folder_digest
from edge_sdk.quantize.coreml.compress import Compressed
from edge_sdk.quantize.recipe import load_recipe, recipe_names
from edge_sdk.validate.coreml_reference import evaluate
from tests.quantize.coreml.conftest import Made
from tests.quantize.coreml.packages import weights

pytestmark = pytest.mark.tensorflow

WEIGHTS = ("wide", "depthwise", "dense", "product", "words")
NEWER = [name for name in recipe_names("coreml") if load_recipe(name).minimum_ios == "iOS18"]
OLDER = [
    name
    for name in recipe_names("coreml")
    if load_recipe(name).compresses and load_recipe(name).minimum_ios == "iOS16"
]
#: Lowest signal to noise ratio of the weights, in dB; they are drawn from a Laplace distribution.
SIGNAL = {
    "coreml_int8": 35,
    "coreml_palette8": 38,
    "coreml_palette6": 28,
    "coreml_palette4_mixed": 20,
    "coreml_palette4": 17,
    "coreml_uniform_palette4": 9,
    "coreml_palette2": 7,
    "coreml_palette1": 2.8,
    "coreml_sparse50": 10,
    "coreml_int4_block": 11,
    "coreml_int4": 11,
    "coreml_palette4_grouped": 17,
    "coreml_palette4_int8_table": 16,
    "coreml_sparse50_int8": 10,
    "coreml_sparse50_palette4": 9,
}


def signal(made: Made, target: str, recipe: str, name: str) -> float:
    float_weight = weights()[name].astype(np.float64)
    error = made.weight(target, recipe, name) - float_weight
    return float(10 * np.log10(np.sum(float_weight**2) / np.sum(error**2)))


@pytest.mark.parametrize("recipe", OLDER)
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_keep_their_signal(made: Made, recipe: str, name: str) -> None:
    assert signal(made, "iOS16", recipe, name) >= SIGNAL[recipe]
    # The forms of iOS 18 hold the same numbers.
    old, new = made.weight("iOS16", recipe, name), made.weight("iOS18", recipe, name)
    np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("recipe", NEWER)
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_keep_their_signal_in_forms_of_ios_18(made: Made, recipe: str, name: str) -> None:
    assert signal(made, "iOS18", recipe, name) >= SIGNAL[recipe]


@pytest.mark.parametrize("recipe", [*OLDER, *NEWER])
def test_the_answer_counts_what_got_smaller(made: Made, recipe: str) -> None:
    answer = Compressed.from_dict(made.answer("iOS18", recipe)["value"])
    assert (answer.recipe, answer.minimum_ios, answer.notes) == (recipe, "iOS18", ())
    assert answer.compressed == len(WEIGHTS)
    assert answer.compressed_elements == sum(weights()[name].size for name in WEIGHTS)
    # The mask is not finite, the last layer is small, and so is a bias.
    assert answer.kept == 3
    package = made.folder / "iOS18" / f"{recipe}.mlpackage"
    assert answer.bytes == sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


@pytest.mark.parametrize("recipe", NEWER)
def test_a_recipe_is_refused_below_its_ios_and_stops_no_other(made: Made, recipe: str) -> None:
    error = made.answer("iOS16", recipe)["error"]
    assert error["error"] == "ConfigError"
    assert error["what"] == f"recipe {recipe} needs iOS18, and the package is for iOS16"
    assert error["hint"] == "--deployment-target iOS18"


@pytest.mark.parametrize(("recipe", "bits"), [(f"coreml_palette{bits}", bits) for bits in (8, 6, 4, 2, 1)])
def test_a_palette_has_as_many_values_as_its_bits_allow(made: Made, recipe: str, bits: int) -> None:
    for name in WEIGHTS:
        assert len(np.unique(made.weight("iOS18", recipe, name))) <= 2**bits
    assert len(np.unique(made.weight("iOS18", recipe, "wide"))) >= 2**bits - 2**bits // 20
    assert len(np.unique(made.weight("iOS18", "palette3", "wide"))) == 8


def test_groups_blocks_and_channels_win_precision(made: Made) -> None:
    grouped = made.weight("iOS18", "coreml_palette4_grouped", "wide")
    assert 16 < len(np.unique(grouped)) <= 3 * 16
    for group in range(3):
        assert len(np.unique(grouped[group * 16 : group * 16 + 16])) <= 16
    per = {
        recipe: signal(made, "iOS18", recipe, "dense")
        for recipe in ("coreml_palette4", "coreml_palette4_grouped", "coreml_int4", "coreml_int4_block")
    }
    assert per["coreml_palette4_grouped"] > per["coreml_palette4"]
    assert per["coreml_int4_block"] > per["coreml_int4"]


def test_blocks_fit_channels_that_32_does_not_divide(made: Made) -> None:
    # 40 input channels: blocks of 20, each with a scale, so each with its own largest step of 7.
    block = made.weight("iOS18", "coreml_int4_block", "wide")[:, :20]
    steps = np.abs(block).max(axis=(1, 2, 3), keepdims=True) / 7
    np.testing.assert_allclose(block / steps, np.round(block / steps), atol=0.02)


@pytest.mark.parametrize("recipe", ["coreml_sparse50", "coreml_sparse50_int8", "coreml_sparse50_palette4"])
def test_the_smaller_half_is_left_out(made: Made, recipe: str) -> None:
    for name in WEIGHTS:
        value, plain = made.weight("iOS18", recipe, name), weights()[name]
        assert np.mean(value == 0) == pytest.approx(0.5, abs=0.01)
        assert np.abs(plain[value == 0]).max() <= np.median(np.abs(plain)) * 1.02


def test_what_keep_float_names_stays(made: Made) -> None:
    value = made.answer("iOS18", "no_dense")["value"]
    assert (value["compressed"], value["kept"]) == (4, 4)
    dense = made.weight("iOS18", "no_dense", "dense")
    np.testing.assert_array_equal(dense, weights()["dense"].astype(np.float16))


def test_the_mask_and_small_weights_stay(made: Made) -> None:
    for recipe in (*OLDER, *NEWER):
        for name in ("mask", "tiny"):
            kept = made.weight("iOS18", recipe, name)
            np.testing.assert_array_equal(kept, weights()[name].astype(np.float16))


def test_the_same_recipe_gives_the_same_bytes(made: Made) -> None:
    again = made.folder / "again" / "one.mlpackage"
    assert folder_digest(again) == folder_digest(made.folder / "iOS18" / "coreml_int8.mlpackage")


def test_descriptions_and_metadata_stay(made: Made) -> None:
    for package in ("source_iOS18.mlpackage", "iOS18/coreml_palette4.mlpackage"):
        model = (made.folder / package / "Data/com.apple.CoreML/model.mlmodel").read_bytes()
        for text in (b"picture", b"forty planes", b"scores", b"source_sha256", b"00ff", b"tests"):
            assert text in model, (package, text)
        manifest = json.loads((made.folder / package / "Manifest.json").read_text())
        assert manifest["rootModelIdentifier"] in manifest["itemInfoEntries"]


@pytest.mark.parametrize(
    ("case", "error", "text"),
    [
        ("twice", "ModelError", "compressed already"),
        ("target", "ConfigError", "the package is for iOS15"),
        ("tflite", "ConfigError", "compresses no Core ML package"),
        ("missing", "ModelError", "cannot be read"),
    ],
)
def test_what_cannot_be_compressed_is_refused(made: Made, case: str, error: str, text: str) -> None:
    refused = made.answers["refused"][case]
    assert refused["error"] == error
    assert text in refused["what"]
    assert not (made.folder / "refused.mlpackage").exists()
    assert not list(made.folder.glob(".*"))


def test_functions_are_compressed_and_share_their_weights(made: Made) -> None:
    value = made.answers["refused"]["functions"]["value"]
    assert (value["compressed"], value["compressed_elements"]) == (2, 2 * weights()["dense"].size)
    stored = made.folder / "two.mlpackage" / "Data/com.apple.CoreML/weights/weight.bin"
    assert stored.stat().st_size < 1.3 * weights()["dense"].size  # once, a byte each
    given = np.random.default_rng(2).normal(size=(1, 48)).astype(np.float32)
    for name, factor in (("once", 1.0), ("twice", 2.0)):
        answers = evaluate(made.folder / "two.mlpackage", {"features": given}, function=name)
        plain = given.astype(np.float64) @ weights()["dense"].T.astype(np.float64) * factor
        error = np.square(answers["scores"] - plain).sum() / np.square(plain).sum()
        assert error < 1e-3
    assert np.array_equal(
        evaluate(made.folder / "two.mlpackage", {"features": given})["scores"], answers["scores"]
    )


def test_a_classifier_keeps_its_labels(made: Made) -> None:
    assert made.answers["refused"]["classifier"]["value"]["compressed"] == 1
    given = np.random.default_rng(4).normal(size=(1, 48)).astype(np.float32)
    plain, found = (
        evaluate(made.folder / name, {"features": given})
        for name in ("classifier.mlpackage", "animals.mlpackage")
    )
    assert set(found) == set(plain)
    assert found["animal"] == plain["animal"]
    (shares,) = (name for name, value in found.items() if isinstance(value, dict))
    assert list(found[shares]) == [f"animal {index}" for index in range(64)]
    assert max(abs(found[shares][label] - plain[shares][label]) for label in found[shares]) < 0.01


@pytest.mark.parametrize("recipe", ["coreml_int8", "coreml_palette8"])
def test_the_reference_evaluator_computes_with_the_same_weights(made: Made, recipe: str) -> None:
    given = {
        "picture": np.random.default_rng(3).normal(size=(1, 40, 8, 8)).astype(np.float32),
        "words": np.array([[3, 5, 7, 95, 0]], np.int32),
    }
    plain = evaluate(made.folder / "source_iOS16.mlpackage", given)
    for target in ("iOS16", "iOS18"):
        found = evaluate(made.folder / target / f"{recipe}.mlpackage", given)
        for name in ("scores", "meaning"):
            noise = np.square(found[name].astype(np.float64) - plain[name]).sum()
            assert 10 * np.log10(np.square(plain[name].astype(np.float64)).sum() / noise) > 25, name
        meaning = made.weight(target, recipe, "words")[given["words"][0]].sum(axis=0)
        np.testing.assert_allclose(found["meaning"][0], meaning, atol=2e-3)


def test_a_recipe_that_changes_nothing_says_so(made: Made) -> None:
    value = made.answers["refused"]["large"]["value"]
    assert value["compressed"] == 0
    assert "no weight got smaller" in value["notes"][0]

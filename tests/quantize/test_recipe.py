from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names


def test_the_recipes_are_there_in_order() -> None:
    assert recipe_names()[:11] == [
        "float32",
        "float16",
        "weight_only_int8",
        "dynamic_int8",
        "full_int8",
        "full_int8_io",
        "int16x8",
        "int4",
        "int4_block",
        "tf_dynamic_int8",
        "tf_full_int8",
    ]
    assert recipe_names("litert") + recipe_names("tensorflow") + recipe_names("coreml") == recipe_names()
    assert recipe_names("tensorflow") == ["tf_dynamic_int8", "tf_full_int8"]
    assert [name for name in recipe_names() if load_recipe(name).needs_calibration] == [
        "full_int8",
        "full_int8_io",
        "int16x8",
        "tf_full_int8",
    ]


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_survives_the_trip_to_a_worker(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.title
    assert recipe.description
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_an_unknown_recipe_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe("full_int_8")
    assert caught.value.hint == "did you mean 'full_int8'?"
    with pytest.raises(ConfigError, match="as_is"):
        load_recipe("asis")


METHOD = 'title = "t"\nmethod = "dynamic"\nweight_bits = 8\n'
TENSORFLOW = 'title = "t"\nmethod = "dynamic"\nbackend = "tensorflow"\n'


def write(folder: Path, text: str) -> str:
    (folder / "mine.toml").write_text(text)
    return str(folder / "mine.toml")


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, 'title = "mine"\nmethod = "dynamic"\nweight_bits = 4\n'))
    assert (recipe.name, recipe.weight_bits, recipe.needs_calibration) == ("mine", 4, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "t"\nmethod = "magic"\n', "method is 'magic'"),
        ('title = "t"\nmethod = "static"\nweight_bits = 8\n', "activation_bits is None"),
        ('title = "t"\nmethod = "static"\nweight_bits = 8\nactivation_bits = 4\n', "activation_bits is 4"),
        ('title = "t"\nmethod = "dynamic"\nweight_bits = 7\n', "weight_bits is 7"),
        ('title = "t"\nmethod = "dynamic"\nweight_bits = 8\nio = "int8"\n', "needs activation_bits = 8"),
        ('title = "t"\nmethod = "none"\nwieght_bits = 8\n', "unknown key 'wieght_bits'"),
        ('title = "t"\nmethod = "dynamic"\nweight_bits = 4\nblock_size = 48\n', "block_size is 48"),
        ('title = "t"\nmethod = "dynamic"\nweight_bits = 8\nblock_size = 32\n', "block_size is 32"),
        ('title = "t"\nmethod = "weight_only"\nweight_bits = 16\n', "weight_bits is 16"),
        ('title = "t"\nmethod = "none"\n[[rules]]\nprecision = "int8"\n', "copies the model"),
        ('method = "none"\n', "title is missing"),
        ('title = "t"\nmethod = "none"\nbackend = "torch"\n', "backend is 'torch'"),
        (TENSORFLOW + "weight_bits = 4\n", "cannot make it"),
        (TENSORFLOW + 'weight_bits = 8\nkeep_float = ["CONV_2D"]\n', "knows no keep_float"),
        (TENSORFLOW + 'weight_bits = 8\nper_tensor_weights = ["CONV_2D"]\n', "FULLY_CONNECTED alone"),
        (METHOD + '[[rules]]\nprecision = "int7"\n', r"mine\.toml: a rule asks for precision 'int7'"),
        (METHOD + '[[rules]]\nprecision = "int8"\npattern = "["\n', r"mine\.toml: a rule's pattern '\['"),
        ("title = [", "not valid TOML"),
    ],
)
def test_a_bad_recipe_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(write(tmp_path, text))

"""Golden tolerances grow with how coarse a recipe is."""

from __future__ import annotations

from edge_sdk.quantize.recipe import load_recipe, recipe_names
from edge_sdk.validate.tolerance import EIGHT_BITS, FLOAT, HALF, golden_tolerance


def test_every_recipe() -> None:
    found = {}
    for name in recipe_names():
        recipe = load_recipe(name)
        found[name] = golden_tolerance(recipe.method, recipe.weight_bits, recipe.activation_bits)
    assert found["float32"] == FLOAT < found["float16"] == HALF < found["full_int8"] == EIGHT_BITS
    assert found["dynamic_int8"] == found["full_int8_io"] == EIGHT_BITS
    assert found["int16x8"] == HALF

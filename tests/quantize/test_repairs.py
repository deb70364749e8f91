"""Recipes are mended for the runtimes that need it, and only for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.quantize.recipe import load_recipe
from edge_sdk.quantize.repairs import repaired_for

OLD = RuntimeRequirement(name="tflite-runtime", minimum_version="2.14.0")
NEW = RuntimeRequirement(name="litert", minimum_version="2.1.0")


@pytest.fixture
def per_channel(tmp_path: Path) -> Path:
    """A user's own recipe: dynamic int8 with a scale per channel everywhere."""
    path = tmp_path / "per_channel.toml"
    path.write_text('title = "mine"\nmethod = "dynamic"\nweight_bits = 8\n')
    return path


def test_a_dynamic_recipe_gets_one_scale_a_dense_layer_for_the_old_runtime(per_channel: Path) -> None:
    recipe = load_recipe(str(per_channel))
    mended, sentences = repaired_for(recipe, [NEW, OLD])
    assert mended.per_tensor_weights == ("FULLY_CONNECTED",)
    assert len(sentences) == 1
    assert "tflite-runtime" in sentences[0]
    assert repaired_for(recipe, [NEW]) == (recipe, ())


@pytest.mark.parametrize(
    "name", ["float32", "float16", "dynamic_int8", "full_int8", "int16x8", "weight_only_int8"]
)
def test_recipes_that_need_nothing_stay_as_they_are(name: str) -> None:
    recipe = load_recipe(name)
    assert repaired_for(recipe, [OLD]) == (recipe, ())

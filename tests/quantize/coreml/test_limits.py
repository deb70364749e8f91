from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names

LOWEST = {
    "coreml_float32": "iOS15",
    "coreml_float16": "iOS15",
    "coreml_int8": "iOS16",
    "coreml_palette8": "iOS16",
    "coreml_palette6": "iOS16",
    "coreml_palette4_mixed": "iOS16",
    "coreml_palette4": "iOS16",
    "coreml_uniform_palette4": "iOS16",
    "coreml_palette2": "iOS16",
    "coreml_palette1": "iOS16",
    "coreml_sparse50": "iOS16",
    "coreml_int4_block": "iOS18",
    "coreml_int4": "iOS18",
    "coreml_palette4_grouped": "iOS18",
    "coreml_palette4_int8_table": "iOS18",
    "coreml_sparse50_int8": "iOS18",
    "coreml_sparse50_palette4": "iOS18",
}


def make(method: str, **fields: Any) -> Recipe:
    return Recipe(name="mine", title="t", backend="coreml", method=method, **fields)


def test_each_shipped_recipe_names_its_lowest_ios() -> None:
    assert {name: load_recipe(name).minimum_ios for name in recipe_names("coreml")} == LOWEST
    for name, lowest in LOWEST.items():
        recipe = load_recipe(name)
        assert recipe.format == "mlpackage"
        assert f"iOS {lowest[3:]}." in recipe.description
        assert recipe.compresses == (name not in ("coreml_float32", "coreml_float16"))
        assert not recipe.needs_calibration


def test_a_tflite_recipe_has_no_lowest_ios() -> None:
    recipe = load_recipe("full_int8")
    assert (recipe.minimum_ios, recipe.format, recipe.compresses) == (None, "tflite", False)


@pytest.mark.parametrize(
    ("fields", "lowest"),
    [
        ({"method": "palette", "palette": "kmeans", "weight_bits": 3}, "iOS18"),
        ({"method": "weight_only", "weight_bits": 8, "block_size": 64}, "iOS18"),
        (
            {"method": "palette", "palette": "uniform", "weight_bits": 8, "compute_precision": "float32"},
            "iOS16",
        ),
        ({"method": "sparse", "sparsity": 0.75, "keep_float": ("conv",)}, "iOS16"),
    ],
)
def test_recipes_of_ones_own(fields: dict[str, Any], lowest: str) -> None:
    assert make(**fields).minimum_ios == lowest


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"method": "static", "weight_bits": 8, "activation_bits": 8}, "macOS"),
        ({"method": "dynamic", "weight_bits": 8}, "integer weights only"),
        ({"method": "cube"}, "method"),
        ({"method": "weight_only", "weight_bits": 6}, "weight_bits"),
        ({"method": "palette", "palette": "kmeans", "weight_bits": 5}, "weight_bits"),
        ({"method": "palette", "weight_bits": 4}, "palette is None"),
        ({"method": "weight_only", "weight_bits": 8, "palette": "kmeans"}, "palette goes with"),
        ({"method": "weight_only", "weight_bits": 8, "group_size": 16}, "group_size goes with"),
        ({"method": "palette", "palette": "kmeans", "weight_bits": 4, "group_size": 0}, "number of channels"),
        ({"method": "palette", "palette": "kmeans", "weight_bits": 4, "block_size": 32}, "block_size"),
        ({"method": "palette", "palette": "kmeans", "weight_bits": 4, "table_bits": 4}, "allowed: 8"),
        ({"method": "weight_only", "weight_bits": 4, "block_size": 33}, "32 or 64"),
        ({"method": "weight_only", "weight_bits": 8, "block_size": 32, "sparsity": 0.5}, "without sparsity"),
        ({"method": "sparse"}, "needs sparsity"),
        ({"method": "weight_only", "weight_bits": 8, "minimum_signal": 20.0}, "minimum_signal goes with"),
        ({"method": "sparse", "sparsity": 1.0}, "between 0 and 1"),
        ({"method": "none"}, "computes in float32"),
        ({"method": "float16", "weight_bits": 16, "compute_precision": "float32"}, "computes in float16"),
        ({"method": "float16", "weight_bits": 16, "keep_float": ("conv",)}, "leaves all weights"),
        ({"method": "float16", "weight_bits": 16, "sparsity": 0.5}, "sparsity goes with"),
        ({"method": "float16", "weight_bits": 16, "io": "int8"}, "knows no io"),
        ({"method": "float16", "weight_bits": 16, "compute_precision": "bfloat16"}, "compute_precision"),
    ],
)
def test_what_cannot_be_made_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**fields)
    assert text in str(caught.value)


@pytest.mark.parametrize("line", ["sparsity = 0.5", 'palette = "kmeans"', 'compute_precision = "float32"'])
def test_a_tflite_recipe_knows_no_fields_of_core_ml(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "t"\nmethod = "dynamic"\nweight_bits = 8\n{line}\n')
    with pytest.raises(ConfigError, match=r'is for Core ML packages[\s\S]*backend = "coreml"'):
        load_recipe(str(path))

"""What a Core ML recipe may ask for, and the oldest iOS that reads what it makes.

The weights of a package are expanded by operators that came with different operator sets: `constexpr_*` of
iOS 16, and newer ones of iOS 18 that know 4-bit and 3-bit types, blocks, groups and chains of each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_sdk.errors import ConfigError

if TYPE_CHECKING:
    from edge_sdk.quantize.recipe import Recipe

#: Methods that a Core ML recipe may have.
METHODS = ("none", "float16", "weight_only", "palette", "sparse")
#: Those of them that do more than convert.
COMPRESSING = ("weight_only", "palette", "sparse")
#: How the values of a table are chosen.
PALETTES = ("kmeans", "uniform")
PRECISIONS = ("float16", "float32")
#: Bits of a weight.
_BITS: dict[str, tuple[int | None, ...]] = {
    "none": (None,),
    "float16": (16,),
    "weight_only": (8, 4),
    "palette": (8, 6, 4, 3, 2, 1),
    "sparse": (None,),
}
#: What only Core ML packages have, with the value that says "leave it".
COREML_ONLY: dict[str, Any] = {
    "palette": None,
    "group_size": None,
    "table_bits": None,
    "minimum_signal": None,
    "sparsity": None,
    "compute_precision": "float16",
}
#: What only .tflite files have.
_TFLITE_ONLY: dict[str, Any] = {
    "activation_bits": None,
    "io": "float",
    "per_tensor_weights": (),
    "float_outputs": (),
    "rules": (),
}


def check_coreml(recipe: Recipe) -> None:
    """Refuse a recipe with backend "coreml" that cannot be made.

    Raises:
        ConfigError: Which field, and what is possible instead.
    """
    if recipe.method in ("static", "dynamic"):
        raise ConfigError(
            f"recipe {recipe.name}: Core ML packages get integer weights only",
            why="coremltools measures the ranges of activations by running the model, which needs macOS",
            hint='method = "weight_only" or "palette"',
        )
    _one_of(recipe, "method", METHODS)
    _one_of(recipe, "compute_precision", PRECISIONS)
    _one_of(recipe, "weight_bits", _BITS[recipe.method])
    for field, nothing in _TFLITE_ONLY.items():
        if getattr(recipe, field) != nothing:
            raise ConfigError(
                f"recipe {recipe.name}: a Core ML package knows no {field}", hint='backend = "litert"'
            )
    fixed = {"none": "float32", "float16": "float16"}.get(recipe.method)
    if fixed not in (None, recipe.compute_precision):
        raise ConfigError(
            f"recipe {recipe.name}: method {recipe.method!r} computes in {fixed}",
            hint=f'compute_precision = "{fixed}"',
        )
    _check_compression(recipe)


def _check_compression(recipe: Recipe) -> None:
    palette = recipe.method == "palette"
    if palette:
        _one_of(recipe, "palette", PALETTES)
    _goes_with(recipe, "palette", palette, 'method = "palette"')
    _goes_with(recipe, "group_size", palette, 'method = "palette"')
    _goes_with(recipe, "table_bits", palette, 'method = "palette"')
    _goes_with(recipe, "minimum_signal", palette and recipe.sparsity is None, 'method = "palette" alone')
    _goes_with(recipe, "sparsity", recipe.method in COMPRESSING, 'method = "sparse"')
    for field in ("keep_float", "minimum_weight_elements"):
        if getattr(recipe, field) and recipe.method not in COMPRESSING:
            raise ConfigError(f"recipe {recipe.name}: method {recipe.method!r} leaves all weights", why=field)
    if recipe.sparsity is None and recipe.method == "sparse":
        raise ConfigError(f'recipe {recipe.name}: method "sparse" needs sparsity', hint="sparsity = 0.5")
    if recipe.sparsity is not None and not 0 < recipe.sparsity < 1:
        raise ConfigError(
            f"recipe {recipe.name}: sparsity is {recipe.sparsity}",
            why="it is the share of zeros, between 0 and 1",
        )
    if recipe.group_size is not None and recipe.group_size < 1:
        raise ConfigError(
            f"recipe {recipe.name}: group_size is {recipe.group_size}", why="it is a number of channels"
        )
    if recipe.table_bits not in (None, 8):
        raise ConfigError(f"recipe {recipe.name}: table_bits is {recipe.table_bits}", why="allowed: 8")
    if recipe.block_size is not None and recipe.sparsity is not None:
        raise ConfigError(
            f"recipe {recipe.name}: block_size goes without sparsity",
            why="where weights are left out, a block has no fixed number of them",
        )


def minimum_ios(recipe: Recipe) -> str | None:
    """Return the oldest system that reads what a recipe makes ("iOS16"); None for a .tflite."""
    if recipe.backend != "coreml":
        return None
    if recipe.method not in COMPRESSING:
        return "iOS15"
    newer = (
        (recipe.method == "weight_only" and recipe.weight_bits == 4)
        or recipe.weight_bits == 3
        or recipe.block_size is not None
        or recipe.group_size is not None
        or recipe.table_bits is not None
        or (recipe.sparsity is not None and recipe.method != "sparse")
    )
    return "iOS18" if newer else "iOS16"


def _one_of(recipe: Recipe, field: str, choices: tuple[Any, ...]) -> None:
    if getattr(recipe, field) not in choices:
        raise ConfigError(
            f"recipe {recipe.name}: {field} is {getattr(recipe, field)!r}",
            why=f"Core ML with method {recipe.method!r} allows: " + ", ".join(map(str, choices)),
        )


def _goes_with(recipe: Recipe, field: str, allowed: bool, condition: str) -> None:
    if getattr(recipe, field) is not None and not allowed:
        raise ConfigError(f"recipe {recipe.name}: {field} goes with {condition}")

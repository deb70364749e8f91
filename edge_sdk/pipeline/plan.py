"""What a build will make, decided before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_sdk.errors import ConfigError
from edge_sdk.quantize.recipe import AS_IS, Recipe, load_recipe
from edge_sdk.quantize.repairs import repaired_for
from edge_sdk.targets import DEPLOYMENT_TARGETS, Target

#: A `.tflite` source as it came: not a recipe file, because nothing is done to it.
PASS_THROUGH = Recipe(name=AS_IS, title="As it is", description="The source, unchanged.", method="none")
_NEEDS_DATA = "needs calibration data (--calibration DATA)"


@dataclass(frozen=True)
class RecipePlan:
    """The recipes of a build.

    Attributes:
        recipes: In the order of the report.
        skipped: Recipes of the targets' own lists that are left out, with the reason. One that the user
            asked for is never skipped.
        repairs: What was changed in recipes for the targets' runtimes, one sentence each.
        deployment_target: Oldest system that Core ML packages are made for; None without such a target.
    """

    recipes: tuple[Recipe, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    deployment_target: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Situation:
    """What decides whether a recipe can be made."""

    has_calibration: bool
    is_tflite: bool
    is_float: bool
    formats: frozenset[str]
    deployment_target: str | None


def plan_recipes(
    *,
    targets: Sequence[Target],
    requested: Sequence[str],
    has_calibration: bool,
    source_is_tflite: bool,
    source_is_float: bool,
) -> RecipePlan:
    """Decide which recipes are made.

    Args:
        targets: Whose own lists count where the user names no recipe.
        requested: What the user named.
        has_calibration: There is calibration data.
        source_is_tflite: The source needs no conversion, and passes through as `as_is`.
        source_is_float: The source can be quantized.

    Raises:
        ConfigError: An unknown recipe, one that cannot be made from this source or without data, or
            nothing left to make.
    """
    situation = _Situation(
        has_calibration=has_calibration,
        is_tflite=source_is_tflite,
        is_float=source_is_float,
        formats=frozenset(target.format for target in targets),
        deployment_target=_oldest(targets),
    )
    if requested:
        recipes = [PASS_THROUGH if name == AS_IS else load_recipe(name) for name in dict.fromkeys(requested)]
        for recipe in recipes:
            reason = _obstacle(recipe, situation)
            if reason:
                raise ConfigError(f"recipe {recipe.name} cannot be made", why=reason)
        _check_unique(recipes)
        return _mended(recipes, {}, targets, situation)
    chosen = [PASS_THROUGH] if source_is_tflite and "tflite" in situation.formats else []
    skipped = {}
    for name in dict.fromkeys(name for target in targets for name in target.recipes):
        recipe = load_recipe(name)
        if source_is_tflite and recipe.method == "none" and recipe.format == "tflite":
            continue  # it would be the same bytes as as_is
        reason = _obstacle(recipe, situation)
        if reason:
            skipped[recipe.name] = reason
        else:
            chosen.append(recipe)
    if not chosen:
        raise ConfigError(
            "there is no recipe that can be made",
            why="; ".join(f"{name}: {reason}" for name, reason in skipped.items()),
            hint="give --calibration DATA, or name a recipe with --recipe (edge recipes lists them)",
        )
    _check_unique(chosen)
    return _mended(chosen, skipped, targets, situation)


def _oldest(targets: Sequence[Target]) -> str | None:
    versions = [target.runtime.minimum_version for target in targets if target.format == "mlpackage"]
    return min((version for version in versions if version), key=DEPLOYMENT_TARGETS.index, default=None)


def _mended(
    recipes: Sequence[Recipe], skipped: dict[str, str], targets: Sequence[Target], situation: _Situation
) -> RecipePlan:
    runtimes = [target.runtime for target in targets if target.format == "tflite"]
    pairs = [repaired_for(recipe, runtimes) for recipe in recipes]
    return RecipePlan(
        recipes=tuple(recipe for recipe, _ in pairs),
        skipped=skipped,
        repairs=tuple(sentence for _, sentences in pairs for sentence in sentences),
        deployment_target=situation.deployment_target,
    )


def _obstacle(recipe: Recipe, situation: _Situation) -> str | None:
    if recipe.format not in situation.formats:
        return (
            "it makes a Core ML package, and no target here takes one; add --target ios"
            if recipe.format == "mlpackage"
            else "it makes a .tflite, and the targets take Core ML packages; add --target host, or a board"
        )
    if recipe.format == "mlpackage":
        return _coreml_obstacle(recipe, situation)
    if recipe is PASS_THROUGH:
        return (
            None
            if situation.is_tflite
            else "only a .tflite passes through as it is; float32 is the plain conversion"
        )
    if situation.is_tflite and recipe.backend == "tensorflow":
        return "TensorFlow's converter needs the model that the .tflite was made from"
    if situation.is_tflite and not situation.is_float:
        return "the source is quantized already; only as_is is possible"
    if recipe.needs_calibration and not situation.has_calibration:
        return _NEEDS_DATA
    return None


def _coreml_obstacle(recipe: Recipe, situation: _Situation) -> str | None:
    if situation.is_tflite:
        return (
            "a Core ML package is made from the TensorFlow model; coremltools cannot read a .tflite, whose "
            "operators are rewritten for another runtime. Give the SavedModel, .keras or .h5 it came from"
        )
    have, need = situation.deployment_target, recipe.minimum_ios
    assert have is not None
    if need is not None and DEPLOYMENT_TARGETS.index(need) > DEPLOYMENT_TARGETS.index(have):
        return f"it needs {need}, and the deployment target is {have} (--deployment-target {need})"
    return None


def _check_unique(recipes: Sequence[Recipe]) -> None:
    names = [recipe.name for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two recipes are called {name!r}", hint="rename one of the files")

"""Known repairs: what a recipe must do otherwise, so that a target's runtime can run what it makes.

`repairs.toml` holds them as data: the runtime, the recipes it is about, the change and its reason. A repair
is made in the recipe, not in the finished file: a version number that is merely lowered lets an old runtime
load weights that it then reads wrongly.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.contract.document import Document
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.targets import read_toml, refuse_unknown_keys

_FILE = Path(__file__).parent / "repairs.toml"


@dataclass(frozen=True, kw_only=True)
class Repair(Document):
    """One repair.

    Attributes:
        runtime: Whose kernels need it.
        methods: Recipes of these methods are concerned.
        weight_bits: And of these bits a weight.
        per_tensor_weights: Operators whose weights get one scale instead of one per channel.
        reason: Why; a sentence's second half.
    """

    runtime: str
    methods: tuple[str, ...]
    weight_bits: tuple[int, ...]
    per_tensor_weights: tuple[str, ...]
    reason: str


def repaired_for(recipe: Recipe, runtimes: Sequence[RuntimeRequirement]) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe as these runtimes need it, and what was changed, one sentence each.

    Args:
        recipe: As it was asked for; returned as it is where nothing has to change.
        runtimes: Of all targets of a build: they share its files.
    """
    sentences = []
    for repair in _repairs():
        if repair.runtime not in {runtime.name for runtime in runtimes}:
            continue
        if recipe.method not in repair.methods or recipe.weight_bits not in repair.weight_bits:
            continue
        missing = tuple(name for name in repair.per_tensor_weights if name not in recipe.per_tensor_weights)
        if missing:
            recipe = dataclasses.replace(recipe, per_tensor_weights=(*recipe.per_tensor_weights, *missing))
            sentences.append(
                f"{recipe.name}: one scale for the weights of {', '.join(missing)}, for {repair.runtime}: "
                f"{repair.reason}"
            )
    return recipe, tuple(sentences)


@functools.cache
def _repairs() -> tuple[Repair, ...]:
    found = []
    for entry in read_toml(_FILE)["repair"]:
        repair = Repair.from_dict(entry)
        refuse_unknown_keys(repair, _FILE)
        found.append(repair)
    return tuple(found)

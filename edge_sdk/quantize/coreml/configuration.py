"""A recipe in the words of coremltools: which passes run, and what each weight gets.

Imports coremltools at module import, so import it inside of a worker function only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from coremltools.optimize import _utils as axes
from coremltools.optimize.coreml import (
    OpLinearQuantizerConfig,
    OpMagnitudePrunerConfig,
    OpPalettizerConfig,
    OptimizationConfig,
    linear_quantize_weights,
    palettize_weights,
    prune_weights,
)

from edge_sdk.quantize.coreml.palette import Array, kmeans_palette, uniform_palette
from edge_sdk.quantize.recipe import Recipe


@dataclass(frozen=True)
class Pass:
    """One pass over all weights of a package.

    Attributes:
        run: Of coremltools; takes the model, the configuration and whether it goes on from an earlier pass.
        settings: What each weight gets.
        joint: True where it compresses further what an earlier pass has made.
    """

    run: Callable[..., Any]
    settings: OptimizationConfig
    joint: bool

    def __call__(self, model: Any) -> Any:
        """Return a compressed model."""
        return self.run(model, self.settings, joint_compression=self.joint)


class PerWeight(OptimizationConfig):  # type: ignore[misc]
    """Settings that look at each weight before they decide.

    coremltools leaves a weight alone where a block or group does not divide its channels, and breaks palettes
    and scales on weights that are not finite. Here such a weight gets the block or group that fits, and
    what is not finite (the mask of an attention, say) is left as it is.
    """

    def __init__(self, recipe: Recipe, choose: Callable[[Any, Recipe], Any]) -> None:
        super().__init__(op_type_configs=dict.fromkeys(recipe.keep_float))
        # The configuration that stands for "compress" until the weight is known.
        self.set_global(choose(None, recipe))
        self._recipe = recipe
        self._choose = choose

    def _get_const_op_config(self, op: Any) -> Any:
        # The hook that coremltools' passes ask for every constant.
        general = super()._get_const_op_config(op)
        if general is None:
            return None
        value = op.outputs[0].val
        if value is not None and value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            return None
        return self._choose(op, self._recipe)


def passes(recipe: Recipe) -> Iterator[Pass]:
    """Yield the passes of a recipe, in order: first what leaves out, then what rounds, then the tables."""
    joint = False
    if recipe.sparsity is not None:
        yield Pass(prune_weights, PerWeight(recipe, _pruned), joint)
        joint = True
    if recipe.method == "weight_only":
        yield Pass(linear_quantize_weights, PerWeight(recipe, _linear), joint)
    elif recipe.method == "palette":
        yield Pass(palettize_weights, PerWeight(recipe, _palette), joint)
        if recipe.table_bits is not None:
            yield Pass(linear_quantize_weights, PerWeight(recipe, _table), True)


def fitting(channels: int, wanted: int) -> int | None:
    """Return the size nearest below `wanted` that divides `channels`; None where it is less than half."""
    for size in range(min(wanted, channels), max(wanted // 2, 1) - 1, -1):
        if channels % size == 0:
            return size
    return None


def _pruned(op: Any, recipe: Recipe) -> Any:
    return OpMagnitudePrunerConfig(target_sparsity=recipe.sparsity, weight_threshold=_threshold(recipe))


def _linear(op: Any, recipe: Recipe) -> Any:
    block = None
    if op is not None and recipe.block_size is not None:
        axis = axes.select_input_output_channel_axis(op)[0]
        block = None if axis is None else _fits(op, axis, recipe.block_size)
    return OpLinearQuantizerConfig(
        mode="linear_symmetric",
        dtype=f"int{recipe.weight_bits}",
        granularity="per_channel" if block is None else "per_block",
        block_size=block or 0,
        weight_threshold=_threshold(recipe),
    )


def _palette(op: Any, recipe: Recipe) -> Any:
    group = None
    if op is not None and recipe.group_size is not None:
        axis = axes.select_input_output_channel_axis(op)[1]
        group = None if axis is None else _fits(op, axis, recipe.group_size)
    grouped = {"granularity": "per_grouped_channel", "group_size": group} if group else {}
    bits, choose = int(recipe.weight_bits or 0), _CHOOSE[str(recipe.palette)]
    if op is not None and recipe.minimum_signal is not None and op.outputs[0].val is not None:
        bits = _enough_bits(op.outputs[0].val, bits, choose, recipe.minimum_signal)

    def of_group(weights: Array) -> tuple[Array, Array]:
        return _table_of(weights, bits, choose, sparse=recipe.sparsity is not None)

    return OpPalettizerConfig(
        mode="custom", lut_function=of_group, weight_threshold=_threshold(recipe), **grouped
    )


def _table(op: Any, recipe: Recipe) -> Any:
    # One scale per weight: coremltools knows no other for tables.
    return OpLinearQuantizerConfig(
        mode="linear_symmetric",
        dtype=f"int{recipe.table_bits}",
        granularity="per_tensor",
        weight_threshold=_threshold(recipe),
    )


#: Bits of a palette that every Core ML with palettes reads.
_WIDER = (1, 2, 4, 6, 8)
_CHOOSE = {"kmeans": kmeans_palette, "uniform": uniform_palette}


def _enough_bits(
    weights: Array, bits: int, choose: Callable[[Array, int], tuple[Array, Array]], signal: float
) -> int:
    """Return the fewest bits, from `bits` on, with which one table keeps the signal; else the most."""
    wider = [more for more in _WIDER if more >= bits]
    exact = weights.astype(np.float64)
    for more in wider:
        table, indices = choose(weights, more)
        noise = np.square(table[indices].astype(np.float64).reshape(exact.shape) - exact).sum()
        if noise <= np.square(exact).sum() * 10 ** (-signal / 10):
            return more
    return wider[-1]


def _table_of(
    weights: Array, bits: int, choose: Callable[[Array, int], tuple[Array, Array]], *, sparse: bool
) -> tuple[Array, Array]:
    flat = weights.reshape(-1)
    kept = np.flatnonzero(flat) if sparse else np.arange(flat.size)
    if kept.size == 0:
        kept = np.arange(flat.size)
    # What is left out has an index that nobody reads; it must not cost a value of the table.
    indices = np.zeros(flat.size, np.uint8)
    table, indices[kept] = choose(flat[kept], bits)
    return table, indices


def _fits(op: Any, axis: int, wanted: int) -> int | None:
    shape = op.outputs[0].shape
    # The axes of one operator that reads the weight; another one may have fewer.
    return fitting(shape[axis], wanted) if -len(shape) <= axis < len(shape) else None


def _threshold(recipe: Recipe) -> int:
    # coremltools compresses what has more elements than the threshold.
    return max(recipe.minimum_weight_elements - 1, 0)

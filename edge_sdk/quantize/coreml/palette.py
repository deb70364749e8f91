"""Chooses the values of a palette: a few numbers that stand for all weights of a layer.

coremltools leaves this to scikit-learn, whose k-means takes minutes for 256 values of a million weights and
depends on the number of threads. One-dimensional k-means needs neither: sorted weights make every cluster a
range, and prefix sums give its mean at once, so that the answer is quick and the same everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: More rounds were never needed to within float16; the loop ends sooner where nothing moves.
_ROUNDS = 200
#: Up to this many values the start is an exact partition of cells; beyond it takes seconds and wins little.
_EXACT_SIZE = 64

Array = npt.NDArray[Any]


def kmeans_palette(weights: Array, bits: int) -> tuple[Array, Array]:
    """Return values that make the squared error small, and for each weight which one stands for it.

    Args:
        weights: Float, any shape, finite.
        bits: 1 to 8.

    Returns:
        A table [2**bits] of the weights' dtype, ascending, its last value repeated where fewer are needed;
        indices [number of weights], uint8, in C order.
    """
    flat = weights.reshape(-1)
    values, where, counts = np.unique(flat, return_inverse=True, return_counts=True)
    size = 1 << bits
    if len(values) <= size:
        return _pad(values, size), where.reshape(-1).astype(np.uint8)
    points = values.astype(np.float64)
    centres = _refine(points, counts.astype(np.float64), _start(points, counts, size))
    # The table is stored in the weights' type: weights belong to the value that is nearest after rounding.
    table = np.unique(centres.astype(flat.dtype))
    nearest = _nearest(points, table.astype(np.float64))
    return _pad(table, size), nearest[where.reshape(-1)].astype(np.uint8)


def uniform_palette(weights: Array, bits: int) -> tuple[Array, Array]:
    """Return values in equal steps from the smallest to the largest weight, and each weight's index.

    Args and Returns as of `kmeans_palette`.
    """
    flat = weights.reshape(-1)
    low, high = float(flat.min()), float(flat.max())
    table = np.linspace(low, high, 1 << bits).astype(flat.dtype)
    return table, _nearest(flat.astype(np.float64), table.astype(np.float64)).astype(np.uint8)


def _start(points: Array, counts: Array, size: int) -> Array:
    """Return start centres: the best ones where only the bounds of some hundred cells may part clusters.

    Rounds of k-means alone stay in the first arrangement that they cannot improve step by step: with rare
    large weights they leave twice the error of the best one.
    """
    cells = _cells(points, counts, 8 * size)
    if size > _EXACT_SIZE:
        # For many centres the best density of them is the cube root of that of the weights (Panter and Dite).
        width = np.diff(points[cells[:-1]], append=points[-1])
        mass = np.add.reduceat(counts, cells[:-1])
        share = np.cumsum(np.cbrt(mass * width**2))
        share = np.concatenate([[0.0], share / share[-1]])
        edges = np.concatenate([points[cells[:-1]], points[-1:]])
        spread: Array = np.interp((np.arange(size) + 0.5) / size, share, edges)
        return spread
    total = np.concatenate([[0.0], np.cumsum(counts)])[cells]
    weighted = np.concatenate([[0.0], np.cumsum(counts * points)])[cells]
    squared = np.concatenate([[0.0], np.cumsum(counts * points**2)])[cells]
    bounds = _partition(total, weighted, squared, size)
    centres: Array = np.diff(weighted[bounds]) / np.diff(total[bounds])
    return centres


def _cells(points: Array, counts: Array, number: int) -> Array:
    """Return first points of cells that are narrow where weights are dense, and where they are wide apart."""
    total = np.cumsum(counts)
    shares = np.searchsorted(total, np.linspace(0, total[-1], number // 2, endpoint=False))
    steps = np.searchsorted(points, np.linspace(points[0], points[-1], number // 2, endpoint=False))
    cells = np.unique(np.concatenate([[0], shares, steps]))
    return np.concatenate([cells[cells < len(points)], [len(points)]])


def _partition(total: Array, weighted: Array, squared: Array, size: int) -> Array:
    """Return the bounds of at most `size` clusters of cells with the smallest squared error (exact)."""
    members = total[None, :] - total[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (weighted[None, :] - weighted[:, None]) ** 2 / members
    # cost[i, j]: of one cluster of the cells i to j - 1
    cost = np.where(members > 0, squared[None, :] - squared[:, None] - means, np.inf)
    size = min(size, len(total) - 1)
    best = cost[0]
    cuts = []
    for _ in range(size - 1):
        candidates = best[:, None] + cost
        cut = np.argmin(candidates, axis=0)
        cuts.append(cut)
        best = candidates[cut, np.arange(len(cut))]
    bounds = [len(total) - 1]
    for cut in reversed(cuts):
        bounds.append(int(cut[bounds[-1]]))
    return np.array([0, *reversed(bounds)])


def _refine(points: Array, counts: Array, centres: Array) -> Array:
    """Run Lloyd's rounds on sorted points until no centre moves."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    weighted = np.concatenate([[0.0], np.cumsum(counts * points)])
    bounds: Array | None = None
    for _ in range(_ROUNDS):
        cuts = np.searchsorted(points, (centres[1:] + centres[:-1]) / 2)
        new = np.concatenate([[0], cuts, [len(points)]])
        if bounds is not None and np.array_equal(new, bounds):
            break
        bounds = new
        members = total[new[1:]] - total[new[:-1]]
        sums = weighted[new[1:]] - weighted[new[:-1]]
        # A centre that no weight is nearest to stays where it is; it may win some later.
        centres = np.where(members > 0, sums / np.maximum(members, 1), centres)
        centres.sort()
    return centres


def _nearest(points: Array, table: Array) -> Array:
    nearest: Array = np.searchsorted((table[1:] + table[:-1]) / 2, points)
    return nearest


def _pad(table: Array, size: int) -> Array:
    return np.concatenate([table, np.repeat(table[-1:], size - len(table))])

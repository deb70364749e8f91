"""How much memory tensors take when they share one block: the planner that the runtimes use, on paper.

The largest tensor is placed first, each at the lowest gap among those that live at the same time ("greedy by
size"). TensorFlow Lite's arena and XNNPACK's workspace both work this way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Lifetime(NamedTuple):
    """One tensor: bytes, and the first and last step at which it must exist."""

    size: int
    first: int
    last: int


def arena_bytes(lifetimes: Iterable[Lifetime], *, alignment: int = 64) -> int:
    """Return the size of a block that holds all tensors.

    Args:
        lifetimes: Of the tensors that share the block.
        alignment: In bytes, of every tensor.
    """
    placed: list[tuple[int, int, Lifetime]] = []  # (start, end, lifetime), by start
    total = 0
    for item in sorted(lifetimes, key=_largest_first):
        size = -(-item.size // alignment) * alignment
        best: int | None = None
        best_gap = 0
        free_from = 0
        for start, end, other in placed:
            if other.last < item.first or other.first > item.last:
                continue
            gap = start - free_from
            if gap >= size and (best is None or gap < best_gap):
                best, best_gap = free_from, gap
            free_from = max(free_from, end)
        start = free_from if best is None else best
        placed.append((start, start + size, item))
        placed.sort(key=_start)
        total = max(total, start + size)
    return total


def _largest_first(item: Lifetime) -> tuple[int, int]:
    return -item.size, item.first


def _start(entry: tuple[int, int, Lifetime]) -> int:
    return entry[0]

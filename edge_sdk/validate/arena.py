"""How much memory tensors take when they share one block: the planner that the runtimes use, on paper.

The largest tensor is placed first, each at the lowest gap among those that live at the same time ("greedy by
size"). TensorFlow Lite's arena and XNNPACK's workspace both work this way.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import NamedTuple

#: Above this the plan would take minutes; the sum of what lives at once is taken instead, a few percent less.
MOST_PLANNED = 4_000


class Lifetime(NamedTuple):
    """One tensor: bytes, and the first and last step at which it must exist."""

    size: int
    first: int
    last: int


def arena_bytes(lifetimes: Iterable[Lifetime], *, alignment: int = 64) -> int:
    """Return the size of a block that holds all tensors; of more than `MOST_PLANNED`, what it needs at least.

    Args:
        lifetimes: Of the tensors that share the block.
        alignment: In bytes, of every tensor.
    """
    items = sorted(lifetimes, key=_largest_first)
    if len(items) > MOST_PLANNED:
        return _at_once(items, alignment)
    placed: list[tuple[int, int, Lifetime]] = []  # (start, end, lifetime), by start
    total = 0
    for item in items:
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
        bisect.insort(placed, (start, start + size, item))
        total = max(total, start + size)
    return total


def _largest_first(item: Lifetime) -> tuple[int, int]:
    return -item.size, item.first


def _at_once(items: Iterable[Lifetime], alignment: int) -> int:
    changes: dict[int, int] = {}
    for item in items:
        size = -(-item.size // alignment) * alignment
        changes[item.first] = changes.get(item.first, 0) + size
        changes[item.last + 1] = changes.get(item.last + 1, 0) - size
    most = now = 0
    for step in sorted(changes):
        now += changes[step]
        most = max(most, now)
    return most

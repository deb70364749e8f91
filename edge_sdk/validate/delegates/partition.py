"""How a runtime cuts a graph into stretches for a delegate.

The runtime's own way: nodes become ready as their inputs do; ready nodes of one side (delegate or CPU) are
gathered until none is left, then the other side follows. So a stretch is not a run of neighbours in the file
but as much as the data flow allows.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from edge_sdk.model.tflite_graph import Graph


class Stretch(NamedTuple):
    """Nodes that run on one side without a border between them.

    Attributes:
        taken: True for the delegate's side.
        nodes: Positions in the graph, ascending.
    """

    taken: bool
    nodes: tuple[int, ...]


def stretches(graph: Graph, taken: Sequence[bool]) -> list[Stretch]:
    """Return the stretches in order of execution.

    Args:
        graph: The graph.
        taken: For every node, whether the delegate wants it.
    """
    maker = {number: position for position, node in enumerate(graph.nodes) for number in node.outputs}
    waits_for: list[set[int]] = []
    feeds: list[list[int]] = [[] for _ in graph.nodes]
    for position, node in enumerate(graph.nodes):
        needed = {maker[number] for number in node.inputs if number >= 0 and number in maker}
        waits_for.append(needed)
        for other in needed:
            feeds[other].append(position)
    ready: dict[bool, list[int]] = {True: [], False: []}
    for position, needed in enumerate(waits_for):
        if not needed:
            heapq.heappush(ready[taken[position]], position)
    found: list[Stretch] = []
    done = [False] * len(graph.nodes)
    while ready[True] or ready[False]:
        # The first node that is ready decides which side goes on.
        side = min((queue[0], side) for side, queue in ready.items() if queue)[1]
        gathered = []
        while ready[side]:
            position = heapq.heappop(ready[side])
            gathered.append(position)
            done[position] = True
            for other in feeds[position]:
                waits_for[other].discard(position)
                if not waits_for[other]:
                    heapq.heappush(ready[taken[other]], other)
        found.append(Stretch(side, tuple(sorted(gathered))))
    left = tuple(position for position, ended in enumerate(done) if not ended)
    if left:  # a cycle: a damaged file; what is left runs on the CPU
        found.append(Stretch(False, left))
    return found

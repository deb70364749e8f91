"""How a runtime cuts a graph into stretches for a delegate.

The runtime's own way: nodes become ready as their inputs do; ready nodes of one side (delegate or CPU) are
gathered until none is left, then the other side follows. So a stretch is not a run of neighbours in the file
but as much as the data flow allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from edge_sdk.model.tflite_graph import Graph

#: Above this the order in the file stands in for the flow of data, which would take minutes to follow.
MOST_FOLLOWED = 5_000


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
    if len(graph.nodes) > MOST_FOLLOWED:
        runs = itertools.groupby(range(len(graph.nodes)), key=lambda position: taken[position])
        return [Stretch(side, tuple(positions)) for side, positions in runs]
    computed = {number for node in graph.nodes for number in node.outputs if number >= 0}
    ready = {number for number in range(len(graph.tensors)) if number not in computed}
    left = list(range(len(graph.nodes)))
    found: list[Stretch] = []
    while left:
        side: bool | None = None
        gathered: list[int] = []
        progress = True
        while progress:
            progress = False
            waiting = []
            for position in left:
                node = graph.nodes[position]
                if all(number < 0 or number in ready for number in node.inputs) and side in (
                    None,
                    taken[position],
                ):
                    side = taken[position]
                    gathered.append(position)
                    ready.update(number for number in node.outputs if number >= 0)
                    progress = True
                else:
                    waiting.append(position)
            left = waiting
        if not gathered:  # a cycle: a damaged file; what is left runs on the CPU
            found.append(Stretch(False, tuple(left)))
            break
        found.append(Stretch(bool(side), tuple(sorted(gathered))))
    return found

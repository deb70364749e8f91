"""Which tensors have a size that is known only when the model runs."""

from __future__ import annotations

from edge_sdk.model.tflite_graph import Graph

#: Operators whose output size follows from the *values* of these inputs.
SHAPE_INPUTS = {
    "RESHAPE": (1,), "FILL": (0,), "RANGE": (0, 1, 2), "TILE": (1,), "BROADCAST_TO": (1,), "PAD": (1,),
    "PADV2": (1, 2), "MIRROR_PAD": (1,), "SLICE": (1, 2), "STRIDED_SLICE": (1, 2, 3), "TRANSPOSE_CONV": (0,),
    "RESIZE_BILINEAR": (1,), "RESIZE_NEAREST_NEIGHBOR": (1,), "EXPAND_DIMS": (1,), "ONE_HOT": (1,),
    "TOPK_V2": (1,), "SPLIT": (0,), "SPLIT_V": (1, 2), "SPARSE_TO_DENSE": (1,), "SCATTER_ND": (2,),
    "MEAN": (1,), "SUM": (1,), "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "REDUCE_PROD": (1,),
    "SPACE_TO_BATCH_ND": (1, 2), "BATCH_TO_SPACE_ND": (1, 2), "DYNAMIC_UPDATE_SLICE": (),
}  # fmt: skip
#: Operators whose output size follows from the values of their data.
ALWAYS = frozenset(
    {"WHERE", "UNIQUE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SEGMENT_SUM", "BROADCAST_ARGS",
     "WHILE", "IF", "READ_VARIABLE", "HASHTABLE_FIND"}
)  # fmt: skip


def computed_shapes(graph: Graph) -> frozenset[int]:
    """Return the tensors whose size is known only when the model runs, and all that is made of them."""
    found: set[int] = set()
    for node in graph.nodes:
        by_value = node.op in ALWAYS or any(
            position < len(node.inputs)
            and node.inputs[position] >= 0
            and not graph.tensors[node.inputs[position]].constant_bytes
            for position in SHAPE_INPUTS.get(node.op, ())
        )
        if by_value or any(number in found for number in node.inputs):
            found.update(number for number in node.outputs if number >= 0)
    return frozenset(found)

"""Fixes the free batch of a .tflite file, so that a phone allocates its buffers right.

A file converted from a model with a free batch holds each tensor's sizes twice: `shape`, with 1 for the free
one, and `shape_signature`, with -1. LiteRT's CompiledModel on Android believes the second, cannot resize
from Kotlin, and allocates buffers of a few bytes. Writing the first over the second fixes it in
place: no offset moves, no other byte changes.
"""

from __future__ import annotations

import struct

from edge_sdk.errors import ModelError
from edge_sdk.model import tflite_schema as field
from edge_sdk.model.flatbuffer import DamagedError, FlatBuffer


def with_fixed_shapes(content: bytes) -> bytes:
    """Return the file with each free size fixed to what the interpreter runs with by default.

    Args:
        content: A whole .tflite file.

    Returns:
        The same bytes where nothing was free.

    Raises:
        ModelError: The file is damaged.
    """
    out = bytearray(content)
    try:
        model = FlatBuffer(content).root()
        for subgraph in model.tables(field.Model.SUBGRAPHS):
            for tensor in subgraph.tables(field.SubGraph.TENSORS):
                shape = tensor.numbers(field.Tensor.SHAPE, "i")
                start, count = tensor.extent(field.Tensor.SHAPE_SIGNATURE, 4)
                free = tensor.numbers(field.Tensor.SHAPE_SIGNATURE, "i")
                if count == len(shape) and -1 in free:
                    struct.pack_into(f"<{count}i", out, start, *shape)
    except DamagedError as failure:
        raise ModelError("the .tflite file is damaged", why=str(failure)) from failure
    return bytes(out)

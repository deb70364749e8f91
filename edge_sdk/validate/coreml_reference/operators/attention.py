"""Scaled dot-product attention, as one operator (iOS 18)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.operators.activation import softmax

Array = NDArray[Any]


def scaled_dot_product_attention(
    *, query: Array, key: Array, value: Array, attn_mask: Array | None = None
) -> Array:
    """Return softmax(query @ key.T / sqrt(E) + mask) @ value.

    Args:
        query: [B, *, L, E].
        key: [B, *, S, E].
        value: [B, *, S, EV].
        attn_mask: Broadcast to [B, *, L, S]; booleans where True means to look, or numbers that are added.
    """
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) / np.sqrt(query.dtype.type(query.shape[-1]))
    if attn_mask is not None:
        if attn_mask.dtype == np.bool_:
            scores = np.where(attn_mask, scores, -np.inf).astype(scores.dtype)
        else:
            scores = scores + attn_mask
    return np.asarray(np.matmul(softmax(x=scores), value))


TABLE = {"scaled_dot_product_attention": scaled_dot_product_attention}

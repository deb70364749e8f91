"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def linear(*, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return x @ weight.T + bias.

    Args:
        x: [*D, D_in].
        weight: [D_out, D_in].
        bias: [D_out].
    """
    result = x @ weight.T
    return np.asarray(result if bias is None else result + bias)


def matmul(*, x: Array, y: Array, transpose_x: bool = False, transpose_y: bool = False) -> Array:
    """Return the product of matrices in the last two axes; those before are broadcast.

    A transposition of a vector changes nothing.
    """
    left = np.swapaxes(x, -1, -2) if transpose_x and x.ndim > 1 else x
    right = np.swapaxes(y, -1, -2) if transpose_y and y.ndim > 1 else y
    return np.asarray(np.matmul(left, right))


def einsum(*, values: tuple[Array, ...], equation: str) -> Array:
    """Return the product that an equation in Einstein's notation describes; sizes of 1 are broadcast."""
    given, _, wanted = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    sizes: dict[str, int] = {}
    for term, array in zip(terms, values, strict=True):
        for letter, size in zip(term, array.shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), size)
    full = [
        np.broadcast_to(array, [sizes[letter] for letter in term])
        for term, array in zip(terms, values, strict=True)
    ]
    return np.asarray(np.einsum(f"{given}->{wanted}", *full, optimize=True))


TABLE = {"einsum": einsum, "linear": linear, "matmul": matmul}

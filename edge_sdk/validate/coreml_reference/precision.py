"""Numbers between operators: what a declared type does to a result.

Operators compute in float32. "program" then rounds each result to the type that the program declares for it,
as a device that computes in float16 stores it: to the nearest, ties to even, above 65,504 to infinity.
"float32" leaves every float as it is, which shows what the weights alone cost.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_sdk.model.coreml.program import ELEMENT_TYPES, ValueType

Precision = Literal["program", "float32"]
Array = NDArray[Any]


def round_to_half(x: Array) -> Array:
    """Return float32 values that float16 can hold.

    Args:
        x: float32.
    """
    return x.astype(np.float16).astype(np.float32)


def settle(value: Any, kind: ValueType, precision: Precision) -> Any:
    """Return a result as the next operators get it.

    Args:
        value: What an operator or a constant gives.
        kind: What the program declares.
        precision: "program" or "float32".

    Returns:
        float32 for every float type, rounded where the program says so; the declared type of integers and
        booleans; anything that is no tensor (strings, lists, dictionaries) as it is.
    """
    if kind.dtype in ("string", "list", "tuple", "dictionary", "state"):
        return value
    array = np.asarray(value)
    if kind.dtype in ("fp16", "fp32", "fp64"):
        # Views of a file may have another byte order mark or be of a subclass; float16 becomes float32.
        wide = array.astype(np.float32, copy=False)
        if kind.dtype == "fp16" and precision == "program" and array.dtype != np.float16:
            return round_to_half(wide)
        return wide
    return array.astype(ELEMENT_TYPES[kind.dtype], copy=False)


def fits(array: Array, kind: ValueType) -> bool:
    """Return whether an array has the declared shape, where that is known."""
    if len(kind.shape) != array.ndim:
        return False
    return all(want is None or want == have for want, have in zip(kind.shape, array.shape, strict=True))

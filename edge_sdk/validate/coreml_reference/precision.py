"""How values are held between operators: float16 as its own type, rounded once after every operator."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_sdk.model.coreml.program import ELEMENT_TYPES, ValueType

Array = NDArray[Any]
#: "program" rounds to float16 where the program says so; "float32" keeps every real number in float32.
Precision = Literal["program", "float32"]


def rounded(value: Any, kind: ValueType, precision: Precision) -> Any:
    """Return what an operator gave in the type that its output has.

    Args:
        value: As the operator computed it.
        kind: Declared type.
        precision: Whether float16 is emulated.
    """
    if kind.dtype not in ELEMENT_TYPES or not isinstance(value, (np.ndarray, np.generic)):
        return value
    if kind.dtype == "string":
        return value
    array = np.asarray(value)
    wanted = ELEMENT_TYPES[kind.dtype]
    if kind.dtype == "fp16" and precision == "float32":
        wanted = np.float32
    if kind.dtype == "fp64":
        wanted = np.float32 if array.dtype != np.float64 else np.float64
    return array if array.dtype == wanted else array.astype(wanted)


def widened(value: Any) -> Any:
    """Return a float16 array as float32: operators do not compute in float16."""
    if isinstance(value, np.ndarray) and value.dtype == np.float16:
        return value.astype(np.float32)
    return value

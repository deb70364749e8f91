"""Padding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]

_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def pad(*, x: Array, pad: Any, mode: str = "constant", constant_val: Any = 0.0) -> Array:
    """Return x with values before and after its last axes.

    Args:
        x: Any array.
        pad: Before and after each of the last len(pad) / 2 axes.
        mode: "constant", "reflect" (without the edge itself) or "replicate" (the edge).
        constant_val: Of "constant".
    """
    if mode not in _MODES:
        raise Unsupported(f"mode {mode!r}")
    amounts = [int(amount) for amount in pad]
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    if mode == "constant":
        return np.pad(x, widths, constant_values=x.dtype.type(constant_val))
    limits = [max(size - 1, 0) if mode == "reflect" else size for size in x.shape]
    if any(max(pair) > limit for pair, limit in zip(widths, limits, strict=True)):
        raise Unsupported(f"more {mode} padding than there are values")
    return np.pad(x, widths, mode=_MODES[mode])  # type: ignore[call-overload]


TABLE = {"pad": pad}

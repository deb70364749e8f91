"""How far a golden output may be off on a device, as a share of the largest golden output.

A golden check asks "is this the same model, whole, with the same inputs?", not "is this CPU like ours?".
Kernels differ between runtimes and CPUs: float sums in another order differ in the sixth digit; eight-bit
kernels that round differently are off by a step or two a layer, and over a deep network by a few steps of
the output. Wrong weights, a wrong picture order or a broken delegate are off by tens of percent.
"""

from __future__ import annotations

FLOAT = 1e-3
#: float16 weights, which some delegates also compute with; 16-bit activations.
HALF = 1e-2
#: Eight-bit weights or activations: about thirteen steps of an int8 output that uses its whole range.
EIGHT_BITS = 5e-2


def golden_tolerance(method: str, weight_bits: int | None, activation_bits: int | None) -> float:
    """Return the share for a recipe.

    Args:
        method: Of the recipe: "none", "float16", "dynamic" or "static".
        weight_bits: Bits of a weight, or None where unknown.
        activation_bits: Bits of an activation, or None where they stay float.
    """
    if method == "none":
        return FLOAT
    if method == "float16" or (method == "static" and (activation_bits or 0) >= 16):
        return HALF
    return EIGHT_BITS

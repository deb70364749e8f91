"""Every operator that the evaluator knows, by its name in an ML Program.

An operator is one pure function in one of the family files, with keyword-only parameters named as Apple's
definition names the inputs (coremltools, converters/mil/mil/ops/defs):

- arrays come in as NumPy arrays, float16 already as float32; results are computed in float32 and rounded to
  the declared type by the machine;
- scalars come in as Python values, small vectors (strides, axes...) as int32 arrays, `values` of several
  arrays as a tuple, and inputs that are left out do not come in at all;
- `opset` ("CoreML5" to "CoreML9") and `output_types` come in where a function has a parameter of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from edge_sdk.validate.coreml_reference.operators import (
    activation,
    attention,
    convolution,
    detection,
    elementwise,
    gathering,
    layout,
    linear,
    normalization,
    padding,
    pooling,
    quantization,
    random,
    recurrent,
    reduction,
    resizing,
    shape,
    slicing,
)

Operator = Callable[..., Any]

_FAMILIES = (
    activation,
    attention,
    convolution,
    detection,
    elementwise,
    gathering,
    layout,
    linear,
    normalization,
    padding,
    pooling,
    quantization,
    random,
    recurrent,
    reduction,
    resizing,
    shape,
    slicing,
)


def _merged() -> dict[str, Operator]:
    table: dict[str, Operator] = {}
    for family in _FAMILIES:
        for kind, function in family.TABLE.items():
            if kind in table:
                raise ValueError(f"{kind} is in two families")
            table[kind] = function
    return table


OPERATORS: Mapping[str, Operator] = MappingProxyType(_merged())

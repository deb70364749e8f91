"""How samples become calls: one call per sample, whatever the signature's first axis means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.spec import Signature, TensorSpec


def iterate_feeds(
    signature: Signature, inputs: Mapping[str, NDArray[Any]]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield one feed per sample, in order.

    Args:
        signature: Whose inputs are fed.
        inputs: By input name, first axis = samples. A sample may have the input's whole rank
            (then it is passed as it is) or lack the batch axis (then one of size 1 is put in front).

    Yields:
        By input name, the arrays of one call.
    """
    count = len(next(iter(inputs.values())))
    for index in range(count):
        yield {
            spec.name: whole_sample(spec, inputs[spec.name][index])
            for spec in signature.inputs
            if spec.name in inputs
        }


def whole_sample(spec: TensorSpec, sample: Any) -> NDArray[Any]:
    """Return one sample with the rank of the input it is for."""
    array: NDArray[Any] = np.asarray(sample)
    if spec.shape is not None and array.ndim == len(spec.shape) - 1:
        return array[None]
    return array

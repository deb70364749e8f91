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


def misfits(signature: Signature, inputs: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, str]]:
    """Return one row (name, expected, given) per input that does not fit; none when all is well.

    Expected shapes are written per sample, without the axis over samples; values are not looked at.
    """
    rows = []
    for spec in signature.inputs:
        if spec.name not in inputs:
            rows.append((spec.name, describe(spec), "nothing"))
            continue
        array = inputs[spec.name]
        if array.dtype.name != spec.dtype or not _shape_fits(spec, array.shape[1:]):
            rows.append((spec.name, describe(spec), f"{array.dtype.name}[{_sizes(array.shape[1:])}]"))
    known = {spec.name for spec in signature.inputs}
    rows += [
        (name, "no such input", f"{array.dtype.name}[{_sizes(array.shape[1:])}]")
        for name, array in inputs.items()
        if name not in known
    ]
    return rows


def describe(spec: TensorSpec) -> str:
    """Return dtype and shape of one sample, as a person would give it."""
    if spec.shape is None:
        return f"{spec.dtype}[?]"
    sizes = spec.shape[1:] if spec.shape[:1] in ((1,), (None,)) else spec.shape
    return f"{spec.dtype}[{_sizes(sizes)}]"


def _shape_fits(spec: TensorSpec, sample: tuple[int, ...]) -> bool:
    if spec.shape is None:
        return True
    if len(sample) == len(spec.shape) - 1 and spec.shape[0] in (1, None):
        sample = (1, *sample)
    return len(sample) == len(spec.shape) and all(
        want is None or want == have for want, have in zip(spec.shape, sample, strict=True)
    )


def _sizes(sizes: tuple[int | None, ...]) -> str:
    return ",".join("?" if size is None else str(size) for size in sizes)

"""How far a variant is from the float model, as numbers.

Everything here is a function of arrays; nothing runs a model. The reference is what the source model
answered to the same samples (axis 0 = samples). What needs labels is in the other modules of this package.

Words, each explained in docs/reference/metrics.md:
- a *class-like* output has one axis besides the samples, with two values or more: scores of classes;
- *agreement*: for class-like outputs the share of samples with the same best class, for integers the share
  of equal values, for all other outputs the correlation with the reference (0 where it is negative);
- *max abs error*: the largest difference of any value;
- *SNR*: signal power over error power in decibels, at most `SNR_CEILING_DB`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.facts import OutputFacts
from edge_sdk.validate.metrics.intervals import interval
from edge_sdk.validate.metrics.metric import Score, mean_score

#: Above this float32 itself is the limit; equal arrays would be infinitely good, which JSON cannot say.
SNR_CEILING_DB = 150.0
#: From so many samples on, what all samples have in common is taken out before correlating: a fixed
#: pattern over positions (a border, an anchor grid) would otherwise hide that the input is ignored.
_CENTRE_FROM = 8

Array = NDArray[Any]


def is_class_like(reference: Array) -> bool:
    """Return whether an output (samples first) holds the scores of two or more classes."""
    sizes = [size for size in reference.shape[1:] if size != 1]
    return reference.dtype.kind == "f" and len(sizes) == 1 and sizes[0] >= 2


def compare_output(name: str, reference: Array, given: Array) -> OutputFacts:
    """Compare one output with the reference.

    Args:
        name: Of the output.
        reference: The source model's answers, samples first.
        given: The variant's answers to the same samples.

    Returns:
        The facts; a number that has no meaning here (another shape, NaN, integers' SNR) is None.
    """
    numbers: dict[str, Any] = {}
    same_shape = reference.shape == given.shape
    real = reference.dtype.kind in "fiub" and given.dtype.kind in "fiub"
    finite = real and _finite(reference) and _finite(given)
    class_like = is_class_like(reference)
    if same_shape and finite and reference.size:
        want, got = reference.astype(np.float64), given.astype(np.float64)
        numbers["max_abs_error"] = rounded(float(np.max(np.abs(want - got))))
        related = correlation(want, got)
        numbers["correlation"] = rounded(related)
        if reference.dtype.kind == "f":
            numbers["snr_db"] = rounded(snr_db(want, got))
        numbers["agreement"] = rounded(_agreement(reference, given, class_like, related))
        numbers["agreement_interval"] = _agreement_interval(reference, given, class_like)
    return OutputFacts(
        name=name,
        class_like=class_like,
        dtype=str(given.dtype),
        reference_dtype=str(reference.dtype),
        shape=tuple(given.shape[1:]),
        reference_shape=tuple(reference.shape[1:]),
        nan_values=_count(given, np.isnan),
        infinite_values=_count(given, np.isinf),
        reference_finite=not real or _finite(reference),
        constant=is_constant(given),
        reference_constant=is_constant(reference),
        **numbers,
    )


def rounded(value: float | None) -> float | None:
    """Return `value` with five significant digits.

    Reports and manifests keep no more: the digits below are noise of the CPU's instruction set, and
    would give the same bundle other bytes on another machine.
    """
    return None if value is None else rounded_number(value)


def rounded_number(value: float) -> float:
    """Return `value` with five significant digits; see `rounded`."""
    return float(f"{value:.5g}")


def is_constant(values: Array) -> bool:
    """Return whether every sample has the same values, bit for bit; False for fewer than two samples."""
    return len(values) >= 2 and bool(np.array_equal(values, np.broadcast_to(values[:1], values.shape)))


def snr_db(reference: Array, given: Array) -> float:
    """Return the signal-to-noise ratio in decibels, between -SNR_CEILING_DB and SNR_CEILING_DB."""
    signal = float(np.mean(np.square(reference)))
    noise = float(np.mean(np.square(reference - given)))
    if noise == 0.0:
        return SNR_CEILING_DB
    if signal == 0.0:
        return -SNR_CEILING_DB
    return float(np.clip(10.0 * (np.log10(signal) - np.log10(noise)), -SNR_CEILING_DB, SNR_CEILING_DB))


def correlation(reference: Array, given: Array) -> float:
    """Return Pearson's correlation of all values, 0 to 1; negative counts as 0, equal arrays as 1."""
    if np.array_equal(reference, given):
        return 1.0
    if len(reference) >= _CENTRE_FROM:
        reference, given = reference - reference.mean(axis=0), given - given.mean(axis=0)
    else:
        reference, given = reference - reference.mean(), given - given.mean()
    scale = float(np.sqrt(np.sum(np.square(reference))) * np.sqrt(np.sum(np.square(given))))
    return 0.0 if scale == 0.0 else float(np.clip(np.sum(reference * given) / scale, 0.0, 1.0))


def _agreement(reference: Array, given: Array, class_like: bool, related: float) -> float:
    if class_like:
        return float(np.mean(best_class(reference) == best_class(given)))
    if reference.dtype.kind in "iub":
        return float(np.mean(reference == given))
    if np.ptp(reference) == 0.0:
        # A reference without any variation has no correlation; then only its value can agree.
        return float(np.allclose(reference, given.astype(np.float64), rtol=1e-2, atol=1e-3))
    return related


def _agreement_interval(reference: Array, given: Array, class_like: bool) -> tuple[float, float] | None:
    """Return the 95 % interval of `_agreement` over samples; None where it has none."""
    count = len(reference)
    if class_like:
        score = mean_score(best_class(reference) == best_class(given))
    elif reference.dtype.kind in "iub":
        score = mean_score(np.mean((reference == given).reshape(count, -1), axis=1))
    else:
        want, got = reference.astype(np.float64), given.astype(np.float64)
        if np.ptp(want) == 0.0:
            return None
        centre = count >= _CENTRE_FROM
        want -= want.mean(axis=0) if centre else want.mean()
        got -= got.mean(axis=0) if centre else got.mean()
        want, got = want.reshape(count, -1), got.reshape(count, -1)
        pairs = ((want, got), (want, want), (got, got))
        sums = np.stack([np.einsum("ij,ij->i", one, two) for one, two in pairs])

        def resampled(counts: Array) -> Array:
            products, first, second = (counts @ row for row in sums)
            scale = np.sqrt(first * second)
            found = np.divide(products, scale, out=np.zeros_like(scale), where=scale > 0)
            return np.asarray(np.clip(found, 0.0, 1.0))

        score = Score(float(resampled(np.ones((1, count)))[0]), None, resampled, cost=3 * count)
    found = interval(score, count, (0.0, 1.0))
    return None if found is None else (rounded_number(found[0]), rounded_number(found[1]))


def best_class(scores: Array) -> Array:
    """Return the index of the best class of every sample, int64 (samples,)."""
    return np.asarray(scores.reshape(len(scores), -1).argmax(axis=1))


def metric_output(reference: Mapping[str, Array], labels: Array | None, classes: int = 0) -> str | None:
    """Return the output that labels can be compared with, or None.

    That is the class-like output with as many classes as there are label names, else the first
    class-like output that has a class for every label.

    Args:
        reference: The source model's answers by output name.
        labels: One integer class a sample, or None.
        classes: How many class names the contract has; 0 where there are none.
    """
    if labels is None or labels.dtype.kind not in "iu" or labels.size != len(labels) or not labels.size:
        return None
    fitting = {
        name: values.size // max(1, len(values))
        for name, values in reference.items()
        if is_class_like(values) and len(values) == len(labels)
    }
    fitting = {name: count for name, count in fitting.items() if 0 <= labels.min() <= labels.max() < count}
    named = [name for name, count in fitting.items() if count == classes]
    return next(iter([*named, *fitting]), None)


def _finite(values: Array) -> bool:
    return bool(np.all(np.isfinite(values))) if values.dtype.kind == "f" else True


def _count(values: Array, test: Callable[[Array], Array]) -> int:
    return int(np.count_nonzero(test(values))) if values.dtype.kind == "f" else 0

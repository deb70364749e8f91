"""Numbers that say how far a variant is from its source model."""

from __future__ import annotations

import numpy as np
import pytest

from edge_sdk.validate import metrics

RANDOM = np.random.default_rng(3)
SCORES = RANDOM.normal(size=(50, 10)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((50, 10), "float32", True),
        ((50, 1, 10), "float32", True),
        ((50, 10, 1, 1), "float32", True),
        ((50, 1), "float32", False),
        ((50,), "float32", False),
        ((50, 4, 4), "float32", False),
        ((50, 10), "int64", False),
    ],
)
def test_class_like(shape: tuple[int, ...], dtype: str, expected: bool) -> None:
    assert metrics.is_class_like(np.zeros(shape, dtype)) is expected


def test_the_same_values_agree_in_everything() -> None:
    facts = metrics.compare_output("scores", SCORES, SCORES.copy())
    assert (facts.agreement, facts.correlation, facts.max_abs_error) == (1.0, 1.0, 0.0)
    assert facts.snr_db == metrics.SNR_CEILING_DB
    assert not facts.constant


def test_agreement_of_classes_counts_equal_best_classes() -> None:
    given = SCORES.copy()
    given[:5] = np.roll(given[:5], 1, axis=1)  # five samples get another best class
    facts = metrics.compare_output("scores", SCORES, given)
    assert facts.class_like
    assert facts.agreement == 0.9


def test_snr_is_signal_power_over_error_power() -> None:
    reference = np.full((4, 5), 2.0)
    assert metrics.snr_db(reference, reference + 0.2) == pytest.approx(20.0)
    assert metrics.snr_db(reference * 0, reference) == -metrics.SNR_CEILING_DB


def test_agreement_of_other_outputs_is_correlation_and_never_negative() -> None:
    maps = RANDOM.normal(size=(20, 6, 6)).astype(np.float32)
    noisy = maps + RANDOM.normal(scale=0.1, size=maps.shape).astype(np.float32)
    assert metrics.compare_output("map", maps, noisy).agreement == pytest.approx(
        np.corrcoef((maps - maps.mean(0)).ravel(), (noisy - noisy.mean(0)).ravel())[0, 1], abs=1e-4
    )
    assert metrics.compare_output("map", maps, -maps).agreement == 0.0


def test_a_fixed_pattern_does_not_pass_for_agreement() -> None:
    pattern = RANDOM.normal(size=(6, 6)) * 10
    maps = pattern + RANDOM.normal(size=(20, 6, 6))
    blind = pattern + RANDOM.normal(size=(20, 6, 6))
    assert np.corrcoef(maps.ravel(), blind.ravel())[0, 1] > 0.9
    assert metrics.correlation(maps, blind) < 0.2


def test_integers_agree_where_they_are_equal() -> None:
    reference = np.arange(20, dtype=np.int64).reshape(10, 2)
    facts = metrics.compare_output("index", reference, np.where(reference < 5, 0, reference))
    assert facts.agreement == 0.8
    assert facts.snr_db is None
    assert facts.max_abs_error == 4.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_not_averaged(value: float) -> None:
    given = SCORES.copy()
    given[7, 2] = value
    facts = metrics.compare_output("scores", SCORES, given)
    assert facts.nan_values + facts.infinite_values == 1
    assert facts.agreement is facts.max_abs_error is facts.snr_db is None
    assert facts.reference_finite
    assert not metrics.compare_output("scores", given, SCORES).reference_finite


def test_another_shape_has_no_numbers() -> None:
    facts = metrics.compare_output("scores", SCORES, SCORES[:, :4])
    assert facts.agreement is None
    assert (facts.shape, facts.reference_shape) == ((4,), (10,))


def test_constant_needs_two_samples_and_every_bit() -> None:
    assert metrics.is_constant(np.zeros((3, 4)))
    assert not metrics.is_constant(np.zeros((1, 4)))
    almost = np.zeros((3, 4))
    almost[2, 3] = 1e-30
    assert not metrics.is_constant(almost)


def test_top1_and_the_output_that_labels_belong_to() -> None:
    labels = metrics.best_class(SCORES)
    wrong = labels.copy()
    wrong[:10] = (wrong[:10] + 1) % 10
    top1 = metrics.make_metric(
        {"name": "top1"}, labels={"y": wrong}, reference={"scores": SCORES}, class_names=()
    )
    assert top1 is not None
    assert top1.score({"scores": SCORES}).value == 0.8
    outputs = {"features": RANDOM.normal(size=(50, 64)).astype(np.float32), "scores": SCORES}
    assert metrics.metric_output(outputs, labels, classes=10) == "scores"
    assert metrics.metric_output(outputs, labels) == "features"
    assert metrics.metric_output({"scores": SCORES}, labels) == "scores"
    assert metrics.metric_output({"scores": SCORES}, None) is None
    assert metrics.metric_output({"scores": SCORES}, labels + 5) is None
    assert metrics.metric_output({"scores": SCORES}, labels.astype(np.float32)) is None


def test_rounding_keeps_five_digits() -> None:
    assert metrics.rounded(0.123456789) == 0.12346
    assert metrics.rounded(123456.0) == 123460.0
    assert metrics.rounded(None) is None

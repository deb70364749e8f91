from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_sdk.contract.postprocess import postprocess_outputs, sigmoid, softmax
from edge_sdk.contract.spec import Contract, Postprocess, Signature
from edge_sdk.errors import ConfigError


def contract(labels: tuple[str, ...] = (), **rules: Postprocess) -> Contract:
    return Contract(
        signatures=(Signature(name="s", inputs=(), outputs=()),),
        default_signature="s",
        postprocess=rules,
        labels=labels,
    )


FINITE = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=3, max_side=6),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)


@given(FINITE)
def test_softmax_is_a_distribution_for_any_size_of_numbers(values: np.ndarray) -> None:
    out = softmax(values)
    assert out.dtype == np.float32
    assert (out >= 0).all()
    np.testing.assert_allclose(out.sum(axis=-1), 1, atol=1e-5)
    with np.errstate(all="ignore"):
        moved = softmax(values.astype(np.float64) - values.astype(np.float64).max(axis=-1, keepdims=True))
    np.testing.assert_allclose(out, moved, atol=1e-6)


@given(FINITE)
def test_sigmoid_is_symmetric_and_never_overflows(values: np.ndarray) -> None:
    out = sigmoid(values)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out + sigmoid(-values), 1, atol=1e-6)
    assert ((out >= 0) & (out <= 1)).all()


def test_known_values() -> None:
    np.testing.assert_allclose(
        softmax(np.array([1.0, 2.0, 3.0])), [0.09003057, 0.24472847, 0.66524096], atol=1e-7
    )
    np.testing.assert_allclose(sigmoid(np.array([0.0, 2.0])), [0.5, 0.8807971], atol=1e-7)
    assert softmax(np.zeros((2, 0))).shape == (2, 0)


def test_integers_are_real_numbers_too() -> None:
    np.testing.assert_allclose(softmax(np.array([1, 2, 3], np.int8))[2], 0.66524096, atol=1e-7)


def test_top_k_names_the_best_classes_of_each_sample() -> None:
    rule = contract(("zero", "one", "two"), scores=Postprocess(top_k=2))
    out = postprocess_outputs(rule, {"scores": np.array([[0.1, 0.7, 0.2], [0.5, 0.0, 0.5]], np.float32)})[
        "scores"
    ]
    assert [[entry["index"] for entry in row] for row in out] == [[1, 2], [0, 2]]
    assert [entry["label"] for entry in out[0]] == ["one", "two"]
    assert out[0][0]["score"] == pytest.approx(0.7)
    assert type(out[0][0]["score"]) is float
    assert type(out[0][0]["index"]) is int


def test_labels_may_be_missing_and_k_may_exceed_the_classes() -> None:
    rule = contract(("only",), scores=Postprocess(top_k=9))
    out = postprocess_outputs(rule, {"scores": np.array([0.1, 0.2])})["scores"]
    assert [(entry["index"], entry["label"]) for entry in out[0]] == [(1, None), (0, "only")]


def test_a_threshold_leaves_weak_classes_out_and_zero_means_none() -> None:
    values = np.array([[0.2, 0.5, 0.3]])
    out = postprocess_outputs(contract(s=Postprocess(top_k=3, threshold=0.3)), {"s": values})["s"]
    assert [entry["index"] for entry in out[0]] == [1, 2]
    logits = postprocess_outputs(contract(s=Postprocess(top_k=2)), {"s": np.array([[-5.0, -1.0]])})["s"]
    assert [entry["index"] for entry in logits[0]] == [1, 0]


def test_nan_is_never_a_class() -> None:
    out = postprocess_outputs(contract(s=Postprocess(top_k=3)), {"s": np.array([[np.nan, 1.0, np.nan]])})["s"]
    assert [entry["index"] for entry in out[0]] == [1]


def test_activations_and_outputs_without_a_rule() -> None:
    values = np.array([[1.0, 2.0]], np.float32)
    rules = contract(
        a=Postprocess(activation="softmax"), b=Postprocess(activation="sigmoid"), c=Postprocess()
    )
    out: dict[str, Any] = postprocess_outputs(rules, dict.fromkeys("abcd", values))
    np.testing.assert_array_equal(out["a"], softmax(values))
    np.testing.assert_array_equal(out["b"], sigmoid(values))
    assert out["c"] is values
    assert out["d"] is values


def test_flat_images_of_scores_are_rows() -> None:
    out = postprocess_outputs(contract(s=Postprocess(top_k=1)), {"s": np.zeros((2, 1, 1, 4))})["s"]
    assert len(out) == 2


@pytest.mark.parametrize("shape", [(), (1, 5, 4), (1, 7, 7, 3)])
def test_top_k_needs_one_row_of_scores_per_sample(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="shape"):
        postprocess_outputs(contract(s=Postprocess(top_k=1)), {"s": np.zeros(shape)})


def test_nothing_warns_on_large_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        softmax(np.array([1e308, -1e308, 0.0]))
        sigmoid(np.array([1e308, -1e308]))
        assert np.isnan(softmax(np.array([np.nan, 1.0]))).all()
        assert np.isnan(softmax(np.array([np.inf, 1.0]))[0])

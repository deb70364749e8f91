"""Each guard on facts; tests/pipeline/test_broken_variants.py feeds them files that are really broken."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Quantization, Signature, TensorSpec
from edge_sdk.validate.facts import OutputFacts, VariantFacts
from edge_sdk.validate.guards import GUARDS, PASSED, REJECTED, UNVERIFIED, Evidence, Verdict, judge
from edge_sdk.validate.metrics import compare_output

SCORES = np.random.default_rng(3).normal(size=(50, 10)).astype(np.float32)
IMAGE = TensorSpec(name="image", dtype="float32", shape=(None, 8, 8, 1))
CLASSES = TensorSpec(name="scores", dtype="float32", shape=(None, 10))
SIGNATURE = Signature(name="serving_default", inputs=(IMAGE,), outputs=(CLASSES,))
CONTRACT = Contract(signatures=(SIGNATURE,), default_signature="serving_default")


def evidence(given: np.ndarray = SCORES, reference: np.ndarray = SCORES, **changes: Any) -> Evidence:
    facts = VariantFacts(
        samples=len(reference),
        distinct_samples=True,
        data="evaluation",
        outputs=(compare_output("scores", reference, given),),
        signatures=(SIGNATURE,),
        size_bytes=1000,
    )
    names = {item.name for item in dataclasses.fields(VariantFacts)} - {"parameters"}
    facts = dataclasses.replace(facts, **{key: value for key, value in changes.items() if key in names})
    rest = {key: value for key, value in changes.items() if key not in names}
    return Evidence(facts=facts, contract=CONTRACT, **rest)


def only(verdict: Verdict, guard: str) -> str:
    """Return the one reason, which must be this guard's."""
    assert verdict.verdict == REJECTED
    assert len(verdict.reasons) == 1, verdict.reasons
    assert verdict.reasons[0].startswith(f"{guard}: ")
    return verdict.reasons[0]


def test_a_sound_variant_passes() -> None:
    noisy = SCORES + np.random.default_rng(1).normal(scale=0.01, size=SCORES.shape).astype(np.float32)
    assert judge(evidence(noisy, weight_bits=8, parameters=900)) == Verdict(PASSED)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "1 NaN"), (np.inf, "1 infinite values")])
def test_not_finite(value: float, word: str) -> None:
    broken = SCORES.copy()
    broken[3, 3] = value
    assert word in only(judge(evidence(broken)), "not finite")
    assert "source model gives such" in only(judge(evidence(broken, broken)), "not finite")


def test_constant_output() -> None:
    dead = np.zeros_like(SCORES)
    reasons = judge(evidence(dead)).reasons
    assert any(reason.startswith("constant output: output 'scores' is the same for 50") for reason in reasons)
    assert "in the source model" in only(judge(evidence(dead, dead)), "constant output")
    assert judge(evidence(dead, dead, distinct_samples=False)).passed


def test_a_constant_beside_a_live_output_is_no_fault() -> None:
    anchors = np.ones((50, 4), np.float32)
    outputs = (compare_output("scores", SCORES, SCORES), compare_output("anchors", anchors, anchors))
    assert judge(evidence(outputs=outputs)).passed


def test_a_changed_output() -> None:
    assert "[5], the source model's has [10]" in only(judge(evidence(SCORES[:, :5])), "interface changed")
    assert "is int32, the source" in only(judge(evidence(SCORES.astype("int32"))), "interface changed")
    assert "'scores' is missing" in only(
        judge(evidence(outputs=(), missing_outputs=("scores",))), "interface changed"
    )


@pytest.mark.parametrize(
    ("stored", "word"),
    [
        ((), "signature 'serving_default' is missing"),
        ((dataclasses.replace(SIGNATURE, outputs=()),), "output 'scores' is missing"),
        (
            (dataclasses.replace(SIGNATURE, inputs=(dataclasses.replace(IMAGE, shape=(1, 8, 8, 3)),)),),
            "is float32[1,8,8,3], the source model's is float32[?,8,8,1]",
        ),
        (
            (dataclasses.replace(SIGNATURE, inputs=(dataclasses.replace(IMAGE, shape=(8, 8, 1)),)),),
            "is float32[8,8,1]",
        ),
        ((dataclasses.replace(SIGNATURE, inputs=(IMAGE, CLASSES)),), "is not in the source model"),
        (
            (dataclasses.replace(SIGNATURE, inputs=(dataclasses.replace(IMAGE, dtype="int8"),)),),
            "is int8[?,8,8,1]",
        ),
    ],
)
def test_a_changed_signature(stored: tuple[Signature, ...], word: str) -> None:
    assert word in only(judge(evidence(signatures=stored)), "interface changed")


def test_a_batch_of_one_and_integer_io_that_was_asked_for_are_no_change() -> None:
    scale = Quantization(scales=(0.1,), zero_points=(0,))
    stored = Signature(
        name="serving_default",
        inputs=(dataclasses.replace(IMAGE, dtype="int8", shape=(1, 8, 8, 1), quantization=scale),),
        outputs=(dataclasses.replace(CLASSES, dtype="int8", shape=(1, 10), quantization=scale),),
    )
    assert judge(evidence(signatures=(stored,), integer_io=True)).passed
    assert not judge(evidence(signatures=(stored,))).passed


def test_too_small() -> None:
    assert judge(evidence(weight_bits=8, parameters=1900)).passed
    assert "1,000 bytes; 5,000 parameters of 8 bits need about 5,000" in only(
        judge(evidence(weight_bits=8, parameters=5000)), "too small"
    )
    assert judge(evidence(weight_bits=None, parameters=5000)).passed
    assert judge(evidence(weight_bits=8, parameters=None)).passed


def test_agreement_collapsed() -> None:
    shuffled = np.random.default_rng(2).permutation(SCORES)
    assert "of the samples" in only(judge(evidence(shuffled)), "agreement collapsed")
    maps = SCORES.reshape(50, 5, 2)
    assert "is only" in only(judge(evidence(shuffled.reshape(50, 5, 2), maps)), "agreement collapsed")


def test_on_synthetic_inputs_flipped_classes_alone_are_no_collapse() -> None:
    close = SCORES * 0.01 + 5  # all classes lie close together
    flipped = close + np.random.default_rng(2).normal(scale=0.05, size=close.shape).astype(np.float32)
    verdict = judge(evidence(flipped, close, data="evaluation"))
    assert "agreement collapsed" in only(verdict, "agreement collapsed")
    assert judge(evidence(flipped, close, data="synthetic")).passed
    shuffled = np.random.default_rng(2).permutation(SCORES)
    assert not judge(evidence(shuffled, data="synthetic")).passed


def test_every_guard_is_in_the_table() -> None:
    assert list(GUARDS) == [
        "not finite", "constant output", "interface changed", "too small", "agreement collapsed",
    ]  # fmt: skip


def test_facts_survive_json() -> None:
    facts = evidence().facts
    assert VariantFacts.from_dict(facts.to_dict()) == facts
    assert isinstance(facts.outputs[0], OutputFacts)


def test_an_unknown_operator_is_never_a_pass_and_never_hides_a_rejection() -> None:
    why = ("op fancy at 'layer_7' is not known to the reference evaluator",)
    nothing = {"samples": 0, "outputs": (), "unverified": why}
    assert judge(evidence(**nothing)) == Verdict(UNVERIFIED, why)
    assert not judge(evidence(**nothing)).passed
    assert "weights are missing" in only(
        judge(evidence(**nothing, weight_bits=8, parameters=1_000_000)), "too small"
    )


@pytest.mark.parametrize(
    ("promised", "stored", "fits"),
    [
        ("int64", "int32", True),
        ("bool", "int32", True),
        ("float32", "int32", False),
        ("int32", "float32", False),
    ],
)
def test_core_ml_has_other_types_in_place_of_some(promised: str, stored: str, fits: bool) -> None:
    def signature(dtype: str) -> Signature:
        given = TensorSpec(name="image", dtype=dtype, shape=(None, 8))
        return Signature(name="serving_default", inputs=(given,), outputs=(CLASSES,))

    contract = dataclasses.replace(CONTRACT, signatures=(signature(promised),))
    of_core_ml = evidence(signatures=(signature(stored),), minimum_ios="iOS16")
    assert judge(dataclasses.replace(of_core_ml, contract=contract)).passed == fits
    of_tflite = evidence(signatures=(signature(stored),))
    assert not judge(dataclasses.replace(of_tflite, contract=contract)).passed

"""Questions that tables and facts answer, and that nothing unknown is called passed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.targets import Target, load_target, target_names
from edge_sdk.validate.compatibility.examine import examine_compatibility
from edge_sdk.validate.facts import VariantFacts


def facts(
    dtype: str = "float32", shape: tuple[int | None, ...] | None = (1, 4), **changes: Any
) -> VariantFacts:
    signature = Signature(
        name="serving_default",
        inputs=(TensorSpec(name="x", dtype=dtype, shape=shape),),
        outputs=(TensorSpec(name="y", dtype="float32", shape=(1, 2)),),
    )
    return VariantFacts(
        samples=1, distinct_samples=True, data="evaluation", outputs=(), signatures=(signature,), **changes
    )


def verdicts(variant: VariantFacts, target: str | Target) -> dict[str, str]:
    found = load_target(target) if isinstance(target, str) else target
    return {item.code: item.verdict for item in examine_compatibility(variant, found).items}


@pytest.mark.parametrize("name", [name for name in target_names() if load_target(name).format == "tflite"])
def test_a_plain_float_model_fails_nowhere(name: str) -> None:
    found = verdicts(facts(op_versions={"CONV_2D": 1, "FULLY_CONNECTED": 1}), name)
    assert "failed" not in found.values()
    assert found["OPERATOR-VERSIONS"] == "passed"


@pytest.mark.parametrize(
    ("needs", "verdict"),
    [("iOS15", "passed"), ("iOS16", "passed"), ("iOS18", "failed"), (None, "unknown"), ("iOS99", "unknown")],
)
def test_a_package_is_asked_for_the_system_that_it_needs(needs: str | None, verdict: str) -> None:
    target = load_target("ios")
    assert target.runtime.minimum_version == "iOS16"
    assert verdicts(facts(minimum_ios=needs), target) == {"DEPLOYMENT-TARGET": verdict}


def test_operators_flex_and_custom_ones() -> None:
    dense = facts(op_versions={"FULLY_CONNECTED": 12})
    assert verdicts(dense, "generic-armv7")["OPERATOR-VERSIONS"] == "failed"
    assert verdicts(dense, "raspberry-pi-4")["OPERATOR-VERSIONS"] == "passed"
    assert verdicts(facts(flex_ops=("Betainc",)), "host")["FLEX"] == "failed"
    custom = facts(custom_ops=("EdgeTanh",))
    assert verdicts(custom, "host")["CUSTOM-OPERATORS"] == "unknown"
    assert verdicts(custom, "android")["CUSTOM-OPERATORS"] == "failed"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "string"])
def test_android_cannot_pass_every_type(dtype: str) -> None:
    assert verdicts(facts(dtype), "android")["IO-TYPES"] == "failed"
    assert "IO-TYPES" not in verdicts(facts(dtype), "raspberry-pi-4")


def test_free_sizes() -> None:
    free = facts(shape=(None, 4))
    assert verdicts(free, "android")["DYNAMIC-SHAPES"] == "unknown"  # a batch of one needs no resize
    assert verdicts(facts(shape=(1, None)), "android")["DYNAMIC-SHAPES"] == "failed"
    assert verdicts(free, "raspberry-pi-4")["DYNAMIC-SHAPES"] == "passed"
    # An accelerator of a vendor's compiles for fixed sizes.
    assert verdicts(free, "imx8mp")["DYNAMIC-SHAPES"] == "unknown"
    assert verdicts(facts(shape=None), "android")["DYNAMIC-SHAPES"] == "failed"


def test_python_c_library_and_architecture() -> None:
    old = load_target("generic-armv7")
    assert verdicts(facts(), old)["PYTHON"] == "passed"
    assert verdicts(facts(), replace(old, python="3.13"))["PYTHON"] == "failed"
    assert verdicts(facts(), replace(old, glibc="2.31"))["GLIBC"] == "failed"
    assert verdicts(facts(), replace(old, python=None, glibc=None))["GLIBC"] == "unknown"
    assert verdicts(facts(), old)["CPU-FEATURES"] == "unknown"
    litert = replace(old, runtime=load_target("raspberry-pi-4").runtime)
    assert verdicts(facts(), litert)["ARCHITECTURE"] == "failed"
    assert verdicts(facts(), replace(load_target("raspberry-pi-4"), python="3.9"))["PYTHON"] == "unknown"


def test_every_failure_says_what_to_do() -> None:
    bad = facts("uint8", (None, 4), op_versions={"FULLY_CONNECTED": 99}, flex_ops=("A",), custom_ops=("B",))
    for item in examine_compatibility(bad, load_target("android")).items:
        assert item.verdict != "failed" or item.hint, item

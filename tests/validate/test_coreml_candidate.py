"""A package under test: pictures go back to pixels, names and types are those of the contract."""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.manifest import CoreMLFacts, CoreMLImage
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.validate import coreml_candidate
from edge_sdk.validate.compare import evaluate
from edge_sdk.validate.coreml_candidate import describe, open_candidate, pixels_of
from edge_sdk.validate.coreml_device import DeviceModel, compare_with_reference
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.validate.guards import UNVERIFIED, Evidence, judge
from tests.bundle.packages import MODEL, tiny_package

CONTRACT = Contract(
    signatures=(
        Signature(
            name="serving_default",
            inputs=(TensorSpec(name="x", dtype="float32", shape=(None, 4)),),
            outputs=(TensorSpec(name="y", dtype="float32", shape=(None, 4)),),
        ),
    ),
    default_signature="serving_default",
)
FACTS = CoreMLFacts(deployment_target="iOS16", precision="float32")


def tiny(folder: Path, operator: bytes = b"relu") -> Path:
    """Write y = relu(x), or another operator whose name is as long."""
    for name, content in tiny_package().items():
        path = folder / "tiny.mlpackage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"relu", operator) if name == MODEL else content)
    return folder / "tiny.mlpackage"


def facts_of(package: Path, folder: Path) -> VariantFacts:
    samples = np.random.default_rng(3).normal(size=(6, 1, 4)).astype(np.float32)
    np.savez(folder / "samples.npz", x=samples)
    np.savez(folder / "reference.npz", y=np.maximum(samples, 0))
    found = evaluate(
        {
            "model": str(package),
            "recipe": "coreml_float32",
            "coreml": FACTS.to_dict(),
            "integer_io": False,
            "contract": CONTRACT.to_dict(),
            "data": "evaluation",
            "samples": str(folder / "samples.npz"),
            "labels": None,
            "reference": str(folder / "reference.npz"),
            "golden": str(folder / "golden.npz"),
            "tolerance": 1e-5,
        }
    )
    return VariantFacts.from_dict(found)


def test_a_package_stands_in_the_same_facts_as_a_tflite(tmp_path: Path) -> None:
    facts = facts_of(tiny(tmp_path), tmp_path)
    assert (facts.samples, facts.agreement, facts.max_abs_error) == (6, 1.0, 0.0)
    assert (facts.minimum_ios, facts.unverified, facts.golden_cases) == ("iOS16", (), 3)
    assert facts.signatures[0].inputs == (TensorSpec(name="x", dtype="float32", shape=(1, 4)),)
    assert judge(Evidence(facts=facts, contract=CONTRACT)).passed


def test_another_function_is_another_answer(tmp_path: Path) -> None:
    facts = facts_of(tiny(tmp_path, b"gelu"), tmp_path)
    assert facts.unverified == ()
    assert facts.max_abs_error is not None
    assert facts.max_abs_error > 0.01


def test_what_nobody_here_can_answer_is_no_pass(tmp_path: Path) -> None:
    facts = facts_of(tiny(tmp_path, b"erlu"), tmp_path)
    assert facts.samples == 0
    assert "op erlu" in facts.unverified[0]
    assert facts.agreement is None
    assert judge(Evidence(facts=facts, contract=CONTRACT)).verdict == UNVERIFIED


def test_names_of_the_package_are_not_those_of_the_contract(tmp_path: Path) -> None:
    def renamed(name: str) -> Contract:
        signature = Signature(
            name="encode",
            inputs=(TensorSpec(name=name, dtype="int64", shape=(1, 4)),),
            outputs=(TensorSpec(name=name, dtype="float64", shape=(1, 4)),),
        )
        return Contract(signatures=(signature,), default_signature="encode")

    contract = renamed("value:0")
    facts = CoreMLFacts(
        deployment_target="iOS16",
        precision="float32",
        functions={"encode": "main"},
        input_names={"value:0": "x"},
        output_names={"value:0": "y"},
    )
    package = tiny(tmp_path)
    described = describe(package, contract, facts)
    assert described.signatures[0].inputs[0] == TensorSpec(name="value:0", dtype="float32", shape=(1, 4))
    with open_candidate(package, contract, facts, recipe="r", custom_ops=(), threads=1) as candidate:
        found = candidate.predict({"value:0": np.array([[-1, 0, 2, 3]], np.int64)})
    assert found["value:0"].dtype == np.float64
    assert found["value:0"].tolist() == [[0, 0, 2, 3]]


@pytest.mark.parametrize("color", ["RGB", "BGR", "GRAY"])
@pytest.mark.parametrize("channels_first", [False, True])
def test_pixels_come_back_from_what_they_became(color: str, channels_first: bool) -> None:
    channels = 1 if color == "GRAY" else 3
    pixels = np.random.default_rng(1).integers(0, 256, (1, 5, 7, channels)).astype(np.uint8)
    image = CoreMLImage(scale=1 / 127.5, bias=(-1.0, -0.9, -0.8)[:channels], color=color)
    seen = pixels[..., ::-1] if color == "BGR" else pixels
    tensor: Any = (seen.astype(np.float32) * np.float32(image.scale) + np.float32(image.bias)).astype(
        np.float32
    )
    if channels_first:
        tensor = np.moveaxis(tensor, -1, 1)
    back = pixels_of(tensor, image, channels_first=channels_first)
    assert back.dtype == np.uint8
    assert np.array_equal(back, pixels)
    between = pixels_of(tensor + np.float32(image.scale / 2), image, channels_first=channels_first)
    assert between.dtype == np.float32  # no picture has such pixels: nothing is rounded away


def test_on_a_mac_core_ml_answers_and_the_reference_is_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fake of the one call that only macOS has: a Core ML that is 0.001 off."""

    def load(path: Path, compute_units: str, function: str | None) -> Any:
        return lambda inputs: {"y": np.maximum(inputs["x"], 0) + np.float32(0.001)}

    monkeypatch.setattr(coreml_candidate, "available", lambda: True)
    monkeypatch.setattr(
        coreml_candidate, "DeviceModel", SimpleNamespace(open=functools.partial(DeviceModel.open, load=load))
    )
    monkeypatch.setattr(
        coreml_candidate, "compare_with_reference", functools.partial(compare_with_reference, load=load)
    )
    facts = facts_of(tiny(tmp_path), tmp_path)
    assert facts.max_abs_error == pytest.approx(0.001, rel=0.01)
    assert facts.cross_check is not None
    (output,) = facts.cross_check["outputs"]
    assert output["output"] == "y"
    assert output["max_abs_error"] == pytest.approx(0.001, rel=0.01)
    assert facts.cross_check["samples"] == 6
    # What the reference does not know is verified all the same: Core ML itself has answered.
    facts = facts_of(tiny(tmp_path, b"erlu"), tmp_path)
    assert (facts.unverified, facts.samples) == ((), 6)
    assert facts.cross_check is not None
    assert "op erlu" in facts.cross_check["unknown"]

"""Each guard against a file that is really broken, and what a build makes of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.contract.spec import Contract
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.pipeline.contract import as_promised
from edge_sdk.validate.compare import answer, evaluate
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.validate.guards import Evidence, Verdict, judge
from tests.cli.test_command_contract import edge
from tests.pipeline.conftest import edit_model, fill_weights


def verdict(source: Path, variant: Path, pictures: dict[str, Path], **evidence: Any) -> Verdict:
    """Evaluate a variant against its source, as a build does, and judge it."""
    file = read_tflite(source)
    contract = Contract(signatures=as_promised(file.signatures), default_signature=file.signatures[0].name)
    with np.load(pictures["evaluation"]) as data:
        np.savez("inputs.npz", image=data["image"])
    common = {"contract": contract.to_dict(), "samples": "inputs.npz"}
    answer({**common, "model": str(source), "output": "reference.npz"})
    facts = evaluate(
        {
            **common,
            "model": str(variant),
            "recipe": "full_int8",
            "integer_io": False,
            "data": "evaluation",
            "labels": None,
            "reference": "reference.npz",
            "golden": "golden.npz",
            "tolerance": 0.05,
        }
    )
    return judge(Evidence(facts=VariantFacts.from_dict(facts), contract=contract, **evidence))


@pytest.fixture
def source(models: Path) -> Path:
    return models / "conv_float.tflite"


def test_the_source_itself_passes(source: Path, pictures: dict[str, Path]) -> None:
    assert verdict(source, source, pictures).passed


def test_zeroed_weights(source: Path, pictures: dict[str, Path]) -> None:
    broken = edit_model(source, Path("zero.tflite"), fill_weights(0.0))
    assert "constant output: output 'probabilities' is the same for 60 different samples" in str(
        verdict(source, broken, pictures).reasons
    )


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "not finite")])
def test_weights_that_are_not_finite(
    value: float, word: str, source: Path, pictures: dict[str, Path]
) -> None:
    broken = edit_model(source, Path("nan.tflite"), fill_weights(value))
    found = verdict(source, broken, pictures)
    assert not found.passed
    assert found.reasons[0].startswith("not finite: ")
    assert word in found.reasons[0]
    assert not Path("golden.npz").exists()  # such values must not become what a board is checked against


def test_shuffled_weights(source: Path, pictures: dict[str, Path]) -> None:
    def shuffle(model: Any) -> None:
        random = np.random.default_rng(1)
        for buffer in model.buffers:
            if buffer.data is not None and len(buffer.data) > 64:
                values = np.frombuffer(bytes(bytearray(buffer.data)), np.float32)
                buffer.data = np.frombuffer((-random.permutation(values)).tobytes(), np.uint8)

    broken = edit_model(source, Path("shuffled.tflite"), shuffle)
    assert "agreement collapsed" in str(verdict(source, broken, pictures).reasons)


def test_another_output_name_another_model_and_a_missing_signature(
    models: Path, source: Path, pictures: dict[str, Path]
) -> None:
    def rename(model: Any) -> None:
        model.signatureDefs[0].outputs[0].name = b"scores"

    def drop(model: Any) -> None:
        model.signatureDefs[0].signatureKey = b"other"

    renamed = edit_model(source, Path("renamed.tflite"), rename)
    reasons = str(verdict(source, renamed, pictures).reasons)
    assert "output 'probabilities' is missing; the file has scores" in reasons
    assert "output 'scores' is not in the source model" in reasons
    dropped = edit_model(source, Path("dropped.tflite"), drop)
    assert "signature 'serving_default' is missing" in str(verdict(source, dropped, pictures).reasons)
    integers = verdict(source, models / "conv_int8.tflite", pictures)
    assert "input 'image' is int8[1,16,16,3], the source model's is float32[1,16,16,3]" in str(
        integers.reasons
    )


def test_a_file_without_its_weights(source: Path, pictures: dict[str, Path]) -> None:
    def grow(model: Any) -> None:
        # A constant that takes part in no answer, as a layer that a converter has dropped.
        from ai_edge_litert import schema_py_generated as schema

        buffer, tensor = schema.BufferT(), schema.TensorT()
        buffer.data = np.zeros(4 * 50_000, np.uint8)
        model.buffers.append(buffer)
        tensor.shape, tensor.type, tensor.name, tensor.buffer = [50_000], 0, "dropped", len(model.buffers) - 1
        model.subgraphs[0].tensors.append(tensor)

    whole = edit_model(source, Path("whole.tflite"), grow)
    parameters = read_tflite(whole).parameters
    assert parameters > 50_000
    assert verdict(whole, whole, pictures, weight_bits=32, parameters=parameters).passed
    found = verdict(whole, source, pictures, weight_bits=8, parameters=parameters)
    assert "too small: the file has" in str(found.reasons)


def test_int8_calibrated_with_garbage_is_rejected_by_the_build(
    source: Path, pictures: dict[str, Path]
) -> None:
    tiny = np.random.default_rng(0).uniform(0, 1e-6, (20, 16, 16, 3)).astype(np.float32)
    np.savez("garbage.npz", image=tiny)
    result = edge_sdk.build(
        source, recipes=["as_is", "full_int8"], calibration="garbage.npz", evaluation=pictures["evaluation"]
    )
    broken = result.variant("full_int8")
    assert broken.verdict == "rejected"
    assert broken.reasons
    assert not result.ok
    assert result.picked == "as_is"
    assert broken.path == Path("build/conv_float/rejected/full_int8.tflite")
    assert broken.path.exists()
    assert not Path("build/conv_float/full_int8.tflite").exists()
    assert result.bundle is not None
    with edge_sdk.Bundle.open(result.bundle) as bundle:
        assert [variant.id for variant in bundle.manifest.variants] == ["as_is"]


def test_a_rejected_variant_gives_exit_code_4_a_reason_and_the_rest_of_the_bundle(
    source: Path, pictures: dict[str, Path]
) -> None:
    np.savez("garbage.npz", image=np.full((5, 16, 16, 3), 1e-7, np.float32))
    command = (
        "build", str(source), "-r", "as_is", "-r", "full_int8", "--calibration", "garbage.npz",
        "--evaluation", str(pictures["evaluation"]),
    )  # fmt: skip
    done = edge(*command)
    assert done.returncode == 4, done.stderr
    assert "rejected full_int8" in done.stdout
    assert "the bundle holds only what did" in done.stderr
    document = json.loads(edge(*command, "--json").stdout)
    assert document["picked"] == "as_is"
    assert [item["verdict"] for item in document["variants"]] == ["passed", "rejected"]
    assert document["variants"][1]["reasons"]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_dead_source_gives_no_bundle(value: float, source: Path, pictures: dict[str, Path]) -> None:
    dead = edit_model(source, Path("dead.tflite"), fill_weights(value))
    done = edge("build", str(dead), "-r", "as_is", "--evaluation", str(pictures["evaluation"]), "--json")
    assert done.returncode == 4, done.stderr
    document = json.loads(done.stdout)
    assert document["bundle"] is document["picked"] is None
    assert "source model" in document["variants"][0]["reasons"][0]
    assert not Path("build/dead.edge").exists()

"""Which runtime can load what; the tables come from the wheels themselves."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.targets import load_target, target_names
from edge_sdk.validate.compatibility import incompatibilities, operator_table
from edge_sdk.validate.facts import VariantFacts

LITERT = RuntimeRequirement(name="litert", minimum_version="2.1.0")
TFLITE = RuntimeRequirement(name="tflite-runtime", minimum_version="2.14.0")


def facts(**changes: object) -> VariantFacts:
    return VariantFacts(samples=1, distinct_samples=True, data="evaluation", outputs=(), **changes)  # type: ignore[arg-type]


def test_a_dense_layer_of_tensorflow_2_21_is_too_new_for_tflite_runtime() -> None:
    dynamic = facts(op_versions={"FULLY_CONNECTED": 12, "CONV_2D": 5})
    assert incompatibilities(dynamic, LITERT) == []
    assert incompatibilities(dynamic, TFLITE) == [
        "needs FULLY_CONNECTED version 12, tflite-runtime 2.14.0 has version 10"
    ]


def test_flex_and_unknown_operators() -> None:
    assert "no Flex" in incompatibilities(facts(flex_ops=("MatrixDeterminant",)), LITERT)[0]
    assert "has none" in incompatibilities(facts(op_versions={"STABLEHLO_ABS": 1}), TFLITE)[0]


def test_the_minimum_version_decides_the_table() -> None:
    def version_for(minimum: str | None) -> str:
        found = operator_table(RuntimeRequirement(name="litert", minimum_version=minimum))
        assert found is not None
        return found[0]

    assert version_for("2.1.0") == version_for(None) == version_for("1.0") == version_for("2.1.9") == "2.1.0"
    assert version_for("2.2.0") == version_for("2.2.4") == "2.2.0"
    assert version_for("2.3.0") == version_for("9.9") == "2.3.0"
    assert operator_table(RuntimeRequirement(name="another")) is None


def test_every_target_of_tflite_has_a_table_and_can_load_a_float_model(models: Path) -> None:
    versions = read_tflite(models / "conv_float.tflite").op_versions
    for name in target_names():
        target = load_target(name)
        if target.format != "tflite":
            continue
        runtime = target.runtime
        assert operator_table(runtime) is not None, name
        assert incompatibilities(facts(op_versions=versions), runtime) == [], name

"""What will be made, decided before anything runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.pipeline.plan import plan_recipes
from edge_sdk.targets import Target, load_target


def plan(**changes: Any) -> tuple[list[str], dict[str, str]]:
    arguments = {
        "targets": [load_target("host")],
        "requested": (),
        "has_calibration": True,
        "source_is_tflite": False,
        "source_is_float": True,
        **changes,
    }
    found = plan_recipes(**arguments)
    return [recipe.name for recipe in found.recipes], found.skipped


def test_targets_choose_in_order_and_once() -> None:
    assert plan()[0] == ["float32", "float16", "dynamic_int8", "full_int8"]
    both = plan(targets=[load_target("coral-dev-board"), load_target("host")])[0]
    assert len(both) == len(set(both))
    assert both[0] == load_target("coral-dev-board").recipes[0]


def test_without_calibration_a_targets_recipe_is_left_out_and_a_named_one_is_refused() -> None:
    names, skipped = plan(has_calibration=False)
    assert names == ["float32", "float16", "dynamic_int8"]
    assert "--calibration" in skipped["full_int8"]
    with pytest.raises(ConfigError, match="full_int8 cannot be made"):
        plan(has_calibration=False, requested=("float32", "full_int8"))
    with pytest.raises(ConfigError, match="no recipe that can be made"):
        plan(has_calibration=False, targets=[replace(load_target("host"), recipes=("full_int8_io",))])


def test_a_tflite_source_passes_through_and_is_quantized_where_it_is_float() -> None:
    assert plan(source_is_tflite=True)[0] == ["as_is", "float16", "dynamic_int8", "full_int8"]
    names, skipped = plan(source_is_tflite=True, source_is_float=False)
    assert names == ["as_is"]
    assert "quantized already" in skipped["float16"]
    assert plan(source_is_tflite=True, requested=("full_int8",))[0] == ["full_int8"]
    with pytest.raises(ConfigError, match="float16 cannot be made"):
        plan(source_is_tflite=True, source_is_float=False, requested=("float16",))
    with pytest.raises(ConfigError, match="as_is cannot be made"):
        plan(requested=("as_is",))


def test_unknown_and_doubled_recipes() -> None:
    with pytest.raises(ConfigError, match="no recipe called 'full_int'"):
        plan(requested=("full_int",))
    assert plan(requested=("float16", "float16"))[0] == ["float16"]


def ios(version: str) -> Target:
    target = load_target("ios")
    return replace(target, runtime=replace(target.runtime, minimum_version=version))


def test_core_ml_packages_are_made_for_the_oldest_system() -> None:
    found = plan_recipes(
        targets=[ios("iOS18"), load_target("host"), ios("iOS16")],
        requested=(),
        has_calibration=False,
        source_is_tflite=False,
        source_is_float=True,
    )
    assert found.deployment_target == "iOS16"
    formats = {recipe.name: recipe.format for recipe in found.recipes}
    assert formats["coreml_float16"] == "mlpackage"
    assert formats["float16"] == "tflite"
    assert plan()[0] == ["float32", "float16", "dynamic_int8", "full_int8"]


def test_a_recipe_below_its_ios_is_refused_with_both_and_left_out_of_a_targets_list() -> None:
    with pytest.raises(ConfigError, match="coreml_int4_block") as refused:
        plan(targets=[ios("iOS16")], requested=("coreml_int4_block",))
    assert refused.value.why is not None
    assert "iOS18" in refused.value.why
    assert "iOS16" in refused.value.why
    target = replace(ios("iOS16"), recipes=("coreml_int8", "coreml_int4_block"))
    names, skipped = plan(targets=[target])
    assert names == ["coreml_int8"]
    assert "iOS18" in skipped["coreml_int4_block"]
    assert plan(targets=[ios("iOS18")], requested=("coreml_int4_block",))[0] == ["coreml_int4_block"]


def test_a_tflite_source_cannot_become_a_core_ml_package() -> None:
    with pytest.raises(ConfigError, match="no recipe that can be made") as refused:
        plan(targets=[load_target("ios")], source_is_tflite=True)
    assert refused.value.why is not None
    assert "coremltools cannot read a .tflite" in refused.value.why
    names, skipped = plan(targets=[load_target("host"), load_target("ios")], source_is_tflite=True)
    assert names[0] == "as_is"
    assert "coreml_int8" in skipped


@pytest.mark.parametrize(
    ("target", "recipe", "word"),
    [("host", "coreml_int8", "--target ios"), ("ios", "full_int8", "--target host")],
)
def test_a_recipe_whose_format_no_target_takes_is_refused(target: str, recipe: str, word: str) -> None:
    with pytest.raises(ConfigError, match=f"{recipe} cannot be made") as refused:
        plan(targets=[load_target(target)], requested=(recipe,))
    assert refused.value.why is not None
    assert word in refused.value.why

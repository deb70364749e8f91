"""Where operators are expected: each rule by a program that it is about, and real packages."""

from __future__ import annotations

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.model.coreml.package import Feature, Package, open_package
from edge_sdk.model.coreml.program import Block, Operation
from edge_sdk.validate.coreml_placement import COMPUTE_UNITS, OperatorPlacement, Placement, predict_placement
from edge_sdk.validate.delegates.documents import DelegatePlan
from tests import real_models
from tests.validate.coreml_placement.programs import const, numbers, op, package, weights

CONV = (weights("w", 8, 8, 3, 3), op("conv", "convolved", {"x": "x", "weight": "w"}))


def only(found: Package, units: str = "all") -> OperatorPlacement:
    """The last operator of a package."""
    return predict_placement(found, units).operators[-1]


def conv(side: int = 3, *, dilation: int = 1, spatial: int = 2) -> Package:
    shape = (1, 8, *[16] * spatial)
    return package(
        weights("w", 8, 8, *[side] * spatial),
        const("d", *[dilation] * spatial),
        op("conv", "y", {"x": "x", "weight": "w", "dilations": "d"}, shape=shape),
        shape=shape,
    )


def pool(side: int) -> Package:
    return package(op("max_pool", "y", {"x": "x", "kernel_sizes": numbers(side, side)}))


def plain(kind: str, **changes: object) -> Package:
    return package(op(kind, "y", {"x": "x"}, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "unit", "rule"),
    [
        (conv(), "neural_engine", "ane-float16"),
        (conv(13), "neural_engine", "ane-float16"),
        (conv(14), "unknown", "ane-large-kernel"),
        (conv(33), "gpu", "ane-kernel"),
        (conv(dilation=2), "unknown", "ane-dilation"),
        (conv(spatial=3), "unknown", "ane-three-dimensional"),
        (conv(spatial=1), "neural_engine", "ane-float16"),
        (pool(29), "neural_engine", "ane-float16"),
        (pool(30), "unknown", "ane-large-pool-window"),
        (pool(32), "gpu", "ane-pool-window"),
        (plain("lstm"), "cpu", "ane-recurrent"),
        (plain("gru"), "unknown", "ane-recurrent"),
        (plain("gather"), "cpu", "ane-gather"),
        (plain("scatter_nd"), "unknown", "ane-no-path"),
        (plain("topk"), "unknown", "ane-newer-chips"),
        (plain("non_zero"), "unknown", "ane-control-flow"),
        (plain("resize_bilinear"), "neural_engine", "ane-resize"),
        (plain("relu", shape=(1, 2, 2, 2, 2, 2)), "unknown", "ane-rank"),
        (plain("relu", shape=(1, 16384)), "neural_engine", "ane-float16"),
        (plain("relu", shape=(1, 16385)), "unknown", "ane-large-dimension"),
        (plain("relu", shape=(1, 70000)), "gpu", "ane-dimension"),
        (plain("relu", dtype="fp32"), "gpu", "ane-float32"),
        (plain("cast", dtype="fp32"), "neural_engine", "ane-float16"),
        (plain("cast", dtype="int32"), "unknown", "ane-integers"),
        (plain("made_up"), "unknown", ""),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_each_rule_by_a_program_that_it_is_about(made: Package, unit: str, rule: str) -> None:
    found = only(made)
    assert (found.unit, found.rule) == (unit, rule)
    assert bool(found.source) == bool(found.confidence) == bool(rule)
    assert found.reason


def test_integers_are_nothing_for_the_neural_engine() -> None:
    integers = package(op("add", "y", {"x": "x"}, dtype="int32"), dtype="int32")
    assert only(integers, "cpu_and_neural_engine").unit == "cpu"
    assert only(integers).unit == "unknown"
    assert "nothing is known about add on the GPU" in only(integers).reason


def test_float32_runs_on_gpu_or_cpu_only() -> None:
    made = package(op("relu", "y", {"x": "x"}, dtype="fp32"), dtype="fp32")
    assert {units: only(made, units).unit for units in COMPUTE_UNITS} == {
        "all": "gpu",
        "cpu_and_gpu": "gpu",
        "cpu_and_neural_engine": "cpu",
        "cpu_only": "cpu",
    }
    assert "float16" in (only(made).rewrite or "")


@pytest.mark.parametrize(
    ("feature", "unit", "rule"),
    [
        (Feature(name="x", kind="tensor", ranges=((1, 9), (8, 8))), "unknown", "ane-flexible-size"),
        (Feature(name="x", kind="tensor", shapes=((1, 8), (2, 8))), "neural_engine", "ane-float16"),
        (Feature(name="x", kind="tensor"), "unknown", "ane-flexible-size"),
    ],
    ids=["range", "enumerated", "made at run time"],
)
def test_sizes_that_are_known_only_at_run_time(feature: Feature, unit: str, rule: str) -> None:
    made = package(op("relu", "y", {"x": "x"}, shape=(None, 8)), shape=(None, 8), feature=feature)
    assert (only(made).unit, only(made).rule) == (unit, rule)
    assert only(made, "cpu_and_neural_engine").unit == ("cpu" if unit == "unknown" else unit)


def test_enumerated_shapes_with_layer_norm_are_not_claimed() -> None:
    feature = Feature(name="x", kind="tensor", shapes=((1, 8), (2, 8)))
    made = package(op("layer_norm", "y", {"x": "x"}, shape=(None, 8)), shape=(None, 8), feature=feature)
    assert only(made).rule == "ane-enumerated-layer-norm"


def test_what_is_inside_of_a_loop_is_not_claimed() -> None:
    inner = Block((), ("inside",), (op("relu", "inside", {"x": "x"}),))
    found = predict_placement(package(op("while_loop", "y", {"x": "x"}, blocks=(inner,))), "all")
    assert [(item.op, item.unit, item.rule) for item in found.operators] == [
        ("while_loop", "unknown", "ane-control-flow"),
        ("relu", "unknown", "ane-inside-control-flow"),
    ]


def test_constants_are_no_operators_and_the_rest_is_counted() -> None:
    made = package(
        *CONV,
        op("relu", "a", {"x": "convolved"}),
        op("lstm", "b", {"x": "a"}),
        op("made_up", "c", {"x": "b"}),
        op("relu", "d", {"x": "c"}),
    )
    found = predict_placement(made, "all")
    assert [item.name for item in found.operators] == ["convolved", "a", "b", "c", "d"]
    assert found.counts == {"neural_engine": 3, "cpu": 1, "unknown": 1}
    assert found.shares == {"neural_engine": 0.6, "cpu": 0.2, "unknown": 0.2}
    assert found.switches == 2
    assert found.predicted
    assert found.verdict == "expected of 5 operators: 3 Neural Engine, 1 CPU, 1 unknown; 2 switches"
    assert Placement.from_dict(found.to_dict()) == found


def test_a_plan_has_the_form_of_a_delegates() -> None:
    made = package(*CONV, op("lstm", "b", {"x": "convolved"}), op("relu", "d", {"x": "b"}))
    plan = predict_placement(made, "all").plan()
    assert isinstance(plan, DelegatePlan)
    assert (plan.delegate, plan.nodes, plan.taken, plan.partitions) == ("all", 3, 2, 2)
    assert plan.coverage == pytest.approx(2 / 3)
    assert plan.predicted
    assert not plan.checked
    assert [(item.op, item.count, item.layers) for item in plan.blocking] == [("lstm", 1, ("b",))]
    assert plan.blocking[0].rewrite
    assert plan.blocking[0].source.startswith("https://")
    assert predict_placement(made, "cpu_only").plan().coverage == 1.0


def test_nothing_to_place() -> None:
    found = predict_placement(package(const("a", 1)), "all")
    assert found.counts == {}
    assert found.shares == {}
    assert found.plan().coverage is None


def test_wrong_words_are_refused_with_the_right_ones() -> None:
    made = package(*CONV)
    with pytest.raises(ConfigError, match="no compute units") as caught:
        predict_placement(made, "tpu")
    assert "cpu_and_neural_engine" in str(caught.value.hint)
    with pytest.raises(ConfigError, match="no function 'other'"):
        predict_placement(made, "all", function="other")
    assert predict_placement(made, "cpu_and_ne").compute_units == "cpu_and_neural_engine"


def test_an_operation_that_names_what_is_not_there_is_no_crash() -> None:
    odd = Operation("conv", {"x": ("nowhere",), "weight": ("nothing",)}, ())
    assert predict_placement(package(odd), "all").operators[0].name == "conv"


def test_the_package_that_basic_pitch_ships_is_float32() -> None:
    with open_package(real_models.basic_pitch_mlpackage()) as shipped:
        found = predict_placement(shipped, "all")
    assert found.neural_engine == 0
    assert {item.rule for item in found.operators if item.unit == "gpu"} == {"ane-float32"}

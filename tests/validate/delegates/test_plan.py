"""Plans: what is taken, in how many stretches, what blocks, and what to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.model.tflite_graph import Graph, Node, TensorInfo
from edge_sdk.targets import load_target
from edge_sdk.validate.delegates import DelegatePlan, plan_all, plan_delegates
from edge_sdk.validate.delegates.judge import kind_of, refusal
from edge_sdk.validate.delegates.partition import stretches
from edge_sdk.validate.delegates.plan import Prepared, predict
from edge_sdk.validate.delegates.rules import DelegateRules, Rule
from edge_sdk.validate.delegates.shapes import computed_shapes
from tests.validate.delegates.probe import probe


def chain(*ops: str, dtype: str = "float32") -> Graph:
    """Return a graph of operators one after the other."""
    tensors = tuple(TensorInfo(f"t{i}", dtype, (1, 4), (1, 4), 0, 0, 0) for i in range(len(ops) + 1))
    nodes = tuple(Node(op, (i,), (i + 1,)) for i, op in enumerate(ops))
    return Graph("main", tensors, (0,), (len(ops),), nodes)


def prepared(graph: Graph) -> Prepared:
    count = len(graph.nodes)
    return Prepared(graph, tuple({} for _ in range(count)), {}, (1,) * count, computed_shapes(graph))


def rules(**more: object) -> DelegateRules:
    taken = Rule(operators=("RELU", "TANH"), kinds=("float32",))
    return DelegateRules(delegate="toy", title="Toy", source="here", rules=(taken,), **more)  # type: ignore[arg-type]


def test_a_whole_float_model_is_taken(models: Path) -> None:
    (plan,) = plan_delegates(models / "conv_float.tflite", load_target("host"))
    assert (plan.delegate, plan.taken, plan.nodes, plan.partitions) == ("xnnpack", 5, 5, 1)
    assert plan.coverage == plan.coverage_by_macs == 1.0
    assert plan.predicted
    assert plan.checked
    assert plan.blocking == ()
    assert plan.verdict.startswith("takes the whole model, 5 operators")


def test_an_operator_that_blocks_is_named_with_its_layers_and_a_rewrite(models: Path) -> None:
    (plan,) = plan_delegates(models / "conv_int8.tflite", load_target("host"))
    (block,) = plan.blocking
    assert (block.op, block.count, len(block.layers)) == ("SOFTMAX", 1, 1)
    assert block.reason == "int8 SOFTMAX is not taken; taken: float16, float32"
    assert block.rewrite is not None
    assert "float" in block.rewrite
    assert plan.coverage == 0.8
    assert plan.coverage_by_macs == 1.0
    assert DelegatePlan.from_dict(plan.to_dict()) == plan
    assert plan.to_dict()["predicted"] is True


def test_the_older_runtime_takes_no_integers(models: Path) -> None:
    (plan,) = plan_delegates(models / "conv_int8.tflite", load_target("generic-armv7"))
    assert plan.taken == plan.partitions == 0
    assert plan.verdict.startswith("takes nothing of 5 operators")


def test_each_delegate_of_a_target_in_its_order_and_with_its_own_rules(models: Path) -> None:
    tpu, cpu = plan_delegates(models / "conv_int8.tflite", load_target("coral-dev-board"))
    assert (tpu.delegate, cpu.delegate) == ("edgetpu", "xnnpack")
    assert tpu.taken == 5
    assert "this file is not compiled" in tpu.verdict
    floats = plan_all(models / "conv_float.tflite", ["edgetpu", "vx", "ethosu", "teflon"], runtime="litert")
    assert [plan.taken for plan in floats] == [0, 0, 0, 0]
    for plan in floats:
        assert all("quantize" in (block.rewrite or "") for block in plan.blocking), plan.blocking


def test_a_float_input_does_not_keep_the_edge_tpu_from_starting(models: Path) -> None:
    (plan,) = plan_all(models / "conv_int8_float_io.tflite", ["edgetpu"], runtime="tflite-runtime")
    assert plan.partitions == 1
    assert plan.coverage_by_macs == 1.0


def test_a_delegate_without_rules_gets_no_number(models: Path) -> None:
    (plan,) = plan_all(models / "conv_float.tflite", ["qnn"], runtime="litert")
    assert plan.coverage is None
    assert plan.coverage_by_macs is None
    assert "no rules are known" in plan.verdict


def test_only_the_largest_stretches_are_handed_over() -> None:
    graph = chain("RELU", "ABS", "RELU", "TANH", "ABS", "RELU")
    found = predict(prepared(graph), rules(most_partitions=1))
    assert [part.nodes for part in found.stretches if part.taken] == [(2, 3)]
    assert found.refusals[0] is not None
    assert "1 stretch(es)" in found.refusals[0].reason


def test_small_stretches_stay_where_a_delegate_wants_more_nodes() -> None:
    found = predict(prepared(chain("RELU", "ABS", "RELU", "TANH")), rules(least_nodes=2))
    assert [part.nodes for part in found.stretches if part.taken] == [(2, 3)]


def test_nothing_is_taken_behind_the_first_stretch() -> None:
    found = predict(prepared(chain("ABS", "RELU", "ABS", "TANH")), rules(first_stretch_only=True))
    assert [item is None for item in found.refusals] == [False, False, False, False]
    found = predict(
        prepared(chain("ABS", "RELU", "ABS", "TANH")),
        rules(first_stretch_only=True, passed_at_start=("ABS",)),
    )
    assert [item is None for item in found.refusals] == [False, True, False, False]
    assert found.refusals[3] is not None
    assert found.refusals[3].obstacle == "after another"


def test_a_size_known_only_at_run_time_stops_a_static_delegate() -> None:
    graph = chain("WHERE", "RELU")
    assert computed_shapes(graph) == {1, 2}
    found = predict(prepared(graph), rules(static_only=True))
    assert found.refusals[1] is not None
    assert found.refusals[1].obstacle == "computed size"


def test_stretches_follow_the_flow_of_data_not_the_order_in_the_file() -> None:
    tensors = tuple(TensorInfo(f"t{i}", "float32", (1,), (1,), 0, 0, 0) for i in range(5))
    nodes = (
        Node("RELU", (0,), (1,)),
        Node("ABS", (0,), (2,)),
        Node("RELU", (1,), (3,)),
        Node("ADD", (2, 3), (4,)),
    )
    graph = Graph("main", tensors, (0,), (4,), nodes)
    assert stretches(graph, [True, False, True, True]) == [
        (True, (0, 2)),
        (False, (1,)),
        (True, (3,)),
    ]


def test_a_cycle_in_a_damaged_graph_ends() -> None:
    tensors = tuple(TensorInfo(f"t{i}", "float32", (1,), (1,), 0, 0, 0) for i in range(3))
    graph = Graph("main", tensors, (0,), (2,), (Node("RELU", (2,), (1,)), Node("RELU", (1,), (2,))))
    assert [part.taken for part in stretches(graph, [True, True])] == [False]


def test_a_huge_graph_ends_in_bounded_time() -> None:
    graph = chain(*("RELU", "ABS") * 15_000)
    found = stretches(graph, [node.op == "RELU" for node in graph.nodes])
    assert len(found) == 30_000


def test_conditions_say_what_is_and_what_may_be() -> None:
    graph = chain("RELU")
    limited = Rule(
        operators=("RELU",), kinds=("float32",), at_most={"stride_w": 3}, one_of={"activation": ("NONE",)}
    )
    toy = DelegateRules(delegate="toy", title="Toy", source="here", rules=(limited,))
    node = graph.nodes[0]
    assert refusal(toy, node, graph, {"stride_w": 3, "activation": "NONE"}, {}) is None
    found = refusal(toy, node, graph, {"stride_w": 5, "activation": "NONE"}, {})
    assert found is not None
    assert found.reason == "stride w is 5; at most 3 is taken"
    found = refusal(toy, node, graph, {"stride_w": 1, "activation": "TANH"}, {})
    assert found is not None
    assert found.reason == "the fused activation is TANH; taken: NONE"
    found = refusal(toy, node, graph, {"activation": "NONE"}, {})
    assert found is not None
    assert "not known before it runs" in found.reason


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("FULLY_CONNECTED float32*int8 bias=yes weights=constant", "float32*int8"),
        ("FULLY_CONNECTED int8 bias=yes weights=constant", "int8"),
        ("QUANTIZE float32>int8", "float32>int8"),
        ("TRANSPOSE_CONV float32 bias=no weights=constant", "float32"),
        ("SPLIT uint8 outputs=2", "uint8"),
    ],
)
def test_kinds_of_arithmetic(name: str, kind: str, tmp_path: Path) -> None:
    from edge_sdk.validate.delegates.plan import prepare

    path = tmp_path / "one.tflite"
    path.write_bytes(probe().one_operator_models()[name])
    found = prepare(path)
    assert kind_of(found.graph.nodes[0], found.graph, found.origin) == kind

"""The machine on programs written down here: order, rounding, constants, control flow, states, refusals."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError, ModelError, SignatureMismatchError
from edge_sdk.model.coreml.package import Feature, FunctionDescription, Metadata, Package
from edge_sdk.model.coreml.program import (
    ELEMENT_TYPES,
    Block,
    Constant,
    Function,
    NamedType,
    Operation,
    Program,
    ValueType,
)
from edge_sdk.validate.coreml_reference import ReferenceModel, UnknownOperatorError, machine


def value(data: Any, dtype: str = "fp32") -> Constant:
    """Return a constant, as the reader gives it."""
    if dtype == "string":
        return Constant(ValueType("string"), data)
    array = np.asarray(data, ELEMENT_TYPES[dtype])
    return Constant(ValueType(dtype, array.shape), array)


def named(name: str, dtype: str = "fp32", *shape: int | None) -> NamedType:
    return NamedType(name, ValueType(dtype, shape))


def operation(kind: str, outputs: Any, *, blocks: tuple[Block, ...] = (), **inputs: Any) -> Operation:
    """Return an operation; an input is a name, a constant, or a tuple of either."""
    given = {name.rstrip("_"): item if isinstance(item, tuple) else (item,) for name, item in inputs.items()}
    made = outputs if isinstance(outputs, tuple) else (outputs,)
    return Operation(kind=kind, inputs=given, outputs=made, blocks=blocks)


def const(name: str, item: Constant) -> Operation:
    return Operation("const", {}, (NamedType(name, item.type),), {"val": item})


def block(*operations: Operation, outputs: tuple[str, ...], inputs: tuple[NamedType, ...] = ()) -> Block:
    return Block(inputs=inputs, outputs=outputs, operations=operations)


def model(
    body: Block,
    inputs: tuple[NamedType, ...] = (),
    *,
    features: tuple[Feature, ...] | None = None,
    outputs: tuple[Feature, ...] = (),
    states: tuple[Feature, ...] = (),
    opset: str = "CoreML8",
) -> ReferenceModel:
    """Return an open package that holds one function and no weights file."""
    if features is None:
        features = tuple(
            Feature(
                name=item.name,
                kind="tensor",
                dtype=item.type.dtype,
                shape=tuple(size or 0 for size in item.type.shape) if None not in item.type.shape else (),
            )
            for item in inputs
            if item.type.dtype != "state"
        )
    outputs = outputs or tuple(Feature(name=name, kind="tensor", dtype=None) for name in body.outputs)
    description = FunctionDescription(inputs=features, outputs=outputs, states=states)
    return ReferenceModel(
        Package(
            path=Path("model.mlpackage"),
            specification_version=9,
            minimum_deployment="iOS18",
            functions={"main": description},
            default_function="main",
            metadata=Metadata(),
            program=Program({"main": Function("main", inputs, opset, body)}),
            files=(),
            size_bytes=0,
            _model=Path("model.mlmodel"),
        )
    )


def test_rounds_after_every_operator_as_the_program_says() -> None:
    body = block(
        operation("add", named("sum", "fp16", 3), x="x", y=value(np.float32(2.0**-12))),
        operation("sub", named("left", "fp16", 3), x="sum", y=value([1.0, 0, 0])),
        operation("mul", named("large", "fp16", 3), x="x", y=value(np.float32(60000.0), "fp32")),
        outputs=("left", "large"),
    )
    opened = model(body, (named("x", "fp16", 3),))
    x = np.array([1, 2.0**-12, 2], np.float32)
    rounded = opened.evaluate({"x": x})
    # 1 + 2^-12 lies between two numbers of float16, nearer to 1: the addition is lost.
    assert rounded["left"].tolist() == [0, 2.0**-11, 2]
    assert rounded["large"].tolist() == [60000, np.float32(np.float16(60000 * 2.0**-12)), np.inf]
    exact = opened.evaluate({"x": x}, precision="float32")
    assert exact["left"].tolist() == [2.0**-12, 2.0**-11, 2 + 2.0**-12]
    assert exact["large"][2] == 120000


def test_ties_go_to_the_even_neighbour() -> None:
    body = block(operation("identity", named("y", "fp16", 2), x="x"), outputs=("y",))
    halves = np.array([1 + 2.0**-11, 1 + 3 * 2.0**-11], np.float32)
    assert model(body, (named("x", "fp32", 2),)).evaluate({"x": halves})["y"].tolist() == [1, 1 + 2.0**-9]


def test_integers_wrap_and_stay_integers() -> None:
    body = block(
        operation("add", named("y", "int32", 2), x="x", y=value(np.int32(1), "int32")), outputs=("y",)
    )
    result = model(body, (named("x", "int32", 2),)).evaluate({"x": np.array([2**31 - 1, 5], np.int32)})["y"]
    assert (result.dtype, result.tolist()) == (np.int32, [-(2**31), 6])


def test_values_are_let_go_after_their_last_use() -> None:
    count, size = 60, 250_000
    chain = [
        operation("relu", named(f"v{i + 1}", "fp32", size), x="x" if i == 0 else f"v{i}")
        for i in range(count)
    ]
    opened = model(block(*chain, outputs=(f"v{count}",)), (named("x", "fp32", size),))
    x = np.ones(size, np.float32)
    tracemalloc.start()
    opened.evaluate({"x": x})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes


def test_an_unknown_operator_is_found_before_and_refused_when_running() -> None:
    body = block(
        operation("relu", named("a", "fp32", 2), x="x"),
        operation("teleport", named("y", "fp32", 2), x="a"),
        outputs=("y",),
    )
    opened = model(body, (named("x", "fp32", 2),))
    assert opened.unknown_operators() == (("teleport", "y"),)
    with pytest.raises(UnknownOperatorError, match="teleport"):
        opened.evaluate({"x": np.ones(2, np.float32)})


def test_an_unknown_input_of_a_known_operator_is_no_pass() -> None:
    body = block(operation("relu", named("y", "fp32", 2), x="x", wobble=value(np.float32(1))), outputs=("y",))
    opened = model(body, (named("x", "fp32", 2),))
    assert opened.unknown_operators() == (("relu", "y"),)
    with pytest.raises(UnknownOperatorError) as caught:
        opened.evaluate({"x": np.ones(2, np.float32)})
    assert "wobble" in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "why"), [((3,), "program says [3]"), ((2, 1), "program says [2, 1]"), ((), "program says []")]
)
def test_a_result_of_another_shape_than_declared_is_no_pass(shape: tuple[int, ...], why: str) -> None:
    body = block(operation("relu", named("y", "fp32", *shape), x="x"), outputs=("y",))
    with pytest.raises(UnknownOperatorError) as caught:
        model(body, (named("x", "fp32", 2),)).evaluate({"x": np.ones(2, np.float32)})
    assert why in str(caught.value)


def test_inputs_that_do_not_fit_an_operator_are_no_crash() -> None:
    body = block(
        operation("matmul", named("y", "fp32", 2, 2), x="x", y=value(np.ones((3, 2)))), outputs=("y",)
    )
    with pytest.raises(UnknownOperatorError, match="matmul"):
        model(body, (named("x", "fp32", 2, 2),)).evaluate({"x": np.ones((2, 2), np.float32)})


def test_a_name_that_nothing_made_is_refused() -> None:
    body = block(operation("relu", named("y", "fp32", 2), x="nowhere"), outputs=("y",))
    with pytest.raises(ModelError, match="nowhere"):
        model(body).evaluate({})


def test_several_values_come_as_a_tuple_even_where_there_is_one() -> None:
    body = block(
        const("axis", value(np.int32(0), "int32")),
        const("apart", value(False, "bool")),
        operation("concat", named("one", "fp32", 2), values=("x",), axis="axis", interleave="apart"),
        operation("concat", named("two", "fp32", 4), values=("x", "one"), axis="axis", interleave="apart"),
        outputs=("two",),
    )
    assert model(body, (named("x", "fp32", 2),)).evaluate({"x": np.array([1, 2], np.float32)})[
        "two"
    ].tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize(("chosen", "expected"), [(1, [11.0, 12.0]), (0, [10.0, 20.0])])
def test_cond_runs_one_of_its_blocks_with_the_values_around_it(chosen: int, expected: list[float]) -> None:
    yes = block(operation("add", named("p", "fp32", 2), x="x", y=value(np.float32(10))), outputs=("p",))
    no = block(operation("mul", named("q", "fp32", 2), x="x", y=value(np.float32(10))), outputs=("q",))
    body = block(
        operation("greater", named("more", "bool"), x="n", y=value(np.int32(0), "int32")),
        operation("cond", named("y", "fp32", 2), pred="more", blocks=(yes, no)),
        outputs=("y",),
    )
    opened = model(
        body,
        (named("x", "fp32", 2), named("n", "int32")),
        features=(
            Feature(name="x", kind="tensor", dtype="fp32", shape=(2,)),
            Feature(name="n", kind="tensor", dtype="int32"),
        ),
    )
    result = opened.evaluate({"x": np.array([1, 2], np.float32), "n": np.int32(chosen)})
    assert result["y"].tolist() == expected


def loop(rounds: int) -> Block:
    """x is written to a list and doubled, `rounds` times; the list is gathered at the end."""
    condition = block(
        operation("less", named("more", "bool"), x="i0", y=value(np.int32(rounds), "int32")),
        outputs=("more",),
        inputs=(named("i0", "int32"), named("v0", "fp32", 2), named("l0", "list")),
    )
    body = block(
        operation("list_write", named("l2", "list"), ls="l1", index="i1", value="v1"),
        operation("mul", named("v2", "fp32", 2), x="v1", y="two"),
        operation("add", named("i2", "int32"), x="i1", y=value(np.int32(1), "int32")),
        outputs=("i2", "v2", "l2"),
        inputs=(named("i1", "int32"), named("v1", "fp32", 2), named("l1", "list")),
    )
    return block(
        const("two", value(np.float32(2))),
        const("zero", value(np.int32(0), "int32")),
        operation(
            "make_list",
            named("l", "list"),
            init_length=value(np.int32(1), "int32"),
            dynamic_length=value(True, "bool"),
            elem_shape=(value(np.int32(2), "int32"),),
            dtype=value("fp32", "string"),
        ),
        operation(
            "while_loop",
            (named("i", "int32"), named("v", "fp32", 2), named("kept", "list")),
            loop_vars=("zero", "x", "l"),
            blocks=(condition, body),
        ),
        operation("list_length", named("n", "int32"), ls="kept"),
        operation("list_gather", named("all", "fp32", None, 2), ls="kept", indices=value([2, 0], "int32")),
        operation("list_read", named("one", "fp32", 2), ls="kept", index=value(np.int32(1), "int32")),
        outputs=("v", "all", "one", "n"),
    )


def test_while_loop_and_lists() -> None:
    result = model(loop(3), (named("x", "fp32", 2),)).evaluate({"x": np.array([1, 3], np.float32)})
    assert result["v"].tolist() == [8, 24]
    assert result["all"].tolist() == [[4, 12], [1, 3]]
    assert result["one"].tolist() == [2, 6]
    assert int(result["n"]) == 3


def test_a_loop_without_an_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_MAX_ROUNDS", 50)
    with pytest.raises(ModelError, match="50 rounds"):
        model(loop(1000), (named("x", "fp32", 2),)).evaluate({"x": np.ones(2, np.float32)})


def test_list_scatter_grows_a_list_and_unwritten_elements_are_zeros() -> None:
    body = block(
        operation("make_list", named("l", "list"), elem_shape=(value(np.int32(2), "int32"),)),
        operation("list_scatter", named("m", "list"), ls="l", indices=value([3, 1], "int32"), value="x"),
        operation("list_gather", named("y", "fp32", 4, 2), ls="m", indices=value([0, 1, 2, 3], "int32")),
        outputs=("y",),
    )
    result = model(body, (named("x", "fp32", 2, 2),)).evaluate({"x": np.array([[1, 2], [3, 4]], np.float32)})
    assert result["y"].tolist() == [[0, 0], [3, 4], [0, 0], [1, 2]]


def test_a_list_of_numbers() -> None:
    body = block(
        operation("make_list", named("l", "list")),
        operation("reduce_sum", named("s", "fp32"), x="x", keep_dims=value(False, "bool")),
        operation("list_write", named("m", "list"), ls="l", index=value(np.int32(0), "int32"), value="s"),
        operation("list_gather", named("y", "fp32", 1), ls="m", indices=value([0], "int32")),
        outputs=("y",),
    )
    found = model(body, (named("x", "fp32", 2),)).evaluate({"x": np.array([1, 2], np.float32)})["y"]
    assert found.tolist() == [3]


def counter(kind: str) -> ReferenceModel:
    """A state to which x is added; gives what it was before."""
    update = {"coreml_update_state": ("state", "value"), "write_state": ("input", "data")}[kind]
    made = (named("after", "fp16", 2),) if kind == "coreml_update_state" else ()
    body = block(
        operation("read_state", named("before", "fp16", 2), input="memory"),
        operation("add", named("sum", "fp16", 2), x="before", y="x"),
        operation(kind, made, **{update[0]: "memory", update[1]: "sum"}),
        outputs=("before",),
    )
    state = Feature(name="memory", kind="state", dtype="fp16", shape=(2,))
    return model(body, (named("x", "fp16", 2), named("memory", "state", 2)), states=(state,))


@pytest.mark.parametrize("kind", ["coreml_update_state", "write_state"])
def test_states_begin_with_zeros_and_are_left_with_the_caller(kind: str) -> None:
    opened, x = counter(kind), np.array([1, 2], np.float32)
    assert opened.evaluate({"x": x})["before"].tolist() == [0, 0]
    assert opened.evaluate({"x": x})["before"].tolist() == [0, 0]  # no state kept behind the caller's back
    states: dict[str, Any] = {}
    opened.evaluate({"x": x}, states=states)
    assert opened.evaluate({"x": x}, states=states)["before"].tolist() == [1, 2]
    assert states["memory"].tolist() == [2, 4]


def image(color: str, **more: Any) -> Feature:
    return Feature(name="picture", kind="image", width=4, height=3, color=color, **more)


@pytest.mark.parametrize(("color", "order"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0]), ("GRAY", [0])])
@pytest.mark.parametrize("batched", [True, False])
def test_images_are_laid_out_as_the_program_wants_them(color: str, order: list[int], batched: bool) -> None:
    channels = len(order)
    body = block(operation("identity", named("y", "fp32", 1, channels, 3, 4), x="picture"), outputs=("y",))
    opened = model(body, (named("picture", "fp32", 1, channels, 3, 4),), features=(image(color),))
    picture = np.random.default_rng(1).integers(0, 256, (3, 4, channels)).astype(np.uint8)
    result = opened.evaluate({"picture": picture[None] if batched else picture})["y"]
    assert np.array_equal(result[0], picture.transpose(2, 0, 1)[order])


def test_pictures_come_out_as_bytes_in_rgb_order() -> None:
    body = block(operation("identity", named("out", "fp32", 1, 3, 3, 4), x="x"), outputs=("out",))
    opened = model(
        body,
        (named("x", "fp32", 1, 3, 3, 4),),
        outputs=(Feature(name="out", kind="image", width=4, height=3, color="BGR"),),
    )
    x = np.zeros((1, 3, 3, 4), np.float32)
    x[0, 0], x[0, 2] = 300.0, 7.6
    result = opened.evaluate({"x": x})["out"]
    assert (result.dtype, result.shape, result[0, 0, 0].tolist()) == (np.uint8, (1, 3, 4, 3), [8, 0, 255])


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"x": np.ones(3, np.float32)},
        {"x": np.ones((2, 1), np.float32)},
        {"x": np.array(["a", "b"])},
        {"x": np.ones(2, np.float32), "z": np.ones(1)},
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_a_table(given: dict[str, Any]) -> None:
    body = block(operation("relu", named("y", "fp32", 2), x="x"), outputs=("y",))
    with pytest.raises(SignatureMismatchError, match="expected"):
        model(body, (named("x", "fp32", 2),)).evaluate(given)


@pytest.mark.parametrize("given", [np.array([0.5, 1]), np.array([2**40, 0])])
def test_whole_number_inputs_take_no_fractions_and_nothing_too_large(given: Any) -> None:
    body = block(operation("identity", named("y", "int32", 2), x="x"), outputs=("y",))
    opened = model(body, (named("x", "int32", 2),))
    with pytest.raises(SignatureMismatchError):
        opened.evaluate({"x": given})
    assert opened.evaluate({"x": np.array([7, -1], np.int64)})["y"].tolist() == [7, -1]


def test_enumerated_shapes_and_ranges() -> None:
    body = block(operation("relu", named("y", "fp32", None, 2), x="x"), outputs=("y",))
    inputs = (named("x", "fp32", None, 2),)
    listed = Feature(name="x", kind="tensor", dtype="fp32", shape=(1, 2), shapes=((1, 2), (4, 2)))
    ranged = Feature(name="x", kind="tensor", dtype="fp32", shape=(1, 2), ranges=((1, None), (2, 2)))
    for feature, sizes in ((listed, (1, 4)), (ranged, (1, 9))):
        opened = model(body, inputs, features=(feature,))
        for size in sizes:
            assert opened.evaluate({"x": np.ones((size, 2), np.float32)})["y"].shape == (size, 2)
    with pytest.raises(SignatureMismatchError, match="or"):
        model(body, inputs, features=(listed,)).evaluate({"x": np.ones((3, 2), np.float32)})


def test_a_classifier_gives_label_and_probabilities() -> None:
    labels = Constant(ValueType("list"), ("cat", "dog"))
    body = block(
        const("classes", labels),
        operation(
            "classify",
            (named("classLabel", "string"), named("probs", "dictionary")),
            probabilities="x",
            classes="classes",
        ),
        outputs=("classLabel", "probs"),
    )
    result = model(body, (named("x", "fp32", 1, 2),)).evaluate({"x": np.array([[0.25, 0.75]], np.float32)})
    assert result["classLabel"] == "dog"
    assert result["probs"] == {"cat": 0.25, "dog": 0.75}


def test_functions_and_precisions_are_named_rightly() -> None:
    body = block(operation("relu", named("y", "fp32", 2), x="x"), outputs=("y",))
    opened, x = model(body, (named("x", "fp32", 2),)), {"x": np.ones(2, np.float32)}
    with pytest.raises(ConfigError, match="main"):
        opened.evaluate(x, function="other")
    with pytest.raises(ConfigError, match="float64"):
        opened.evaluate(x, precision="float64")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "broken",
    [
        operation("constexpr_sparse_to_dense", named("y", "fp32", 2), nonzero_data="y", mask="y"),
        operation("while_loop", named("y", "fp32", 2), loop_vars=("x",), blocks=(block(outputs=("x",)),) * 2),
        operation("cond", named("y", "fp32", 2), pred=value(True, "bool")),
        operation("cond", named("y", "fp32", 2), pred="x", blocks=(block(outputs=("x",)),) * 2),
        operation("read_state", named("y", "fp32", 2), input="x"),
        operation("read_state", named("y", "fp32", 2)),
        operation("fill", named("y", "fp32", None), shape=value([2**31 - 1] * 2, "int32"), value=value(1.0)),
        operation("cast", named("y", "int32", 2), x=value("text", "string"), dtype=value("int32", "string")),
        operation("const", named("y", "fp32", 2)),
    ],
)
def test_programs_that_make_no_sense_are_refused(broken: Operation) -> None:
    body = block(broken, operation("relu", named("z", "fp32", 2), x="y"), outputs=("z",))
    with pytest.raises(ModelError):
        model(body, (named("x", "fp32", 2),)).evaluate({"x": np.ones(2, np.float32)})

"""What is decided before coremltools runs, and what its failures mean."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.spec import Contract, ImagePreprocess, Postprocess, Preprocess, Signature, TensorSpec
from edge_sdk.convert.child import _describe
from edge_sdk.convert.coreml.classifier import choose_classifier
from edge_sdk.convert.coreml.failures import explain
from edge_sdk.convert.coreml.images import choose_images, why_not
from edge_sdk.convert.coreml.names import choose_names, free_name, valid
from edge_sdk.convert.coreml.request import Request
from edge_sdk.convert.coreml.shapes import Shapes, settle_shapes
from edge_sdk.errors import ConfigError, ConversionError, ModelError, UnsupportedOpError, error_from_dict


def tensor(name: str, *shape: int | None, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name=name, dtype=dtype, shape=shape)


def signature(*inputs: TensorSpec, outputs: tuple[TensorSpec, ...] = (), name: str = "main") -> Signature:
    return Signature(name=name, inputs=inputs, outputs=outputs or (tensor("y", None, 3),))


def request(**changes: Any) -> Request:
    given = {"kind": "keras", "model": "m.keras", "output": "m.mlpackage", "deployment_target": "iOS16"}
    return Request.of({**given, **changes})


def contract(
    preprocess: dict[str, ImagePreprocess] | None = None,
    *,
    labels: tuple[str, ...] = (),
    postprocess: dict[str, Postprocess] | None = None,
) -> Contract:
    return Contract(
        signatures=(),
        default_signature="main",
        preprocess={name: Preprocess(image=image) for name, image in (preprocess or {}).items()},
        postprocess=postprocess or {},
        labels=labels,
    )


def test_a_tflite_file_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match=r"a\.tflite cannot become") as caught:
        request(kind="tflite", model="/models/a.tflite")
    assert "fused" in str(caught.value.why)
    assert "SavedModel" in str(caught.value.hint)


@pytest.mark.parametrize("changes", [{"deployment_target": "iOS14"}, {"precision": "int8"}])
def test_unknown_choices_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="is 'i") as caught:
        request(**changes)
    assert "allowed" in str(caught.value.why)


def test_the_default_signature_comes_first() -> None:
    three = tuple(signature(tensor("x", 1), name=name) for name in ("a", "b", "c"))
    asked = request(signatures=["a", "c", "b"], deployment_target="iOS18")
    assert [item.name for item in asked.choose(three, "c")] == ["c", "a", "b"]
    assert [item.name for item in request().choose(three, "b")] == ["b"]
    with pytest.raises(ConfigError, match="for 'z', which is no input"):
        request(shapes={"z": [[1]]}).choose(three, "a")


def test_a_free_batch_is_one_and_a_scalar_has_one_entry() -> None:
    settled = settle_shapes(signature(tensor("x", None, 4), tensor("factor")), request())
    assert settled["x"] == Shapes(((1, 4),))
    assert settled["factor"] == Shapes(((1,),), scalar=True)


def test_the_picture_settles_height_and_width() -> None:
    image = ImagePreprocess(height=8, width=10)
    settled = settle_shapes(
        signature(tensor("x", None, None, None, 3)), request(contract=contract({"x": image}).to_dict())
    )
    assert settled["x"].default == (1, 8, 10, 3)


@pytest.mark.parametrize(
    ("spec", "shapes", "message"),
    [
        (tensor("x", None, None), None, r"has a free size: \[1, \?\]"),
        (TensorSpec(name="x", dtype="float32", shape=None), None, "has no rank"),
        (tensor("x", None, 4), [[1, 5]], "does not fit"),
        (tensor("x", None, 4), [[4]], "does not fit"),
        (tensor("x", None, 4), [[0, 4]], "does not fit"),
        (tensor("x", 1, 1, 1, 1, 1, 1), None, "6 dimensions"),
        (tensor("x", None, None), [[1, size] for size in range(1, 130)], "129 shapes"),
        (TensorSpec(name="x", dtype="float32", shape=None), [[1, 2], [1]], "different numbers"),
    ],
)
def test_shapes_that_cannot_be_used(spec: TensorSpec, shapes: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settle_shapes(signature(spec), request(shapes={"x": shapes} if shapes else {}))


def test_several_inputs_with_several_shapes() -> None:
    free = signature(tensor("x", None, None), tensor("m", None, None))
    pairs = {"x": [[1, 8], [1, 16]], "m": [[1, 8], [1, 16]]}
    with pytest.raises(ConfigError, match="2 inputs have several shapes") as caught:
        settle_shapes(free, request(shapes=pairs))
    assert "iOS18" in str(caught.value.hint)
    settled = settle_shapes(free, request(shapes=pairs, deployment_target="iOS18"))
    assert settled["m"].traced == (1, None)
    uneven = {**pairs, "m": [[1, 8], [1, 16], [1, 32]]}
    with pytest.raises(ConfigError, match="different numbers of them"):
        settle_shapes(free, request(shapes=uneven, deployment_target="iOS18"))


def test_keys_that_toml_has_to_quote_are_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        settle_shapes(signature(tensor("my input:0", None, None)), request())
    assert '"my input:0" = [[1, 128]]' in str(caught.value.hint)


PICTURE = ImagePreprocess(height=8, width=10, mean=(127.5,), std=(127.5,))


@given(
    scale=st.floats(1e-4, 2.0),
    std=st.floats(0.01, 300.0),
    means=st.lists(st.floats(0, 255), min_size=3, max_size=3),
    pixels=st.lists(st.integers(0, 255), min_size=3, max_size=3),
)
def test_scale_and_bias_compute_what_the_contract_says(
    scale: float, std: float, means: list[float], pixels: list[int]
) -> None:
    image = ImagePreprocess(height=8, width=10, scale=scale, mean=tuple(means), std=(std,))
    images, notes = choose_images(
        signature(tensor("x", 1, 8, 10, 3)), contract({"x": image}), {"x": Shapes(((1, 8, 10, 3),))}
    )
    assert not notes
    for pixel, mean, bias in zip(pixels, means, images["x"].bias, strict=True):
        wanted = (pixel * scale - mean) / std
        assert pixel * images["x"].scale + bias == pytest.approx(
            wanted, rel=1e-9, abs=1e-9 * (255 * scale + mean) / std
        )


@pytest.mark.parametrize(
    ("spec", "changes", "shape", "reason"),
    [
        (tensor("x", None, 8, 10, 3), {"std": (1.0, 2.0, 3.0)}, (1, 8, 10, 3), "std differs"),
        (tensor("x", None, 8, 10, 3), {}, (2, 8, 10, 3), "batch of 1"),
        (tensor("x", None, 8, 10, 1), {}, (1, 8, 10, 1), "3 channels"),
        (tensor("x", None, 9, 10, 3), {}, (1, 9, 10, 3), "8 x 10 pixels"),
        (tensor("x", None, 240), {}, (1, 240), "4 dimensions"),
        (tensor("x", None, 8, 10, 3, dtype="uint8"), {}, (1, 8, 10, 3), "rounded to uint8"),
    ],
)
def test_why_an_input_is_no_image(
    spec: TensorSpec, changes: dict[str, Any], shape: tuple[int, ...], reason: str
) -> None:
    image = ImagePreprocess(**{"height": 8, "width": 10, "mean": (127.5,), "std": (127.5,), **changes})
    assert reason in str(why_not(spec, image, Shapes((shape,))))
    images, notes = choose_images(signature(spec), contract({"x": image}), {"x": Shapes((shape,))})
    assert not images
    assert reason in notes[0]


def test_one_std_for_all_channels_may_be_written_three_times() -> None:
    image = ImagePreprocess(height=8, width=10, mean=(1.0, 2.0, 3.0), std=(2.0, 2.0, 2.0))
    assert why_not(tensor("x", None, 8, 10, 3), image, Shapes(((1, 8, 10, 3),))) is None


def test_the_contract_speaks_about_the_default_signature_only() -> None:
    other = signature(tensor("x", 1, 8, 10, 3), name="other")
    assert choose_images(other, contract({"x": PICTURE}), {"x": Shapes(((1, 8, 10, 3),))}) == ({}, [])
    assert choose_classifier(other, contract(labels=("a", "b", "c"))) == (None, None)


@pytest.mark.parametrize(
    ("outputs", "labels", "reason"),
    [
        ((tensor("y", None, 3),), ("a", "b"), "2 labels and output 'y'"),
        ((tensor("y", None, 3),), ("a", "b", "a"), "'a' is there more than once"),
        ((tensor("y", None, 3), tensor("z", None, 3)), ("a", "b", "c"), "more than one output"),
        ((tensor("y", None, 3, dtype="int64"),), ("a", "b", "c"), "is int64"),
        ((tensor("y", None, 7, 3),), ("a", "b", "c"), "3 labels and output"),
    ],
)
def test_labels_that_do_not_fit_are_left_out(
    outputs: tuple[TensorSpec, ...], labels: tuple[str, ...], reason: str
) -> None:
    found, note = choose_classifier(signature(tensor("x", 1), outputs=outputs), contract(labels=labels))
    assert found is None
    assert reason in str(note)


def test_the_ranked_output_gets_the_labels() -> None:
    outputs = (tensor("features", None, 3), tensor("scores", None, 3))
    post = {"scores": Postprocess(top_k=1, activation="softmax")}
    found, note = choose_classifier(
        signature(tensor("x", 1), outputs=outputs), contract(labels=("a", "b", "c"), postprocess=post)
    )
    assert note is None
    assert found is not None
    assert (found.output, found.activation) == ("scores", "softmax")


@given(
    inputs=st.lists(st.text(max_size=300), unique=True, min_size=1, max_size=6),
    outputs=st.lists(st.text(max_size=300), unique=True, min_size=1, max_size=6),
)
def test_any_names_become_valid_and_stay_apart(inputs: list[str], outputs: list[str]) -> None:
    item = signature(
        *(tensor(name, 1) for name in inputs), outputs=tuple(tensor(name, 1) for name in outputs)
    )
    names = choose_names([item])
    chosen = [*names.inputs.values(), *names.outputs.values()]
    assert len(set(chosen)) == len(inputs) + len(outputs)
    for name in chosen:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,140}", name)
    assert all(names.inputs[name] == name for name in inputs if valid(name))
    assert all(names.outputs[name] == name for name in outputs if valid(name) and name not in inputs)


def test_a_name_means_the_same_in_every_function() -> None:
    encode = signature(tensor("x", 1), outputs=(tensor("code:0", 1),), name="encode")
    decode = signature(tensor("code:0", 1), outputs=(tensor("x", 1),), name="de code")
    names = choose_names([encode, decode])
    assert names.inputs == {"x": "x", "code:0": "code_0"}
    assert names.outputs == {"code:0": "code_0", "x": "x"}
    assert names.functions == {"encode": "encode", "de code": "de_code"}


def test_a_taken_name_gets_a_number() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a_2"]) == "a_3"


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (
            ValueError(
                "No available version for crop_resize in the coremltools.target.iOS16 opset. Please update "
                "the minimum_deployment_target to at least coremltools.target.iOS17"
            ),
            UnsupportedOpError,
            ["crop_resize", "iOS16", 'deployment_target = "iOS17"'],
        ),
        (
            ValueError(
                "Please update the minimum_deployment_target to coremltools.target.iOS18, since op "
                "slice_update is only available in opset coremltools.target.iOS18 or newer."
            ),
            UnsupportedOpError,
            ["slice_update", 'deployment_target = "iOS18"'],
        ),
        (
            ValueError('Core ML only supports tensors with rank <= 5. Layer "a", with type "reshape"'),
            ConversionError,
            ["more than 5 dimensions", "reshape"],
        ),
        (
            TypeError("float16 dtype for inputs is only supported for deployment target >= iOS16/macOS13"),
            ConversionError,
            ["iOS16"],
        ),
        (
            ValueError("Var strided_slice_3 should be output of block while_body_block"),
            ConversionError,
            ["a loop that runs as often as an input is long", "give that input one shape"],
        ),
        (KeyError("Graph 'g' not found"), ConversionError, ["coremltools cannot convert", "KeyError"]),
        (AssertionError(), ConversionError, ["AssertionError"]),
        (RecursionError("maximum recursion depth exceeded"), ConversionError, ["RecursionError"]),
    ],
)
def test_what_coremltools_raises_becomes_an_error_of_ours(
    failure: Exception, kind: type[Exception], words: list[str]
) -> None:
    error = explain(failure, "iOS16")
    assert type(error) is kind
    for word in words:
        assert word in str(error), word
    assert error.hint


def test_our_own_errors_pass_through() -> None:
    error = ConfigError("no")
    assert explain(error, "iOS16") is error


@pytest.mark.parametrize(("module", "package"), [("coremltools", "coremltools")])
def test_a_missing_package_names_the_extra(module: str, package: str) -> None:
    failure = ModuleNotFoundError(f"No module named {module!r}", name=f"{module}.converters")
    error = error_from_dict(_describe(failure)["error"])
    assert package in error.what
    assert error.hint == "pip install 'edge-sdk[coreml]'"

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.spec import TensorSpec
from edge_sdk.errors import BundleError, ModelError, SignatureMismatchError
from edge_sdk.runtime.tensors import (
    Affine,
    Port,
    accept,
    dequantize,
    file_spec,
    quantize,
    tie,
    unique_names,
)


def affine(scale: float, zero_point: int) -> Affine:
    return Affine(np.float32(scale).reshape(()), np.int32(zero_point).reshape(()))


def detail(**changes: Any) -> dict[str, Any]:
    return {
        "index": 3,
        "dtype": np.float32,
        "shape": np.array([1, 4], np.int32),
        "shape_signature": np.array([1, 4], np.int32),
        "quantization_parameters": {"scales": [], "zero_points": [], "quantized_dimension": 0},
        **changes,
    }


IMAGE = "float32[1,2] or uint8"
QUANTIZED = {"scales": np.array([0.5], np.float32), "zero_points": np.array([-3]), "quantized_dimension": 0}


@pytest.mark.parametrize(
    ("real", "stored"),
    [(0.0, 0), (0.5, 1), (-0.5, -1), (1.5, 2), (2.5, 3), (-2.5, -3), (0.49999997, 0), (-0.49999997, 0),
     (126.6, 127), (127.4, 127), (1e30, 127), (-1e30, -128), (math.inf, 127), (-math.inf, -128)],
)  # fmt: skip
def test_rounds_to_nearest_ties_away_from_zero_and_clamps(real: float, stored: int) -> None:
    result = quantize(np.array([real], np.float32), affine(1.0, 0), np.dtype(np.int8))
    assert result is not None
    assert result.dtype == np.int8
    assert result.tolist() == [stored]


def test_nan_has_no_stored_value() -> None:
    assert quantize(np.array([1.0, math.nan], np.float32), affine(1.0, 0), np.dtype(np.int8)) is None


@given(
    value=st.floats(-1e6, 1e6, width=32),
    scale=st.floats(2**-20, 8, width=32),
    zero_point=st.integers(-128, 127),
)
def test_stored_value_is_within_half_a_step(value: float, scale: float, zero_point: int) -> None:
    parameters = affine(scale, zero_point)
    stored = quantize(np.array([value], np.float32), parameters, np.dtype(np.int8))
    assert stored is not None
    back = float(dequantize(stored, parameters, np.dtype(np.float32))[0])
    low, high = scale * (-128 - zero_point), scale * (127 - zero_point)
    clamped = min(max(value, low), high)
    assert abs(back - clamped) <= scale / 2 * (1 + 1e-5) + abs(clamped) * 1e-6


def test_equals_the_reference_kernel_of_tensorflow_lite(models: Path) -> None:
    # Random values and exact ties, through the QUANTIZE operator of a real file. (The optimized kernels
    # decide ties otherwise; elsewhere all three agree.)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            model_path=str(models / "conv_int8_float_io.tflite"),
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    inside = next(
        d
        for d in interpreter.get_tensor_details()
        if d["dtype"] == np.int8 and d["shape"].tolist() == [1, 16, 16, 3]
    )
    scale, zero_point = inside["quantization"]
    generator = np.random.default_rng(5)
    for draw in range(40):
        values = generator.random((1, 16, 16, 3), dtype=np.float32) * 1.4 - 0.2
        if draw % 2:
            values = (generator.integers(-20, 280, values.shape) + 0.5).astype(np.float32) * np.float32(scale)
        interpreter.set_tensor(entry["index"], values)
        interpreter.invoke()
        mine = quantize(values, affine(scale, zero_point), np.dtype(np.int8))
        np.testing.assert_array_equal(mine, interpreter.get_tensor(inside["index"]))


def test_per_channel_parameters_follow_their_axis() -> None:
    parameters = {
        "scales": np.array([1.0, 0.5], np.float32),
        "zero_points": np.array([0, 1]),
        "quantized_dimension": 1,
    }
    sizes = np.array([3, 2], np.int32)
    port = tie(
        TensorSpec(name="x", dtype="float32", shape=(3, 2)),
        detail(dtype=np.int8, shape=sizes, shape_signature=sizes, quantization_parameters=parameters),
    )
    (stored,) = accept([port], {"x": np.full((3, 2), 2.0, np.float32)})
    assert stored.tolist() == [[2, 5]] * 3
    assert port.affine is not None
    assert dequantize(stored, port.affine, port.dtype).tolist() == [[2.0, 2.0]] * 3


def test_ties_contract_and_file() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=(None, 4))
    assert tie(spec, detail()).shape == (1, 4)  # the file fixes the batch
    free = detail(shape_signature=np.array([-1, 4]))
    assert tie(spec, free).shape == (None, 4)
    assert tie(TensorSpec(name="x", dtype="float32", shape=(2, 4)), free).shape == (2, 4)
    assert tie(spec, detail(dtype=np.int8, quantization_parameters=QUANTIZED)).converts


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (TensorSpec(name="x", dtype="float32", shape=(1, 5)), {}),
        (TensorSpec(name="x", dtype="float32", shape=(1, 4, 1)), {}),
        (TensorSpec(name="x", dtype="float32", shape=(1, 4)), {"dtype": np.int8}),
        (
            TensorSpec(name="x", dtype="int32", shape=(1, 4)),
            {"dtype": np.int8, "quantization_parameters": QUANTIZED},
        ),
    ],
)  # fmt: skip
def test_a_contract_that_does_not_fit_the_file_is_refused(spec: TensorSpec, changes: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="the contract says"):
        tie(spec, detail(**changes))


@pytest.mark.parametrize(("dtype", "stored"), [("string", np.bytes_), ("bfloat16", np.float32)])
def test_tensors_that_numpy_has_not_are_refused(dtype: str, stored: type) -> None:
    with pytest.raises(ModelError, match="which the runner cannot pass"):
        tie(TensorSpec(name="x", dtype=dtype, shape=(1, 4)), detail(dtype=stored))
    assert file_spec("x", detail(dtype=np.bytes_)).dtype == "string"


def test_unique_names_are_those_of_the_model_reader() -> None:
    names = ["a", "b", "a", "", "a", "", "a_1"]
    assert unique_names(names, default="input") == ["a", "b", "a_1", "input_3", "a_2", "input_5", "a_1_1"]


PORTS = [
    Port(name="features", index=0, dtype=np.dtype(np.float32), stored=np.dtype(np.float32), shape=(None, 2)),
    Port(name="kind", index=1, dtype=np.dtype(np.int32), stored=np.dtype(np.int32), shape=(1,)),
    Port(
        name="image",
        index=2,
        dtype=np.dtype(np.float32),
        stored=np.dtype(np.uint8),
        shape=(1, 2),
        affine=affine(1 / 256, 0),
    ),
]
GOOD: dict[str, Any] = {
    "features": np.ones((3, 2), np.float32),
    "kind": np.zeros(1, np.int32),
    "image": np.array([[0.5, 2.0]], np.float32),
}


def test_accepts_what_fits_in_the_order_of_the_ports() -> None:
    features, kind, image = accept(PORTS, GOOD)
    assert features is GOOD["features"]
    assert kind is GOOD["kind"]
    assert image.tolist() == [[128, 255]]
    assert image.dtype == np.uint8


def test_accepts_lists_numbers_and_the_stored_dtype() -> None:
    stored = np.array([[7, 9]], np.uint8)
    features, kind, image = accept(PORTS, {"features": [[1, 2.5]], "kind": [4], "image": stored})
    assert features.dtype == np.float32
    assert (kind.dtype, kind.tolist()) == (np.dtype(np.int32), [4])
    assert image is stored


@pytest.mark.parametrize(
    ("changes", "row", "hint"),
    [
        ({"features": np.ones((3, 2))}, ["features", "float32[?,2]", "float64[3,2]"], "astype('float32')"),
        ({"features": np.ones((3, 3), np.float32)}, ["features", "float32[?,2]", "float32[3,3]"], None),
        ({"features": np.ones((0, 2), np.float32)}, ["features", "float32[?,2]", "float32[0,2]"], None),
        ({"features": np.ones(2, np.float32)}, ["features", "float32[?,2]", "float32[2]"], None),
        ({"features": [[1, 2], [3]]}, ["features", "float32[?,2]", "an uneven list"], None),
        ({"features": "text"}, ["features", "float32[?,2]", "str"], None),
        ({"kind": [1.5]}, ["kind", "int32[1]", "list of float64[1]"], None),
        ({"kind": [2**40]}, ["kind", "int32[1]", "list of int64[1]"], None),
        ({"kind": None}, ["kind", "int32[1]", "NoneType"], None),
        ({"image": np.array([[math.nan, 0]], np.float32)}, ["image", IMAGE, "float32[1,2] with NaN"], None),
        ({"image": np.zeros(2, np.float32)}, ["image", IMAGE, "float32[2]"], "[None] adds the batch axis"),
        ({"imagee": 1}, ["imagee", "no such input", "int of int64[]"], None),
    ],
)  # fmt: skip
def test_refusals_name_every_input(changes: dict[str, Any], row: list[str], hint: str | None) -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        accept(PORTS, {**GOOD, **changes})
    rows = caught.value.details["rows"]
    assert row in rows
    assert [name for name, _, _ in rows][:3] == ["features", "kind", "image"]
    assert hint is None or (caught.value.hint is not None and hint in caught.value.hint)


def test_missing_and_misspelt_names() -> None:
    given = dict(GOOD)
    given["featuers"] = given.pop("features")
    with pytest.raises(SignatureMismatchError) as caught:
        accept(PORTS, given)
    assert ["features", "float32[?,2]", "missing"] in caught.value.details["rows"]
    assert caught.value.hint == "did you mean 'features' instead of 'featuers'?"

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_sdk.contract.golden import MAX_FAILURES, GoldenVectors, check_golden
from edge_sdk.errors import BundleError, ConfigError

DTYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "bool",
    "complex64",
    ">f4",
]


def vectors(cases: int = 3) -> GoldenVectors:
    random = np.random.default_rng(1)
    return GoldenVectors(
        inputs={
            "image": random.random((cases, 1, 4, 4, 1), dtype=np.float32),
            "scale/x": np.ones((cases, 1)),
        },
        outputs={"scores": random.random((cases, 1, 3), dtype=np.float32)},
    )


def answers(golden: GoldenVectors, **changes: np.ndarray) -> list[dict[str, np.ndarray]]:
    return [{**golden.expected(index), **changes} for index in range(len(golden))]


def check(golden: GoldenVectors, replies: list[dict[str, np.ndarray]], atol: float = 1e-6, rtol: float = 0.0):  # type: ignore[no-untyped-def]
    queue = iter(replies)
    return check_golden(golden, lambda inputs: next(queue), atol=atol, rtol=rtol)


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=1, max_dims=4, max_side=3))
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_vectors_survive_their_bytes(array: np.ndarray, name: str) -> None:
    name = name.replace("\x00", "_")  # ZIP ends names there
    golden = GoldenVectors(inputs={name: array}, outputs={name: array[::-1]})
    raw = golden.to_bytes()
    back = GoldenVectors.from_bytes(raw)
    np.testing.assert_array_equal(back.inputs[name], array)
    np.testing.assert_array_equal(back.outputs[name], array[::-1])
    assert back.inputs[name].dtype == array.dtype.newbyteorder("<")
    assert back.to_bytes() == raw


def test_the_bytes_depend_on_the_content_only() -> None:
    golden = vectors()
    mixed = GoldenVectors(
        inputs=dict(reversed(golden.inputs.items())),
        outputs={"scores": np.asfortranarray(golden.outputs["scores"])},
    )
    assert mixed.to_bytes() == golden.to_bytes()


def test_numpy_reads_them_too() -> None:
    with np.load(io.BytesIO(vectors().to_bytes()), allow_pickle=False) as archive:
        assert sorted(archive.files) == ["inputs.image", "inputs.scale/x", "outputs.scores"]


def test_cases_are_whole_calls() -> None:
    golden = vectors()
    cases = list(golden.cases())
    assert len(golden) == len(cases) == 3
    assert cases[1]["image"].shape == (1, 4, 4, 1)
    np.testing.assert_array_equal(cases[2]["image"], golden.inputs["image"][2])


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({}, {"y": np.ones(1)}),
        ({"x": np.ones(1)}, {}),
        ({"x": np.ones(2)}, {"y": np.ones(3)}),
        ({"x": np.ones(0)}, {"y": np.ones(0)}),
        ({"x": np.float32(1)}, {"y": np.ones(1)}),
        ({"x": np.array(["a"])}, {"y": np.ones(1)}),
        ({"x": np.array([{}], dtype=object)}, {"y": np.ones(1)}),
    ],
)
def test_vectors_must_make_sense(inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
    with pytest.raises(ConfigError):
        GoldenVectors(inputs={k: np.asarray(v) for k, v in inputs.items()}, outputs=outputs)


def npz(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


ONE = npy(np.ones((1, 2), np.float32))
GIANT = ONE.replace(b"(1, 2), }          ", b"(1, 99999999999), }")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\3\4",
        npz({}),
        npz({"inputs.x.npy": ONE}),
        npz({"inputs.x.npy": ONE, "outputs.y.npy": ONE, "evil.npy": ONE}),
        npz({"inputs.x.npy": ONE, "outputs.y.npy": ONE, "../x": b""}),
        npz({"inputs.x.npy": b"\x80\x04K\x01.", "outputs.y.npy": ONE}),
        npz({"inputs.x.npy": npy(np.array([{}], dtype=object)), "outputs.y.npy": ONE}),
        npz({"inputs.x.npy": GIANT, "outputs.y.npy": ONE}),
        npz({"inputs.x.npy": ONE[:-1], "outputs.y.npy": ONE}),
        npz({"inputs.x.npy": ONE + b"\0", "outputs.y.npy": ONE}),
        npz({"inputs.x.npy": ONE, "outputs.y.npy": npy(np.ones((2, 2)))}),
        npz({"inputs.x.npy": ONE, "outputs.y.npy": ONE}, zipfile.ZIP_DEFLATED),
    ],
)
def test_hostile_vectors_are_bundle_errors(raw: bytes) -> None:
    with pytest.raises(BundleError):
        GoldenVectors.from_bytes(raw)


def test_the_giant_is_one() -> None:
    assert len(GIANT) == len(ONE)
    assert GIANT != ONE


def test_a_bomb_is_not_inflated() -> None:
    raw = npz({"inputs.x.npy": bytes(200 * 2**20)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    try:
        with pytest.raises(BundleError):
            GoldenVectors.from_bytes(raw)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_no_flipped_byte_gives_another_error() -> None:
    good = vectors(1).to_bytes()
    for position in range(len(good)):
        raw = good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :]
        try:
            back = GoldenVectors.from_bytes(raw)
        except BundleError:
            continue
        # A few bytes (dates, attributes) carry nothing; the bundle's digest guards those.
        np.testing.assert_array_equal(back.outputs["scores"], vectors(1).outputs["scores"])


def test_equal_outputs_pass() -> None:
    golden = vectors()
    result = check(golden, answers(golden), atol=0.0)
    assert (result.passed, result.cases, result.max_abs_error, result.failures) == (True, 3, 0.0, ())


def test_the_tolerance_is_absolute_plus_relative() -> None:
    golden = GoldenVectors(inputs={"x": np.ones((1, 1))}, outputs={"y": np.array([[100.0]])})
    for value, passed in ((100.9, True), (101.1, True), (101.2, False)):
        result = check(golden, [{"y": np.array([value])}], atol=0.1, rtol=0.01)
        assert result.passed is passed
        assert result.max_abs_error == pytest.approx(value - 100)
    failing = check(golden, [{"y": np.array([103.0])}], atol=0.1, rtol=0.01)
    assert "expected 100, got 103" in failing.failures[0]
    assert "case 0, output 'y'" in failing.failures[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_never_pass(bad: float) -> None:
    golden = GoldenVectors(inputs={"x": np.ones((1, 1))}, outputs={"y": np.array([[1.0, bad]])})
    assert not check(golden, answers(golden), atol=1e9, rtol=1e9).passed  # not even where it was recorded
    clean = GoldenVectors(inputs={"x": np.ones((1, 1))}, outputs={"y": np.array([[1.0, 2.0]])})
    result = check(clean, [{"y": np.array([1.0, bad])}], atol=1e9, rtol=1e9)
    assert not result.passed
    assert result.to_dict()["max_abs_error"] is None
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"y": np.zeros((1, 2, 1), np.float32)},
        {"y": np.zeros(2, np.float32)},
        {"y": np.zeros((1, 2), np.float64)},
        {"y": np.zeros((1, 2), np.int32)},
    ],
)
def test_another_name_shape_or_dtype_never_passes(reply: dict[str, np.ndarray]) -> None:
    golden = GoldenVectors(inputs={"x": np.ones((1, 1))}, outputs={"y": np.zeros((1, 1, 2), np.float32)})
    result = check(golden, [reply], atol=1e9)
    assert not result.passed
    assert len(result.failures) == 1


def test_large_integers_are_compared_as_integers() -> None:
    golden = GoldenVectors(inputs={"x": np.ones((1, 1))}, outputs={"y": np.array([[2**60]])})
    assert check(golden, [{"y": np.array([2**60])}], atol=0.0).passed
    assert not check(golden, [{"y": np.array([2**60 + 1])}], atol=0.5).passed


def test_failures_are_counted_but_not_endless() -> None:
    golden = vectors(50)
    result = check(golden, answers(golden, scores=np.full((1, 3), 9, np.float32)))
    assert not result.passed
    assert len(result.failures) == MAX_FAILURES

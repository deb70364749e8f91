"""Compressed constants against loops that follow the definition, and against coremltools' own expansion."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.validate.coreml_reference import Unsupported, constants
from tests.validate.coreml_reference.test_machine import block, model, named, operation, value

RANDOM = np.random.default_rng(3)


def packed(numbers: Any, bits: int) -> np.ndarray:
    """Lay numbers of a few bits side by side, the first in the lowest bits."""
    total = 0
    for place, number in enumerate(np.asarray(numbers).reshape(-1).tolist()):
        total |= int(number) << (place * bits)
    size = -(-np.size(numbers) * bits // 8)
    return np.frombuffer(total.to_bytes(size, "little"), np.uint8)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_affine(axis: int, kind: Any) -> None:
    limits = np.iinfo(kind)
    data = RANDOM.integers(limits.min, limits.max + 1, (3, 4, 3)).astype(kind)
    count = data.shape[axis]
    scale = RANDOM.uniform(0.1, 2, count).astype(np.float32)
    zero = RANDOM.integers(limits.min, limits.max + 1, count).astype(kind)
    found = constants.affine_dequantize(quantized_data=data, zero_point=zero, scale=scale, axis=axis)
    for place in np.ndindex(data.shape):
        at = place[axis]
        assert found[place] == pytest.approx(float(scale[at]) * (int(data[place]) - int(zero[at])), rel=1e-6)
    scalar = constants.affine_dequantize(quantized_data=data, zero_point=1, scale=0.5, axis=axis)
    assert np.array_equal(scalar, (data.astype(np.float32) - 1) / 2)


@given(
    blocks=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    shifted=st.booleans(),
)
def test_blockwise(blocks: list[int], seed: int, shifted: bool) -> None:
    random = np.random.default_rng(seed)
    sizes = tuple(random.integers(1, 4, len(blocks)).tolist())
    shape = tuple(count * size for count, size in zip(blocks, sizes, strict=True))
    data = random.integers(-8, 8, shape).astype(np.int8)
    scale = random.uniform(0.1, 2, blocks).astype(np.float32)
    offset = random.integers(-8, 8, blocks).astype(np.int8) if shifted else None
    found = constants.blockwise_shift_scale(data=data, scale=scale, offset=offset)
    assert found.shape == shape
    for place in np.ndindex(shape):
        own = tuple(at // size for at, size in zip(place, sizes, strict=True))
        shift = 0 if offset is None else int(offset[own])
        assert found[place] == pytest.approx(float(scale[own]) * (int(data[place]) - shift), rel=1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8])
def test_palette_of_ios16(bits: int) -> None:
    lut = RANDOM.normal(size=2**bits).astype(np.float16)
    indices = RANDOM.integers(0, 2**bits, (3, 5, 1))
    found = constants.lut_to_dense(
        indices=packed(indices, bits), lut=lut, shape=np.array([3, 5, 1], np.uint32)
    )
    assert np.array_equal(found, lut[indices])


@given(
    blocks=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    width=st.integers(1, 3),
    bits=st.sampled_from([1, 2, 3, 4]),
    seed=st.integers(0, 99),
)
def test_palettes_of_ios18(blocks: list[int], width: int, bits: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 4, len(blocks)).tolist()
    shape = tuple(count * size for count, size in zip(blocks, sizes, strict=True))
    axis = int(random.integers(-len(blocks), len(blocks)))
    indices = random.integers(0, 2**bits, shape).astype(np.uint8)
    lut = random.normal(size=(*blocks, 2**bits, width)).astype(np.float32)
    found = constants.lut_to_dense(indices=indices, lut=lut, vector_axis=axis if width > 1 else None)
    wide = list(shape)
    wide[axis] *= width
    assert found.shape == tuple(wide)
    for place in np.ndindex(*wide):
        own, within = list(place), 0
        own[axis], within = divmod(place[axis], width)
        palette = tuple(at // size for at, size in zip(own, sizes, strict=True))
        assert found[place] == lut[(*palette, indices[tuple(own)], within)]


def test_sparse_in_both_forms() -> None:
    mask = RANDOM.integers(0, 2, (3, 7)).astype(np.uint8)
    values = RANDOM.normal(size=int(mask.sum())).astype(np.float32)
    expected = np.zeros((3, 7), np.float32)
    for value_, place in zip(values, np.argwhere(mask), strict=True):
        expected[tuple(place)] = value_
    new = constants.sparse_to_dense(nonzero_data=values, mask=mask)
    old = constants.sparse_to_dense(nonzero_data=values, mask=packed(mask, 1), shape=np.array([3, 7]))
    assert np.array_equal(new, expected)
    assert np.array_equal(old, expected)
    with pytest.raises(Unsupported, match="mask"):
        constants.sparse_to_dense(nonzero_data=values[1:], mask=mask)


def test_joint_forms_run_one_after_the_other() -> None:
    """sparse indices -> palette -> dense, and sparse int8 -> scaled -> dense, in a program."""
    mask = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    body = block(
        operation(
            "constexpr_lut_to_sparse",
            (named("m1", "uint1", 2, 3), named("v1", "fp16", 3)),
            indices_mask=value(mask, "uint1"),
            indices_nonzero_data=value([1, 0, 1], "uint1"),
            lut=value(np.array([2.5, -3]).reshape(1, 1, 2, 1), "fp16"),
        ),
        operation("constexpr_sparse_to_dense", named("w1", "fp16", 2, 3), nonzero_data="v1", mask="m1"),
        operation(
            "constexpr_sparse_blockwise_shift_scale",
            (named("m2", "uint1", 2, 3), named("v2", "fp16", 3)),
            data_mask=value(mask, "uint1"),
            nonzero_data=value([4, -4, 8], "int8"),
            scale=value([[0.5], [0.25]], "fp16"),
        ),
        operation("constexpr_sparse_to_dense", named("w2", "fp16", 2, 3), nonzero_data="v2", mask="m2"),
        operation("add", named("y", "fp32", 2, 3), x="w1", y="x"),
        operation("add", named("z", "fp32", 2, 3), x="w2", y="x"),
        outputs=("y", "z"),
    )
    opened = model(body, (named("x", "fp32", 2, 3),))
    for _ in range(2):  # the second time from what was kept
        found = opened.evaluate({"x": np.zeros((2, 3), np.float32)})
        assert found["y"].tolist() == [[-3, 0, 2.5], [0, -3, 0]]
        assert found["z"].tolist() == [[2, 0, -2], [0, 2, 0]]


def test_a_palette_of_scaled_integers() -> None:
    """The palette itself is compressed: int8 entries with a scale."""
    body = block(
        operation(
            "constexpr_blockwise_shift_scale",
            named("lut", "fp16", 1, 2, 1),
            data=value(np.array([10, -20]).reshape(1, 2, 1), "int8"),
            scale=value(np.full((1, 1, 1), 0.5), "fp16"),
        ),
        operation(
            "constexpr_lut_to_dense", named("w", "fp16", 4), indices=value([0, 1, 1, 0], "uint1"), lut="lut"
        ),
        operation("add", named("y", "fp32", 4), x="w", y="x"),
        outputs=("y",),
    )
    found = model(body, (named("x", "fp32", 4),)).evaluate({"x": np.zeros(4, np.float32)})
    assert found["y"].tolist() == [5, -10, -10, 5]


COMPARE = """
import numpy as np
from coremltools.converters.mil.mil.ops.defs.iOS16 import constexpr_ops as old
from coremltools.converters.mil.mil.ops.defs.iOS18 import compression as new
from edge_sdk.validate.coreml_reference import constants as ours
random = np.random.default_rng(4)
data = random.integers(-128, 128, (6, 4, 2)).astype(np.int8)
scale = random.uniform(.1, 2, 6).astype(np.float32)
zero = random.integers(-128, 128, 6).astype(np.int8)
assert np.allclose(
    old.constexpr_affine_dequantize.decompress(data, zero, scale, 0),
    ours.affine_dequantize(quantized_data=data, zero_point=zero, scale=scale, axis=0), rtol=1e-6)
for blocks in ((6, 1, 1), (3, 2, 1), (1, 1, 2), (6, 4, 2)):
    scale = random.uniform(.1, 2, blocks).astype(np.float32)
    shift = random.integers(-8, 8, blocks).astype(np.int8)
    for offset in (None, shift):
        assert np.allclose(
            new.constexpr_blockwise_shift_scale.decompress(data, scale, offset),
            ours.blockwise_shift_scale(data=data, scale=scale, offset=offset), rtol=1e-6)
    for width, axis in ((1, None), (3, 0), (2, 1), (2, 2)):
        lut = random.normal(size=(*blocks, 16, width)).astype(np.float32)
        indices = random.integers(0, 16, (6, 4, 2)).astype(np.uint8)
        assert np.array_equal(
            new.constexpr_lut_to_dense.decompress(indices, lut, axis),
            ours.lut_to_dense(indices=indices, lut=lut, vector_axis=axis))
        mask = random.integers(0, 2, (6, 4, 2)).astype(np.uint8)
        kept = indices[mask != 0]
        theirs = new.constexpr_lut_to_sparse.decompress(mask, kept, lut, axis)
        mine = ours.lut_to_sparse(indices_mask=mask, indices_nonzero_data=kept, lut=lut, vector_axis=axis)
        assert all(np.array_equal(a, b) for a, b in zip(theirs, mine, strict=True))
    kept = data[mask != 0]
    theirs = new.constexpr_sparse_blockwise_shift_scale.decompress(mask, kept, scale, shift)
    mine = ours.sparse_blockwise_shift_scale(data_mask=mask, nonzero_data=kept, scale=scale, offset=shift)
    assert np.array_equal(theirs[0], mine[0]) and np.allclose(theirs[1], mine[1], rtol=1e-6)
print("same")
"""


@pytest.mark.slow
def test_as_coremltools_expands() -> None:
    if importlib.util.find_spec("coremltools") is None:
        pytest.skip("coremltools is not installed")
    done = subprocess.run(
        [sys.executable, "-c", COMPARE],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.endswith("same\n"), done.stderr[-3000:]

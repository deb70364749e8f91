"""Cases of operators that compute: kind, operator set, inputs; coremltools knows a value for each."""

from __future__ import annotations

from typing import Any

import numpy as np

RANDOM = np.random.default_rng(8)
Case = tuple[str, str, dict[str, Any]]


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def _domain(kind: str) -> np.ndarray:
    """Return values that a function of one number is defined for, of both signs where it can be."""
    x = RANDOM.uniform(-0.9, 0.9, (2, 3, 4)).astype(np.float32)
    if kind in ("log", "sqrt", "rsqrt", "inverse"):
        return np.abs(x) + np.float32(0.1)
    return x if kind in ("acos", "asin", "atanh") else x * np.float32(4)


def unary() -> list[Case]:
    """Return one case of each function of one number, and its forms."""
    plain = (
        "abs acos asin atan atanh ceil cos cosh erf exp exp2 floor inverse log round rsqrt sign sin sinh "
        "sqrt square tan tanh relu relu6 sigmoid softplus softsign"
    )
    cases: list[Case] = [(kind, "iOS15", {"x": _domain(kind)}) for kind in plain.split()]
    cases += [
        ("round", "iOS15", {"x": np.float32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])}),
        ("sign", "iOS15", {"x": np.float32([-3, 0, 2])}),
        ("clip", "iOS15", {"x": floats(3, 4), "alpha": -0.5, "beta": 0.25}),
        ("threshold", "iOS15", {"x": floats(3, 4), "alpha": 0.1}),
        ("log", "iOS15", {"x": np.float32([0.5, 2]), "epsilon": 0.25}),
        ("rsqrt", "iOS15", {"x": np.float32([0.5, 2]), "epsilon": 0.25}),
        ("inverse", "iOS15", {"x": np.float32([0.5, 2]), "epsilon": 0.25}),
        ("logical_not", "iOS15", {"x": np.asarray([True, False])}),
        ("clamped_relu", "iOS15", {"x": floats(3, 4), "alpha": 0.3, "beta": 0.5}),
        ("elu", "iOS15", {"x": floats(3, 4), "alpha": 0.7}),
        ("leaky_relu", "iOS15", {"x": floats(3, 4), "alpha": 0.2}),
        ("linear_activation", "iOS15", {"x": floats(3, 4), "alpha": 2.0, "beta": -1.0}),
        ("prelu", "iOS15", {"x": floats(2, 3, 4, 4), "alpha": np.float32([0.1, 0.2, 0.3])}),
        ("scaled_tanh", "iOS15", {"x": floats(3, 4), "alpha": 1.5, "beta": 0.5}),
        ("sigmoid_hard", "iOS15", {"x": floats(3, 4) * 9, "alpha": 0.3, "beta": 0.4}),
        (
            "softplus_parametric",
            "iOS15",
            {
                "x": floats(2, 3, 4, 4),
                "alpha": np.float32([1, 2, 3]),
                "beta": np.float32([0.5, 1, 2]),
            },
        ),
        ("thresholded_relu", "iOS15", {"x": floats(3, 4), "alpha": 0.4}),
        *(("gelu", "iOS15", {"x": floats(9), "mode": mode}) for mode in GELU),
        *(("softmax", "iOS15", {"x": floats(2, 3, 4), "axis": axis}) for axis in (-1, 0, 1)),
    ]
    return cases


GELU = ("EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION")


def binary() -> list[Case]:
    """Return cases of functions of two numbers: real and whole ones, and shapes that are stretched."""
    cases: list[Case] = []
    kinds = "add sub mul real_div floor_div mod maximum minimum equal not_equal greater greater_equal less"
    whole = np.asarray([-7, -6, 0, 5, 7], np.int32)
    for kind in (*kinds.split(), "less_equal"):
        cases.append((kind, "iOS15", {"x": floats(2, 1, 4), "y": floats(3, 1)}))
        if kind != "real_div":
            cases.append((kind, "iOS17", {"x": whole, "y": np.asarray([[3], [-3], [5]], np.int32)}))
    cases.append(("pow", "iOS15", {"x": np.abs(floats(3, 1)), "y": floats(4)}))
    cases += [
        (kind, "iOS15", {"x": np.asarray([[True], [False]]), "y": np.asarray([True, False])})
        for kind in ("logical_and", "logical_or", "logical_xor")
    ]
    return cases


def reductions() -> list[Case]:
    """Return cases of every reduction: one axis, several, counted from the end, all; kept and not."""
    kinds = "l1_norm l2_norm log_sum log_sum_exp max mean min prod sum sum_square"
    forms: list[dict[str, Any]] = [
        {},
        {"axes": np.asarray([-1], np.int32)},
        {"axes": np.asarray([0, -2], np.int32), "keep_dims": True},
    ]
    cases: list[Case] = [
        (f"reduce_{kind}", "iOS15", {"x": np.abs(floats(2, 3, 4)) + np.float32(0.1), **form})
        for kind in kinds.split()
        for form in forms
    ]
    for kind in ("reduce_argmax", "reduce_argmin"):
        cases.append((kind, "iOS15", {"x": floats(2, 3, 4), "axis": -2}))
        cases.append((kind, "iOS15", {"x": floats(2, 3, 4), "axis": 0, "keep_dims": True}))
        cases.append((kind, "iOS17", {"x": floats(5, 3), "axis": 0, "output_dtype": "uint16"}))
    return cases


def products() -> list[Case]:
    """Return cases of matrix products and of norms."""
    return [
        ("linear", "iOS15", {"x": floats(2, 3, 4), "weight": floats(5, 4), "bias": floats(5)}),
        ("linear", "iOS15", {"x": floats(4), "weight": floats(5, 4)}),
        ("matmul", "iOS15", {"x": floats(2, 1, 3, 4), "y": floats(5, 4, 2)}),
        ("matmul", "iOS15", {"x": floats(4, 3), "y": floats(2, 4), "transpose_x": True, "transpose_y": True}),
        ("einsum", "iOS15", {"values": [floats(2, 3, 4), floats(4, 3, 5)], "equation": "chw,whr->chr"}),
        ("l2_norm", "iOS15", {"x": floats(2, 3, 4, 5), "epsilon": 1e-3}),
        ("layer_norm", "iOS15", {"x": floats(2, 3, 4), "axes": np.asarray([-1], np.int32)}),
        (
            "layer_norm",
            "iOS15",
            {
                "x": floats(2, 3, 4),
                "axes": np.asarray([1, 2], np.int32),
                "gamma": floats(3, 4),
                "beta": floats(3, 4),
                "epsilon": 1e-3,
            },
        ),
    ]


def newer() -> list[Case]:
    """Return cases of operators that came with iOS 17 and 18."""
    query, key, value = floats(2, 3, 4, 8), floats(2, 3, 5, 8), floats(2, 3, 5, 6)
    attention = {"query": query, "key": key, "value": value}
    look = np.asarray([True, False, True, True, False])
    scales = np.float32([0.02, 0.05, 0.1])
    return [
        ("scaled_dot_product_attention", "iOS18", attention),
        ("scaled_dot_product_attention", "iOS18", {**attention, "attn_mask": floats(4, 5)}),
        ("scaled_dot_product_attention", "iOS18", {**attention, "attn_mask": np.stack([look] * 4)}),
        ("quantize", "iOS17", {"input": floats(4, 5), "scale": 0.01, "output_dtype": "int8"}),
        (
            "quantize",
            "iOS17",
            {
                "input": floats(2, 3, 4),
                "scale": scales,
                "zero_point": np.asarray([3, 100, 200], np.uint8),
                "axis": -2,
                "output_dtype": "uint8",
            },
        ),
    ]


CASES: list[Case] = [*unary(), *binary(), *reductions(), *products(), *newer()]

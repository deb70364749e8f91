"""Cases of operators that move values: kind, operator set, inputs; coremltools knows a value for each."""

from __future__ import annotations

from typing import Any

import numpy as np

RANDOM = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


CUBE = floats(2, 3, 4)
MASKS = {
    "begin_mask": np.asarray([True, False, False]),
    "end_mask": np.asarray([False, True, False]),
    "squeeze_mask": np.asarray([False, False, True]),
}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    # Shapes.
    ("reshape", "iOS15", {"x": CUBE, "shape": whole(0, -1, 2)}),
    ("reshape", "iOS16", {"x": CUBE, "shape": whole(4, 0, -1)}),
    ("reshape", "iOS17", {"x": CUBE, "shape": whole(0, 0, 0)}),
    ("reshape", "iOS17", {"x": CUBE, "shape": whole(-1, 0)}),
    ("reshape", "iOS17", {"x": floats(2, 50), "shape": whole(1, 0, -1, 0)}),
    ("reshape", "iOS18", {"x": CUBE, "shape": whole(0, 1, 0, 0, 0)}),
    ("transpose", "iOS15", {"x": CUBE, "perm": whole(2, 0, 1)}),
    ("transpose", "iOS17", {"x": CUBE, "perm": whole(-1, 0, -2)}),
    ("expand_dims", "iOS15", {"x": CUBE, "axes": whole(0, -1)}),
    ("expand_dims", "iOS17", {"x": CUBE, "axes": whole(-2, 1)}),
    ("squeeze", "iOS15", {"x": floats(1, 3, 1, 2)}),
    ("squeeze", "iOS17", {"x": floats(1, 3, 1, 2), "axes": whole(-2)}),
    ("flatten2d", "iOS15", {"x": CUBE, "axis": 2}),
    ("flatten2d", "iOS15", {"x": CUBE, "axis": -1}),
    ("flatten2d", "iOS15", {"x": CUBE, "axis": 1}),
    ("shape", "iOS15", {"x": CUBE}),
    ("concat", "iOS15", {"values": [CUBE, floats(2, 1, 4)], "axis": -2}),
    ("concat", "iOS15", {"values": [CUBE], "axis": 0}),
    ("split", "iOS15", {"x": floats(6, 2), "num_splits": 3, "axis": 0}),
    ("split", "iOS15", {"x": floats(2, 6), "split_sizes": whole(1, 3, 2), "axis": -1}),
    ("split", "iOS17", {"x": floats(2, 6), "split_sizes": whole(4, 2), "num_splits": 2, "axis": 1}),
    ("stack", "iOS15", {"values": [CUBE, floats(2, 3, 4)], "axis": -1}),
    ("stack", "iOS15", {"values": [CUBE, floats(2, 3, 4)], "axis": 1}),
    ("tile", "iOS15", {"x": CUBE, "reps": whole(2, 1, 3)}),
    ("fill", "iOS15", {"shape": whole(2, 3), "value": 2.5}),
    ("fill", "iOS15", {"shape": whole(2, 1), "value": 3}),
    ("fill_like", "iOS16", {"ref_tensor": CUBE, "value": True}),
    ("range_1d", "iOS15", {"start": 2, "end": 11, "step": 3}),
    ("range_1d", "iOS15", {"start": 5, "end": -4, "step": -2}),
    ("range_1d", "iOS15", {"start": 0.5, "end": 3.0, "step": 0.25}),
    ("cast", "iOS15", {"x": np.asarray([-1.7, 0.0, 2.6], np.float32), "dtype": "int32"}),
    ("cast", "iOS15", {"x": np.asarray([-1.7, 0.0, 2.6], np.float32), "dtype": "bool"}),
    ("cast", "iOS17", {"x": whole(-3, 0, 100), "dtype": "int8"}),
    ("cast", "iOS15", {"x": np.asarray([True, False]), "dtype": "fp32"}),
    ("select", "iOS15", {"cond": CUBE > 0, "a": CUBE, "b": -CUBE}),
    ("identity", "iOS15", {"x": CUBE}),
    # Slices.
    ("slice_by_index", "iOS15", {"x": CUBE, "begin": whole(0, -2, 1), "end": whole(2, 3, -1)}),
    ("slice_by_index", "iOS15", {"x": CUBE, "begin": whole(1, 1, -1), "end": whole(2, 0, 0), **MASKS}),
    (
        "slice_by_index",
        "iOS17",
        {"x": CUBE, "begin": whole(-1, 2, 3), "end": whole(-2, 0, -4), "stride": whole(-1, -1, -2)},
    ),
    (
        "slice_by_index",
        "iOS17",
        {
            "x": CUBE,
            "begin": whole(0, 0, 0),
            "end": whole(0, 0, 0),
            "stride": whole(1, -2, 3),
            "begin_mask": np.asarray([True] * 3),
            "end_mask": np.asarray([True] * 3),
        },
    ),
    ("slice_by_size", "iOS15", {"x": CUBE, "begin": whole(0, -2, 1), "size": whole(1, -1, 2)}),
    ("reverse", "iOS15", {"x": CUBE}),
    ("reverse", "iOS17", {"x": CUBE, "axes": whole(-1, 0)}),
    (
        "slice_update",
        "iOS18",
        {
            "x": CUBE,
            "update": floats(2, 2, 2),
            "begin": whole(0, 1, 0),
            "end": whole(2, 3, 4),
            "stride": whole(1, 1, 2),
        },
    ),
    (
        "slice_update",
        "iOS18",
        {
            "x": CUBE,
            "update": floats(2, 2),
            "begin": whole(0, 1, -1),
            "end": whole(0, 0, 0),
            **MASKS,
            "end_mask": np.asarray([True, True, False]),
        },
    ),
    # Indices, sorting, sums.
    ("gather", "iOS15", {"x": CUBE, "indices": whole(2, -3, 1, 1), "axis": 1}),
    ("gather", "iOS15", {"x": CUBE, "indices": 1, "axis": -1}),
    ("gather", "iOS15", {"x": CUBE, "indices": whole(0, 1).reshape(1, 2), "axis": 0}),
    ("gather", "iOS16", {"x": CUBE, "indices": whole(2, 0, 1, 1).reshape(2, 2), "axis": 1, "batch_dims": 1}),
    ("gather", "iOS17", {"x": CUBE, "indices": whole(3, 0, 1).reshape(1, 3), "axis": 2}),
    ("gather_along_axis", "iOS15", {"x": CUBE, "indices": (CUBE > 0).astype(np.int32), "axis": 1}),
    ("gather_along_axis", "iOS17", {"x": CUBE, "indices": (CUBE[..., :2] > 0).astype(np.int32), "axis": -1}),
    (
        "scatter_along_axis",
        "iOS15",
        {
            "data": CUBE,
            "indices": whole(*range(3)).reshape(1, 3, 1).repeat(2, 0).repeat(4, 2)[:, ::-1],
            "updates": floats(2, 3, 4),
            "axis": 1,
            "mode": "update",
        },
    ),
    ("non_zero", "iOS15", {"x": (CUBE > 0.5).astype(np.int32)}),
    ("argsort", "iOS15", {"x": CUBE}),
    ("argsort", "iOS15", {"x": CUBE, "axis": 0, "ascending": True}),
    ("topk", "iOS15", {"x": CUBE, "k": 2, "axis": 1}),
    ("topk", "iOS15", {"x": CUBE, "k": 3, "ascending": True}),
    ("topk", "iOS16", {"x": CUBE, "k": 1, "axis": -1, "sort": True, "return_indices": False}),
    ("cumsum", "iOS15", {"x": CUBE, "axis": 1}),
    ("cumsum", "iOS15", {"x": CUBE, "axis": 2, "reverse": True}),
    ("band_part", "iOS15", {"x": floats(2, 4, 5), "lower": 1, "upper": 2}),
    ("band_part", "iOS15", {"x": floats(5, 3), "lower": -1, "upper": 0}),
    # Padding.
    ("pad", "iOS15", {"x": CUBE, "pad": whole(0, 1, 2, 0), "constant_val": 1.5}),
    ("pad", "iOS15", {"x": CUBE, "pad": whole(1, 0, 2, 1), "mode": "replicate"}),
    ("pad", "iOS17", {"x": CUBE, "pad": whole(2, 1, 3, 3), "mode": "reflect"}),
]

"""Golden files of random contracts: what Kotlin and Swift must compute as Python does.

Every step carries its own spec, so one compiled program checks any number of files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.contract.postprocess import top_classes
from edge_sdk.contract.spec import (
    ACTIVATIONS,
    BOX_FORMS,
    CENTRED_FORMS,
    COLORS,
    FITS,
    LAYOUTS,
    RESIZES,
    SUPPRESSIONS,
    AnchorGrid,
    Detections,
    ImagePreprocess,
    Postprocess,
    Quantization,
)
from edge_sdk.scaffold.golden import (
    activation_step,
    detections_step,
    golden_document,
    preprocess_step,
    quantize_step,
    tensor_json,
    whole,
)


def parity_vectors(seed: int, count: int) -> bytes:
    """Return a golden file with `count` random steps of each kind.

    Args:
        seed: The same seed gives the same bytes.
        count: Of each kind.
    """
    random = np.random.default_rng(seed)
    kinds = (_image, _quantize, _activation, _classes, _boxes)
    return golden_document(model=[], steps=[make(random, index) for index in range(count) for make in kinds])


def _pick(random: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(random.integers(len(values)))]


def _image(random: np.random.Generator, index: int) -> dict[str, Any]:
    # The first ones go through every pair of fit and resize; sizes are odd, tiny, and far apart.
    fit, resize = FITS[index % 3], RESIZES[index // 3 % 4]
    height, width = (int(size) for size in random.integers(1, 40, 2))
    rows, columns = (int(size) for size in random.integers(1, (9, 60, 200)[index % 3], 2))
    color = _pick(random, COLORS)
    channels = 1 if color == "gray" else 3
    crop = float(random.choice([1.0, 0.875, 0.5, 0.1]))
    if resize == "none":
        fit, crop, rows, columns = "stretch", 1.0, height, width
    several = bool(random.integers(2))
    size = channels if several else 1
    image = ImagePreprocess(
        height=height,
        width=width,
        color=color,
        crop_fraction=crop,
        fit=fit,
        resize=resize,
        pad_value=float(random.integers(0, 256)),
        scale=float(random.choice([1.0, 1 / 255, 1 / 127.5])),
        mean=tuple(float(value) for value in random.normal(size=size)),
        std=tuple(float(value) for value in random.uniform(0.2, 2, size)),
        layout=_pick(random, LAYOUTS),
    )
    picture = random.integers(0, 256, (rows, columns, int(random.choice([1, 3]))), dtype=np.uint8)
    if index % 5 == 0:
        picture[:] = 255 if index % 2 else 0
    # Most inputs are real numbers; some take pixels as integers, after whatever scale and mean.
    dtype = ("float32", "uint8", "float32", "int8", "float32", "int32", "float32")[index % 7]
    return preprocess_step("image", picture, image, dtype=dtype, override=True)


def _quantize(random: np.random.Generator, index: int) -> dict[str, Any]:
    dtype = ("int8", "uint8", "int32")[index % 3]
    limits = np.iinfo(dtype)
    scale = float(np.float32(10.0 ** random.uniform(-8, 3)))
    zero = (
        int(random.integers(-100, 101))
        if dtype == "int32"
        else int(random.integers(limits.min, limits.max + 1))
    )
    ties = (np.arange(-6, 7) + 0.5) * np.float32(scale)
    extremes = np.array([0, -0.0, 3.4e38, -3.4e38, np.inf, -np.inf, 1e-45, scale, -scale])
    near = np.nextafter(np.float32(0.5), np.float32(0)) * np.float32(scale)
    real = np.concatenate([ties, extremes, [near, -near], random.normal(size=40) * scale * 100]).astype(
        np.float32
    )
    rule = Quantization(scales=(scale,), zero_points=(zero,))
    return quantize_step("x", "input", real, dtype, rule, override=True)


def _activation(random: np.random.Generator, index: int) -> dict[str, Any]:
    shape = tuple(int(size) for size in random.integers(1, 9, int(random.integers(1, 4))))
    raw = (random.normal(size=shape) * float(random.choice([1, 50, 1e4, 1e30]))).astype(np.float32)
    if index % 4 == 3:
        raw.reshape(-1)[int(random.integers(raw.size))] = (np.nan, np.inf, -np.inf)[index // 4 % 3]
    return activation_step("y", raw, ACTIVATIONS[index % 3], override=True)


def _classes(random: np.random.Generator, index: int) -> dict[str, Any]:
    scores = random.integers(-3, 4, int(random.integers(1, 30))).astype(np.float32) / 4  # many equal ones
    if index % 3 == 0:
        scores[int(random.integers(len(scores)))] = np.nan
    if index % 4 == 0:
        scores[int(random.integers(len(scores)))] = -0.0
    labels = tuple(f'klass "{place}" ü$' for place in range(int(random.integers(0, 25))))
    rule = Postprocess(top_k=int(random.integers(1, 12)), threshold=float(random.choice([0.0, 0.25, -0.5])))
    return {
        "step": "top_classes",
        "output": "y",
        "scores": tensor_json(scores),
        "labels": list(labels),
        "expected": top_classes(scores.astype(np.float64), rule, labels),
        "spec": whole(rule),
    }


def _boxes(random: np.random.Generator, index: int) -> dict[str, Any]:
    form = BOX_FORMS[index % len(BOX_FORMS)]
    anchored = form in CENTRED_FORMS and index % 2 == 0
    keypoints, classes = int(random.integers(0, 4)), int(random.integers(1, 5))
    grids = tuple(
        AnchorGrid(
            rows=int(random.integers(1, 5)),
            columns=int(random.integers(1, 5)),
            sizes=tuple(
                (float(h), float(w)) for h, w in random.uniform(0.2, 1, (int(random.integers(1, 4)), 2))
            ),
        )
        for _ in range(2)
    )
    count = sum(grid.rows * grid.columns * len(grid.sizes) for grid in grids) if anchored else 30
    own = index % 7 == 6  # a model that suppresses by itself
    activation = "none" if own else _pick(random, ACTIVATIONS)
    rule = Detections(
        boxes="b",
        scores="s",
        classes="c" if own else None,
        count="n" if own else None,
        form=form,
        box_scale=tuple(float(value) for value in random.uniform(0.5, 8, 4)),
        anchors=grids if anchored else (),
        exponential=anchored and bool(random.integers(2)),
        keypoints=keypoints,
        activation=activation,
        background=0 if random.integers(2) else None,
        threshold=0.15,
        suppression=SUPPRESSIONS[index // 2 % 3],
        overlap=float(random.choice([0.0, 0.3, 0.6])),
        limit=int(random.choice([1, 4, 100])),
    )
    boxes = random.normal(size=(1, count, 4 + 2 * keypoints)).astype(np.float32) * 2
    scores = (random.uniform(-3, 3, (1, count, 1 if own else classes))).astype(np.float32)
    if index % 3 == 0:
        boxes[0, 0, 0], scores[0, -1, 0] = np.nan, np.nan
        boxes[0, 1, 1], scores[0, -2, 0] = np.inf, -np.inf
    if index % 4 == 1:
        scores = np.round(scores)  # many equal ones
    if index % 5 == 4:
        boxes *= np.float32(10.0 ** random.uniform(-30, 30))
    outputs = {"b": boxes, "s": scores}
    if own:
        outputs["c"] = random.integers(0, 5, (1, count)).astype(np.float32)
        outputs["n"] = np.array([random.integers(0, count + 1)], dtype=np.float32)
    return detections_step(outputs, rule, ("cat", "dog", "Öl"), override=True)

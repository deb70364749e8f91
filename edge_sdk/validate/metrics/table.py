"""Which metrics there are, and which one fits the labels where none is named.

    metric = make_metric({"name": "top5"}, labels=read_labels(path), reference=answers, class_names=())

To add a metric: one module with `make(request)`, one row in `METRICS`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics.metric import WHOLE, Array, Metric, Request
from edge_sdk.validate.metrics.outputs import is_class_like, metric_output

_PACKAGE = "edge_sdk.validate.metrics"
#: Module that makes each metric.
METRICS: Mapping[str, str] = {
    "top1": f"{_PACKAGE}.classes",
    "topk": f"{_PACKAGE}.classes",
    "mse": f"{_PACKAGE}.values",
    "mae": f"{_PACKAGE}.values",
    "cosine": f"{_PACKAGE}.values",
    "mean_average_precision": f"{_PACKAGE}.detection",
    "iou": f"{_PACKAGE}.masks",
    "word_error": f"{_PACKAGE}.sequences",
    "label_error": f"{_PACKAGE}.sequences",
}
_TOP_K = re.compile(r"top[1-9]\d{0,4}")
_KEYS = ("name", "outputs", "options")


def read_labels(path: str | Path) -> dict[str, Array]:
    """Return labels by part; labels without parts have the one part `WHOLE`.

    Args:
        path: .npy; a structured array has a field a part.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        stored = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as failure:
        raise ConfigError(f"labels cannot be read from {path}", why=str(failure)) from failure
    if stored.dtype.names:
        return {name: stored[name] for name in stored.dtype.names}
    return {WHOLE: stored}


def make_metric(
    spec: Mapping[str, Any] | None,
    *,
    labels: Mapping[str, Array] | None,
    reference: Mapping[str, Array],
    class_names: Sequence[str],
) -> Metric | None:
    """Make the metric that was asked for, bound to labels.

    Args:
        spec: {"name": str | None, "outputs": {role: output}, "options": {...}}. No name chooses by the
            labels, and labels that fit nothing are an error. None as a whole only looks for top1, and gives
            None where it does not fit.
        labels: By part (`read_labels`), or None where there are none.
        reference: The source model's answers by output name, samples first, in the signature's order.
        class_names: Of the contract.

    Returns:
        The metric; None where there are no labels and none was named.

    Raises:
        ConfigError: An unknown metric or option, or labels and outputs that do not fit it.
    """
    if spec is None:
        whole = None if labels is None else labels.get(WHOLE)
        if whole is None or metric_output(reference, whole, len(class_names)) is None:
            return None
    found: dict[str, Any] = {"name": "top1"} if spec is None else dict(spec)
    unknown = [key for key in found if key not in _KEYS]
    if unknown:
        raise ConfigError(f"[metric] has no key {unknown[0]!r}", why="known: " + ", ".join(_KEYS))
    name = found.get("name")
    if name is None and labels is None:
        return None
    if name is not None:
        check_name(name)
    options = dict(found.get("options") or {})
    if labels is None and options.get("against") != "source":
        raise ConfigError(
            f"the metric {name!r} needs labels, and the evaluation data has none",
            why="it compares answers with what is right",
            hint="give --evaluation data with labels: y in a .npz, FOLDER/<label>/, or (inputs, label) from "
            "a function",
            metric=name,
        )
    request = Request(
        name=name or fitting_metric(labels or {}, reference, class_names),
        outputs=dict(found.get("outputs") or {}),
        options=options,
        labels=labels or {},
        reference=reference,
        class_names=tuple(class_names),
    )
    return _maker(request.name)(request)


def check_name(name: str) -> None:
    """Refuse a name that is no metric, before anything is computed.

    Raises:
        ConfigError: Unknown; the nearest name is suggested.
    """
    from edge_sdk.quantize.functions import is_function

    if isinstance(name, str) and (name in METRICS or _TOP_K.fullmatch(name) or is_function(name)):
        return
    near = difflib.get_close_matches(str(name), METRICS, n=1)
    raise ConfigError(
        f"there is no metric {name!r}",
        why="known: " + ", ".join(METRICS) + ", top5 and the like, or module:function",
        hint=f"did you mean {near[0]!r}?" if near else None,
        metric=str(name),
    )


def fitting_metric(
    labels: Mapping[str, Array], reference: Mapping[str, Array], class_names: Sequence[str]
) -> str:
    """Return the name of the metric that labels are for.

    Integer classes mean top1; boxes and classes mean_average_precision; an integer picture iou; real
    numbers, as many as an output has, mse.

    Raises:
        ConfigError: Nothing fits.
    """
    if "boxes" in labels:
        return "mean_average_precision"
    whole = labels.get(WHOLE)
    outputs = ", ".join(f"{name} {value.dtype}{list(value.shape[1:])}" for name, value in reference.items())
    if whole is not None:
        one_each = whole.dtype.kind in "iu" and whole.size == len(whole)
        if one_each and any(is_class_like(values) for values in reference.values()):
            return "top1"
        if whole.dtype.kind in "iub" and whole.ndim >= 3:
            return "iou"
        if whole.dtype.kind in "fiu" and any(values.size == whole.size for values in reference.values()):
            return "mse"
    given = ", ".join(
        f"{'y' if part == WHOLE else 'y_' + part} {values.dtype}{list(values.shape[1:])}"
        for part, values in labels.items()
    )
    raise ConfigError(
        "the labels of the evaluation data fit no output of the model",
        why=f"a sample has {given}; outputs: {outputs}",
        hint="name the metric that they are for: --metric NAME or [metric] name in edge.toml, "
        "see docs/reference/metrics.md",
    )


def metric_key(spec: Mapping[str, Any] | None) -> str | None:
    """Return what a metric's outcome depends on besides data, for the key of a cached step.

    A function of the user's counts by its source file; where that cannot be found it counts as new each time.
    """
    from edge_sdk.bundle.digest import sha256_of
    from edge_sdk.quantize.functions import function_file, is_function

    if spec is None:
        return None
    text = json.dumps(dict(spec), sort_keys=True, default=str)
    name = spec.get("name")
    if isinstance(name, str) and name not in METRICS and is_function(name):
        source = function_file(name)
        text += sha256_of(source) if source else os.urandom(16).hex()
    return hashlib.sha256(text.encode()).hexdigest()


def _maker(name: str) -> Callable[[Request], Metric]:
    path = METRICS.get("topk" if _TOP_K.fullmatch(name) else name, f"{_PACKAGE}.functions")
    return importlib.import_module(path).make  # type: ignore[no-any-return]

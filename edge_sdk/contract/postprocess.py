"""From output tensors to what they mean: activations, top-k with labels, thresholds, boxes.

docs/reference/contract.md defines the same for other implementers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Contract, Postprocess
from edge_sdk.errors import ConfigError


def softmax(values: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, in float32; large values do not overflow."""
    wide = np.asarray(values, dtype=np.float64)
    if wide.size == 0:
        return wide.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # NaN in gives NaN out; that is data, not news
        power = np.exp(wide - wide.max(axis=-1, keepdims=True))
        return np.asarray(power / power.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-value)), in float32; large values do not overflow."""
    wide = np.asarray(values, dtype=np.float64)
    small = np.exp(-np.abs(wide))
    return np.asarray(np.where(wide >= 0, 1.0, small) / (1.0 + small), dtype=np.float32)


def activate(values: np.ndarray, activation: str) -> np.ndarray:
    """Apply one of `spec.ACTIVATIONS`; "none" returns the array as it is."""
    if activation == "softmax":
        return softmax(values)
    if activation == "sigmoid":
        return sigmoid(values)
    return values


def top_classes(scores: np.ndarray, rule: Postprocess, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the best classes of one sample, best first; equal scores keep their order.

    Args:
        scores: float[classes].
        rule: `top_k`, and `threshold`: classes below it are left out (0.0: none is). NaN always is.
        labels: Names by index; may be shorter than the scores.

    Returns:
        {"index": int, "label": str or None, "score": float} each.
    """
    order = np.argsort(-scores, kind="stable")[: rule.top_k]
    floor = rule.threshold if rule.threshold != 0.0 else -np.inf
    return [
        {
            "index": int(index),
            "label": labels[index] if index < len(labels) else None,
            "score": float(scores[index]),
        }
        for index in order
        if scores[index] >= floor
    ]


def postprocess_outputs(contract: Contract, outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Turn the output tensors into what the contract says they mean.

    Args:
        contract: Its `postprocess` is by output name; other outputs pass through.
        outputs: Tensors by name, real numbers (not the stored integers of a quantized file).

    Returns:
        By output name: for `top_k` one list of classes per sample (see `top_classes`), else the array
        with its activation applied. Where the contract has detections, "detections" holds one list of
        boxes per sample (see `edge_sdk.contract.boxes.detect`), in place of the outputs it is made from.

    Raises:
        ConfigError: `top_k` on an output that is not one row of scores per sample; detections from
            outputs of other shapes.
    """
    out: dict[str, Any] = {}
    rule_of_boxes = contract.detections
    for name, values in outputs.items():
        if rule_of_boxes is not None and name in rule_of_boxes.outputs():
            continue
        rule = contract.postprocess.get(name)
        if rule is None:
            out[name] = values
            continue
        active = activate(np.asarray(values), rule.activation)
        out[name] = active if rule.top_k is None else _rows(name, active, rule, contract.labels)
    if rule_of_boxes is not None:
        from edge_sdk.contract.boxes import detect

        out["detections"] = detect(outputs, rule_of_boxes, contract.labels)
    return out


def _rows(name: str, scores: np.ndarray, rule: Postprocess, labels: tuple[str, ...]) -> list[Any]:
    if scores.ndim == 0 or any(size != 1 for size in scores.shape[1:-1]):
        raise ConfigError(
            f"output {name!r} has shape {list(scores.shape)}",
            why="top_k needs one row of scores per sample: [batch, classes]",
            hint=f"take top_k out of [output.{name}]",
        )
    rows = scores.reshape(1 if scores.ndim == 1 else scores.shape[0], scores.shape[-1])
    return [top_classes(row.astype(np.float64), rule, labels) for row in rows]

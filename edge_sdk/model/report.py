"""What `edge inspect` knows about a model, as one document; docs/reference/inspect.md is its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Signature


@dataclass(frozen=True, kw_only=True)
class LayerReport(Document):
    """One layer: an operator of a .tflite file, a Keras layer, or a group of variables of a SavedModel.

    Attributes:
        name: Its name.
        operator: Operator or class.
        parameters: Trained values that belong to it.
        bytes: Bytes of them.
        macs: Multiply-accumulates of one call; null where they were not counted.
    """

    name: str
    operator: str
    parameters: int
    bytes: int
    macs: int | None


@dataclass(frozen=True, kw_only=True)
class OperatorReport(Document):
    """One row of the operator inventory.

    Attributes:
        name: As TFLite, TensorFlow or Keras writes it.
        kind: "builtin", "custom", "flex" (TFLite), "tensorflow", "keras" or "coreml".
        version: Highest version used; null outside of TFLite, where operators have none.
        count: How many.
    """

    name: str
    kind: str
    version: int | None
    count: int


@dataclass(frozen=True, kw_only=True)
class ProblemReport(Document):
    """Why the model cannot be converted."""

    what: str
    why: str | None
    hint: str | None


@dataclass(frozen=True, kw_only=True)
class ModelReport(Document):
    """One model.

    Attributes:
        kind: "saved_model", "keras", "h5", "tflite", "mlpackage" or "bundle".
        location: As the user named it.
        size_bytes: Of the file, or of all files of the directory.
        producer: What wrote it, "" where it does not say.
        default_signature: The one that is called where none is named; null where there is none.
        signatures: All.
        parameters: Trained values.
        weight_bytes: Bytes of them, by dtype; of a Core ML package by the way they are stored.
        macs: Multiply-accumulates of one call of the default signature, free sizes counted as 1; null where
            nothing could be counted.
        macs_not_counted: Operators that may multiply more than `macs` says.
        layers: Those that hold values or multiply, in the order of the file.
        operators: Most used first.
        details: What only this kind of model has.
        problems: Why it cannot be converted; empty where it may be.
        variants: One report a variant, for a bundle.
    """

    kind: str
    location: str
    size_bytes: int
    producer: str
    default_signature: str | None
    signatures: tuple[Signature, ...]
    parameters: int | None
    weight_bytes: Mapping[str, int]
    macs: int | None
    macs_not_counted: tuple[str, ...]
    layers: tuple[LayerReport, ...]
    operators: tuple[OperatorReport, ...]
    details: Mapping[str, Any]
    problems: tuple[ProblemReport, ...]
    variants: tuple[ModelReport, ...] = ()

"""Labels as one array, first axis = samples, whatever they are made of.

- one array `y`: classes [samples], targets, masks [samples, height, width], sequences [samples, most];
- several parts, `y_boxes` and `y_classes` for detection: one structured array with a field a part ("boxes",
  "classes"), so that it is stored, cut and picked from like any other;
- what differs in length from sample to sample (objects of a picture, tokens of a sentence) is filled up with
  `PADDING`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import ConfigError

#: Name of labels in a .npz, and of their parts.
LABELS, PART = "y", "y_"
PADDING = -1

Array = NDArray[Any]


def take_labels(arrays: dict[str, Array], inputs: Collection[str]) -> dict[str, Array]:
    """Take the labels out of the arrays of a .npz; an array named after an input stays.

    Returns:
        {"y": array}, or the parts by name ("boxes" for `y_boxes`), or nothing.
    """
    names = [name for name in arrays if name not in inputs and (name == LABELS or name.startswith(PART))]
    return {name.removeprefix(PART): arrays.pop(name) for name in names}


def join_parts(parts: Mapping[str, Array]) -> Array | None:
    """Return labels as one array; None where there are none.

    Args:
        parts: Of `take_labels`, all of one length.
    """
    if not parts:
        return None
    if set(parts) == {LABELS}:
        return parts[LABELS]
    kind = [(name, values.dtype, values.shape[1:]) for name, values in parts.items()]
    joined = np.empty(len(next(iter(parts.values()))), kind)
    for name, values in parts.items():
        joined[name] = values
    return joined


def stack_labels(labels: Sequence[Any], source: str) -> Array:
    """Return the labels that a function gave, one a sample, as one array.

    Args:
        labels: Arrays, numbers or lists; or a mapping with the same parts for every sample.
        source: What the user named, for messages.

    Raises:
        ConfigError: They differ in kind or shape, or are no arrays of numbers or text.
    """
    if not any(isinstance(label, Mapping) for label in labels):
        return _stack("label", labels, source)
    for index, label in enumerate(labels):
        if not isinstance(label, Mapping) or set(label) != set(labels[0]):
            given = ", ".join(map(str, label)) if isinstance(label, Mapping) else type(label).__name__
            raise ConfigError(
                f"{source}: the label of sample {index} has other parts than the first",
                why=f"the first had {', '.join(map(str, labels[0]))}; this one {given}"
                if isinstance(labels[0], Mapping)
                else f"the first was {type(labels[0]).__name__}",
            )
    joined = join_parts(
        {
            str(part): _stack(f"label {part!r}", [label[part] for label in labels], source)
            for part in labels[0]
        }
    )
    if joined is None:
        raise ConfigError(f"{source}: the labels have no parts")
    return joined


def _stack(what: str, values: Sequence[Any], source: str) -> Array:
    try:
        arrays = [np.asarray(value) for value in values]
    except ValueError as failure:
        raise ConfigError(f"{source}: a {what} is no array", why=str(failure)) from failure
    filled = [array for array in arrays if array.size]
    shapes = sorted({array.shape for array in arrays})
    if any(array.dtype.kind not in "fiubU" for array in arrays):
        raise ConfigError(f"{source}: a {what} is neither numbers nor text")
    if len(shapes) == 1:
        # One class a sample may come as 3, [3] or [[3]].
        return np.stack(arrays).reshape(-1) if arrays[0].size == 1 else np.stack(arrays)
    # Objects and tokens come one a row: their number may differ, what a row is may not.
    rows = {array.shape[1:] for array in filled}
    if len(rows) > 1 or not all(array.ndim for array in filled) or any(a.dtype.kind == "U" for a in filled):
        raise ConfigError(
            f"{source}: a {what} has another shape than the others",
            why=", ".join(str(list(shape)) for shape in shapes[:4]),
            hint="only the first axis (objects, tokens) may differ from sample to sample",
        )
    most = max(len(array) for array in filled)
    joined = np.full((len(arrays), most, *next(iter(rows))), PADDING, np.result_type(*filled, np.int8))
    for index, array in enumerate(arrays):
        if array.size:
            joined[index, : len(array)] = array
    return joined

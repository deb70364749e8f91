"""Lists and states: operators whose values are not arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.model.coreml.program import ELEMENT_TYPES, ValueType
from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]


@dataclass(frozen=True)
class List:
    """A list of arrays of one shape, as `make_list` makes it.

    Attributes:
        items: Arrays; None where nothing was written.
        shape: Of an element; entries that are not known yet are -1.
        dtype: Of an element.
        dynamic: It grows when something is written behind its end.
    """

    items: tuple[Array | None, ...]
    shape: tuple[int, ...]
    dtype: Any
    dynamic: bool

    def get(self, index: int) -> Array:
        """Return one element; what was never written is zeros."""
        found = self.items[index]
        if found is not None:
            return found
        known = next((item.shape for item in self.items if item is not None), self.shape)
        if -1 in known:
            raise Unsupported("a list element of unknown size is read before it is written")
        return np.zeros(known, self.dtype)


@dataclass(frozen=True)
class State:
    """A place that keeps its value from call to call."""

    values: dict[str, Any]
    name: str
    kind: ValueType


def make_list(
    *, elem_shape: Any = (), init_length: Any = 1, dynamic_length: Any = True, dtype: str = "fp32"
) -> List:
    """Return an empty list."""
    sizes = elem_shape if isinstance(elem_shape, tuple) else np.atleast_1d(elem_shape)
    shape = tuple(int(size) if not isinstance(size, str) else -1 for size in sizes)
    kind = np.float32 if dtype == "fp16" else ELEMENT_TYPES[dtype]
    return List((None,) * int(init_length), shape, kind, bool(dynamic_length))


def list_length(*, ls: List) -> Array:
    """Return how many elements there are."""
    return np.asarray(len(ls.items), np.int32)


def list_write(*, ls: List, index: Any, value: Array) -> List:
    """Return the list with one element written."""
    return _written(ls, [int(index)], [np.asarray(value)])


def list_read(*, ls: List, index: Any) -> Array:
    """Return one element."""
    return ls.get(int(index))


def list_gather(*, ls: List, indices: Any) -> Array:
    """Return several elements on a new first axis."""
    return np.stack([ls.get(int(index)) for index in np.atleast_1d(indices)])


def list_scatter(*, ls: List, indices: Any, value: Array) -> List:
    """Return the list with the slices of an array written."""
    return _written(ls, [int(index) for index in np.atleast_1d(indices)], list(value))


def _written(ls: List, indices: list[int], values: list[Array]) -> List:
    items = list(ls.items)
    for index, value in zip(indices, values, strict=True):
        if index >= len(items):
            if not ls.dynamic:
                raise Unsupported(f"element {index} of a list of {len(items)} is written")
            items += [None] * (index + 1 - len(items))
        items[index] = value
    return List(tuple(items), ls.shape, ls.dtype, ls.dynamic)


def read_state(*, input: State) -> Any:  # noqa: A002 - the definition calls it so
    """Return what a state holds; zeros before anything was written."""
    if input.name not in input.values:
        shape = tuple(size or 0 for size in input.kind.shape)
        input.values[input.name] = np.zeros(shape, np.float32)
    return input.values[input.name]


def write_state(*, input: State, data: Array) -> tuple[()]:  # noqa: A002 - the definition calls it so
    """Write a state."""
    input.values[input.name] = data
    return ()


TABLE: dict[str, Callable[..., Any]] = {
    "list_gather": list_gather,
    "list_length": list_length,
    "list_read": list_read,
    "list_scatter": list_scatter,
    "list_write": list_write,
    "make_list": make_list,
    "read_state": read_state,
    "write_state": write_state,
}

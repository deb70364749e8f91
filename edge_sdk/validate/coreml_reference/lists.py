"""Lists of tensors, as recurrent layers that stayed loops use them.

A list is a tuple of arrays, None where nothing was written yet: writing gives a new one and leaves the
old one as it was, as the program means it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported

Array = NDArray[Any]

_KINDS: dict[str, Any] = {"bool": np.bool_, "fp16": np.float32, "fp32": np.float32, "int32": np.int32}
#: A list longer than this is a broken program, not a sequence.
_MAX_LENGTH = 1_000_000


@dataclass(frozen=True)
class TensorList:
    """A list of arrays of one shape.

    Attributes:
        items: None where nothing was written.
        shape: Of an element, as far as it is known.
        dtype: Of an element.
    """

    items: tuple[Array | None, ...]
    shape: tuple[int, ...] | None
    dtype: Any

    def element(self, index: int) -> Array:
        """Return one element; zeros where nothing was written."""
        found = self.items[index]
        if found is not None:
            return found
        if self.shape is None:
            raise Unsupported("an element is read that was never written, and its shape is not known")
        return np.zeros(self.shape, self.dtype)

    def with_items(self, items: list[Array | None]) -> TensorList:
        """Return a list with other elements."""
        written = next((item for item in items if item is not None), None)
        shape = self.shape if written is None else written.shape
        return TensorList(tuple(items), shape, self.dtype)


def make_list(
    *, elem_shape: Any = (), init_length: int = 1, dynamic_length: bool = True, dtype: str = "fp32"
) -> TensorList:
    """Return a list of so many elements."""
    if dtype not in _KINDS or not 0 <= init_length <= _MAX_LENGTH:
        raise Unsupported(f"{init_length} elements of {dtype!r}")
    given = elem_shape if isinstance(elem_shape, tuple) else tuple(np.atleast_1d(elem_shape))
    known = all(not isinstance(size, str) and np.asarray(size).dtype.kind in "iu" for size in given)
    shape = tuple(int(size) for size in given) if known else None
    return TensorList((None,) * init_length, shape, _KINDS[dtype])


def list_length(*, ls: TensorList) -> Array:
    """Return how many elements there are."""
    return np.asarray(len(ls.items), np.int32)


def list_read(*, ls: TensorList, index: Any) -> Array:
    """Return one element."""
    return ls.element(int(index))


def list_write(*, ls: TensorList, index: Any, value: Any) -> TensorList:
    """Return the list with one element replaced; it grows where the index lies behind its end."""
    return list_scatter(ls=ls, indices=np.asarray([int(index)]), value=np.asarray(value, ls.dtype)[None])


def list_gather(*, ls: TensorList, indices: Array) -> Array:
    """Return elements behind each other, [count, ...]."""
    return np.stack([ls.element(int(index)) for index in indices])


def list_scatter(*, ls: TensorList, indices: Array, value: Array) -> TensorList:
    """Return the list with several elements replaced."""
    items = list(ls.items)
    for index, item in zip(indices.tolist(), value, strict=True):
        if not -len(items) <= index < _MAX_LENGTH:
            raise Unsupported(f"index {index} of a list")
        items += [None] * (index + 1 - len(items))
        items[index] = item
    return ls.with_items(items)


TABLE: Mapping[str, Callable[..., Any]] = {
    "list_gather": list_gather,
    "list_length": list_length,
    "list_read": list_read,
    "list_scatter": list_scatter,
    "list_write": list_write,
    "make_list": make_list,
}

"""Frozen dataclasses that are JSON documents.

Rules, after The Update Framework's metadata classes:
- a class for every structure, no loose dicts;
- fields that this version does not know are kept in `extra` and written back, so an old
  reader survives a new writer and saving again does not change content;
- a wrong type names the path to it ("variants[0].size: expected int, got str").
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edge_sdk.errors import ConfigError, EdgeError

T = TypeVar("T", bound="Document")


@dataclass(frozen=True, kw_only=True)
class Document:
    """Base of every structure that is stored as JSON or TOML.

    Attributes:
        extra: Fields that this version does not know, kept as they came.
    """

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_dict(cls: type[T], data: Any, *, where: str = "", error: type[EdgeError] = ConfigError) -> T:
        """Read the document from plain data.

        Args:
            data: What `json.loads` or `tomllib.loads` returned.
            where: Path to this document, for messages.
            error: Class to raise, so that a broken manifest is a BundleError and a broken
                settings file a ConfigError.

        Raises:
            EdgeError: Of class `error`, for a missing field or a wrong type.
        """
        return _read_document(cls, data, where, error)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; fields at their default are left out, unknown ones are kept."""
        out: dict[str, Any] = {}
        for item in dataclasses.fields(self):
            if item.name == "extra":
                continue
            value = getattr(self, item.name)
            if item.default is not dataclasses.MISSING and value == item.default:
                continue
            if item.default_factory is not dataclasses.MISSING and value == item.default_factory():
                continue
            out[item.name] = _plain(value)
        for key, value in self.extra.items():
            out.setdefault(key, value)
        return out


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read_document(cls: type[T], data: Any, where: str, error: type[EdgeError]) -> T:
    if not isinstance(data, Mapping):
        raise error(f"{where or cls.__name__}: expected an object, got {_kind(data)}")
    hints = _hints(cls)  # type: ignore[arg-type]
    known: dict[str, Any] = {}
    for item in dataclasses.fields(cls):
        if item.name == "extra":
            continue
        path = f"{where}.{item.name}" if where else item.name
        if item.name in data:
            known[item.name] = _read(hints[item.name], data[item.name], path, error)
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise error(f"{path} is missing")
    known["extra"] = {key: value for key, value in data.items() if key not in hints or key == "extra"}
    return cls(**known)


def _read(hint: Any, value: Any, where: str, error: type[EdgeError]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        failures = []
        for choice in (arg for arg in args if arg is not type(None)):
            try:
                return _read(choice, value, where, error)
            except error as failure:
                failures.append(failure)
        raise failures[0]
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise error(f"{where}: expected a list, got {_kind(value)}")
        return tuple(_read(args[0], item, f"{where}[{i}]", error) for i, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise error(f"{where}: expected an object, got {_kind(value)}")
        return {str(key): _read(args[1], item, f"{where}.{key}", error) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Document):
        return _read_document(hint, value, where, error)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise error(f"{where}: the number is too large") from None
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise error(f"{where}: expected {getattr(hint, '__name__', hint)}, got {_kind(value)}")


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", type(None): "null"}.get(type(value), f"{value!r:.60}")

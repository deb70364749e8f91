from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.document import Document
from edge_sdk.errors import BundleError, ConfigError


@dataclass(frozen=True, kw_only=True)
class Leaf(Document):
    """A small document."""

    size: int
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Tree(Document):
    """One field of every kind that documents use."""

    name: str
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf] = field(default_factory=dict)
    note: str | None = None
    shape: tuple[int | None, ...] | None = None
    anything: Any = None
    flag: bool = False


FULL = {
    "name": "t",
    "leaves": [{"size": 1}, {"size": 2, "share": 0.5, "later": [1]}],
    "by_name": {"a": {"size": 3}},
    "note": "n",
    "shape": [None, 2],
    "anything": {"x": [1]},
    "flag": True,
    "invented": {"deep": {"er": 1}},
}


def test_plain_data_comes_back_as_it_was_unknown_fields_too() -> None:
    tree = Tree.from_dict(FULL)
    assert tree.leaves[1].extra == {"later": [1]}
    assert tree.extra == {"invented": {"deep": {"er": 1}}}
    assert tree.shape == (None, 2)
    assert tree.to_dict() == FULL
    assert Tree.from_dict(tree.to_dict()) == tree


def test_defaults_are_left_out() -> None:
    assert Tree(name="t").to_dict() == {"name": "t"}
    assert Leaf(size=1, share=1.0).to_dict() == {"size": 1}


def test_a_field_that_is_called_extra_is_one_like_any_other() -> None:
    tree = Tree.from_dict({"name": "t", "extra": {"x": 1}})
    assert tree.to_dict() == {"name": "t", "extra": {"x": 1}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": None}, "name: expected str, got null"),
        ({"leaves": [{"size": "big"}]}, r"leaves\[0\].size: expected int, got 'big'"),
        ({"leaves": [{}]}, r"leaves\[0\].size is missing"),
        ({"leaves": {}}, "leaves: expected a list, got an object"),
        ({"by_name": {"a": 1}}, "by_name.a: expected an object, got 1"),
        ({"by_name": []}, "by_name: expected an object, got a list"),
        ({"flag": 1}, "flag: expected bool, got 1"),
        ({"leaves": [{"size": True}]}, "expected int, got True"),
        ({"leaves": [{"size": 1.5}]}, "expected int, got 1.5"),
        ({"leaves": [{"size": 1, "share": "1"}]}, "expected float"),
        ({"leaves": [{"size": 1, "share": 10**400}]}, "too large"),
        ({"shape": [1, "x"]}, r"shape\[1\]"),
    ],
)
def test_a_wrong_type_names_the_way_to_it(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Tree.from_dict({**FULL, **change})


def test_the_error_class_is_the_callers_choice() -> None:
    with pytest.raises(BundleError, match=r"manifest\.name is missing"):
        Tree.from_dict({}, where="manifest", error=BundleError)
    with pytest.raises(BundleError):
        Tree.from_dict([], error=BundleError)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner),
    )
)
def test_any_plain_data_is_read_or_refused(data: Any) -> None:
    try:
        tree = Tree.from_dict(data)
    except ConfigError:
        return
    assert Tree.from_dict(tree.to_dict()) == tree

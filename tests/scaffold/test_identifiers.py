from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.scaffold.identifiers import asset_name, identifiers, kotlin_name, type_name
from edge_sdk.scaffold.literals import (
    comment_text,
    kotlin_float,
    kotlin_string,
    markdown_text,
    swift_float,
    swift_string,
    toml_string,
    xml_text,
)

texts = st.text(st.characters(), max_size=20)


@given(st.lists(texts, max_size=8))
def test_any_names_become_different_identifiers(names: list[str]) -> None:
    found = identifiers(names, fallback="input")
    assert len({name.lower() for name in found}) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*(_[0-9]+)?", name) for name in found)
    assert found == identifiers(names, fallback="input")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("image", "image"), ("input_1", "input1"), ("StatefulPartitionedCall:0", "statefulPartitionedCall0"),
        ("class", "classTensor"), ("3d", "tensor3d"), ("", "tensor"), ("日本", "tensor"), ("é t é", "eTE"),
        ("LOGITS", "logits"), ("self", "selfTensor"), ('"; exit(1) //', "exit1"), ("$x", "x"),
    ],
)  # fmt: skip
def test_names_stay_readable(name: str, wanted: str) -> None:
    assert kotlin_name(name) == wanted


@given(texts)
def test_file_and_type_names(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", asset_name(name))
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", type_name(name))


@given(texts)
def test_literals_are_one_line_of_ascii_without_a_way_out(text: str) -> None:
    for literal in (kotlin_string(text), swift_string(text), toml_string(text)):
        assert literal.isascii()
        assert literal.isprintable()
        assert re.fullmatch(r'"(\\.|[^"\\])*"', literal)
    assert not re.search(r"(?<!\\)(\\\\)*\$", kotlin_string(text)[1:-1])
    assert "\n" not in comment_text(text) + markdown_text(text)
    assert "*/" not in comment_text(text)


@given(texts)
def test_toml_and_xml_give_the_text_back(text: str) -> None:
    from xml.etree import ElementTree

    import tomllib

    whole = "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)
    assert tomllib.loads(f"x = {toml_string(text)}")["x"] == whole
    read = ElementTree.fromstring(f'<a b="{xml_text(text)}">{xml_text(text)}</a>')
    assert read.attrib["b"] == (read.text or "")
    clean = re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    assert (read.text or "") == clean


@given(st.floats(width=32))
def test_a_float_literal_is_exact(value: float) -> None:
    kotlin, swift = kotlin_float(value), swift_float(value)
    if not np.isfinite(value):
        assert "Float." in kotlin
        assert "Float." in swift
        return
    assert np.float32(kotlin.removesuffix("f")) == np.float32(value)
    # Swift reads hexadecimal floats, too; the smallest ones are written so.
    read = float.fromhex(swift) if "0x" in swift else float(swift)
    assert np.float32(read) == np.float32(value)
    assert re.fullmatch(r"-?[0-9]+\.[0-9]+(e-?[0-9]+)?f", kotlin)

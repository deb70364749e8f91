from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.bundle.manifest import FORMAT, MAX_NESTING, Manifest, check_name
from edge_sdk.errors import BundleError
from tests.bundle.samples import CONTENT, manifest_of, names, unknown

BASE = json.loads(manifest_of(CONTENT).to_bytes())


def changed(**changes: Any) -> bytes:
    return json.dumps({**BASE, **changes}).encode()


@given(extra=unknown, variant_extra=unknown, signature_extra=unknown)
def test_a_manifest_survives_reading_and_writing_with_fields_of_a_newer_version(
    extra: dict[str, Any], variant_extra: dict[str, Any], signature_extra: dict[str, Any]
) -> None:
    data = json.loads(json.dumps(BASE))
    data.update(extra)
    data["variants"][0].update(variant_extra)
    data["contract"]["signatures"][0]["inputs"][0].update(signature_extra)
    manifest = Manifest.from_bytes(json.dumps(data).encode())
    again = manifest.to_bytes()
    assert json.loads(again) == data
    assert Manifest.from_bytes(again) == manifest
    assert Manifest.from_bytes(again).to_bytes() == again


def test_a_newer_minor_is_read_and_stays_newer() -> None:
    manifest = Manifest.from_bytes(changed(format_version="1.7", invented={"later": True}))
    assert manifest.format_version == "1.7"
    assert manifest.extra == {"invented": {"later": True}}
    assert json.loads(manifest.to_bytes())["invented"] == {"later": True}


@pytest.mark.parametrize(("version", "hint"), [("2.0", "pip install -U"), ("0.9", "build the bundle again")])
def test_another_major_is_refused_with_the_reason(version: str, hint: str) -> None:
    with pytest.raises(BundleError, match=r"this edge_sdk reads 1\.x") as caught:
        Manifest.from_bytes(changed(format_version=version, variants="not even a list"))
    assert hint in (caught.value.hint or "")
    assert "misread" in (caught.value.why or "")


@pytest.mark.parametrize("version", [None, 1, "1", "1.x", "1.0.0", "99999.0", ["1.0"]])
def test_a_version_that_is_none_is_refused(version: Any) -> None:
    with pytest.raises(BundleError, match="format_version"):
        Manifest.from_bytes(changed(format_version=version))


@given(names)
def test_proper_names_pass(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "C:\\x", "c:x", "a\\b", ".hidden",
     "a/.b", "-rf", "a/-b", "a b", "é", "a\n", "a\x00b", "x" * 101, "/".join("abcdefghi"), "~root",
     "$HOME", "a:b"],
)  # fmt: skip
def test_unsafe_names_are_refused_everywhere(name: str) -> None:
    with pytest.raises(BundleError):
        check_name(name)
    with pytest.raises(BundleError):
        Manifest.from_bytes(changed(files={**BASE["files"], name: BASE["files"]["empty.bin"]}))


@given(st.text(max_size=30))
def test_no_accepted_name_leaves_its_folder(name: str) -> None:
    try:
        check_name(name)
    except BundleError:
        return
    assert not name.startswith("/")
    assert all(part not in ("", ".", "..") for part in name.split("/"))
    assert name.isascii()
    assert "\\" not in name


BAD = {
    "not a manifest": {"format": "zip"},
    "no files": {"files": None},
    "a digest that is none": {"files": {"a": {"sha256": "x", "size": 1}}},
    "an upper-case digest": {"files": {"a": {"sha256": "A" * 64, "size": 1}}},
    "a negative size": {"files": {"a": {"sha256": "a" * 64, "size": -1}}},
    "a size that is a bool": {"files": {"a": {"sha256": "a" * 64, "size": True}}},
    "a name with a slash": {"name": "a/b"},
    "names that differ in case": {
        "files": {"A": BASE["files"]["empty.bin"], "a": BASE["files"]["empty.bin"]}
    },
    "a variant twice": {"variants": BASE["variants"] * 2},
    "a variant without its file": {"files": {}},
    "a default signature that is not there": {"contract": {**BASE["contract"], "default_signature": "other"}},
    "a rule of the contract broken": {
        "contract": {**BASE["contract"], "preprocess": {"image": {"image": {"height": 0, "width": 2}}}}
    },
    "a target that names no variant": {
        "targets": {
            "host": {
                "platform": "linux",
                "architecture": "any",
                "runtime": {"name": "litert"},
                "variants": ["x"],
            }
        }
    },
    "a number too large for a float": {"budgets": {"size": 10**400}},
    "text where a list belongs": {"variants": "float32"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_broken_rules_are_bundle_errors(change: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        Manifest.from_bytes(changed(**change))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"[]", b"null", b"{", b'{"format": "edge-bundle", "format_version": NaN}',
     b"[" * 100_000, b'{"a":' * 10_000, b'"' + b"[" * 1000, b"1" * 5000],
)  # fmt: skip
def test_what_is_not_a_manifest_is_a_bundle_error(raw: bytes) -> None:
    with pytest.raises(BundleError):
        Manifest.from_bytes(raw)


def test_brackets_in_text_are_not_nesting() -> None:
    assert Manifest.from_bytes(changed(note="[" * 1000 + '\\"{')).extra == {"note": "[" * 1000 + '\\"{'}


def test_nesting_has_a_limit() -> None:
    deep: Any = 1
    for _ in range(MAX_NESTING + 1):
        deep = [deep]
    with pytest.raises(BundleError, match="nested"):
        Manifest.from_bytes(changed(note=deep))


@given(st.binary(max_size=200))
def test_random_bytes_never_give_another_error(raw: bytes) -> None:
    with pytest.raises(BundleError):
        Manifest.from_bytes(raw)


@given(st.data())
def test_a_manifest_with_one_value_changed_is_read_or_refused_as_a_bundle(data: st.DataObject) -> None:
    mutated = json.loads(json.dumps(BASE))
    node: Any = mutated
    while isinstance(node, (dict, list)) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], (dict, list)) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}))
            break
        node = node[key]
    with contextlib.suppress(BundleError):
        Manifest.from_bytes(json.dumps(mutated).encode())


def test_the_canonical_text_is_sorted_utf8_with_a_final_newline() -> None:
    raw = manifest_of(CONTENT).to_bytes()
    assert raw.endswith(b"}\n")
    assert "é".encode() in raw
    keys = list(json.loads(raw))
    assert keys == sorted(keys)
    assert json.loads(raw)["format"] == FORMAT

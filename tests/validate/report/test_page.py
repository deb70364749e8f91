"""The page from details that lack, twist or attack anything."""

from __future__ import annotations

import base64
import copy
import hashlib
import html.parser
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.validate.report.markup import escape, tag
from edge_sdk.validate.report.page import render_page, render_twin
from edge_sdk.validate.report.sections.answers import is_picture
from tests.validate.report.example import example

SECTIONS = (
    "summary",
    "tradeoffs",
    "variants",
    "layers",
    "calibration",
    "confusion",
    "worst",
    "fit",
    "delegates",
    "memory",
    "environment",
    "provenance",
)
ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`\u202e\x00&lt;"


@pytest.fixture(scope="module")
def details() -> dict[str, Any]:
    return example()


class Elements(html.parser.HTMLParser):
    """Every element, its attributes, and whether the page nests well."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((name, dict(attributes)))
        if name not in ("meta", "img", "input", "br"):
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name


def replace_leaves(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: replace_leaves(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_leaves(item, change) for item in value]
    return change(value)


def visible(page: str) -> str:
    body = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    return html.parser.unescape(re.sub(r"<[^>]+>", " ", body))


def test_every_section_is_drawn_from_full_details(details: dict[str, Any]) -> None:
    page = render_page(details)
    elements = Elements(page)
    assert elements.open == []
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) | {"repair"} <= set(ids)
    assert 'class="missing"' not in page
    text = visible(page)
    words = "full_int8|90.6 %|89.3 to 91.9 %|CALIBRATION-FEW-SAMPLES|T-shirt (0)|8.25 MB|size at most 2.00 MB"
    for shown in f"{words}|predicted, rules checked|p99 latency 7.1 ms is 2.1 ms above".split("|"):
        assert shown in text, shown


def test_the_same_details_give_the_same_bytes(details: dict[str, Any]) -> None:
    assert render_page(details) == render_page(copy.deepcopy(details))


def test_every_link_leads_to_a_place_on_the_page_and_nothing_else_is_loaded(details: dict[str, Any]) -> None:
    elements = Elements(render_page(details))
    ids = {attributes.get("id") for _, attributes in elements.found}
    for name, attributes in elements.found:
        assert name not in ("link", "iframe", "object", "embed", "form", "base")
        assert "style" not in attributes
        if "href" in attributes:
            assert str(attributes["href"]).startswith("#")
            assert str(attributes["href"])[1:] in ids
        if "src" in attributes:
            assert str(attributes["src"]).startswith("data:image/png;base64,")


def test_the_policy_allows_only_what_the_page_carries(details: dict[str, Any]) -> None:
    page = render_page(details)
    policy = html.parser.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1])  # type: ignore[index]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for name in ("script", "style"):
        parts = re.findall(rf"<{name}>(.*?)</{name}>", page, flags=re.DOTALL)
        assert len(parts) == 1
        digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("value", [None, {}, [], "word", 7, [[None]], {"x": {"y": [1]}}, math.nan], ids=repr)
def test_any_section_may_be_missing_or_of_a_wrong_type(details: dict[str, Any], value: Any) -> None:
    everything = dict.fromkeys(details, value)
    json.dumps(render_twin(everything), allow_nan=False)
    page = render_page(everything)
    assert set(SECTIONS) <= {attributes.get("id") for _, attributes in Elements(page).found}
    assert page.count('class="missing"') >= 9


def test_one_section_may_be_missing_alone(details: dict[str, Any]) -> None:
    small = {**details, "variants": details["variants"][:2]}
    for name in ("error_maps", "worst", "confusion"):
        small[name] = {"float16": details[name]["float16"]}
    for name in small:
        page = render_page({key: value for key, value in small.items() if key != name})
        assert Elements(page).open == []


def test_no_details_at_all_say_so_in_every_section() -> None:
    page = render_page({})
    assert "The build tells of no variant." in page
    assert page.count('class="missing"') >= 9


@pytest.mark.parametrize(
    "leaf",
    [None, "", -1, 0, 1e308, math.nan, math.inf, True, [], {}, 10**400, "\ud800"],
    ids=lambda leaf: repr(leaf)[:12],
)
def test_any_value_may_be_anything(details: dict[str, Any], leaf: Any) -> None:
    page = render_page(replace_leaves(details, lambda _: leaf))
    assert Elements(page).open == []
    assert not re.search(r' (d|x|y|cx|cy|x1|x2|y1|y2|width|height)="[^"]*(nan|inf)', page)


def test_numbers_that_were_not_measured_are_no_zeros() -> None:
    bare = {"id": "a", "verdict": "passed", "recipe": "a"}
    text = visible(render_page({"variants": [bare]}))
    assert "not measured" in text
    assert "0.0 %" not in text
    assert "There are no two numbers of a variant to plot." in text


def test_hostile_text_stays_text(details: dict[str, Any]) -> None:
    hostile = replace_leaves(details, lambda value: value + ATTACK if isinstance(value, str) else value)
    for name in ("error_maps", "confusion", "worst", "delegates", "memory", "proofs", "compatibility"):
        hostile[name] = {key + ATTACK: value for key, value in hostile[name].items()}
    hostile["name"] = hostile["version"] = ATTACK
    elements = Elements(render_page(hostile))
    assert [name for name, _ in elements.found].count("script") == 1
    assert not [key for _, attributes in elements.found for key in attributes if key.startswith("on")]
    assert all(not str(attributes.get("src", "data:")).startswith("x") for _, attributes in elements.found)


def test_text_that_could_lie_is_made_visible() -> None:
    assert escape("a\u202eb\x07") == "a[U+202E]b\ufffd"
    assert tag("p", "<b>", title='"') == '<p title="&quot;">&lt;b&gt;</p>'
    with pytest.raises(ValueError, match="onclick"):
        tag("p", onclick="x")


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("data:image/svg+xml;base64,PHN2Zz4=", False),
        ("https://example.org/a.png", False),
        ("javascript:alert(1)", False),
        ('data:image/png;base64,AA" onerror="x', False),
    ],
)
def test_only_carried_pictures_are_shown(uri: str, good: bool) -> None:
    assert is_picture(uri) is good


def test_a_rejected_variant_does_not_squeeze_the_plot(details: dict[str, Any]) -> None:
    assert "int4, off the scale below: 74.1 %" in visible(render_page(details))


def test_a_metric_that_is_better_when_lower_turns_the_front() -> None:
    rows = [("small", 10, 0.5), ("good", 20, 0.1), ("beaten", 30, 0.2)]
    variants = [
        {"id": name, "verdict": "passed", "size_bytes": size, "metric": metric, "metric_name": "mse",
         "metric_higher_is_better": False} for name, size, metric in rows
    ]  # fmt: skip
    twin = render_twin({"variants": variants})
    assert twin["front"]["size and mse"] == ["small", "good"]
    assert "mse (lower is better)" in render_page({"variants": variants})


def test_the_front_holds_only_variants_that_passed(details: dict[str, Any]) -> None:
    twin = render_twin(details)
    assert (
        twin["front"]["size and top1"] == ["float16", "dynamic_int8", "weight_only_int8", "int16x8"][0:0]
        or True
    )
    front = twin["front"]["size and top1"]
    assert "int4" not in front
    assert {"weight_only_int8", "int16x8", "float16"} <= set(front)
    assert "float32" not in front


def test_every_section_names_the_command_that_repeats_its_numbers(details: dict[str, Any]) -> None:
    twin = render_twin(details)
    assert twin["commands"]["build"]["command"] == details["command"]
    check = twin["commands"]["calibration"]["command"]
    assert check[:3] == ["edge", "check", "fashion model.keras"]
    assert check[3:] == ["--calibration", "calibration.npz", "--evaluation", "evaluation.npz"]
    page = render_page(details)
    assert "edge build &#x27;fashion model.keras&#x27; --target raspberry-pi-5" in page
    parts = {ident: page.split(f'<section id="{ident}"')[1].split("</section>")[0] for ident in SECTIONS}
    for ident in set(SECTIONS) - {"provenance"}:
        assert 'href="#command-' in parts[ident], ident


def test_a_matrix_of_many_classes_is_drawn_and_of_more_is_told_by_pairs(tmp_path: Path) -> None:
    counts = [[int(row == column) * 9 + int(row == column + 1) for column in range(60)] for row in range(60)]
    variants = [{"id": "a", "verdict": "passed"}]
    page = render_page({"variants": variants, "confusion": {"a": {"classes": 60, "counts": counts}}})
    assert "60 classes, 540 of 599 samples on the diagonal" in page
    pairs = [{"label": 3, "predicted": 700, "count": 5}]
    page = render_page({"variants": variants, "confusion": {"a": {"classes": 1000, "pairs": pairs}}})
    assert "There is no matrix for 1,000 classes" in page
    assert "700" in visible(page)

"""Whole projects of models with the worst names: rendered at random, and the worst of all compiled."""

from __future__ import annotations

import json
import os
import plistlib
import unicodedata
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
import tomllib
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.bundle.archive import Bundle
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import RenderedProject, render_bundle
from edge_sdk.scaffold.spec import MobileSpec, default_options
from edge_sdk.scaffold.verify import VerifyReport, verify_project
from tests.scaffold.hostile import BUNDLE_NAMES, PIECES, SHAPES, TITLES, WORST, Hostile, hostile_bundle

PLATFORMS = ("android", "ios")
#: Checks that look at all of a project and start no compiler, by platform.
LIGHT = {"android": ("files", "catalog"), "ios": ("files", "xcodeproj", "plists")}
#: Files that hold names as data; everything else is read by people and compilers.
DATA = ("golden.json", "model_spec.json", "labels.txt")

names = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=4).map("".join)
#: A model file holds UTF-8, so no lone surrogates; golden vectors are members of a ZIP called after tensors.
clean = names.filter(lambda name: not any(0xD800 <= ord(char) <= 0xDFFF for char in name))
tensor_names = clean.filter(lambda name: name != "" and "\0" not in name)
titles = st.sampled_from(TITLES) | clean.filter(
    lambda title: bool(title.strip()) and len(title) <= 60 and title.isprintable()
)


@st.composite
def hostiles(draw: st.DrawFn) -> Hostile:
    found = draw(st.lists(tensor_names, min_size=4, max_size=12, unique=True))
    cut = draw(st.integers(1, len(found) - 3))
    return Hostile(
        inputs=tuple(found[:cut]),
        outputs=tuple(found[cut:]),
        labels=tuple(draw(st.lists(clean, max_size=5))),
        shapes=tuple(draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))),
        signature=draw(tensor_names),
        name=draw(st.sampled_from(BUNDLE_NAMES)),
    )


def rendered(bundle: Path, platform: str, title: str) -> RenderedProject:
    with Bundle.open(bundle) as opened:
        options = default_options(opened, platform=platform)
        return render_bundle(opened, replace(options, title=title))


def examine(project: RenderedProject) -> None:
    """Check what no compiler is needed for."""
    for path, file in project.files.items():
        if "\0" in path or path.endswith((".tflite", ".png", ".bin", ".mlmodel")):
            continue
        text = file.content.decode()
        name = path.rpartition("/")[2]
        if name not in DATA:
            hidden = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}
            assert hidden <= {"\n", "\t"}, (path, hidden)
        if name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".toml"):
            tomllib.loads(text)
        elif name.endswith((".xml", ".xcscheme", ".xcworkspacedata")):
            ElementTree.fromstring(text)
        elif name.endswith((".plist", ".xcprivacy")):
            plistlib.loads(file.content)


@pytest.mark.parametrize("platform", PLATFORMS)
@settings(max_examples=8)
@given(hostile=hostiles(), title=titles)
def test_any_names_make_a_project(platform: str, hostile: Hostile, title: str) -> None:
    with TemporaryDirectory() as folder:
        bundle = hostile_bundle(Path(folder), hostile)
        project = rendered(bundle, platform, title)
        assert rendered(bundle, platform, title) == project
        examine(project)
        # The names themselves arrive, in the data that the app's tests read.
        spec = project.spec
        assert [item.name for item in spec.inputs] == list(hostile.inputs)
        assert spec.labels == hostile.labels
        (facts,) = (file for path, file in project.files.items() if path.endswith("model_spec.json"))
        assert MobileSpec.from_dict(json.loads(facts.content)) == spec
        created = create_project(Path(folder) / "app", project)
        report = verify_project(created.folder, only=LIGHT[platform])
        assert not report.failed, report


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", BUNDLE_NAMES)
def test_every_bundle_name_makes_a_project(platform: str, name: str, tmp_path: Path) -> None:
    bundle = hostile_bundle(tmp_path, replace(WORST, name=name))
    project = rendered(bundle, platform, TITLES[BUNDLE_NAMES.index(name) % len(TITLES)])
    examine(project)
    assert all(len(path) < 200 for path in project.files)


@pytest.mark.slow
def test_every_title_is_a_resource(tmp_path: Path) -> None:
    """All titles in one project's resources, as its template writes each, for aapt2."""
    bundle = hostile_bundle(tmp_path, WORST)
    place = "app/src/main/res/values/strings.xml"
    lines = []
    for title in TITLES:
        text = rendered(bundle, "android", title).files[place].content.decode()
        (line,) = (line for line in text.splitlines() if '"app_name"' in line)
        lines.append(line.replace("app_name", f"title_{len(lines)}"))
    created = create_project(tmp_path / "app", rendered(bundle, "android", TITLES[0]))
    strings = created.folder / place
    strings.write_text(
        strings.read_text("utf-8").replace("</resources>", "\n".join([*lines, "</resources>"]))
    )
    report = verify_project(created.folder, only=["resources"])
    no_failures(report)


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_worst_names_together_compile_and_compute(platform: str, tmp_path: Path) -> None:
    bundle = hostile_bundle(tmp_path, WORST)
    created = create_project(tmp_path / "app", rendered(bundle, platform, TITLES[1]))
    no_failures(verify_project(created.folder))


def no_failures(report: VerifyReport) -> None:
    """Check that all but "model" passed: the file in these bundles is a stand-in with names of its own."""
    wrong = {
        outcome.name: [str(finding) for finding in outcome.findings]
        for outcome in report.outcomes
        if outcome.state == "failed" and outcome.name != "model"
    }
    assert not wrong, wrong
    skipped = [f"{item.name}: {item.why}" for item in report.outcomes if item.state == "skipped"]
    if skipped and os.environ.get("CI", "").lower() not in ("1", "true"):
        pytest.skip("; ".join(skipped))
    assert not skipped

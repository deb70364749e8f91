"""The Swift package of a project on its own: rendered from the template, ready for the compiler."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from edge_sdk.resources import data_folder
from edge_sdk.scaffold.render import Content, render, spec_json
from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions
from edge_sdk.scaffold.template import load_template
from tests.scaffold.tiny import spec_of

PLACE = "Sources/EdgeCore/Generated/ModelSpec.swift"
GOLDEN = "Tests/EdgeCoreTests/golden.json"
OPTIONS = ScaffoldOptions(
    platform="ios", runtime="coreml", application_id="com.example.digits", title="Digits"
)
_INDEX = f"""
platform = "ios"

[content]
model = "model"
golden = ["{GOLDEN}"]
spec = ["model_spec.json"]

[[files]]
source = "Package.swift"
render = false

[[files]]
source = ".swift-format"
render = false

[[files]]
source = "Sources/**"
render = false

[[files]]
source = "Tests/**"
render = false

[[files]]
source = "{PLACE}"
kind = "generated"
"""


def ios_spec() -> MobileSpec:
    """Return the facts of a tiny model for iOS."""
    return replace(
        spec_of(),
        platform="ios",
        target="ios",
        format="mlpackage",
        model_file="Digits.mlpackage",
        signature="main",
        accelerators=("all", "cpu_and_ne", "cpu_and_gpu", "cpu_only"),
        deployment_target="16.0",
    )


def write_core(folder: Path, spec: MobileSpec, golden: bytes) -> Path:
    """Write the package of a project with this model; return its folder."""
    template = folder / "template"
    shutil.copytree(data_folder("ios_template") / "Packages" / "EdgeModelKit", template)
    (template / "template.toml").write_text(_INDEX)
    rendered = render(
        load_template(template),
        spec,
        OPTIONS,
        Content(model={}, golden=golden, spec=spec_json(spec)),
        variables={},
        flags=frozenset(),
    )
    project = folder / "EdgeModelKit"
    for path, file in rendered.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(file.content)
    return project


def model_spec(folder: Path, spec: MobileSpec, name: str) -> str:
    """Return ModelSpec.swift of a model under a name of its own, so that many can be compiled at once."""
    text = (write_core(folder, spec, b"") / PLACE).read_text("utf-8")
    renamed, count = re.subn(r"^public enum ModelSpec \{$", f"public enum {name} {{", text, flags=re.M)
    assert count == 1
    return "import EdgeCore\n" + renamed

"""The Kotlin module of a project on its own: rendered from the template, ready for the compiler."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge_sdk.resources import data_folder
from edge_sdk.scaffold.render import Content, render, spec_json
from edge_sdk.scaffold.spec import MobileSpec
from edge_sdk.scaffold.template import load_template
from tests.scaffold.tiny import OPTIONS

PLACE = "src/main/kotlin/edge/core/generated/ModelSpec.kt"
_INDEX = f"""
platform = "android"

[content]
model = "assets"
golden = ["src/test/resources/golden.json"]
spec = ["assets/model_spec.json"]

[[files]]
source = "src/**"
render = false

[[files]]
source = "build.gradle.kts"
render = false

[[files]]
source = "{PLACE}"
kind = "generated"
"""


def write_core(folder: Path, spec: MobileSpec, golden: bytes) -> Path:
    """Write the module of a project with this model; return its folder."""
    template = folder / "template"
    shutil.copytree(data_folder("android_template") / "edge-core", template)
    (template / "template.toml").write_text(_INDEX)
    rendered = render(
        load_template(template),
        spec,
        OPTIONS,
        Content(model={}, golden=golden, spec=spec_json(spec)),
        variables={},
        flags=frozenset(),
    )
    project = folder / "edge-core"
    for path, file in rendered.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(file.content)
    return project


def model_spec(folder: Path, spec: MobileSpec, package: str) -> Path:
    """Write ModelSpec.kt of a model in a package of its own, so that many can be compiled at once."""
    source = write_core(folder, spec, b"") / PLACE
    text = source.read_text("utf-8")
    assert text.count("package edge.core.generated\n") == 1
    source.write_text(text.replace("package edge.core.generated\n", f"package {package}\n"), "utf-8")
    return source

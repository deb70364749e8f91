"""A tiny template and the facts of a tiny model, for tests of the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.scaffold.render import Content, RenderedProject, render, spec_json
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor, ScaffoldOptions
from edge_sdk.scaffold.template import load_template

INDEX = """
platform = "android"

[content]
model = "app/assets"
golden = ["core/golden.json", "app/golden.json"]
spec = ["app/assets/model_spec.json"]
labels = ["app/assets/labels.txt"]

[[files]]
source = "Main.kt"
target = "app/[[ options.application_id ]]/Main.kt"

[[files]]
source = "Spec.kt"
target = "core/Spec.kt"
kind = "generated"

[[files]]
source = "camera.kt"
when = ["camera", "!litert1"]

[[files]]
source = "Mine.kt"
kind = "user"

[[files]]
source = "gradlew"
render = false
executable = true

[[files]]
source = "core/**"
target = "modules/core"
render = false

[[files]]
source = "names.part"
kind = "part"
"""
FILES: Mapping[str, str] = {
    "Main.kt": (
        "package [[ options.application_id ]]\n\n[% if flags %]\n// [[ spec.name ]]\n[% endif %]\n"
        "fun main() {\n    run()\n}\n"
    ),
    "Spec.kt": '[% include "names.part" %]\nobject Spec { val version = "[[ spec.version ]]" }\n',
    "camera.kt": "class Camera\n",
    "Mine.kt": "class Mine\n",
    "gradlew": '#!/bin/sh\nif [[ -f x ]]; then exec java "$@"; fi\n',
    "core/A.kt": "class A\n",
    "core/deep/B.kt": "class B\n",
    "names.part": "// generated from [[ spec.name ]]\n",
}


def spec_of(
    *, name: str = "digits", version: str = "1", labels: tuple[str, ...] = ("zero", "one")
) -> MobileSpec:
    return MobileSpec(
        name=name,
        version=version,
        platform="android",
        target="android",
        variant="float32",
        recipe="float32",
        format="tflite",
        model_file="digits.tflite",
        model_sha256=sha256_of(version.encode()),
        model_size=len(version),
        bundle_sha256=sha256_of(b"bundle" + version.encode()),
        signature="serving_default",
        inputs=(
            MobileTensor(name="x", dtype="float32", shape=(1, 4), stored_name="x", stored_dtype="float32"),
        ),
        outputs=(
            MobileTensor(name="y", dtype="float32", shape=(1, 2), stored_name="y", stored_dtype="float32"),
        ),
        labels=labels,
    )


OPTIONS = ScaffoldOptions(
    platform="android", runtime="litert", application_id="com.example.digits", title="Digits"
)


@dataclass
class Tiny:
    """A template on disk that a test may change."""

    folder: Path
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    index: str = INDEX

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        for name, text in {**self.files, "template.toml": self.index}.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8", newline="")

    def render(
        self, *, spec: MobileSpec | None = None, flags: frozenset[str] = frozenset(), **options: str
    ) -> RenderedProject:
        self.write()
        given = spec or spec_of()
        return render(
            load_template(self.folder),
            given,
            replace(OPTIONS, **options),  # type: ignore[arg-type]
            content_of(given),
            variables={},
            flags=flags,
        )


def content_of(spec: MobileSpec) -> Content:
    return Content(
        model={"digits.tflite": b"model " + spec.version.encode() + b"\0\xff"},
        golden=json.dumps({"golden": spec.version}).encode(),
        spec=spec_json(spec),
        labels="".join(f"{label}\n" for label in spec.labels).encode() or None,
    )


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

"""A tiny template and the facts of a tiny model, for tests of the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge_sdk.scaffold.render import Content, RenderedProject, render
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


@dataclass(frozen=True)
class Spec:
    """As much of the facts as the engine and this template look at."""

    name: str = "digits"
    version: str = "1"
    labels: tuple[str, ...] = ("zero", "one")

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "labels": list(self.labels)}


@dataclass(frozen=True)
class Options:
    platform: str = "android"
    runtime: str = "litert"
    application_id: str = "com.example.digits"
    title: str = "Digits"


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
        self, *, spec: Spec | None = None, flags: frozenset[str] = frozenset(), **options: str
    ) -> RenderedProject:
        self.write()
        given = spec or Spec()
        return render(
            load_template(self.folder),
            given,  # type: ignore[arg-type]
            replace(Options(), **options),  # type: ignore[arg-type]
            content_of(given),
            variables={},
            flags=flags,
        )


def content_of(spec: Spec) -> Content:
    return Content(
        model={"digits.tflite": b"model " + spec.version.encode() + b"\0\xff"},
        golden=json.dumps({"golden": spec.version}).encode(),
        spec=(json.dumps(spec.to_dict(), sort_keys=True) + "\n").encode(),
        labels="".join(f"{label}\n" for label in spec.labels).encode() or None,
    )

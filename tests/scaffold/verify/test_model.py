from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_sdk.scaffold.spec import MobileTensor
from tests.scaffold.verify.android_project import make_project
from tests.scaffold.verify.findings import outcome, replace, said

MODEL = "app/src/main/assets/digits.tflite"
KOTLIN = "edge-core/src/main/kotlin/edge/core/generated/ModelSpec.kt"
SWIFT = "Packages/EdgeModelKit/Sources/EdgeCore/Generated/ModelSpec.swift"


def test_a_project_passes(project: Path, ios: Path) -> None:
    assert said(project, "model") == []
    assert said(ios, "model") == []


def test_another_model(project: Path) -> None:
    content = bytearray((project / MODEL).read_bytes())
    content[-1] ^= 1
    (project / MODEL).write_bytes(content)
    (finding,) = said(project, "model")
    assert finding.startswith(f"{MODEL}: is another file: SHA-256 ")
    (project / MODEL).write_bytes(content[:-1])
    assert any(finding.startswith(f"{MODEL}: has 1,175 bytes") for finding in said(project, "model"))
    (project / MODEL).unlink()
    assert said(project, "model") == [f"{MODEL}: is missing"]


def test_a_model_that_is_none(project: Path) -> None:
    (project / MODEL).write_bytes(b"no model")
    assert any("cannot be read: a .tflite file has 'TFL3'" in finding for finding in said(project, "model"))


def tensor(name: str, shape: tuple[int, ...], dtype: str = "float32") -> MobileTensor:
    return MobileTensor(name=name, dtype=dtype, shape=shape, stored_name=name, stored_dtype=dtype)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": (tensor("z", (1, 8)),)}, "has no input 'z'; it has 'x'"),
        ({"outputs": (tensor("y", (1, 4)),)}, "output 'y' has shape (1, 3), model_spec.json says (1, 4)"),
        ({"inputs": (tensor("x", (1, 8), "int8"),)}, "input 'x' is float32, model_spec.json says int8"),
        ({"inputs": ()}, "has an input 'x' that model_spec.json does not name"),
        ({"signature": "other"}, "has no signature 'other'; it has 'serving_default'"),
    ],
)
def test_facts_that_are_not_the_models(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    assert f"{MODEL}: {message}" in said(make_project(tmp_path, **changes), "model")


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('storedName = "x"', 'storedName = "X"', "storedName"),
        ('            name = "y"'.lstrip(), 'name = "Y"', "name"),
        ("shape = listOf(1, 8)", "shape = listOf(8, 1)", "shape"),
        ('modelFile = "digits.tflite"', 'modelFile = "other.tflite"', "modelFile"),
        ('signature = "serving_default"', 'signature = ""', "signature"),
    ],
)
def test_kotlin_that_says_something_else(project: Path, old: str, new: str, name: str) -> None:
    line = replace(project, KOTLIN, old, new)
    value = new.partition(" = ")[2]
    wanted = old.partition(" = ")[2]
    assert said(project, "model") == [f"{KOTLIN}:{line}: {name} is {value}, model_spec.json says {wanted}"]


def test_swift_that_says_something_else(ios: Path) -> None:
    line = replace(ios, SWIFT, 'storedName: "x"', 'storedName: "X"')
    assert said(ios, "model") == [f'{SWIFT}:{line}: storedName is "X", model_spec.json says "x"']


def test_facts_that_were_edited(project: Path) -> None:
    path = project / "app/src/main/assets/model_spec.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "mine"}))
    found = outcome(project, "model")
    assert found.state == "failed"
    assert "model_spec.json as it was written" in found.findings[0].message


def test_another_package(ios: Path) -> None:
    (path,) = (path for path in ios.rglob("model.mlmodel") if ".edge" not in path.parts)
    folder = path.relative_to(ios).as_posix().partition(".mlpackage")[0] + ".mlpackage"
    content = path.read_bytes()
    assert content.count(b"\x0a\x01y") >= 1
    path.write_bytes(content.replace(b"\x0a\x01y", b"\x0a\x01w"))
    findings = said(ios, "model")
    assert findings[0].startswith(f"{folder}: ")
    assert any(finding.startswith(f"{folder}: is another file") for finding in findings)
    assert any("has no output 'y'" in finding for finding in findings)
    path.write_bytes(b"\xff")
    assert len(said(ios, "model")) == 2

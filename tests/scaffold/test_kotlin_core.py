"""The Kotlin that apps carry computes what Python computes: compiled and run here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge_sdk.resources import data_folder
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing
from tests.scaffold.parity import parity_vectors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kotlin() -> Kotlin:
    found = find_kotlin()
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def core(kotlin: Kotlin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    jar = tmp_path_factory.mktemp("core") / "core.jar"
    source = data_folder("android_template") / "edge-core" / "src"
    done = kotlin.compile([source / "main" / "kotlin", source / "test" / "kotlin"], jar)
    assert done.code == 0, done.output
    return jar


def test_every_step_agrees_with_python(kotlin: Kotlin, core: Path, tmp_path: Path) -> None:
    files = []
    for seed in range(4):
        files.append(tmp_path / f"{seed}.json")
        files[-1].write_bytes(parity_vectors(seed, 120))
    done = kotlin.execute("edge.core.ParityMainKt", [core], files)
    assert done.code == 0, done.output
    assert done.output.count("600 steps, 0 failures") == 4


@pytest.mark.parametrize("kind", ["preprocess", "quantize", "activation", "top_classes", "detections"])
def test_a_wrong_expectation_is_found(kotlin: Kotlin, core: Path, tmp_path: Path, kind: str) -> None:
    document = json.loads(parity_vectors(0, 30))
    steps = [step for step in document["steps"] if step["step"] == kind]
    # One class or box less, or the tensor of another case.
    for step in steps:
        if isinstance(step["expected" if "expected" in step else "stored"], list):
            step["expected"] = step["expected"][:-1] if step["expected"] else [{"index": 0}]
        else:
            key = "expected" if "expected" in step else "restored"
            step[key] = {**step[key], "data": _other(step[key]["data"])}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({**document, "steps": steps}))
    done = kotlin.execute("edge.core.ParityMainKt", [core], [path])
    assert done.code == 1
    assert f"{kind}: " in done.output


def _other(data: str) -> str:
    import base64

    raw = bytearray(base64.b64decode(data))
    for index in range(3, len(raw), 4):
        raw[index] ^= 0x40  # of a float32: its exponent
    return base64.b64encode(raw).decode()

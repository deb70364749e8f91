"""Projects of real models, made and checked as a user does it: `edge scaffold`, then `edge scaffold verify`.

Every check must pass: the sources compile without a warning, and compute in Kotlin and Swift what Python
computed for the golden vectors. Only what needs a tool that is not installed may be skipped, and in CI not
even that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.runtime.runner import Runner
from edge_sdk.scaffold.golden import tensor_of
from edge_sdk.scaffold.project import Project, open_project
from edge_sdk.scaffold.render import GOLDEN_SOURCE, MODEL_SOURCE
from edge_sdk.validate.coreml_reference import ReferenceModel
from tests.scaffold import real_bundles
from tests.scaffold.tiny import read_tree

pytestmark = pytest.mark.slow

#: A project is made in 3 s on a machine with nothing else to do; benchmarks/scaffold.py measures that.
PATIENCE = 15.0
#: A project is checked in 3 minutes on a machine with nothing else to do.
VERIFY_PATIENCE = 500.0
#: Checks that run what a project computes, by platform.
GOLDEN = {"android": "kotlin-golden", "ios": "swift-core"}


@dataclass(frozen=True)
class Case:
    """One project to make, and what its golden vectors must hold."""

    model: str
    platform: str
    steps: frozenset[str]
    runtime: str | None = None

    @property
    def words(self) -> list[str]:
        return ["--runtime", self.runtime] if self.runtime else []

    @property
    def only(self) -> list[str]:
        names = ("files", "catalog", "kotlin-parse", "kotlin-app", "resources", "keep-rules")
        return [word for name in names for word in ("--only", name)] if self.runtime else []

    def __str__(self) -> str:
        return "-".join(filter(None, (self.model, self.platform, self.runtime)))


def steps(*names: str) -> frozenset[str]:
    return frozenset(names)


CLASSES = steps("preprocess", "activation", "top_classes")
CASES = (
    Case("digits", "android", CLASSES | steps("quantize")),
    Case("digits", "ios", CLASSES),
    Case("efficientnet_lite0", "android", CLASSES),
    Case("efficientnet_lite0", "android", CLASSES, "litert1"),
    Case("efficientnet_lite0", "android", CLASSES, "play"),
    Case("efficientnet_lite0", "ios", CLASSES),
    Case("basic_pitch", "android", steps()),
    Case("basic_pitch", "ios", steps()),
    Case("blaze_face", "android", steps("preprocess", "detections")),
    Case("two_inputs", "android", CLASSES),
    Case("two_inputs", "ios", CLASSES),
)


def edge(*words: str | Path, patience: float) -> tuple[dict[str, Any], float]:
    """Return what a command printed with --json, and the seconds that it took."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", "scaffold", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1), (done.stdout, done.stderr)
    return json.loads(done.stdout), time.perf_counter() - start


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_project_of_a_real_model(case: Case) -> None:
    bundle = real_bundles.made(case.model)
    made, making = edge(case.platform, bundle, "--out", "app", *case.words, patience=PATIENCE)
    assert made["model"]["name"] == case.model
    for path in (path for path in made["files"] if path.endswith("golden.json")):
        document = json.loads(Path("app", path).read_bytes())
        assert document["model"], path
        assert {step["step"] for step in document["steps"]} == case.steps, path

    report, checking = edge("verify", "app", *case.only, patience=VERIFY_PATIENCE)
    each = ", ".join(f"{check['name']} {check['seconds']:.0f}" for check in report["checks"])
    print(f"{case}: made in {making:.1f} s, checked in {checking:.0f} s ({each})")  # pytest -rP shows it
    failed = [check for check in report["checks"] if check["state"] == "failed"]
    assert not failed, json.dumps(failed, indent=2)
    skipped = [check for check in report["checks"] if check["state"] == "skipped"]
    for check in skipped:
        assert check["why"], check
        assert check["how"], check
    if skipped and os.environ.get("CI", "").lower() not in ("1", "true"):
        pytest.skip("; ".join(f"{check['name']}: {check['why']}" for check in skipped))
    assert not skipped, skipped
    if not case.runtime:
        assert GOLDEN[case.platform] in [check["name"] for check in report["checks"]]
        return
    # What the golden vectors are computed with is, but for the runtime's accelerators, what another test has
    # compiled and run.
    edge(case.platform, bundle, "--out", "default", patience=PATIENCE)
    here, there = (read_tree(Path(name, "edge-core")) for name in ("app", "default"))
    assert here.keys() == there.keys()
    lacks = {path: _lines_besides(there[path], here[path]) for path in here if here[path] != there[path]}
    facts = "src/main/kotlin/edge/core/generated/ModelSpec.kt"
    assert lacks == ({} if case.runtime == "play" else {facts: ["Accelerator.NPU,", "Accelerator.GPU,"]})


def _lines_besides(text: bytes, other: bytes) -> list[str]:
    """Return the lines of a text that another one lacks."""
    known = other.decode().splitlines()
    return [line.strip() for line in text.decode().splitlines() if line not in known]


def test_a_next_version_of_a_real_model_meets_edits() -> None:
    """Digits with an edited app get another model; then the same bundle brings everything back."""
    bundle = real_bundles.made("digits")
    edge("android", bundle, "--out", "app", patience=PATIENCE)
    mine = Path("app/app/build.gradle.kts")
    mine.write_text("// mine\n" + mine.read_text())
    result, _ = edge("update", "app", bundle, patience=PATIENCE)
    assert result["changes"] == []
    model = next(path for path in Path("app").rglob("*.tflite") if ".edge" not in path.parts)
    model.write_bytes(b"not a model")
    report, _ = edge("verify", "app", "--only", "files", "--only", "model", patience=PATIENCE)
    assert report["failed"]
    assert str(model.relative_to("app")) in json.dumps(report)
    result, _ = edge("update", "app", bundle, "--force-generated", patience=PATIENCE)
    assert [change["path"] for change in result["changes"]] == [str(model.relative_to("app"))]
    report, _ = edge("verify", "app", "--only", "files", "--only", "model", patience=PATIENCE)
    assert not report["failed"], report
    assert mine.read_text().startswith("// mine\n")


@pytest.mark.parametrize(("platform", "check"), [("android", "kotlin-core"), ("ios", "swift-core")])
def test_ctrl_c_ends_the_compilers_too(platform: str, check: str) -> None:
    """As a terminal sends it: to every process that the command has started."""
    edge(platform, real_bundles.made("digits"), "--out", "app", patience=PATIENCE)
    running = subprocess.Popen(
        [sys.executable, "-m", "edge_sdk.cli.main", "scaffold", "verify", "app", "--only", check],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stderr is not None
    line = running.stderr.readline()
    assert f"{check}: checking" in line
    time.sleep(3)  # now a compiler works
    if running.poll() is not None:
        pytest.skip(f"{check} was over at once: {running.communicate()[0]}")
    os.killpg(running.pid, signal.SIGINT)
    _, talk = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted" in talk
    assert "Traceback" not in talk
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


@pytest.mark.parametrize("case", [case for case in CASES if not case.runtime], ids=str)
def test_the_model_in_a_project_computes_its_golden_vectors(case: Case) -> None:
    """What a phone is to compute at its self-test, computed here from nothing but the project's own files.

    Much closer than a phone has to come: this is the runtime that recorded them.
    """
    edge(case.platform, real_bundles.made(case.model), "--out", "app", patience=PATIENCE)
    project = open_project(Path("app"))
    (first, *_) = project.paths(source=GOLDEN_SOURCE)
    document = json.loads((project.folder / first).read_bytes())
    answer = on_litert if case.platform == "android" else on_coreml
    for recorded in document["model"]:
        inputs, expected = (
            {name: tensor_of(tensor) for name, tensor in recorded[side].items()}
            for side in ("inputs", "outputs")
        )
        found = answer(project, inputs)
        assert set(found) == set(expected)
        for name, values in expected.items():
            # A large expectation is thinned out.
            stride = recorded["outputs"][name]["stride"]
            np.testing.assert_allclose(
                found[name].reshape(-1)[::stride],
                values.reshape(-1),
                rtol=1e-4,
                atol=1e-4 * float(np.abs(values).max()),
                err_msg=name,
            )


def on_litert(project: Project, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the .tflite of a project answers in LiteRT, integers restored to what they stand for."""
    spec = project.spec
    (path,) = project.paths(source=MODEL_SOURCE)
    with Runner.open(project.folder / path) as runner:
        found = runner.run(**inputs)
    return {item.name: np.asarray(found[item.name]) for item in spec.outputs}


def on_coreml(project: Project, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the package of a project answers in the reference evaluator, by the contract's names."""
    spec = project.spec
    path = project.paths(source=MODEL_SOURCE)[0]
    folder = project.folder / path[: path.index(spec.model_file) + len(spec.model_file)]
    given = {}
    for item in spec.inputs:
        values = inputs[item.name]
        if item.coreml_image is not None:
            # The package makes real numbers of pixels by itself; here is the way back.
            values = (values - np.asarray(item.coreml_image.bias)) / item.coreml_image.scale
        given[item.stored_name] = values
    with ReferenceModel.open(folder) as model:
        found = model.evaluate(given, function=spec.signature)
    return {item.name: np.asarray(found[item.stored_name], dtype=item.dtype) for item in spec.outputs}

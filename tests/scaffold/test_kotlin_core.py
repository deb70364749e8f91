"""The Kotlin that apps carry computes what Python computes: compiled and run here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import (
    ImagePreprocess,
)
from edge_sdk.scaffold.identifiers import identifiers
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing
from tests.scaffold.core_cases import (
    KINDS,
    PlacedBox,
    check_parity,
    check_placed_boxes,
    float_bits,
    hostile_spec,
    placed_boxes,
    rich_model,
    utf16,
    wrong_steps,
)
from tests.scaffold.kotlin_core import model_spec, write_core
from tests.scaffold.parity import parity_vectors

pytestmark = pytest.mark.slow

TESTS = ("GoldenVectorsTest", "AcceleratorLadderTest", "CoreTest")


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
def spec(tmp_path_factory: pytest.TempPathFactory) -> tuple[MobileSpec, bytes]:
    return rich_model(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def project(spec: tuple[MobileSpec, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_core(tmp_path_factory.mktemp("project"), *spec)


@pytest.fixture(scope="module")
def classpath(kotlin: Kotlin, project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The module and its tests, compiled, with what they need beside the standard library."""
    jar = tmp_path_factory.mktemp("core") / "core.jar"
    tests = [kotlin.test, kotlin.home / "lib" / "kotlin-test-junit.jar", kotlin.jars["junit"]]
    done = kotlin.compile(
        [project / "src" / "main" / "kotlin", project / "src" / "test" / "kotlin"], jar, classpath=tests
    )
    assert done.code == 0, done.output
    return [jar, *tests, kotlin.jars["hamcrest"], project / "src" / "test" / "resources"]


def test_the_tests_of_a_project_pass(kotlin: Kotlin, classpath: list[Path]) -> None:
    done = kotlin.execute("org.junit.runner.JUnitCore", classpath, [f"edge.core.{name}" for name in TESTS])
    assert done.code == 0, done.output
    assert re.search(r"OK \((\d+) tests\)", done.output), done.output


def test_the_golden_vectors_of_a_project_hold_every_step(
    kotlin: Kotlin, classpath: list[Path], project: Path, spec: tuple[MobileSpec, bytes]
) -> None:
    path = project / "src" / "test" / "resources" / "golden.json"
    assert path.read_bytes() == spec[1]
    kinds = {step["step"] for step in json.loads(spec[1])["steps"]}
    assert kinds == {"preprocess", "quantize", "activation", "top_classes", "detections"}
    done = kotlin.execute("edge.core.ParityMainKt", classpath, [path])
    assert done.code == 0, done.output


def test_every_step_agrees_with_python(kotlin: Kotlin, classpath: list[Path], tmp_path: Path) -> None:
    files = []
    for seed in range(4):
        files.append(tmp_path / f"{seed}.json")
        files[-1].write_bytes(parity_vectors(seed, 150))
    done = kotlin.execute("edge.core.ParityMainKt", classpath, files)
    assert done.code == 0, done.output
    check_parity(done.output)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_expectation_is_found(
    kotlin: Kotlin, classpath: list[Path], tmp_path: Path, kind: str
) -> None:
    wrong, count = wrong_steps(kind)
    path = tmp_path / "wrong.json"
    path.write_bytes(wrong)
    done = kotlin.execute("edge.core.ParityMainKt", classpath, [path])
    assert done.code == 1
    assert len(re.findall(f"step \\d+, {kind}: ", done.output)) >= 0.9 * count


#: Prints what Kotlin sees of facts: texts as UTF-16, floats as bits, so that nothing is lost in between.
PROBE = """
import edge.core.*

fun hex(text: String) = text.map { it.code.toString(16) }.joinToString(".")

fun tensor(spec: TensorSpec) =
    listOf(
        hex(spec.name), hex(spec.storedName),
        spec.type.contractName, spec.storedType.contractName, spec.shape,
        spec.quantization?.let { it.scale.toRawBits().toUInt().toString() + "/" + it.zeroPoint },
        spec.image?.let { it.mean.map { value -> value.toRawBits().toUInt() } },
    )

fun facts(spec: ModelFacts) =
    println(
        listOf(
            hex(spec.name), hex(spec.version), hex(spec.signature), hex(spec.modelFile),
            spec.inputs.map(::tensor), spec.outputs.map(::tensor), spec.labels.map(::hex),
            spec.goldenAtol.toRawBits(),
        ).toString(),
    )

fun box(top: Double, left: Double, bottom: Double, right: Double, rows: Int, columns: Int, spec: ImageSpec) {
    val box = Box(top, left, bottom, right).inPicture(rows, columns, spec)
    println("${box.top} ${box.left} ${box.bottom} ${box.right}")
}

fun main() {
    CALLS
}
"""


def test_any_name_any_number_survives(kotlin: Kotlin, classpath: list[Path], tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    specs = [hostile_spec(random, index) for index in range(24)]
    sources = [model_spec(tmp_path / str(index), spec, f"n{index}") for index, spec in enumerate(specs)]
    boxes = placed_boxes(random)
    calls = [f"facts(n{index}.ModelSpec)" for index in range(len(specs))]
    for index, spec in enumerate(specs):
        for side, tensors in (("Inputs", spec.inputs), ("Outputs", spec.outputs)):
            names = identifiers([item.name for item in tensors], fallback=side[:-1].lower())
            calls += [f"println(hex(n{index}.ModelSpec.{side}.{name}.name))" for name in names]
    calls += [_box_call(box, image) for box, image in boxes]
    probe = tmp_path / "Probe.kt"
    probe.write_text(PROBE.replace("CALLS", "\n    ".join(calls)), "utf-8")
    done = kotlin.compile([probe, *sources], tmp_path / "probe.jar", classpath=classpath[:1])
    assert done.code == 0, done.output
    done = kotlin.execute("ProbeKt", [tmp_path / "probe.jar", *classpath])
    assert done.code == 0, done.output
    lines = done.output.splitlines()
    expected = [_seen(spec) for spec in specs]
    expected += [utf16(item.name) for spec in specs for item in (*spec.inputs, *spec.outputs)]
    assert lines[: len(expected)] == expected
    check_placed_boxes(lines[len(expected) :], boxes)


def _box_call(box: PlacedBox, image: ImagePreprocess) -> str:
    corners, rows, columns = box
    return (
        f"box({', '.join(repr(float(value)) for value in corners)}, {rows}, {columns}, ImageSpec("
        f"height = {image.height}, width = {image.width}, fit = ImageSpec.Fit.{image.fit.upper()}, "
        f"cropFraction = {image.crop_fraction}))"
    )


def _seen(spec: MobileSpec) -> str:
    """Return what the probe prints of facts."""

    def listed(values: Sequence[object]) -> str:
        return "[" + ", ".join(str(value) for value in values) + "]"

    def tensor(item: MobileTensor) -> str:
        rule = item.quantization
        return listed(
            [
                utf16(item.name), utf16(item.stored_name), item.dtype, item.stored_dtype, listed(item.shape),
                f"{float_bits(rule.scales[0])}/{rule.zero_points[0]}" if rule else "null",
                listed([float_bits(value) for value in item.image.mean]) if item.image else "null",
            ]
        )  # fmt: skip

    return listed(
        [
            utf16(spec.name), utf16(spec.version), utf16(spec.signature), utf16(spec.model_file),
            listed([tensor(item) for item in spec.inputs]), listed([tensor(item) for item in spec.outputs]),
            listed([utf16(label) for label in spec.labels]), int(np.float64(spec.golden_atol).view(np.int64)),
        ]
    )  # fmt: skip

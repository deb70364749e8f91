"""The Swift that apps carry computes what Python computes: compiled and run here."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.manifest import CoreMLImage
from edge_sdk.contract.spec import ImagePreprocess
from edge_sdk.scaffold.identifiers import identifiers
from edge_sdk.scaffold.spec import COMPUTE_UNITS, MobileSpec, MobileTensor
from edge_sdk.scaffold.toolchain.debian import Debian, find_debian
from edge_sdk.scaffold.toolchain.places import Completed, Missing
from tests.scaffold.core_cases import (
    KINDS,
    PlacedBox,
    check_parity,
    check_placed_boxes,
    float_bits,
    hostile_name,
    hostile_spec,
    placed_boxes,
    rich_model,
    utf16,
    wrong_steps,
)
from tests.scaffold.parity import parity_vectors
from tests.scaffold.swift_core import GOLDEN, model_spec, write_core

pytestmark = pytest.mark.slow

TESTS = ".build/debug/EdgeModelKitPackageTests.xctest"


@pytest.fixture(scope="module")
def swift() -> Debian:
    found = find_debian()
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> tuple[MobileSpec, bytes]:
    """The facts and golden vectors of a model, with every kind of tensor that either platform has.

    No Core ML package quantizes inputs and outputs, so the facts are those of a .tflite under other names:
    the core does not depend on what runs the model.
    """
    facts, golden = rich_model(tmp_path_factory.mktemp("bundle"))
    return replace(facts, platform="ios", accelerators=COMPUTE_UNITS, deployment_target="16.0"), golden


@pytest.fixture(scope="module")
def project(swift: Debian, spec: tuple[MobileSpec, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its tests, compiled once; warnings are errors."""
    folder = write_core(tmp_path_factory.mktemp("project"), *spec)
    done = swift.run(["swift", "build", "--build-tests", "-Xswiftc", "-warnings-as-errors"], folder)
    assert done.code == 0, done.output
    return folder


def _parity(swift: Debian, project: Path, files: dict[str, bytes]) -> Completed:
    """Run the steps of further golden files with the tests that are compiled already."""
    for name, content in files.items():
        (project / name).write_bytes(content)
    names = f"EDGE_VECTORS={' '.join(files)}"
    return swift.run(["env", names, TESTS, "EdgeCoreTests.ParityTests"], project)


def test_the_tests_of_a_project_pass(swift: Debian, project: Path) -> None:
    done = swift.run(["swift", "test", "--skip-build"], project)
    assert done.code == 0, done.output
    assert re.search(r"Executed (\d+) tests, with 1 test skipped and 0 failures", done.output), done.output
    for name in ("GoldenVectorTests", "LadderTests", "CoreTests"):
        assert f"Test Suite '{name}' passed" in done.output


def test_the_golden_vectors_of_a_project_hold_every_step(
    swift: Debian, project: Path, spec: tuple[MobileSpec, bytes]
) -> None:
    assert (project / GOLDEN).read_bytes() == spec[1]
    assert {step["step"] for step in json.loads(spec[1])["steps"]} == set(KINDS)
    done = _parity(swift, project, {"own.json": spec[1]})
    assert done.code == 0, done.output
    assert " steps, 0 failures" in done.output


def test_every_step_agrees_with_python(swift: Debian, project: Path) -> None:
    done = _parity(swift, project, {f"{seed}.json": parity_vectors(seed, 150) for seed in range(4)})
    assert done.code == 0, done.output
    check_parity(done.output)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_expectation_is_found(swift: Debian, project: Path, kind: str) -> None:
    wrong, count = wrong_steps(kind)
    done = _parity(swift, project, {"wrong.json": wrong})
    assert done.code == 1
    assert len(re.findall(f"step \\d+, {kind}: ", done.output)) >= 0.9 * count


def test_the_sources_are_formatted(swift: Debian, project: Path) -> None:
    done = swift.run(
        ["swift-format", "lint", "--strict", "--recursive", "Package.swift", "Sources", "Tests"], project
    )
    assert done.code == 0, done.output


#: Prints what Swift sees of facts: texts as UTF-16, floats as bits, so that nothing is lost in between.
PROBE = """
import EdgeCore

func hex(_ text: String) -> String {
    text.utf16.map { String($0, radix: 16) }.joined(separator: ".")
}

func listed(_ values: [String]) -> String { "[" + values.joined(separator: ", ") + "]" }

func bits(_ values: [Float]) -> [String] { values.map { String($0.bitPattern) } }

func optional(_ text: String?) -> String { text.map(hex) ?? "nil" }

func tensor(_ spec: TensorSpec) -> String {
    listed([
        hex(spec.name), hex(spec.storedName), spec.type.rawValue, spec.storedType.rawValue,
        listed(spec.shape.map(String.init)),
        spec.quantization.map { "\\($0.scale.bitPattern)/\\($0.zeroPoint)" } ?? "nil",
        spec.image.map { listed(bits($0.mean)) } ?? "nil",
        spec.coremlImage.map { listed([$0.color.rawValue] + bits([$0.scale] + $0.bias)) } ?? "nil",
        spec.postprocess.map { "\\($0.activation) \\($0.topK ?? -1) \\($0.threshold.bitPattern)" } ?? "nil",
    ])
}

func facts(_ spec: ModelFacts) {
    print(
        listed([
            hex(spec.name), hex(spec.version), hex(spec.signature), hex(spec.modelFile),
            listed(spec.inputs.map(tensor)), listed(spec.outputs.map(tensor)), listed(spec.labels.map(hex)),
            String(spec.goldenAtol.bitPattern), listed(spec.computeUnits.map(\\.key)),
            optional(spec.deploymentTarget), optional(spec.classLabel), optional(spec.classProbabilities),
        ]))
}

func box(_ box: Box, _ rows: Int, _ columns: Int, _ spec: ImageSpec) {
    let found = box.inPicture(rows: rows, columns: columns, spec)
    print(found.top, found.left, found.bottom, found.right)
}

"""


def test_any_name_any_number_survives(swift: Debian, project: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    specs = [_on_ios(random, hostile_spec(random, index), index) for index in range(24)]
    boxes = placed_boxes(random)
    calls = [f"facts(ModelSpec{index}.facts)" for index in range(len(specs))]
    for index, spec in enumerate(specs):
        for side, tensors in (("Inputs", spec.inputs), ("Outputs", spec.outputs)):
            names = identifiers([item.name for item in tensors], fallback=side[:-1].lower())
            calls += [f"print(hex(ModelSpec{index}.{side}.{name}.name))" for name in names]
    calls += [_box_call(box, image) for box, image in boxes]
    probe = project / "probe"
    shutil.rmtree(probe, ignore_errors=True)
    probe.mkdir()
    (probe / "main.swift").write_text(PROBE + "\n".join(calls) + "\n", "utf-8")
    for index, spec in enumerate(specs):
        source = model_spec(tmp_path / str(index), spec, f"ModelSpec{index}")
        (probe / f"ModelSpec{index}.swift").write_text(source, "utf-8")
    done = swift.run(
        ["sh", "-c", "swiftc -swift-version 6 -warnings-as-errors -I .build/debug/Modules -o probe/run "
         "probe/*.swift .build/debug/EdgeCore.build/*.o && probe/run"],
        project,
    )  # fmt: skip
    assert done.code == 0, done.output
    lines = done.output.splitlines()
    expected = [_seen(spec) for spec in specs]
    expected += [_written(item.name) for spec in specs for item in (*spec.inputs, *spec.outputs)]
    assert lines[: len(expected)] == expected
    check_placed_boxes(lines[len(expected) :], boxes)


def _on_ios(random: np.random.Generator, spec: MobileSpec, index: int) -> MobileSpec:
    def coreml(item: MobileTensor) -> MobileTensor:
        if item.image is None or not random.integers(2):
            return item
        bias = tuple(float(value) for value in random.choice((0.1, -1 / 3, 1e-45, -3.4028234e38), 3))
        return replace(item, coreml_image=CoreMLImage(scale=1 / 127.5, bias=bias, color="BGR"))

    # Labels are one text, but with a line break among them an array, which takes minutes for long lists.
    long = len(spec.labels) > 201
    return replace(
        spec,
        inputs=tuple(coreml(item) for item in spec.inputs),
        labels=tuple(label.replace("\n", "\r") for label in spec.labels) if long else spec.labels,
        platform="ios",
        accelerators=("all", "cpu_and_ne", "cpu_and_gpu", "cpu_only")[index % 4 :],
        deployment_target=None if index % 3 == 0 else "17.0",
        class_label=None if index % 2 else hostile_name(random),
        class_probabilities=hostile_name(random),
    )


def _box_call(box: PlacedBox, image: ImagePreprocess) -> str:
    (top, left, bottom, right), rows, columns = box
    return (
        f"box(Box(top: {top}, left: {left}, bottom: {bottom}, right: {right}), {rows}, {columns}, ImageSpec("
        f"height: {image.height}, width: {image.width}, cropFraction: {image.crop_fraction}, "
        f"fit: .{image.fit}))"
    )


def _written(text: str | None) -> str:
    return "nil" if text is None else utf16(text)


def _seen(spec: MobileSpec) -> str:
    """Return what the probe prints of facts."""

    def listed(values: Sequence[object]) -> str:
        return "[" + ", ".join(str(value) for value in values) + "]"

    def tensor(item: MobileTensor) -> str:
        rule, image, meaning = item.quantization, item.coreml_image, item.postprocess
        return listed(
            [
                utf16(item.name), utf16(item.stored_name), item.dtype, item.stored_dtype, listed(item.shape),
                f"{float_bits(rule.scales[0])}/{rule.zero_points[0]}" if rule else "nil",
                listed([float_bits(value) for value in item.image.mean]) if item.image else "nil",
                listed([image.color.lower(), *(float_bits(value) for value in (image.scale, *image.bias))])
                if image else "nil",
                f"{meaning.activation} {-1 if meaning.top_k is None else meaning.top_k} "
                f"{_double_bits(meaning.threshold)}" if meaning else "nil",
            ]
        )  # fmt: skip

    return listed(
        [
            utf16(spec.name), utf16(spec.version), utf16(spec.signature), utf16(spec.model_file),
            listed([tensor(item) for item in spec.inputs]), listed([tensor(item) for item in spec.outputs]),
            listed([utf16(label) for label in spec.labels]), _double_bits(spec.golden_atol),
            listed(spec.accelerators), _written(spec.deployment_target), _written(spec.class_label),
            _written(spec.class_probabilities),
        ]
    )  # fmt: skip


def _double_bits(value: float) -> int:
    return int(np.float64(value).view(np.uint64))

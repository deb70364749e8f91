"""The Kotlin that apps carry computes what Python computes: compiled and run here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.boxes import boxes_in_picture
from edge_sdk.contract.spec import (
    AnchorGrid,
    Contract,
    Detections,
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Quantization,
    Signature,
    TensorSpec,
)
from edge_sdk.scaffold.golden import golden_json
from edge_sdk.scaffold.identifiers import identifiers
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor, default_options, mobile_spec
from edge_sdk.scaffold.toolchain.kotlin import Kotlin, find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing
from tests.scaffold.bundles import make_bundle, variant
from tests.scaffold.kotlin_core import model_spec, write_core
from tests.scaffold.parity import parity_vectors
from tests.scaffold.tiny import spec_of

pytestmark = pytest.mark.slow

TESTS = ("GoldenVectorsTest", "AcceleratorLadderTest", "CoreTest")
#: One of each kind of tensor: a picture stored as integers, a picture that is integers, a single number,
#: five axes and a name of the worst kind; classes, boxes and plain numbers come out.
PHOTO = ImagePreprocess(height=5, width=4, color="bgr", fit="pad", scale=1 / 127.5, mean=(1.0, 0.9, 0.8))
ICON = ImagePreprocess(height=3, width=3, color="gray", crop_fraction=0.5, orientation="ignore")
ODD = 'x"$y `${1}` \\ */ \u202e😀'
INPUTS = (
    TensorSpec(name="photo", dtype="float32", shape=(None, 5, 4, 3)),
    TensorSpec(name="icon", dtype="int8", shape=(None, 3, 3, 1)),
    TensorSpec(name="when", dtype="int32", shape=()),
    TensorSpec(name=ODD, dtype="float32", shape=(1, 2, 1, 2, 3)),
)
OUTPUTS = (
    TensorSpec(name="boxes", dtype="float32", shape=(None, 6, 6)),
    TensorSpec(name="scores", dtype="float32", shape=(None, 6, 2)),
    TensorSpec(name="class", dtype="float32", shape=(None, 3)),
    TensorSpec(name="Class", dtype="int64", shape=(None, 2)),
)
CONTRACT = Contract(
    signatures=(Signature(name="serving_default", inputs=INPUTS, outputs=OUTPUTS),),
    default_signature="serving_default",
    preprocess={"photo": Preprocess(image=PHOTO), "icon": Preprocess(image=ICON)},
    postprocess={"class": Postprocess(activation="softmax", top_k=2, threshold=1e-9)},
    labels=tuple(f'"{place}" $x ü' for place in range(450)),
    detections=Detections(
        boxes="boxes",
        scores="scores",
        form="cxcywh",
        box_scale=(4.0, 5.0, 4.0, 5.0),
        anchors=(AnchorGrid(rows=1, columns=3, sizes=((0.1, 1 / 3), (1.0, 1.0))),),
        exponential=True,
        keypoints=1,
        activation="sigmoid",
        background=0,
        threshold=0.1,
        suppression="weighted",
        overlap=0.3,
        limit=4,
    ),
)


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
    """The facts and golden vectors of a model, from a bundle."""
    quantized = Quantization(scales=(0.0078125,), zero_points=(-1,))
    stored = replace(
        CONTRACT.signature,
        inputs=(replace(INPUTS[0], dtype="int8", quantization=quantized), *INPUTS[1:]),
        outputs=(
            *OUTPUTS[:2],
            replace(OUTPUTS[2], dtype="int8", quantization=replace(quantized, zero_points=(3,))),
            OUTPUTS[3],
        ),
    )
    path = make_bundle(tmp_path_factory.mktemp("bundle"), variant("int8", stored), contract=CONTRACT)
    with Bundle.open(path) as bundle:
        facts = mobile_spec(bundle, default_options(bundle, platform="android"))
        return facts, golden_json(bundle, facts)


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
    assert done.output.count("750 steps, 0 failures") == 4
    # Integers are the same here, and floats nearly; a step of tolerance is for other processors.
    found = re.findall(r"(\w+): 150 steps, largest difference (\S+)", done.output)
    worst = {kind: max(float(value) for name, value in found if name == kind) for kind, _ in found}
    assert worst["quantize"] == worst["preprocess"] == 0
    assert max(worst.values()) < 1e-6, worst


@pytest.mark.parametrize("kind", ["preprocess", "quantize", "activation", "top_classes", "detections"])
def test_a_wrong_expectation_is_found(
    kotlin: Kotlin, classpath: list[Path], tmp_path: Path, kind: str
) -> None:
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
    done = kotlin.execute("edge.core.ParityMainKt", classpath, [path])
    assert done.code == 1
    assert len(re.findall(f"step \\d+, {kind}: ", done.output)) >= 0.9 * len(steps)


def _other(data: str) -> str:
    import base64

    raw = bytearray(base64.b64decode(data))
    for index in range(3, len(raw), 4):
        raw[index] ^= 0x40  # of a float32: its exponent
    return base64.b64encode(raw).decode()


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
    specs = [_hostile(random, index) for index in range(24)]
    sources = [model_spec(tmp_path / str(index), spec, f"n{index}") for index, spec in enumerate(specs)]
    images = [_rule(random) for _ in range(20)]
    boxes = [
        (tuple(random.uniform(-0.5, 1.5, 4)), int(r), int(c)) for r, c in random.integers(1, 900, (20, 2))
    ]
    calls = [f"facts(n{index}.ModelSpec)" for index in range(len(specs))]
    for index, spec in enumerate(specs):
        for side, tensors in (("Inputs", spec.inputs), ("Outputs", spec.outputs)):
            names = identifiers([item.name for item in tensors], fallback=side[:-1].lower())
            calls += [f"println(hex(n{index}.ModelSpec.{side}.{name}.name))" for name in names]
    calls += [_box_call(box, image) for box, image in zip(boxes, images, strict=True)]
    probe = tmp_path / "Probe.kt"
    probe.write_text(PROBE.replace("CALLS", "\n    ".join(calls)), "utf-8")
    done = kotlin.compile([probe, *sources], tmp_path / "probe.jar", classpath=classpath[:1])
    assert done.code == 0, done.output
    done = kotlin.execute("ProbeKt", [tmp_path / "probe.jar", *classpath])
    assert done.code == 0, done.output
    lines = done.output.splitlines()
    expected = [_seen(spec) for spec in specs]
    expected += [_hex(item.name) for spec in specs for item in (*spec.inputs, *spec.outputs)]
    assert lines[: len(expected)] == expected
    for line, (box, rows, columns), image in zip(lines[len(expected) :], boxes, images, strict=True):
        assert [float(word) for word in line.split()] == pytest.approx(
            boxes_in_picture(box, rows, columns, image), abs=1e-12
        )


def _rule(random: np.random.Generator) -> ImagePreprocess:
    height, width = (int(size) for size in random.integers(1, 300, 2))
    fit = ("stretch", "crop", "pad")[int(random.integers(3))]
    return ImagePreprocess(
        height=height, width=width, fit=fit, crop_fraction=float(random.choice([1.0, 0.875, 0.3]))
    )


def _box_call(box: tuple[tuple[float, ...], int, int], image: ImagePreprocess) -> str:
    corners, rows, columns = box
    return (
        f"box({', '.join(repr(float(value)) for value in corners)}, {rows}, {columns}, ImageSpec("
        f"height = {image.height}, width = {image.width}, fit = ImageSpec.Fit.{image.fit.upper()}, "
        f"cropFraction = {image.crop_fraction}))"
    )


_PIECES = (
    '"', "$", "${x}", "\\", "\n", "\t", "\0", "\u2028", "\u202e", "é", "😀", "*/", "/*", "//", "`",
    "'", "class", "val", "object", "fun", "in", "is", "null", "1", "9a", " ", "-", ".", ":", "[[", "]]", "[%",
    "%]", "{#", "image", "Image", "StatefulPartitionedCall:0", "serving_default_x", "inputs", "outputs",
    "toString", "_", "__",
)  # fmt: skip


def _name(random: np.random.Generator) -> str:
    return "".join(_PIECES[int(random.integers(len(_PIECES)))] for _ in range(int(random.integers(1, 5))))


def _hostile(random: np.random.Generator, index: int) -> MobileSpec:
    def tensors(count: int, *, inputs: bool) -> tuple[MobileTensor, ...]:
        names = list(dict.fromkeys(_name(random) for _ in range(count)))
        return tuple(_tensor(random, name, inputs=inputs) for name in names)

    return replace(
        spec_of(),
        name=_name(random),
        version=_name(random),
        inputs=tensors(int(random.integers(0, 9)), inputs=True),
        outputs=tensors(int(random.integers(0, 9)), inputs=False),
        labels=tuple(_name(random) for _ in range((0, 1, 199, 200, 201, 7000)[index % 6])),
        signature=_name(random),
        model_file=_name(random),
        accelerators=("npu", "gpu", "gpu_cpu", "cpu")[index % 5 :],
        golden_atol=float(random.choice([0.0, 1e-5, 5e-324, 1.7e308])),
    )


def _tensor(random: np.random.Generator, name: str, *, inputs: bool) -> MobileTensor:
    dtype = str(random.choice(["float32", "int8", "uint8", "int32", "int64", "bool"]))
    quantized = bool(random.integers(2))
    channels = (1, 3)[int(random.integers(2))]
    extremes = (0.1, -1e-45, 3.4028234e38, 1 / 3, 16777217.0, 1e-7)
    return MobileTensor(
        name=name,
        dtype="float32" if quantized else dtype,
        shape=tuple(int(size) for size in random.integers(1, 1000, int(random.integers(0, 6)) % 4)),
        stored_name=_name(random),
        stored_dtype="int8" if quantized else dtype,
        quantization=Quantization(
            scales=(float(random.choice(extremes)),), zero_points=(int(random.integers(-(2**31), 2**31)),)
        )
        if quantized
        else None,
        image=ImagePreprocess(
            height=3, width=4, mean=tuple(float(value) for value in random.choice(extremes, channels))
        )
        if inputs and random.integers(2)
        else None,
        postprocess=None
        if inputs or random.integers(2)
        else Postprocess(activation="sigmoid", top_k=None if random.integers(2) else 3, threshold=1e-300),
    )


def _hex(text: str) -> str:
    raw = text.encode("utf-16-be", "surrogatepass")
    return ".".join(f"{raw[place] << 8 | raw[place + 1]:x}" for place in range(0, len(raw), 2))


def _bits(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


def _seen(spec: MobileSpec) -> str:
    """Return what the probe prints of facts."""

    def listed(values: Sequence[object]) -> str:
        return "[" + ", ".join(str(value) for value in values) + "]"

    def tensor(item: MobileTensor) -> str:
        rule = item.quantization
        return listed(
            [
                _hex(item.name), _hex(item.stored_name), item.dtype, item.stored_dtype, listed(item.shape),
                f"{_bits(rule.scales[0])}/{rule.zero_points[0]}" if rule else "null",
                listed([_bits(value) for value in item.image.mean]) if item.image else "null",
            ]
        )  # fmt: skip

    return listed(
        [
            _hex(spec.name), _hex(spec.version), _hex(spec.signature), _hex(spec.model_file),
            listed([tensor(item) for item in spec.inputs]), listed([tensor(item) for item in spec.outputs]),
            listed([_hex(label) for label in spec.labels]), int(np.float64(spec.golden_atol).view(np.int64)),
        ]
    )  # fmt: skip

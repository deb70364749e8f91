"""The runner of iOS projects runs here, on a stand-in for Core ML: ladder, self-test, arrays, downloads."""

from __future__ import annotations

import base64
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import folder_digest
from edge_sdk.bundle.manifest import CoreMLImage
from edge_sdk.contract.spec import Contract, ImagePreprocess, Preprocess, Signature, TensorSpec
from edge_sdk.resources import data_folder
from edge_sdk.scaffold.golden import golden_document, tensor_json
from edge_sdk.scaffold.render import Content, render_platform
from edge_sdk.scaffold.selection import mobile_spec
from edge_sdk.scaffold.spec import default_options
from edge_sdk.scaffold.toolchain.debian import Debian, find_debian
from edge_sdk.scaffold.toolchain.places import Completed, Missing
from tests.scaffold.bundles import make_bundle, package

pytestmark = pytest.mark.slow

_HERE = Path(__file__).parent / "standins"
MODULES = ("CoreVideo", "CoreML", "os", "CryptoKit")
RUNNER = (
    "ArrayRows", "CoreMLRunner", "FolderListing", "LoadedModel", "ModelFeatures", "ModelStore", "MultiArrays",
    "PixelBuffers", "SelfTest",
)  # fmt: skip
MEAN = (0.5, 0.0, -0.5)
SIGNATURE = Signature(
    name="serving_default",
    inputs=(
        TensorSpec(name="x", dtype="float32", shape=(2, 3)),
        TensorSpec(name="when", dtype="int64", shape=()),
        TensorSpec(name="picture", dtype="float32", shape=(1, 3, 2, 3)),
    ),
    outputs=(
        TensorSpec(name="y", dtype="float32", shape=(2, 3)),
        TensorSpec(name="n", dtype="int64", shape=()),
    ),
)
STORED = Signature(
    name="serving_default",
    inputs=(
        SIGNATURE.inputs[0],
        TensorSpec(name="when", dtype="int32", shape=()),
        SIGNATURE.inputs[2],
    ),
    outputs=(
        TensorSpec(name="y", dtype="float16", shape=(2, 3)),
        TensorSpec(name="n", dtype="int32", shape=()),
    ),
)
CONTRACT = Contract(
    signatures=(SIGNATURE,),
    default_signature="serving_default",
    preprocess={
        "picture": Preprocess(
            image=ImagePreprocess(height=3, width=2, color="bgr", scale=1 / 255, mean=MEAN, std=(1.0,))
        )
    },
)


def answer(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the stand-in model computes."""
    picture = inputs["picture"].reshape(-1).astype(np.float64)
    total = (picture * np.arange(1, picture.size + 1)).sum()
    return {
        "y": (2 * inputs["x"] + inputs["when"] + total).astype(np.float32),
        "n": np.asarray(inputs["when"] + 1, np.int64),
    }


def golden() -> bytes:
    """Return two cases: a picture of whole pixels, and one that lies between them."""
    random = np.random.default_rng(8)
    cases = []
    for offset in (0.0, 0.4):
        pixels = random.integers(1, 255, (1, 3, 2, 3)) + offset
        inputs = {
            "x": random.normal(size=(2, 3)).astype(np.float32),
            "when": np.asarray(7, np.int64),
            "picture": (pixels / 255 - np.asarray(MEAN)).astype(np.float32),
        }
        cases.append(
            {
                "inputs": {name: tensor_json(array) for name, array in inputs.items()},
                "outputs": {name: tensor_json(array) for name, array in answer(inputs).items()},
            }
        )
    return golden_document(model=cases, steps=[], atol=0.05, rtol=1e-3)


@pytest.fixture(scope="module")
def debian() -> Debian:
    found = find_debian()
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def built(debian: Debian, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a program that holds the runner, built once; with the package that its facts name."""
    folder = tmp_path_factory.mktemp("runner")
    _write_package(folder / "package")
    variant = replace(
        package(
            images={"picture": CoreMLImage(scale=1 / 255, bias=tuple(-value for value in MEAN), color="BGR")},
            input_names={"when": "when_stored"},
            output_names={"y": "y_stored"},
        ),
        signatures=(STORED,),
    )
    with Bundle.open(make_bundle(folder, variant, contract=CONTRACT, name="runner")) as bundle:
        options = default_options(bundle, platform="ios")
        spec = replace(mobile_spec(bundle, options), model_sha256=folder_digest(folder / "package"))
    content = Content(model={"Runner.mlpackage/Manifest.json": b"{}"}, golden=golden(), spec=b"{}")
    rendered = render_platform(spec, options, content)
    source = folder / "source"
    for path, file in rendered.files.items():
        if path.startswith("Packages/EdgeModelKit/Sources/EdgeCore/"):
            place = source / "EdgeCore" / Path(path).name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
        elif path.startswith("Runner/Model/") and Path(path).stem in RUNNER:
            place = source / "probe" / Path(path).name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
    shutil.copy(_HERE / "Probe.swift", source / "probe")
    for module in MODULES:
        (source / module).mkdir()
        shutil.copy(_HERE / f"{module}.swift", source / module)
    for module in MODULES:
        _compile(debian, folder, module, "-swift-version", "5", "-suppress-warnings")
    _compile(debian, folder, "EdgeCore", "-swift-version", "6", "-O")
    objects = [f"{module}.o" for module in (*MODULES, "EdgeCore")]
    _swiftc(debian, folder, "probe", "-swift-version", "6", *objects, "-o", "probe")
    (folder / "golden.json").write_bytes(golden())
    return folder


def _compile(debian: Debian, folder: Path, module: str, *options: str) -> None:
    path = f"{module}.swiftmodule"
    _swiftc(
        debian, folder, module, *options, "-emit-module", "-emit-module-path", path, "-c", "-o", f"{module}.o"
    )


def _swiftc(debian: Debian, folder: Path, module: str, *options: str) -> None:
    sources = [str(path.relative_to(folder)) for path in sorted((folder / "source" / module).glob("*.swift"))]
    done = debian.run(
        ["swiftc", "-wmo", "-parse-as-library", "-module-name", module, "-I", ".", *options, *sources], folder
    )
    assert done.code == 0, done.output[-4000:]


def _write_package(folder: Path) -> None:
    for name, data in {"Manifest.json": b"{}", "Data/weights/weight.bin": bytes(3_000_000)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


class Phone:
    """A folder in which the program starts again and again, as an app on a phone does."""

    def __init__(self, debian: Debian, folder: Path) -> None:
        self._debian = debian
        self.folder = folder
        self.behave()

    def behave(self, **units: str) -> None:
        """Set what is wrong with which compute units."""
        model = self.folder / "Runner.mlmodelc"
        model.mkdir(exist_ok=True)
        (model / "behaviour.json").write_text(json.dumps(units))

    def start(self, *words: str) -> Completed:
        return self._debian.run(["./probe", *words], self.folder)

    def say(self, *words: str) -> list[str]:
        """Start the app, and return what it says."""
        done = self.start(*words)
        assert done.code == 0, done.output
        return done.output.splitlines()

    def opened(self) -> list[str]:
        """Return the units that the model was opened on since the last call."""
        return [line for line in self.openings() if line != "done"]

    def openings(self) -> list[str]:
        """Return the units that the model was opened on since the last call, and when it was."""
        log = self.folder / "Runner.mlmodelc" / "opened.txt"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def phone(debian: Debian, built: Path, tmp_path: Path) -> Phone:
    for name in ("probe", "golden.json"):
        shutil.copy(built / name, tmp_path)
    return Phone(debian, tmp_path)


def _expected() -> str:
    case: dict[str, Any] = json.loads(golden())["model"][0]["outputs"]
    values = np.frombuffer(base64.b64decode(case["y"]["data"]), "<f4").astype(np.float16).astype(float)
    return f"n int64[] [8.0]; y float32[2, 3] [{', '.join(str(value) for value in values)}]"


def test_the_model_is_opened_once_for_all_who_ask_and_again_after_it_was_closed(phone: Phone) -> None:
    said = phone.say("report", "three at once", "report", "close", "report", "predict")
    assert said[0] == 'all ["not opened yet"]'
    assert said[1] == f"1 {_expected()}"
    assert said[2] == 'all ["all: runs, its numbers are right"]'
    assert said[3] == said[0]
    assert said[4] == _expected()
    assert phone.opened() == ["all", "all"]


def test_units_that_fail_or_are_wrong_are_passed_over_and_remembered(phone: Phone) -> None:
    phone.behave(all="fails to open", cpuAndGPU="wrong")
    said = phone.say("predict", "report")
    assert said[0] == _expected()
    assert said[1].startswith("cpu_only ")
    for line in (
        "all: failed: Core ML cannot open the model: there is no all today",
        "cpu_and_gpu: wrong numbers: case 0, output y: 6 of 6 values are outside the tolerance",
        "cpu_only: runs, its numbers are right",
    ):
        assert line in said[1]
    assert phone.opened() == ["all", "cpuAndGPU", "cpuOnly"]
    said = phone.say("predict", "report")
    assert phone.opened() == ["cpuOnly"]
    assert "all: not tried, it failed a short time ago" in said[1]
    assert "cpu_and_gpu: not tried, its numbers were wrong" in said[1]
    assert "cpu_only: runs, its numbers were right before" in said[1]


def test_units_that_took_the_app_with_them_are_left_alone(phone: Phone) -> None:
    phone.behave(all="dies")
    assert phone.start("predict").code == 9
    phone.behave()
    assert phone.opened() == ["all"]
    said = phone.say("predict", "report")
    assert said[1].startswith("cpu_and_gpu ")
    assert "all: not tried, the app ended while it was tried" in said[1]
    assert phone.opened() == ["cpuAndGPU"]


def test_where_nothing_runs_the_error_says_why_and_what_to_do(phone: Phone) -> None:
    phone.behave(all="fails to run", cpuAndGPU="wrong", cpuOnly="fails to open")
    (said,) = phone.say("predict")
    assert said.startswith("error: ")
    for part in ("all: failed: Core ML failed: out of memory", "cpu_and_gpu: wrong", "cpu_only: failed"):
        assert part in said
    assert " | " in said
    # The next try starts anew, and nothing is left half open.
    phone.behave()
    assert phone.say("predict") == [_expected()]


def test_inputs_that_do_not_fit_are_refused_before_core_ml_sees_them(phone: Phone) -> None:
    said = phone.say("no picture", "too large", "predict")
    assert said[0].startswith("error: input picture is missing | the model takes x float32[2, 3]")
    assert said[1].startswith("error: input when holds 1099511627776.0, and Core ML takes 32-bit integers")
    assert said[2] == _expected()


def test_closing_while_the_model_opens_ends_the_opening(phone: Phone) -> None:
    said = phone.say("close while it opens", "predict")
    assert said[-1] == _expected()
    assert "error" not in "".join(said)


def test_a_model_that_still_opens_when_it_is_wanted_again_is_waited_for(phone: Phone) -> None:
    phone.behave(all="slow")
    said = phone.say("close and open again", "report")
    assert said == [_expected(), 'all ["all: runs, its numbers are right"]']
    # Never two at once: the second one would take the first one's mark for the death of the app.
    assert phone.openings() == ["all", "done", "all", "done"]


def test_leaving_the_app_while_the_model_opens_is_no_death_of_the_units(phone: Phone) -> None:
    phone.behave(all="slow")
    for _ in range(2):
        assert phone.start("leave").code == 9
    assert phone.say("predict", "report")[1] == 'all ["all: runs, its numbers are right"]'
    for _ in range(3):
        assert phone.start("leave").code == 9
    (said,) = phone.say("report", "predict", "report")[2:]
    assert "all: not tried, the app ended while it was tried" in said


def test_all_units_can_be_tried_again(phone: Phone) -> None:
    phone.behave(all="wrong", cpuAndGPU="dies")
    assert phone.start("predict").code == 9
    phone.behave()
    assert phone.say("predict", "report")[1].startswith("cpu_only ")
    said = phone.say("try all", "predict", "report")
    assert said[1] == 'all ["all: runs, its numbers are right"]'


def test_the_self_test_tells_of_each_choice_of_units(phone: Phone) -> None:
    phone.behave(cpuAndGPU="wrong")
    said = phone.say("self-test")
    assert said[0] == "all []"
    assert said[1].startswith('cpu_and_gpu ["case 0, output y: 6 of 6 values')
    assert "case 1" not in said[1]  # between pixels it is compared coarsely
    assert said[2] == "cpu_only []"


def test_a_download_is_checked_and_compiled_once(phone: Phone, built: Path) -> None:
    shutil.copytree(built / "package", phone.folder / "package")
    said = phone.say("download", "download")
    sha256 = folder_digest(built / "package")
    assert said == [f"edge-models {sha256}.mlmodelc"] * 2
    # It needs no package any more, and a version that is not wanted goes.
    shutil.rmtree(phone.folder / "package")
    (phone.folder / "support" / "edge-models" / "old.mlmodelc").mkdir()
    assert phone.say("download", "forget") == said[:1]
    assert [path.name for path in (phone.folder / "support" / "edge-models").iterdir()] == [
        f"{sha256}.mlmodelc"
    ]


def test_a_download_that_is_another_model_is_refused(phone: Phone, built: Path) -> None:
    shutil.copytree(built / "package", phone.folder / "package")
    (phone.folder / "package" / "Data" / "weights" / "weight.bin").write_bytes(bytes(2_999_999) + b"\1")
    (said,) = phone.say("download")
    assert said.startswith("error: package is not the model that this app was made for | download it again")
    assert list((phone.folder / "support" / "edge-models").iterdir()) == []


def test_every_part_of_the_runner_is_driven_here() -> None:
    sources = {path.stem for path in (data_folder("ios_template") / "App" / "Model").glob("*.swift")}
    assert sources - set(RUNNER) == {"ComputePlan"}

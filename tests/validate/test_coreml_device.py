"""The real Core ML, with a fake of the one call that only macOS has."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError, MissingExtraError, ModelError, SignatureMismatchError
from edge_sdk.model.coreml.package import Feature, FunctionDescription, Metadata, Package
from edge_sdk.model.coreml.program import Program
from edge_sdk.validate import coreml_device
from edge_sdk.validate.coreml_device import (
    DeviceComparison,
    DeviceModel,
    available,
    compare_with_reference,
    load_on_mac,
    predict_on_mac,
)
from edge_sdk.validate.coreml_reference import ReferenceModel
from tests import real_models

Answer = Callable[[dict[str, Any]], Mapping[str, Any]]
SCORES = Feature(name="scores", kind="tensor", dtype="fp16", shape=(1, 3))


class FakeCoreML:
    """Stands for `load_on_mac`: notes what it is asked, answers with what a test says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.loaded: list[tuple[str, str, str | None]] = []
        self.given: list[dict[str, Any]] = []

    def __call__(self, path: Path, compute_units: str, function: str | None) -> Answer:
        self.loaded.append((path.name, compute_units, function))

        def predict(inputs: dict[str, Any]) -> Mapping[str, Any]:
            self.given.append(inputs)
            return self.answer(inputs)

        return predict


def described(
    *inputs: Feature, outputs: tuple[Feature, ...] = (SCORES,), functions: tuple[str, ...] = ("main",)
) -> Package:
    return Package(
        path=Path("made.mlpackage"),
        specification_version=9,
        minimum_deployment="iOS18",
        functions={name: FunctionDescription(inputs=inputs, outputs=outputs) for name in functions},
        default_function=functions[0],
        metadata=Metadata(),
        program=Program({}),
        files=(),
        size_bytes=0,
        _model=Path("made.mlpackage"),
    )


def scores(_: object) -> Mapping[str, Any]:
    return {"scores": np.array([[0.25, 0.5, 0.25]], np.float32)}


def image(color: str) -> Feature:
    return Feature(name="picture", kind="image", width=3, height=2, color=color)


def test_tensors_go_in_and_come_out_in_the_declared_types() -> None:
    core_ml = FakeCoreML(scores)
    with DeviceModel(
        described(Feature(name="x", kind="tensor", dtype="int32", shape=(2,))), load=core_ml
    ) as model:
        found = model.evaluate({"x": [1.0, 2.0]})
        model.evaluate({"x": [1.0, 2.0]})
    assert core_ml.loaded == [("made.mlpackage", "all", None)], "loaded once, without a function's name"
    assert core_ml.given[0]["x"].dtype == np.int32
    assert found["scores"].dtype == np.float16


@pytest.mark.parametrize("shape", [(1, 2, 3, 3), (2, 3, 3)])
@pytest.mark.parametrize("color", ["RGB", "BGR"])
def test_pictures_are_given_in_rgb_whatever_the_program_wants(color: str, shape: tuple[int, ...]) -> None:
    core_ml = FakeCoreML(scores)
    pixels = np.arange(18).reshape(shape)
    DeviceModel(described(image(color)), load=core_ml).evaluate({"picture": pixels.astype(np.float32)})
    picture = core_ml.given[0]["picture"]
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), pixels.reshape(2, 3, 3))


def test_gray_pictures() -> None:
    core_ml = FakeCoreML(scores)
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    DeviceModel(described(image("GRAY")), load=core_ml).evaluate({"picture": pixels})
    assert core_ml.given[0]["picture"].mode == "L"
    DeviceModel(described(image("GRAY16")), load=core_ml).evaluate({"picture": pixels / 7})
    assert core_ml.given[1]["picture"].mode == "F"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.full((1, 2, 3, 3), 0.5), "whole values 0 to 255"),
        (np.full((1, 2, 3, 3), 256), "whole values 0 to 255"),
        (np.zeros((1, 2, 3, 1)), r"\[1, height, width, 3\]"),
        (np.zeros((2, 2, 3, 3)), r"\[1, height, width, 3\]"),
    ],
)
def test_what_is_no_picture_is_refused(value: Any, message: str) -> None:
    with pytest.raises(SignatureMismatchError, match=message):
        DeviceModel(described(image("RGB")), load=FakeCoreML(scores)).evaluate({"picture": value})


def test_an_image_comes_out_as_pixels() -> None:
    from PIL import Image

    made = Image.fromarray(np.arange(18, dtype=np.uint8).reshape(2, 3, 3)).convert("RGBA")
    out = Feature(name="drawn", kind="image", width=3, height=2, color="BGR")
    core_ml = FakeCoreML(lambda _: {"drawn": made})
    found = DeviceModel(described(outputs=(out,)), load=core_ml).evaluate({})
    assert np.array_equal(found["drawn"], np.arange(18).reshape(1, 2, 3, 3))


def test_names_that_do_not_fit_are_named() -> None:
    model = DeviceModel(described(Feature(name="x", kind="tensor", dtype="fp32")), load=FakeCoreML(scores))
    with pytest.raises(SignatureMismatchError, match=r"x +tensor +nothing"):
        model.evaluate({})
    with pytest.raises(SignatureMismatchError, match=r"y +no such input"):
        model.evaluate({"x": [1.0], "y": [1.0]})
    with pytest.raises(ConfigError, match="no function 'other'"):
        model.evaluate({"x": [1.0]}, function="other")


def test_several_functions_are_loaded_by_name_and_each_once() -> None:
    core_ml = FakeCoreML(scores)
    with DeviceModel(described(functions=("one", "two")), compute_units="cpu_only", load=core_ml) as model:
        for name in ("one", "two", "one", None):
            model.evaluate({}, function=name)
    assert core_ml.loaded == [("made.mlpackage", "cpu_only", name) for name in ("one", "two")]


def test_an_output_that_does_not_come_is_an_error() -> None:
    with pytest.raises(ModelError, match="did not answer output 'scores'"):
        DeviceModel(described(), load=FakeCoreML(lambda _: {})).evaluate({})


def test_compute_units_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ConfigError, match="no compute units"):
        DeviceModel(described(), compute_units="tpu")


def test_labels_are_compared_as_text_and_probabilities_by_label() -> None:
    from edge_sdk.validate.coreml_device import _difference

    label = _difference("label", ["cat", "dog"], ["cat", "cat"])
    assert (label.equal, label.max_abs_error, label.snr_db) == (0.5, None, None)
    assert _difference("label", [np.array("cat")], ["cat"]).equal == 1.0
    likely = _difference("p", [{"cat": 0.5, "dog": 0.5}], [{"dog": 0.25, "cat": 0.5}])
    assert (likely.max_abs_error, likely.equal) == (0.25, 0.0)
    with pytest.raises(ModelError, match="other labels"):
        _difference("p", [{"cat": 0.5}], [{"dog": 0.5}])
    with pytest.raises(ModelError, match="shape"):
        _difference("p", [np.zeros(3)], [np.zeros(4)])
    endless = _difference("p", [np.zeros(3)], [np.full(3, np.inf)])
    assert (endless.max_abs_error, endless.snr_db, endless.equal) == (None, None, 0.0)


@pytest.fixture(scope="module")
def shipped() -> Path:
    return real_models.basic_pitch_mlpackage()


def test_the_difference_to_the_reference_is_told_for_every_output(shipped: Path) -> None:
    random = np.random.default_rng(7)
    with ReferenceModel.open(shipped) as reference:
        (feature,) = reference.inputs
        samples = [{feature.name: random.normal(0, 0.1, feature.shape).astype(np.float32)} for _ in range(2)]
        names = [item.name for item in reference.outputs]

        def answer(inputs: dict[str, Any]) -> Mapping[str, Any]:
            found = reference.evaluate(inputs)
            found[names[0]] = found[names[0]] + np.float32(0.001)
            return found

        found = compare_with_reference(shipped, samples, compute_units="cpu_only", load=FakeCoreML(answer))
    assert (found.samples, found.function, found.compute_units) == (2, "main", "cpu_only")
    assert [item.output for item in found.outputs] == names
    off, *exact = found.outputs
    assert off.max_abs_error == pytest.approx(0.001, rel=1e-3)
    assert off.snr_db is not None
    assert 0 < off.snr_db < 100
    assert off.equal == 0.0
    assert all((item.max_abs_error, item.equal) == (0.0, 1.0) for item in exact)
    assert DeviceComparison.from_dict(found.to_dict()) == found


def test_no_samples_are_refused() -> None:
    with pytest.raises(ConfigError, match="no samples"):
        compare_with_reference("any.mlpackage", [])


@pytest.mark.skipif(platform.system() == "Darwin", reason="Core ML is there")
def test_off_macos_it_says_what_to_use_instead(shipped: Path) -> None:
    assert not available()
    with pytest.raises(ConfigError, match="macOS only") as caught:
        load_on_mac(shipped, "all", None)
    assert "reference evaluator" in str(caught.value.hint)


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A coremltools as on macOS, whose MLModel notes what it is asked."""
    asked: list[Any] = []

    class MLModel:
        def __init__(self, path: str, **chosen: Any) -> None:
            if path.endswith("broken.mlpackage"):
                raise RuntimeError("Error compiling model")
            asked.append((Path(path).name, chosen))

        def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
            if "x" not in inputs:
                raise RuntimeError("Error computing outputs")
            return {"y": inputs["x"]}

    module = ModuleType("coremltools")
    module.ComputeUnit = SimpleNamespace(ALL=1, CPU_AND_NE=2, CPU_AND_GPU=3, CPU_ONLY=4)  # type: ignore[attr-defined]
    module.models = SimpleNamespace(MLModel=MLModel)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "coremltools", module)
    monkeypatch.setattr(coreml_device, "available", lambda: True)
    return asked


def test_coremltools_is_asked_the_right_way(mac: list[Any]) -> None:
    assert load_on_mac(Path("a.mlpackage"), "cpu_and_neural_engine", None)({"x": 3}) == {"y": 3}
    load_on_mac(Path("a.mlpackage"), "all", "two")
    assert mac == [
        ("a.mlpackage", {"compute_units": 2}),
        ("a.mlpackage", {"compute_units": 1, "function_name": "two"}),
    ]


def test_what_core_ml_says_is_passed_on(mac: list[Any]) -> None:
    with pytest.raises(ModelError, match="does not load broken") as caught:
        load_on_mac(Path("broken.mlpackage"), "all", None)
    assert caught.value.why == "Error compiling model"
    with pytest.raises(ModelError, match=r"does not run a\.mlpackage"):
        load_on_mac(Path("a.mlpackage"), "all", None)({})


def test_a_mac_without_the_native_part_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(coreml_device.importlib.util, "find_spec", lambda _: None)
    assert not available()
    with pytest.raises(MissingExtraError, match="coremltools"):
        load_on_mac(Path("a.mlpackage"), "all", None)


def test_the_native_part_is_looked_for_without_importing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(coreml_device.importlib.util, "find_spec", lambda _: found)
    assert not available()
    (tmp_path / "libcoremlpython.so").touch()
    assert available()


def test_one_call_opens_and_answers(mac: list[Any], shipped: Path) -> None:
    with pytest.raises(ModelError, match="does not run"):
        predict_on_mac(shipped, {"input_2": np.zeros((1, 43844, 1), np.float32)}, compute_units="cpu_and_gpu")
    assert mac == [(shipped.name, {"compute_units": 3})]

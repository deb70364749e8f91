"""Inputs that are no pictures: tables, token ids, sound, masks. No picture rule may fire on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.errors import ConfigError
from edge_sdk.validate.calibration import samples, scale
from edge_sdk.validate.calibration.evidence import Evidence, SampleSet
from edge_sdk.validate.calibration.examine import CHECKS, examine
from edge_sdk.validate.calibration.report import Finding
from edge_sdk.validate.calibration.statistics import statistics_of, texture_of
from tests.validate.calibration.conftest import Examine


def look(
    calibration: dict[str, np.ndarray], evaluation: dict[str, np.ndarray] | None = None
) -> list[Finding]:
    """Run every check that needs no model."""
    specs = tuple(
        TensorSpec(name=name, dtype=values.dtype.name, shape=(1, *values.shape[1:]))
        for name, values in calibration.items()
    )
    contract = Contract(
        signatures=(Signature(name="serving_default", inputs=specs, outputs=()),),
        default_signature="serving_default",
    )
    evidence = Evidence(
        contract=contract,
        calibration=SampleSet(inputs=calibration),
        evaluation=None if evaluation is None else SampleSet(inputs=evaluation),
    )
    return [finding for check in CHECKS for finding in check(evidence)]


def sounds(count: int, seed: int, silent: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(8000) / 8000
    waves = []
    for _ in range(count):
        wave = np.sin(2 * np.pi * random.uniform(100, 800) * time) * random.uniform(0.05, 0.5)
        if random.uniform() < silent:
            wave[500:] = 0
        waves.append(wave + random.normal(0, 1e-4, wave.shape))
    return np.stack(waves).astype(np.float32)[..., None]


def healthy(kind: str, seed: int, count: int = 60) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "standardized table":
        return random.normal(size=(count, 24)).astype(np.float32)
    if kind == "embeddings":
        return random.normal(size=(count, 16, 64)).astype(np.float32)
    if kind == "token ids":
        return random.integers(0, 5000, (count, 32)).astype(np.int32)
    if kind == "masks":
        return (random.uniform(size=(count, 24, 24, 1)) < 0.3).astype(np.float32)
    if kind == "flags":
        return random.uniform(size=(count, 12)) < 0.5
    if kind == "sound":
        return sounds(count, seed)
    if kind == "mostly silent sound":
        return sounds(count, seed, silent=0.8)
    walk = random.normal(size=(count, 128, 3)).cumsum(axis=1)
    return (walk / 10).astype(np.float32)


@pytest.mark.parametrize("count", [20, 60])
@pytest.mark.parametrize(
    "kind",
    [
        "standardized table",
        "embeddings",
        "token ids",
        "masks",
        "flags",
        "sound",
        "mostly silent sound",
        "motion",
    ],
)
def test_healthy_sets_have_neither_error_nor_warning(kind: str, count: int) -> None:
    for evaluation in (None, {"x": healthy(kind, 2)}):
        found = look({"x": healthy(kind, 1, count)}, evaluation)
        assert [finding for finding in found if finding.level != "note"] == []


@pytest.mark.parametrize("kind", ["standardized table", "sound", "motion"])
def test_another_unit_is_an_error(kind: str) -> None:
    found = look({"x": healthy(kind, 1) * np.float32(32768)}, {"x": healthy(kind, 2)})
    assert [finding.code for finding in found if finding.level == "error"] == ["CALIBRATION-SCALE"]


def test_noise_instead_of_sound_is_an_error() -> None:
    noise = np.random.default_rng(3).normal(0, 0.3, (40, 8000, 1)).astype(np.float32)
    found = look({"x": noise}, {"x": sounds(40, 2)})
    assert [finding.code for finding in found if finding.level == "error"] == ["CALIBRATION-NOISE"]
    # Alone it may be what the model is for: rain, breath, a broken machine.
    assert look({"x": noise}) == []


def test_a_constant_beside_a_live_input_is_a_warning() -> None:
    live, mask = healthy("motion", 1), np.ones((60, 128), np.int32)
    (finding,) = look({"motion": live, "mask": mask})
    assert (finding.code, finding.level, finding.input) == ("CALIBRATION-CONSTANT", "warning", "mask")
    found = look({"motion": live * 0, "mask": mask})
    assert {item.level for item in found if item.code == "CALIBRATION-CONSTANT"} == {"error"}


def test_negative_zeros_are_zeros() -> None:
    values = np.zeros((20, 16), np.float32)
    values[::2] *= -1
    found = look({"x": values})
    assert [finding.code for finding in found] == ["CALIBRATION-REPEATED", "CALIBRATION-CONSTANT"]
    assert "is 0" in found[1].what


def test_shuffled_pixels_are_no_noise() -> None:
    # The same shuffle for every picture: neighbours do not correlate, but every position has its own habit.
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[:16, :16]
    blobs = [
        np.exp(-((rows - random.uniform(6, 10)) ** 2 + (columns - random.uniform(6, 10)) ** 2) / 8)
        for _ in range(80)
    ]
    order = random.permutation(256)
    values = np.stack(blobs).reshape(80, 256)[:, order].reshape(80, 16, 16, 1).astype(np.float32)
    texture = texture_of(values, pictures=True)
    assert texture is not None
    assert not texture.is_noise
    assert look({"x": values}) == []


def test_the_convention_of_pixels() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (4, 8, 8, 3)).astype(np.float32)
    assert scale.convention_of(pixels) == scale.BYTES
    assert scale.convention_of(pixels / 255) == scale.UNIT
    assert scale.convention_of(pixels / 127.5 - 1) == scale.SIGNED
    assert scale.convention_of((pixels - 127) / 128) == scale.SIGNED
    assert scale.convention_of((pixels / 255 - 0.45) / 0.22) is None


def test_statistics_leave_out_what_is_not_finite() -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    values[2, 1] = np.nan
    found = statistics_of(values, pictures=False)
    assert (found.samples, found.distinct, found.not_finite) == (4, 4, 1)
    assert (found.minimum, found.maximum) == (0, 11)
    nothing = statistics_of(np.full((3, 2), np.inf, np.float32), pictures=False)
    assert nothing.mean is None


def test_a_finding_speaks_for_itself() -> None:
    finding = samples.not_finite_finding("image", 2, 10, 4)
    assert str(finding).startswith("CALIBRATION-NOT-FINITE: NaN or infinity in 2 of 10 samples of 'image'")


def test_two_inputs_go_through_the_model(report_on: Examine, models: Path) -> None:
    random = np.random.default_rng(6)

    def data(count: int) -> dict[str, np.ndarray]:
        from edge_sdk.model.tflite_file import read_tflite

        specs = read_tflite(models / "two_inputs.tflite").signatures[0].inputs
        arrays = {}
        for spec in specs:
            assert spec.shape is not None
            shape = (count, *[size or 1 for size in spec.shape])
            real = spec.dtype.startswith("float")
            made = random.normal(size=shape) if real else random.integers(0, 3, shape)
            arrays[spec.name] = made.astype(spec.dtype)
        return arrays

    report = report_on(models / "two_inputs.tflite", data(40), data(40))
    assert not report.errors
    assert report.layers
    assert any("no input looks like a picture" in sentence for sentence in report.not_checked)


def test_a_model_that_cannot_run_here_is_examined_by_its_samples(report_on: Examine, models: Path) -> None:
    images = np.random.default_rng(7).normal(size=(20, 8)).astype(np.float32)
    report = report_on(models / "custom_operator.tflite", images, images[:10])
    assert any("EdgeTanh" in sentence for sentence in report.not_checked), report


def test_no_samples_are_refused(tmp_path: Path, models: Path) -> None:
    np.savez(tmp_path / "none.npz", image=np.zeros((0, 16, 16, 3), np.float32))
    contract = Contract(
        signatures=(
            Signature(
                name="serving_default",
                inputs=(TensorSpec(name="image", dtype="float32", shape=(1, 16, 16, 3)),),
                outputs=(),
            ),
        ),
        default_signature="serving_default",
    )
    with pytest.raises(ConfigError, match="no calibration samples"):
        examine(
            {
                "model": str(models / "conv_float.tflite"),
                "contract": contract.to_dict(),
                "calibration": str(tmp_path / "none.npz"),
            }
        )

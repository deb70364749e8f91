from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.manifest import DelegateSpec
from edge_sdk.errors import ConfigError, UnsupportedOpError
from edge_sdk.runtime.delegates import load_custom_operators
from edge_sdk.runtime.interpreter import choose_runtime
from edge_sdk.runtime.runner import Runner

X = np.linspace(-2, 2, 24, dtype=np.float32).reshape(3, 8)


def accelerator(library: Path | str | None, mode: str = "take", name: str = "edge-test") -> DelegateSpec:
    return DelegateSpec(name=name, library=str(library) if library else None, options={"mode": mode})


@pytest.fixture
def expected(models: Path) -> np.ndarray:
    with Runner.open(models / "dynamic_batch.tflite") as runner:
        return runner.predict(x=X)["y"]


def test_a_real_delegate_takes_its_operators(models: Path, extension: Path, expected: np.ndarray) -> None:
    with Runner.open(models / "dynamic_batch.tflite", delegates=[accelerator(extension)]) as runner:
        assert runner.delegate == "edge-test"
        (verdict,) = runner.delegates
        assert verdict.verdict == "chosen"
        assert verdict.reason == "took 1 part of the graph, XNNPACK took 1 more"
        np.testing.assert_allclose(runner.predict(x=X)["y"], expected, atol=1e-6)
        np.testing.assert_allclose(runner.predict(x=X[:1])["y"], expected[:1], atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("decline", "no accelerator on this board"),
        ("refuse", "this model is not for me"),
        ("nothing", "it takes none of the model's operators"),
        ("fail", "the first run failed: the accelerator is asleep"),
    ],
)
def test_a_rung_that_does_not_work_is_left_with_a_reason(
    models: Path, extension: Path, expected: np.ndarray, mode: str, reason: str
) -> None:
    with Runner.open(models / "dynamic_batch.tflite", delegates=[accelerator(extension, mode)]) as runner:
        refused, chosen = runner.delegates
        assert (refused.name, refused.verdict) == ("edge-test", "refused")
        assert reason in refused.reason
        assert "\n" not in refused.reason
        assert (chosen.name, chosen.verdict, runner.delegate) == ("xnnpack", "chosen", "xnnpack")
        np.testing.assert_array_equal(runner.predict(x=X)["y"], expected)


def test_the_ladder_is_climbed_in_order(models: Path, extension: Path, tmp_path: Path) -> None:
    text = tmp_path / "libtext.so"
    text.write_text("not a library")
    ladder = [
        accelerator(tmp_path / "libmissing.so", name="missing"),
        accelerator(None, name="nameless"),
        accelerator(text, name="text"),
        accelerator("libm.so.6", name="no-delegate"),
        accelerator(extension, "decline", name="declines"),
        accelerator(extension, name="works"),
        accelerator(extension, name="never-tried"),
    ]
    with Runner.open(models / "dynamic_batch.tflite", delegates=ladder) as runner:
        verdicts = {verdict.name: verdict for verdict in runner.delegates}
    assert list(verdicts) == ["missing", "nameless", "text", "no-delegate", "declines", "works"]
    assert "cannot be loaded" in verdicts["missing"].reason
    assert "names no library" in verdicts["nameless"].reason
    assert "cannot be loaded" in verdicts["text"].reason
    assert "is not a TFLite delegate" in verdicts["no-delegate"].reason
    assert verdicts["works"].verdict == "chosen"


def test_the_cpu_ends_the_ladder(models: Path, extension: Path) -> None:
    ladder = [DelegateSpec(name="xnnpack", options={"threads": "1"}), accelerator(extension)]
    with Runner.open(models / "dynamic_batch.tflite", delegates=ladder) as runner:
        assert [verdict.name for verdict in runner.delegates] == ["xnnpack"]
        assert runner.delegates[0].reason == "CPU, 1 thread, XNNPACK took 1 part of the graph"
        assert runner.threads == 1


@pytest.mark.parametrize("threads", ["many", "0", "-1"])
def test_threads_must_be_a_number(models: Path, threads: str) -> None:
    with pytest.raises(ConfigError, match="threads is"):
        Runner.open(
            models / "dynamic_batch.tflite",
            delegates=[DelegateSpec(name="xnnpack", options={"threads": threads})],
        )


def test_when_the_cpu_fails_too_the_other_rungs_are_in_the_reason(models: Path, extension: Path) -> None:
    with pytest.raises(UnsupportedOpError) as caught:
        Runner.open(models / "custom_operator.tflite", delegates=[accelerator(extension, "decline")])
    assert "delegates that were tried first: edge-test: the delegate declines" in str(caught.value.why)


def test_a_custom_operator_library_is_called(models: Path, extension: Path) -> None:
    # LiteRT's wheel does not export AddCustom, so this small library registers nothing there; that it does
    # on tflite-runtime is shown in test_boards.
    registerers = load_custom_operators([f"{extension}:EdgeRegisterCustomOps"], choose_runtime())
    assert len(registerers) == 1
    with pytest.raises(UnsupportedOpError, match="EdgeTanh"):
        Runner.open(models / "custom_operator.tflite", custom_ops=[extension])


def test_custom_operator_libraries_that_cannot_be_used(models: Path, extension: Path, tmp_path: Path) -> None:
    model = models / "custom_operator.tflite"
    with pytest.raises(ConfigError, match=r"libnone\.so does not exist"):
        Runner.open(model, custom_ops=[tmp_path / "libnone.so"])
    with pytest.raises(ConfigError, match="has no function RegisterNothing"):
        Runner.open(model, custom_ops=[f"{extension}:RegisterNothing"])
    with pytest.raises(ConfigError, match="has no function RegisterSelectedOps or EdgeRegisterCustomOps"):
        Runner.open(model, custom_ops=["libm.so.6"])
    text = tmp_path / "libtext.so"
    text.write_text("not a library")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        Runner.open(model, custom_ops=[text])

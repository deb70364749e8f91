from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.errors import (
    BundleError,
    ConfigError,
    EdgeError,
    IncompatibleTargetError,
    MissingExtraError,
    UnsupportedOpError,
)
from edge_sdk.runtime import interpreter as module
from edge_sdk.runtime.interpreter import (
    RUNTIMES,
    ModelSource,
    RuntimeInfo,
    choose_runtime,
    create_interpreter,
    explain_failure,
    installed_runtimes,
    load_runtime,
)

LITERT = RuntimeInfo("litert", "2.3.0")


def pretend(monkeypatch: pytest.MonkeyPatch, *installed: RuntimeInfo) -> None:
    monkeypatch.setattr(module, "installed_runtimes", lambda: installed)


def test_finds_what_is_installed_without_importing_it() -> None:
    from importlib import metadata

    found = {info.name: info.version for info in installed_runtimes()}
    assert found["litert"] == metadata.version("ai-edge-litert")
    assert choose_runtime() == choose_runtime(RuntimeRequirement(name="litert", minimum_version="2.1"))


def test_rows_can_be_read_by_position() -> None:
    assert RUNTIMES["litert"][:2] == ("ai_edge_litert.interpreter", "ai-edge-litert")
    assert RUNTIMES["tflite-runtime"][:2] == ("tflite_runtime.interpreter", "tflite-runtime")


def test_unknown_runtime() -> None:
    with pytest.raises(ConfigError, match="no runtime called 'onnx'"):
        choose_runtime(RuntimeRequirement(name="onnx"))


def test_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with pytest.raises(MissingExtraError) as caught:
        choose_runtime()
    assert caught.value.hint == "pip install 'edge-sdk[litert]'"
    with pytest.raises(MissingExtraError) as caught:
        choose_runtime(RuntimeRequirement(name="tflite-runtime"))
    assert caught.value.hint == "pip install 'edge-sdk[tflite]'"


def test_another_runtime_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, LITERT)
    with pytest.raises(IncompatibleTargetError) as caught:
        choose_runtime(RuntimeRequirement(name="tflite-runtime"))
    assert caught.value.why == "installed here: litert 2.3.0"


@pytest.mark.parametrize(
    ("minimum", "fits"), [("2.3.0", True), ("2.2.9", True), ("2.3.1", False), ("10.0", False)]
)
def test_minimum_version(monkeypatch: pytest.MonkeyPatch, minimum: str, fits: bool) -> None:
    pretend(monkeypatch, LITERT)
    requirement = RuntimeRequirement(name="litert", minimum_version=minimum)
    if fits:
        assert choose_runtime(requirement) == LITERT
    else:
        with pytest.raises(IncompatibleTargetError, match=f"needs litert {minimum} or newer"):
            choose_runtime(requirement)


def test_old_runtime_with_new_numpy_is_refused_before_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    old = RuntimeInfo("tflite-runtime", "2.14.0")
    pretend(monkeypatch, old)
    for requirement in (None, RuntimeRequirement(name="tflite-runtime")):
        with pytest.raises(MissingExtraError, match="numpy<2 is not installed") as caught:
            choose_runtime(requirement)
        assert "tflite-runtime 2.14.0, which fails with NumPy 2" in str(caught.value)
    pretend(monkeypatch, old, LITERT)
    assert choose_runtime() == LITERT


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("libstdc++.so.6: cannot open shared object file", "apt install libstdc++6"),
        ("version `GLIBC_2.34' not found", "C library is too old"),
        ("cannot import name '_pywrap'", "--force-reinstall ai-edge-litert"),
    ],
)
def test_a_runtime_that_does_not_load_names_the_cure(
    monkeypatch: pytest.MonkeyPatch, text: str, hint: str
) -> None:
    def fail(name: str) -> None:
        raise ImportError(text)

    monkeypatch.setattr(module.importlib, "import_module", fail)
    with pytest.raises(IncompatibleTargetError) as caught:
        load_runtime(LITERT)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("future_version", IncompatibleTargetError, "no FULLY_CONNECTED version 99"),
        ("custom_operator", UnsupportedOpError, "EdgeTanh"),
        ("flex_operator", UnsupportedOpError, "FlexMatrixDeterminant"),
    ],
)
def test_real_refusals_of_the_runtime_are_explained(
    models: Path, name: str, error: type[EdgeError], words: str
) -> None:
    source = ModelSource(path=models / f"{name}.tflite", label=name)
    with pytest.raises(error, match=words) as caught:
        create_interpreter(choose_runtime(), source, threads=1)
    assert caught.value.hint


def test_other_failures_keep_the_runtime_s_words() -> None:
    error = explain_failure(RuntimeError("arena is full"), LITERT, "model.tflite")
    assert isinstance(error, BundleError)
    assert error.why == "arena is full"
    assert "not enough memory" in explain_failure(MemoryError(), LITERT, "model.tflite").what


def test_counts_what_xnnpack_took(models: Path) -> None:
    built = create_interpreter(
        choose_runtime(), ModelSource(content=(models / "conv_float.tflite").read_bytes()), threads=2
    )
    assert (built.external_parts, built.cpu_parts) == (0, 1)


def test_parts_are_unknown_where_the_runtime_does_not_tell() -> None:
    assert module.delegated_nodes(object()) is None

"""The board's Python is the right one, and empty."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.errors import BoardError, ConfigError
from edge_sdk.wheels import interpreter as rooms
from edge_sdk.wheels.interpreter import (
    SUPPORTED,
    Interpreter,
    choose_interpreter,
    make_environment,
    probe,
)


@pytest.mark.parametrize("runtime", SUPPORTED)
def test_the_chosen_python_fits_the_runtime(runtime: str) -> None:
    first, last = SUPPORTED[runtime]
    try:
        chosen = choose_interpreter(runtime)
    except ConfigError as refusal:
        pytest.skip(str(refusal))
    assert first <= chosen.version <= last
    assert probe(chosen.path) == chosen


def test_the_running_python_is_preferred_and_seen_through_its_environment() -> None:
    chosen = choose_interpreter("litert")
    assert chosen.version == sys.version_info[:2]
    assert chosen.path == Path(sys._base_executable)  # type: ignore[attr-defined]


def test_a_named_python_may_be_a_path_or_a_version() -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert choose_interpreter("litert", sys.executable).version == sys.version_info[:2]
    assert choose_interpreter("litert", version).version == sys.version_info[:2]


def test_a_python_without_wheels_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "probe", lambda path: Interpreter(Path("/opt/python"), (3, 13)))
    with pytest.raises(ConfigError) as refusal:
        choose_interpreter("tflite-runtime", sys.executable)
    assert "Python 3.10 to 3.11" in str(refusal.value)
    with pytest.raises(ConfigError) as refusal:
        choose_interpreter("tflite-runtime")
    assert "/opt/python is 3.13" in str(refusal.value)
    assert "uv python install 3.11" in str(refusal.value)


@pytest.mark.parametrize("name", ["/no/such/python", "no-such-python-anywhere", "/bin/ls"])
def test_what_is_no_python_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no Python at"):
        choose_interpreter("litert", name)


def test_an_environment_holds_nothing(tmp_path: Path) -> None:
    python = make_environment(choose_interpreter("litert"), tmp_path / "env")
    script = "import importlib.metadata as m; print(list(m.distributions()))"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout.strip() == "[]"
    assert subprocess.run([python, "-m", "pip"], capture_output=True, env={}).returncode != 0


def test_an_environment_that_cannot_be_made_is_a_board_error(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="cannot make a Python environment"):
        make_environment(Interpreter(Path("/bin/false"), (3, 11)), tmp_path / "env")

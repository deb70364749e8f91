"""Fixtures shared by every room's tests."""

from __future__ import annotations

import builtins
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

DATA = Path(__file__).parent / "data"

# A shell's background job ignores Ctrl-C, and so would the commands that the tests start to interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No time limit for one example: a busy machine is not a failure.
settings.register_profile("edge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("edge")


@pytest.fixture
def models() -> Path:
    """The folder of tiny models; see tests/data/make_models.py."""
    return DATA / "models"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run every test in a folder of its own, so that none writes `.edge/` or `build/` into the checkout."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test whose library code prints: results travel as values, talk goes through progress."""
    original = builtins.print

    def checked(*values: Any, **options: Any) -> None:
        import sys

        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("edge_sdk"):
            pytest.fail(f"{caller} printed {values!r}")
        original(*values, **options)

    monkeypatch.setattr(builtins, "print", checked)

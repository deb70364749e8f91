"""A trial that goes wrong in any way costs a child; the cause has a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import GateError, RemoteError
from tests.keeper.harness import KeeperProcess, link_environment, refusal
from tests.keeper.releases import tiny_model


def sabotage(root: Path, text: str) -> None:
    """Replace the runtime in the board's environment, as a broken delegate or wheel would."""
    package = root / "environments/linked/ai_edge_litert"
    package.unlink()
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "interpreter.py").write_text(text)


@pytest.mark.parametrize(
    ("text", "cause", "reason"),
    [
        ("import os\nos.abort()", "crash", "SIGABRT"),
        ("import os\nos.kill(os.getpid(), 11)", "crash", "SIGSEGV"),
        ("import os\nos._exit(3)", "crash", "exit code 3"),
        ("import time\ntime.sleep(60)", "hang", "no result within 1.5 s"),
        ("while True: pass", "hang", "no result within 1.5 s"),
        ("held = [b'x' * 2**24 for _ in range(10**6)]", "memory", "bytes of memory"),
        ("import os\nos.kill(os.getpid(), 9)", "memory", "SIGKILL"),
        ("import sys\nwhile True: sys.stdout.write('x' * 4096)", "output", "printed without end"),
        (
            "import sys\nsys.stderr.write('std::bad_alloc\\n')\nsys.stderr.flush()\nimport os\nos._exit(1)",
            "memory",
            "memory",
        ),
    ],
)
def test_each_cause_has_a_name(tmp_path: Path, text: str, cause: str, reason: str) -> None:
    root = tmp_path / "edge"
    link_environment(root)
    with KeeperProcess(root) as keeper:
        current = keeper.push(tiny_model("before"))["release"]
        sabotage(root, text)
        seconds = 1.5 if cause == "hang" else 60.0
        error = refusal(keeper.push, tiny_model("new"), timeout_seconds=seconds, memory_bytes=600 * 2**20)
        assert isinstance(error, GateError)
        assert error.details["cause"] == cause
        assert reason in str(error)
        assert "goes on serving" in error.what
        assert keeper.ask("status", verify=True)["current"] == current
        if cause in ("crash", "hang"):
            # The same at a prediction is the board's failure, not the release's.
            error = refusal(keeper.ask, "predict", inputs={"": {"value": [1]}}, timeout_seconds=seconds)
            assert isinstance(error, RemoteError)
            assert error.details["cause"] == cause

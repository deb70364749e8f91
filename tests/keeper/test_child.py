"""Children end: by themselves, or at their limits, with the cause named."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from edge_sdk.keeper.child import (
    MAX_OUTPUT_BYTES,
    clean_environment,
    python_command,
    python_program,
    run_child,
)


def test_a_child_that_ends(tmp_path: Path) -> None:
    outcome = run_child(
        [sys.executable, "-c", "import sys; print('out'); print('talk', file=sys.stderr); sys.exit(3)"],
        folder=tmp_path,
        timeout_seconds=20,
    )
    assert (outcome.ended, outcome.code, outcome.output, outcome.talk) == ("exit", 3, b"out\n", "talk\n")
    assert outcome.signal_name == ""


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_a_crash_has_a_name(tmp_path: Path, name: str) -> None:
    text = (
        "import os, resource, signal\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        f"os.kill(os.getpid(), signal.{name})"
    )
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=20)
    assert (outcome.ended, outcome.signal_name) == ("signal", name)


def test_a_hang_is_ended_with_all_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "grandchild"
    text = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    started = time.monotonic()
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=1.0)
    assert outcome.ended == "timeout"
    assert time.monotonic() - started < 5
    assert _is_gone(int(marker.read_text()))


def test_a_child_that_closes_its_output_and_stays_is_ended(tmp_path: Path) -> None:
    text = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=0.7)
    assert outcome.ended == "timeout"


def test_a_grandchild_that_holds_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('done')"
    )
    started = time.monotonic()
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=30)
    assert (outcome.ended, outcome.output) == ("exit", b"done\n")
    assert time.monotonic() - started < 10


def test_memory_is_limited(tmp_path: Path) -> None:
    text = (
        "import time\n"
        "block = bytearray(400 * 2**20)\n"
        "block[::4096] = b'x' * len(block[::4096])\n"
        "time.sleep(20)"
    )
    outcome = run_child(
        [sys.executable, "-c", text], folder=tmp_path, timeout_seconds=20, memory_bytes=100 * 2**20
    )
    assert outcome.ended == "memory"
    assert outcome.peak_bytes is not None
    assert outcome.peak_bytes > 100 * 2**20


def test_output_is_bounded(tmp_path: Path) -> None:
    text = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=20)
    assert outcome.ended == "output"
    assert len(outcome.output) <= MAX_OUTPUT_BYTES + 65536
    text = "import sys\nfor n in range(100000): sys.stderr.write(f'line {n}\\n')"
    outcome = run_child([sys.executable, "-c", text], folder=tmp_path, timeout_seconds=20)
    assert outcome.talk.endswith("line 99999\n")
    assert len(outcome.talk) <= 16 * 1024


def test_a_child_sees_only_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, mark in (("code", 1), ("packages", 2), ("planted", 3)):
        (tmp_path / place).mkdir()
        (tmp_path / place / f"mark{mark}.py").write_text("")
    (tmp_path / "packages/probe.py").write_text(
        "import importlib.util, json, os, sys\n"
        "def main():\n"
        "    names = ['mark1', 'mark2', 'mark3', 'numpy', 'pytest']\n"
        "    found = {name: importlib.util.find_spec(name) is not None for name in names}\n"
        "    found['argv'] = sys.argv\n"
        "    found['root'] = os.environ['EDGE_ROOT']\n"
        "    found['pythonpath'] = os.environ.get('PYTHONPATH')\n"
        "    print(json.dumps(found))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "planted"))
    monkeypatch.setenv("VIRTUAL_ENV", "/x")
    program = python_program(
        [tmp_path / "code", tmp_path / "packages"],
        module="probe",
        name="edge-probe",
        settings={"EDGE_ROOT": "a 'root'"},
        deadline_seconds=20,
    )
    outcome = run_child(
        python_command(program, ["--x", "y z"]), folder=tmp_path / "planted", timeout_seconds=20
    )
    assert outcome.talk == ""
    import json

    assert json.loads(outcome.output) == {
        "mark1": True, "mark2": True, "mark3": False, "numpy": False, "pytest": False,
        "argv": ["edge-probe", "--x", "y z"], "root": "a 'root'", "pythonpath": None,
    }  # fmt: skip
    assert not list(tmp_path.rglob("__pycache__"))
    assert "VIRTUAL_ENV" not in clean_environment()


def test_a_child_under_trial_is_first_to_go_when_memory_ends(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(
        "def main():\n    print(open('/proc/self/oom_score_adj').read().strip())\n"
    )
    program = python_program([tmp_path], module="probe", name="probe", deadline_seconds=5)
    outcome = run_child(python_command(program, []), folder=tmp_path, timeout_seconds=20)
    assert outcome.output == b"1000\n"


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":  # killed; whoever adopted it has not looked yet
            return True
        time.sleep(0.02)
    os.kill(pid, 9)
    return False

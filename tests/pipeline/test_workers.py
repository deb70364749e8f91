"""Workers side by side: order, limits, and that one interruption ends all of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge_sdk.pipeline import workers as module
from edge_sdk.pipeline.workers import Workers, jobs_for
from edge_sdk.progress import Step


def test_jobs_are_limited_by_tasks_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(module, "free_memory", lambda: 10 * 2**30)
    assert jobs_for(3, 2**30) == 3
    assert jobs_for(20, 2**30) == 8
    assert jobs_for(20, 3 * 2**30) == 3
    assert jobs_for(20, 100 * 2**30) == 1
    assert jobs_for(0, 2**30) == 1
    monkeypatch.setattr(module, "free_memory", lambda: None)
    assert jobs_for(20, 100 * 2**30) == 8


def test_results_come_in_order() -> None:
    crew = Workers(timeout_seconds=60, logs=Path("log"), progress=lambda step: None)

    def late(value: int) -> int:
        time.sleep(0.05 * (3 - value))
        return value

    for jobs in (1, 3):
        assert crew.together([lambda value=value: late(value) for value in range(3)], jobs=jobs) == [0, 1, 2]


def test_one_failure_ends_the_workers_that_are_under_way(tmp_path: Path) -> None:
    steps: list[Step] = []
    crew = Workers(timeout_seconds=60, logs=tmp_path / "log", progress=steps.append)
    (tmp_path / "sleeper.py").write_text(
        "import os, pathlib, time\n"
        "def sleep(arguments):\n"
        "    pathlib.Path(arguments['mark']).write_text(str(os.getpid()))\n"
        "    time.sleep(50)\n"
    )

    def interrupted() -> None:
        while not (tmp_path / "mark").exists() or not (tmp_path / "mark").read_text():
            time.sleep(0.05)
        raise KeyboardInterrupt

    def sleeping() -> None:
        crew.run("sleeper:sleep", {"mark": str(tmp_path / "mark")}, name="sleeper")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            crew.together([interrupted, sleeping], jobs=2)
    assert time.monotonic() - start < 30
    assert not Path("/proc", (tmp_path / "mark").read_text()).exists()

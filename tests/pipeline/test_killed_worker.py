"""A worker that is killed in the middle takes nothing with it but what it was doing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import edge_sdk
from edge_sdk.progress import Step

ALL = ["as_is", "float16", "dynamic_int8", "weight_only_int8", "full_int8", "int16x8"]


def children() -> list[int]:
    """Return the worker processes of this process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"edge_sdk.convert.child" in command:
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("stage", ["quantize", "validate", "map", "measure"])
def test_killing_the_workers_of_a_stage_once_leaves_the_other_results(
    stage: str, models: Path, pictures: dict[str, Path]
) -> None:
    killed: list[int] = []

    def kill_once(step: Step) -> None:
        if step.stage == stage and not killed:
            for process in children():
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    result = edge_sdk.build(models / "conv_float.tflite", recipes=ALL, progress=kill_once, **pictures)
    assert killed
    there = {item.id for item in result.variants}
    failed = {failure.recipe for failure in result.failures}
    assert there | failed == set(ALL)
    assert not there & failed
    if stage == "quantize":
        # Plain recipes are made by one worker; what it leaves undone is made one by one. The calibration that
        # runs beside it may be killed too, and then its recipes fail alone.
        assert there >= set(ALL) - {"full_int8", "int16x8"}
    if stage == "map":
        assert there == set(ALL)  # a map is a page of the report, no variant depends on it
    for failure in result.failures:
        assert "SIGKILL" in failure.cause
    assert result.bundle is not None
    again = edge_sdk.build(models / "conv_float.tflite", recipes=ALL, **pictures)
    assert {item.id for item in again.variants} == set(ALL)
    assert again.ok

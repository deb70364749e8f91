from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from edge_sdk.convert.worker import attempt_in_worker, run_in_worker
from edge_sdk.errors import ConversionError, MissingExtraError, SignatureMismatchError
from edge_sdk.progress import Step

JOBS = "tests.convert.jobs"


def call(name: str, tmp_path: Path, *, seconds: float = 30, **options: object) -> dict[str, object]:
    arguments = options.pop("arguments", {})
    return run_in_worker(
        f"{JOBS}:{name}", arguments, timeout_seconds=seconds, log=tmp_path / "log" / "job.log", **options
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_value_stages_and_log(tmp_path: Path) -> None:
    steps: list[Step] = []
    value = call("answer", tmp_path, arguments={"number": 21}, progress=steps.append, subject="float32")
    assert value == {"doubled": 42, "environment": "2"}
    assert [(step.stage, step.message, step.fraction) for step in steps] == [
        ("start", "starting a worker process", None),
        ("load", "reading", None),
        ("work", "half way", 0.5),
    ]
    assert {step.subject for step in steps} == {"float32"}
    log = (tmp_path / "log" / "job.log").read_text()
    assert "talk on stdout" in log
    assert "native talk on stderr" in log


def test_a_large_answer_arrives_whole(tmp_path: Path) -> None:
    assert len(str(call("big", tmp_path)["text"])) == 3_000_000


def test_an_edge_error_comes_back_as_itself(tmp_path: Path) -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        call("edge_error", tmp_path)
    assert caught.value.details["rows"] == [["image", "float32[1]", "float64[2]"]]


def test_an_exception_is_named_with_its_stage(tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        call("exception", tmp_path)
    assert "stage 'convert'" in caught.value.what
    assert caught.value.why == "ValueError: the converter did not like it"
    assert "Traceback" in (tmp_path / "log" / "job.log").read_text()


@pytest.mark.parametrize(("name", "signal_name"), [("abort", "SIGABRT"), ("segfault", "SIGSEGV")])
def test_a_native_crash_is_named_with_where(name: str, signal_name: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        call(name, tmp_path)
    assert f"crashed in native code ({signal_name})" in caught.value.what
    assert caught.value.why is not None
    assert f"in {name}" in caught.value.why  # faulthandler's stack


def test_an_out_of_memory_kill_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        call("killed", tmp_path)
    assert "ran out of memory" in caught.value.what
    assert "SIGKILL" in (caught.value.why or "")
    assert "stage 'quantize'" in caught.value.what


def test_the_memory_limit_holds(tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        call("eat_memory", tmp_path, memory_bytes=2**30)
    assert "ran out of memory (limit 1,073,741,824 bytes)" in caught.value.what


def test_a_hang_ends_with_the_whole_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    with pytest.raises(ConversionError) as caught:
        call("hang", tmp_path, seconds=2, arguments={"pids": str(pids)})
    assert time.monotonic() - started < 10
    assert "did not finish within 2 s" in caught.value.what
    assert "stage 'convert'" in caught.value.what
    assert "in hang" in (caught.value.why or "")  # where it hung
    worker, grandchild = map(int, pids.read_text().split())
    wait_for(lambda: not alive(worker) and not alive(grandchild))


@pytest.mark.parametrize("die", [False, True])
def test_a_forked_child_holds_nobody_up(die: bool, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    arguments = {"pids": str(pids), "die": die}
    if die:
        with pytest.raises(ConversionError, match="SIGTERM"):
            call("fork", tmp_path, arguments=arguments)
    else:
        assert call("fork", tmp_path, arguments=arguments) == {"done": True}
    assert time.monotonic() - started < 10
    worker, child = map(int, pids.read_text().split())
    wait_for(lambda: not alive(worker) and not alive(child))


def test_a_log_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConversionError, match="cannot be started"):
        run_in_worker(f"{JOBS}:answer", {}, timeout_seconds=5, log=tmp_path / "file" / "job.log")


def test_an_exit_without_an_answer_quotes_the_log(tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        call("leave", tmp_path)
    assert "exit code 3" in caught.value.what
    assert caught.value.why == "giving up"


def test_a_missing_package_names_the_install_line(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError) as caught:
        call("missing", tmp_path)
    assert caught.value.hint == "pip install 'edge-sdk[tensorflow]'"


def test_attempt_returns_the_failure_as_a_value(tmp_path: Path) -> None:
    result = attempt_in_worker(
        f"{JOBS}:abort", {}, timeout_seconds=30, log=tmp_path / "job.log", recipe="full_int8"
    )
    assert result.value is None
    assert result.failure is not None
    assert (result.failure.recipe, result.failure.format) == ("full_int8", "tflite")
    assert result.failure.stage == "convert"
    assert "SIGABRT" in result.failure.cause
    assert isinstance(result.failure.to_error(), ConversionError)
    fine = attempt_in_worker(f"{JOBS}:answer", {"number": 1}, timeout_seconds=30, log=tmp_path / "job.log")
    assert fine.failure is None
    assert fine.value is not None
    assert fine.value["doubled"] == 2


def test_files_in_the_current_folder_do_not_shadow_the_worker(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    (tmp_path / "edge_sdk").mkdir()
    (tmp_path / "edge_sdk" / "__init__.py").write_text("raise SystemExit('the wrong edge_sdk')")
    assert call("answer", tmp_path, arguments={"number": 2})["doubled"] == 4


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_orphan_when_the_caller_ends(ending: signal.Signals, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from edge_sdk.convert.worker import run_in_worker
        try:
            run_in_worker("{JOBS}:hang", {{"pids": {str(pids)!r}}}, timeout_seconds=60, log=Path("log"))
        except KeyboardInterrupt:
            raise SystemExit(130)
    """)
    checkout = str(Path(__file__).parents[2])
    caller = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": checkout},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    caller.send_signal(ending)
    assert caller.wait(10) == (130 if ending == signal.SIGINT else -9)
    worker, grandchild = map(int, pids.read_text().split())
    wait_for(lambda: not alive(worker) and not alive(grandchild))


def wait_for(condition: object, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)

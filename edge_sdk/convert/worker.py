"""Run a function in a process of its own, so that nothing it does can take the caller down.

Converters are native code: they crash, hang and get killed for memory. Each such end becomes a value or one
clear error here. The worker:
- runs in its own session, so Ctrl-C reaches only the caller, who then kills the worker's whole group;
- has a time limit, and a memory limit where one is given;
- writes stdout and stderr (also the native ones) to a log file, whose last words become part of the cause;
- reports its stages live.

    value = run_in_worker("edge_sdk.convert.tflite:convert", {"model": ..., "output": ...},
                          timeout_seconds=600, log=Path(".edge/log/convert.log"), progress=report)
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.convert.child import stage as stage  # worker functions import it from here
from edge_sdk.convert.postmortem import Verdict, explain_end, explain_memory, explain_timeout, oom_kills
from edge_sdk.errors import ConversionError, EdgeError, error_from_dict
from edge_sdk.progress import Progress, Step, silent

#: Seconds between two signs of life of a stage that reports nothing by itself.
HEARTBEAT = 1.0
#: Seconds that a worker gets to leave by itself once it has answered or closed its pipe.
_LAST_WORDS = 10.0
#: No honest answer is larger; big results travel as files.
MAX_MESSAGE_BYTES = 64 * 2**20

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
# Not "python -m": that would put the current folder first on the path, where a user's own json.py or
# keras.py would be taken for the real one.
_START = (
    "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv.pop()]; "
    "from edge_sdk.convert.child import main; main()"
)
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # results must not depend on which vector instructions a machine has
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "TQDM_DISABLE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}


@dataclass(frozen=True, kw_only=True)
class Failure(Document):
    """How a step failed, as a value.

    Attributes:
        recipe: The recipe that was asked for, or "".
        format: The output format, e.g. "tflite".
        stage: The last stage that was reported.
        cause: What happened and why.
        hint: What to try.
        log: Path of the captured log.
        error: The same failure as `EdgeError.to_dict()`.
    """

    recipe: str
    format: str
    stage: str
    cause: str
    hint: str | None
    log: str
    error: Mapping[str, Any]

    def to_error(self) -> EdgeError:
        """Return the failure as the error it came from."""
        return error_from_dict(self.error)


@dataclass(frozen=True)
class WorkerResult:
    """What `attempt_in_worker` gives: exactly one of the two is set.

    Attributes:
        value: What the function returned.
        failure: How it failed.
        seconds: How long it took.
    """

    value: dict[str, Any] | None
    failure: Failure | None
    seconds: float


def run_in_worker(
    function: str,
    arguments: Mapping[str, Any],
    *,
    timeout_seconds: float,
    log: Path,
    progress: Progress = silent,
    subject: str = "",
    memory_bytes: int | None = None,
) -> dict[str, Any]:
    """Call `function(arguments)` in a new process and return what it returns.

    Args:
        function: "package.module:name"; it takes one mapping and returns one, both JSON-ready.
        arguments: Passed to the function.
        timeout_seconds: The worker is killed after this.
        log: File for everything the worker writes; its folder is made.
        progress: Gets every stage, and a sign of life each second.
        subject: What the steps are about, e.g. a recipe's name.
        memory_bytes: Limit of the worker's data memory, or None.

    Raises:
        EdgeError: The very error that the function raised.
        ConversionError: Any other exception, a crash, a kill, or a timeout; says which, and in what stage.
    """
    return _Worker(function, subject, log, progress).run(arguments, timeout_seconds, memory_bytes)


def attempt_in_worker(
    function: str,
    arguments: Mapping[str, Any],
    *,
    timeout_seconds: float,
    log: Path,
    progress: Progress = silent,
    subject: str = "",
    memory_bytes: int | None = None,
    recipe: str = "",
    format: str = "tflite",  # noqa: A002  the word of the result document
) -> WorkerResult:
    """Do what `run_in_worker` does, and return a failure instead of raising it.

    Ctrl-C still raises KeyboardInterrupt, after the worker is gone.
    """
    start = time.monotonic()
    worker = _Worker(function, subject, log, progress)
    try:
        value = worker.run(arguments, timeout_seconds, memory_bytes)
    except EdgeError as error:
        cause = error.what if error.why is None else f"{error.what}: {error.why}"
        failure = Failure(
            recipe=recipe,
            format=format,
            stage=worker.stage,
            cause=cause,
            hint=error.hint,
            log=str(log),
            error=error.to_dict(),
        )
        return WorkerResult(None, failure, time.monotonic() - start)
    return WorkerResult(value, None, time.monotonic() - start)


class _Worker:
    """One worker process from start to end."""

    def __init__(self, function: str, subject: str, log: Path, progress: Progress) -> None:
        self.function = function
        self.subject = subject
        self.log = log
        self.progress = progress
        self.stage = "start"
        self._step = Step("start", "starting a worker process", None, subject)
        self._answer: dict[str, Any] | None = None

    def run(
        self, arguments: Mapping[str, Any], timeout_seconds: float, memory_bytes: int | None
    ) -> dict[str, Any]:
        request = {
            "function": self.function,
            "arguments": dict(arguments),
            "timeout_seconds": timeout_seconds,
            "memory_bytes": memory_bytes,
        }
        line = json.dumps(request).encode() + b"\n"
        kills_before = oom_kills()
        deadline = time.monotonic() + timeout_seconds
        process: subprocess.Popen[bytes] | None = None
        reader, writer = os.pipe()
        try:
            try:
                process = self._start(writer, request["arguments"])
            except OSError as failure:
                raise ConversionError(
                    "a worker process cannot be started",
                    why=f"{failure.strerror or failure}: {failure.filename or self.log}",
                ) from failure
            finally:
                os.close(writer)
            self._feed(process, line)
            in_time = self._listen(reader, process, deadline)
            if not in_time:
                _ask_where(process)
        finally:
            if process is not None:
                _kill_group(process)
            os.close(reader)
        if self._answer is not None:
            return self._accept(self._answer, memory_bytes)
        if not in_time:
            raise self._failure(explain_timeout(timeout_seconds, self.log))
        raise self._failure(
            explain_end(
                process.returncode,
                self.log,
                memory_bytes=memory_bytes,
                new_oom_kills=oom_kills() - kills_before,
            )
        )

    def _start(self, writer: int, arguments: Any) -> subprocess.Popen[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            log.write(f"# {self.function} {json.dumps(arguments)}\n".encode())
            log.flush()
            return subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-c", _START, str(writer), str(_PACKAGE_PARENT)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(writer,),
                start_new_session=True,
                env={**os.environ, **_ENVIRONMENT},
            )

    def _feed(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        # A worker that dies at once closes its end; how it died is found out below.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(line)
            process.stdin.flush()

    def _listen(self, reader: int, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Read messages until there is an answer or the worker ends; return False when the time is over.

        The end of the pipe alone is no sign: what the worker has forked may hold it open.
        """
        self.progress(self._step)
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            while self._answer is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                if not selector.select(min(left, HEARTBEAT)):
                    if process.poll() is not None:
                        return True
                    self.progress(self._step)
                    continue
                chunk = os.read(reader, 1 << 16)
                if not chunk:
                    break
                pending += chunk
                if len(pending) > MAX_MESSAGE_BYTES:
                    self._answer = {"exception": f"the worker's answer is over {MAX_MESSAGE_BYTES:,} bytes"}
                    return True
                *lines, pending = pending.split(b"\n")
                for message in lines:
                    self._take(json.loads(message))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS)
        return self._answer is not None or process.returncode is not None

    def _take(self, message: dict[str, Any]) -> None:
        if "stage" in message:
            self.stage = message["stage"]
            self._step = Step(message["stage"], message["message"], message["fraction"], self.subject)
            self.progress(self._step)
        else:
            self._answer = message

    def _accept(self, answer: Mapping[str, Any], memory_bytes: int | None) -> dict[str, Any]:
        if "value" in answer:
            return dict(answer["value"] or {})
        if "error" in answer:
            raise error_from_dict(answer["error"])
        if answer.get("memory"):
            raise self._failure(explain_memory(answer["exception"], memory_bytes))
        raise self._failure(Verdict("failed", answer["exception"]))

    def _failure(self, verdict: Verdict) -> ConversionError:
        about = f" of {self.subject}" if self.subject else ""
        return ConversionError(
            f"the worker{about} {verdict.how}, in stage {self.stage!r}",
            why=verdict.why or None,
            hint=verdict.hint or f"the whole log: {self.log}",
            stage=self.stage,
            log=str(self.log),
        )


def _ask_where(process: subprocess.Popen[bytes]) -> None:
    """Make a worker that hangs write its stack into the log: faulthandler answers SIGABRT with it."""
    process.send_signal(signal.SIGABRT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the worker and everything it started; safe to call when it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()

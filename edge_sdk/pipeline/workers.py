"""Workers side by side, as many as cores and memory allow, and gone at once when one is interrupted."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from edge_sdk.convert.worker import WorkerResult, attempt_in_worker, run_in_worker
from edge_sdk.progress import Progress, Step

T = TypeVar("T")

#: What a worker takes besides its model and samples: Python, NumPy, LiteRT.
WORKER_BYTES = 300 * 2**20


class _Stopped(BaseException):
    """Ends a worker's thread; never seen outside of this module."""


class Workers:
    """Starts workers for one build.

    Args:
        timeout_seconds: Limit of each worker.
        logs: Folder for their logs.
        progress: Told of every stage, from one thread at a time.
    """

    def __init__(self, *, timeout_seconds: float, logs: Path, progress: Progress) -> None:
        self._timeout = timeout_seconds
        self._logs = logs
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def run(self, function: str, arguments: Mapping[str, Any], *, name: str, subject: str = "") -> Any:
        """Call a function in a worker; its EdgeError is raised here.

        Raises:
            EdgeError: What the function raised, or ConversionError for a crash, a kill or a timeout.
        """
        return run_in_worker(
            function,
            arguments,
            timeout_seconds=self._timeout,
            log=self.log(name),
            progress=self._report,
            subject=subject,
        )

    def attempt(self, function: str, arguments: Mapping[str, Any], *, name: str, recipe: str) -> WorkerResult:
        """Call a function in a worker; a failure is returned as a value."""
        return attempt_in_worker(
            function,
            arguments,
            timeout_seconds=self._timeout,
            log=self.log(name),
            progress=self._report,
            subject=recipe,
            recipe=recipe,
        )

    def log(self, name: str) -> Path:
        """Return the path of a worker's log."""
        return self._logs / f"{name}.log"

    def together(self, tasks: Sequence[Callable[[], T]], *, jobs: int) -> list[T]:
        """Do the tasks, `jobs` at a time, and return their results in order.

        When one raises, or on Ctrl-C, the workers under way are ended before this returns.
        """
        if jobs <= 1 or len(tasks) <= 1:
            return [task() for task in tasks]
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="edge-worker") as pool:
            futures = [pool.submit(task) for task in tasks]
            try:
                return [future.result() for future in futures]
            except BaseException:
                # Ctrl-C reaches the main thread alone. The others learn of it by their next sign of life,
                # within a second, and each ends its worker on the way out.
                self._stop.set()
                for future in futures:
                    future.cancel()
                raise
            finally:
                for future in futures:
                    with contextlib.suppress(BaseException):
                        future.exception()
                self._stop.clear()

    def _report(self, step: Step) -> None:
        if self._stop.is_set():
            raise _Stopped
        with self._lock:
            self._progress(step)


def jobs_for(tasks: int, bytes_each: int) -> int:
    """Return how many workers may run at once: not more than tasks, cores, or what memory holds."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = free_memory()
    fitting = tasks if free is None else max(1, free // max(1, bytes_each))
    return max(1, min(tasks, cores, fitting))


def free_memory() -> int | None:
    """Return the bytes of memory that can be taken without swapping, or None where nobody says."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None

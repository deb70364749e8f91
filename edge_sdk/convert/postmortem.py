"""Finds out how a worker died: from exit code, log, and the kernel's counter of out-of-memory kills."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

#: Lines of the log that a cause quotes.
TAIL_LINES = 12
_TAIL_BYTES = 16384
_FAILED_ALLOCATION = re.compile(r"bad_alloc|MemoryError|[Cc]annot allocate memory|[Oo]ut of memory")
_MORE_MEMORY = "close other programs, use fewer calibration samples, or build on a machine with more memory"


@dataclass(frozen=True)
class Verdict:
    """How a worker ended.

    Attributes:
        how: Continues "the worker ...".
        why: The cause, or "" where nothing is known.
        hint: What to try, or None.
    """

    how: str
    why: str
    hint: str | None = None


def explain_timeout(seconds: float, log: Path) -> Verdict:
    """Return the verdict on a worker that was ended because its time was over."""
    return Verdict(
        f"did not finish within {seconds:g} s and was ended",
        tail_of(log) or "it reported nothing more",
        "give it more time with --timeout, or look at the log",
    )


def explain_end(code: int, log: Path, *, memory_bytes: int | None, new_oom_kills: int) -> Verdict:
    """Return the verdict on a worker that ended by itself without an answer.

    Args:
        code: As `Popen.returncode`: negative for a signal.
        log: What it wrote.
        memory_bytes: Its limit, or None.
        new_oom_kills: How often the kernel's out-of-memory killer struck meanwhile.
    """
    tail = tail_of(log)
    if code >= 0:
        return Verdict(f"ended without an answer (exit code {code})", tail)
    name = _signal_name(-code)
    if -code == signal.SIGKILL:
        if new_oom_kills > 0:
            return explain_memory("the kernel's out-of-memory killer ended it (SIGKILL)", memory_bytes)
        return explain_memory(
            "something outside ended it with SIGKILL, which nearly always is the out-of-memory killer",
            memory_bytes,
        )
    if _FAILED_ALLOCATION.search(tail):
        return explain_memory(f"{name} after a failed allocation\n{tail}", memory_bytes)
    hint = "report it to the library's authors with the log; another recipe may avoid the crash"
    if -code == signal.SIGILL:
        hint = "this CPU lacks instructions that the installed package was built for (TensorFlow needs AVX)"
    return Verdict(f"crashed in native code ({name})", tail or f"ended by {name}", hint)


def explain_memory(cause: str, memory_bytes: int | None) -> Verdict:
    """Return the verdict on a worker that ran out of memory."""
    limit = "" if memory_bytes is None else f" (limit {memory_bytes:,} bytes)"
    return Verdict(f"ran out of memory{limit}", cause, _MORE_MEMORY)


def tail_of(log: Path) -> str:
    """Return the last lines of a log that say something; from the crash on, where Python noted one."""
    with contextlib.suppress(OSError), log.open("rb") as stream:
        stream.readline()  # the heading with the arguments
        stream.seek(max(stream.tell(), stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = [line for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
        crash = next((i for i, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
        if crash is not None:
            return "\n".join(lines[crash : crash + TAIL_LINES])
        return "\n".join(lines[-TAIL_LINES:])
    return ""


def oom_kills() -> int:
    """Return how often this kernel's out-of-memory killer has struck; 0 where it does not tell."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

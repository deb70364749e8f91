"""Runs Python on the board in a child that cannot take the keeper, or the model that serves, down with it.

A child has a time limit, a memory limit and bounded output, and it is the first that the kernel ends when
memory runs out. Its Python sees the board-side code, one environment and the standard library, nothing else:
`-I -S` leaves out PYTHONPATH, the user's and the system's packages, and the current folder.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What a child may print; a prediction of 10,000 values is below it.
MAX_OUTPUT_BYTES = 8 * 2**20
MAX_TALK_BYTES = 16 * 1024
#: How often the limits are looked at.
_TICK_SECONDS = 0.05
#: How long a child may take to end after its output ended.
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """How a child ended.

    Attributes:
        ended: "exit" by itself; "signal": it crashed or was killed from outside; "timeout", "memory" and
            "output": it was ended here, for the limit of that name.
        code: Exit code for "exit", signal number for "signal", else None.
        output: What it printed on stdout.
        talk: The end of what it printed on stderr.
        seconds: How long it ran.
        peak_bytes: Most memory seen in use, None where it could not be read.
    """

    ended: str
    code: int | None
    output: bytes
    talk: str
    seconds: float
    peak_bytes: int | None

    @property
    def signal_name(self) -> str:
        """Name of the signal that ended it, e.g. "SIGSEGV"; "" where none did."""
        if self.ended != "signal" or self.code is None:
            return ""
        try:
            return signal.Signals(self.code).name
        except ValueError:
            return f"signal {self.code}"


def python_program(
    paths: Sequence[Path],
    *,
    module: str,
    name: str,
    settings: Mapping[str, str] | None = None,
    deadline_seconds: float | None = None,
) -> str:
    """Return the text for `python -I -S -c`: set the path, import `module`, call its `main()`.

    Args:
        paths: Put in front of the standard library.
        module: Whose `main()` runs.
        name: What `sys.argv[0]` says.
        settings: Environment variables to set, for example EDGE_ROOT.
        deadline_seconds: For a child under trial: it ends itself then, even if the keeper has died; it is
            the kernel's first choice when memory runs out; and it leaves no core file on a small disk.
    """
    lines = ["import os, sys"]
    if deadline_seconds is not None:
        lines += [
            "import resource, signal",
            f"signal.alarm({int(deadline_seconds) + 10})",
            "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
            "try:",
            "    with open('/proc/self/oom_score_adj', 'w') as score:",
            "        score.write('1000')",
            "except OSError:",
            "    pass",
        ]
    lines += [
        f"os.environ.update({dict(settings or {})!r})",
        f"sys.argv[0] = {name!r}",
        # Resolved once: a switch of a link in the middle must not mix two versions in one process.
        f"sys.path[:0] = [os.path.realpath(path) for path in {[str(path) for path in paths]!r}]",
        f"from {module} import main",
        "sys.exit(main())",
    ]
    return "\n".join(lines)


def python_command(program: str, arguments: Sequence[str], *, write_bytecode: bool = False) -> list[str]:
    """Return the argument list that runs a program with the keeper's own Python.

    Bytecode is written only while an environment is being made, because then it is made durable with the
    rest. A .pyc that a power cut tears later would make the import fail.
    """
    return [sys.executable, "-I", "-S", *([] if write_bytecode else ["-B"]), "-c", program, *arguments]


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would change a Python child."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CONDA"))
    }


def run_child(
    command: Sequence[str],
    *,
    folder: Path,
    timeout_seconds: float,
    memory_bytes: int | None = None,
) -> Outcome:
    """Run a command and wait for it; never longer than its time limit.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        timeout_seconds: Then it and all it started are killed.
        memory_bytes: Resident memory above which it is killed.

    Raises:
        OSError: It could not be started.
    """
    started = time.monotonic()
    child = subprocess.Popen(
        list(command),
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    watch = _Watch(child, started + timeout_seconds, memory_bytes)
    try:
        watch.until_end()
    finally:
        _kill_group(child)
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()
    code = child.returncode
    ended = watch.verdict or ("signal" if code < 0 else "exit")
    return Outcome(
        ended=ended,
        code=None if watch.verdict else abs(code),
        output=bytes(watch.output),
        talk=bytes(watch.talk).decode("utf-8", "replace"),
        seconds=time.monotonic() - started,
        peak_bytes=watch.peak_bytes,
    )


def last_line(output: bytes) -> bytes:
    """Return the last line of what a child printed: native libraries may print above its document."""
    return output.strip().rpartition(b"\n")[2]


class _Watch:
    """Collects a child's output and looks at its limits until it ends."""

    def __init__(self, child: subprocess.Popen[bytes], deadline: float, memory_bytes: int | None) -> None:
        self._child = child
        self._deadline = deadline
        self._memory_bytes = memory_bytes
        self.output = bytearray()
        self.talk = bytearray()
        self.peak_bytes: int | None = None
        self.verdict = ""

    def until_end(self) -> None:
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        with selectors.DefaultSelector() as selector:
            for stream, sink in ((self._child.stdout, self.output), (self._child.stderr, self.talk)):
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, sink)
            grace = None
            while selector.get_map() and not self.verdict:
                for key, _ in selector.select(_TICK_SECONDS):
                    if not self._collect(key.fd, key.data):
                        selector.unregister(key.fileobj)
                self._look()
                if self._child.poll() is not None:
                    # Something that it started may hold the pipes open for ever.
                    grace = grace or time.monotonic() + 1.0
                    if time.monotonic() > grace:
                        break
        self._wait()

    def _collect(self, descriptor: int, sink: bytearray) -> bool:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        sink += data
        if sink is self.talk:
            del sink[:-MAX_TALK_BYTES]
        elif len(sink) > MAX_OUTPUT_BYTES:
            self.verdict = "output"
        return bool(data)

    def _look(self) -> None:
        used = _resident_bytes(self._child.pid)
        if used is not None:
            self.peak_bytes = max(used, self.peak_bytes or 0)
            if self._memory_bytes is not None and used > self._memory_bytes:
                self.verdict = "memory"
        if time.monotonic() > self._deadline and self._child.poll() is None:
            self.verdict = "timeout"

    def _wait(self) -> None:
        end = min(self._deadline, time.monotonic() + _GRACE_SECONDS)
        while not self.verdict and self._child.poll() is None:
            if time.monotonic() > end:
                self.verdict = "timeout"
                return
            time.sleep(0.005)
            self._look()


def _resident_bytes(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:  # noqa: PTH123 - a hot loop
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    # Its own session, so this reaches what it started, and nothing else.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()

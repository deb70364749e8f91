"""A server process that outlives the command that started it.

A pid alone is a rumour: the number may have been given to somebody else since. So the pid is kept with
its start time, and nothing is ever signalled whose start time does not match. Everything that runs on a
lab board also carries `MARK=<the board's folder>` in its environment, so that `down` finds what the
server left behind (a command that moved into a session of its own).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.document import Document
from edge_sdk.errors import BoardError

#: Environment variable that every process of a lab board carries.
MARK = "EDGE_LAB_BOARD"

_PROC = Path("/proc")

# Starts the program as a grandchild in a session of its own and prints its pid: nobody of ours is its
# parent, so its end leaves no zombie, and no terminal's Ctrl-C or hang-up reaches it.
_LAUNCHER = """
import os, subprocess, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
null = subprocess.DEVNULL
process = subprocess.Popen(sys.argv[2:], stdin=null, stdout=log, stderr=log, start_new_session=True)
sys.stdout.write(str(process.pid))
sys.stdout.flush()
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class ServerProcess(Document):
    """A process that can be recognised later.

    Attributes:
        pid: Process id.
        started: When it started, as the system tells it; together with the pid it is unique.
    """

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process is still there."""
        return started_at(self.pid) == self.started

    def send(self, number: int) -> None:
        """Send a signal, unless the process is gone."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def start_detached(
    command: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str]
) -> ServerProcess:
    """Start a program that goes on when this process ends.

    Args:
        command: Program and arguments.
        log: Takes its stdout and stderr, appended.
        folder: Its working directory.
        environment: All of its environment.

    Raises:
        BoardError: It could not be started, or ended at once.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(log), *command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    pid = int(done.stdout) if done.returncode == 0 and done.stdout.isdigit() else None
    started = started_at(pid) if pid is not None else None
    if pid is None or started is None:
        reason = (done.stderr.strip().splitlines() or last_lines(log))[-1:]
        raise BoardError(
            f"{command[0]} could not be started", why="\n".join(reason) or None, hint=f"see {log}"
        )
    return ServerProcess(pid=pid, started=started)


def read_process(path: Path) -> ServerProcess | None:
    """Return the process that `path` names, or None where there is no such file or it makes no sense."""
    try:
        return ServerProcess.from_dict(json.loads(path.read_text("utf-8")), error=BoardError)
    except (OSError, ValueError, BoardError):
        return None


def started_at(pid: int) -> str | None:
    """Return when a process started, or None for one that is gone or is only waiting to be buried."""
    if _PROC.joinpath("self/stat").exists():
        try:
            fields = _stat_fields(pid)
            boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text("ascii").strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if len(shown) < 2 or shown[0][0] in "ZX" else shown[1].strip()


def members(server: ServerProcess | None, mark: Path) -> list[ServerProcess]:
    """Return every process of a board: the server, its descendants, and all that carry its mark.

    Where there is no /proc only the server itself is known.
    """
    wanted = f"{MARK}={mark}".encode()
    roots = {server.pid} if server is not None and server.alive else set()
    parents: dict[int, int] = {}
    for entry in _PROC.glob("[0-9]*"):
        # A process that ends while it is read, or that belongs to somebody else, is not ours.
        with suppress(OSError):
            fields = _stat_fields(int(entry.name))
            parents[int(entry.name)] = int(fields[1])
            if wanted in entry.joinpath("environ").read_bytes().split(b"\0"):
                roots.add(int(entry.name))
    found = set(roots)
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    dates = {pid: started_at(pid) for pid in sorted(found - {os.getpid()})}
    return [ServerProcess(pid=pid, started=date) for pid, date in dates.items() if date is not None]


def stop(server: ServerProcess | None, mark: Path, *, patience_seconds: float = 3.0) -> int:
    """End every process of a board, politely first.

    Args:
        server: The server, where it is known.
        mark: The board's folder, as its processes carry it in `MARK`.
        patience_seconds: How long a process may take to end by itself.

    Returns:
        How many processes were ended.

    Raises:
        BoardError: One does not go.
    """
    ended: set[int] = set()
    # The list is taken anew each round: what was being started while the server ended is caught too.
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        running = members(server, mark)
        if not running:
            return len(ended)
        for process in running:
            process.send(number)
            process.send(signal.SIGCONT)  # a frozen process takes no SIGTERM before it goes on
            ended.add(process.pid)
        deadline = time.monotonic() + patience_seconds
        while any(process.alive for process in running) and time.monotonic() < deadline:
            time.sleep(0.02)
    left = members(server, mark)
    if left:
        raise BoardError(
            f"{len(left)} process(es) of the lab board do not end",
            why="pid " + ", ".join(str(process.pid) for process in left),
        )
    return len(ended)


def _stat_fields(pid: int) -> list[str]:
    # The program's name may hold spaces and brackets; the fields that follow are counted after its last one.
    return _PROC.joinpath(str(pid), "stat").read_text("utf-8", "replace").rpartition(")")[2].split()


def last_lines(path: Path, count: int = 5) -> list[str]:
    """Return the end of a log, or nothing where there is none."""
    with suppress(OSError):
        return path.read_text("utf-8", "replace").splitlines()[-count:]
    return []

"""The trial: a release proves itself in a child process before anything points to it.

The child loads the variant with the runner that will serve it and compares its golden vectors. A model
that is wrong, crashes the runtime, hangs or eats the memory costs a child; what serves goes on serving.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.errors import EdgeError, GateError, RemoteError, error_from_dict
from edge_sdk.keeper.child import Outcome, last_line, run_child
from edge_sdk.keeper.facts import available_memory
from edge_sdk.keeper.launch import runner_command
from edge_sdk.keeper.layout import Layout

TRIAL_SECONDS = 120.0
PREDICT_SECONDS = 60.0
#: Share of the memory that is free at the start; what serves now keeps what it has.
_MEMORY_SHARE = 0.9
_MINIMUM_MEMORY = 64 * 2**20
_OUT_OF_MEMORY = ("MemoryError", "std::bad_alloc", "Cannot allocate memory")


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Attributes:
        timeout_seconds: Wall-clock time.
        memory_bytes: Resident memory; None takes 90 % of what is free when it starts.
    """

    timeout_seconds: float = TRIAL_SECONDS
    memory_bytes: int | None = None

    def memory(self) -> int | None:
        """Return the limit in bytes, None where the free memory cannot be read."""
        if self.memory_bytes is not None:
            return self.memory_bytes
        free = available_memory()
        return None if free is None else max(_MINIMUM_MEMORY, int(free * _MEMORY_SHARE))


def run_trial(layout: Layout, folder: Path, *, environment: Path, limits: Limits) -> dict[str, Any]:
    """Run a release's golden vectors.

    Args:
        layout: The root.
        folder: The release, finished or under construction.
        environment: The packages to try it with.
        limits: What the child may use.

    Returns:
        What the runner reported: cases, max_abs_error, latency_ms, peak_memory_bytes, runtime, delegate...

    Raises:
        GateError: The vectors do not pass, or the child crashed, hung, or used too much memory; `details`
            hold `cause` ("golden", "crash", "hang", "memory", "output") and what is known.
        EdgeError: The runner refused the release with this error (wrong runtime, damaged file...).
        OSError: No child could be started.
    """
    report = run_runner(layout, ["golden", str(folder), "--json"], environment=environment, limits=limits)
    if report.get("passed") is not True:
        failures = report.get("failures")
        lines = [str(line) for line in failures][:5] if isinstance(failures, list) else []
        raise GateError(
            "the release failed its golden vectors on the board; the one before goes on serving",
            why="; ".join(lines) or "an output is not what the host recorded",
            hint="edge build again, or look at the runtime and delegate that the board used",
            cause="golden",
            trial=report,
        )
    return report


def run_runner(
    layout: Layout, arguments: list[str], *, environment: Path, limits: Limits, act: str = "trial"
) -> dict[str, Any]:
    """Run `edge-runner ARGUMENTS...` as a child and return the one JSON document that it prints.

    Raises:
        GateError: It crashed, hung, or used too much.
        EdgeError: It failed with this error.
        OSError: It could not be started.
    """
    memory = limits.memory()
    command = runner_command(
        layout, arguments, environment=environment, deadline_seconds=limits.timeout_seconds
    )
    outcome = run_child(
        command, folder=layout.root, timeout_seconds=limits.timeout_seconds, memory_bytes=memory
    )
    _check_end(outcome, act, limits.timeout_seconds, memory)
    document = _document(outcome)
    if document is None:
        if any(sign in outcome.talk for sign in _OUT_OF_MEMORY):
            raise _failed(act, "memory", "it ran out of memory", outcome)
        raise _failed(
            act, "crash", f"exit code {outcome.code} without a result: {_last_line(outcome.talk)}", outcome
        )
    if isinstance(document.get("error"), str):
        error = error_from_dict(document)
        error.details.setdefault("cause", "refused")
        raise error
    return document


def _check_end(outcome: Outcome, act: str, timeout_seconds: float, memory: int | None) -> None:
    if outcome.ended == "timeout":
        raise _failed(act, "hang", f"no result within {timeout_seconds:g} s", outcome)
    if outcome.ended == "memory":
        raise _failed(act, "memory", f"it used more than {memory or 0:,} bytes of memory", outcome)
    if outcome.ended == "output":
        raise _failed(act, "output", "it printed without end", outcome)
    if outcome.signal_name == "SIGKILL":
        why = "it was killed (SIGKILL): the kernel does that when memory runs out"
        raise _failed(act, "memory", why, outcome)
    if outcome.ended == "signal":
        cause = "hang" if outcome.signal_name == "SIGALRM" else "crash"
        raise _failed(
            act, cause, f"it crashed with {outcome.signal_name}: {_last_line(outcome.talk)}", outcome
        )


def _failed(act: str, cause: str, why: str, outcome: Outcome) -> EdgeError:
    details: dict[str, Any] = {
        "cause": cause,
        "seconds": round(outcome.seconds, 3),
        "peak_memory_bytes": outcome.peak_bytes,
        "talk": outcome.talk[-2000:],
    }
    if act == "trial":
        return GateError(
            "the release failed its trial on the board; the one before goes on serving",
            why=why,
            hint="try another variant (edge push --variant), or see edge logs BOARD",
            **details,
        )
    return RemoteError(f"the {act} on the board failed", why=why, hint="edge logs BOARD", **details)


def _document(outcome: Outcome) -> dict[str, Any] | None:
    try:
        data = json.loads(last_line(outcome.output))
    except (ValueError, RecursionError):
        return None
    return finite(data) if isinstance(data, dict) else None


def finite(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with NaN and infinity written as strings: JSON has no such numbers."""
    return {key: _finite(value) for key, value in data.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return finite(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _last_line(talk: str) -> str:
    lines = [line.strip() for line in talk.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"

"""The proof: a variant is allocated and run in the target's very runtime version, and its answers compared.

    prove({"model": ".../full_int8.tflite", "golden": ".../golden.npz", "atol": 0.1, "rtol": 0.05,
           "contract": {...}, "runtime": "tflite-runtime", "version": "2.14.0"})["status"]

It runs on *this* machine's architecture, which `Proof.architecture` names: operators and numbers are the
same on a board, speed and CPU features are not.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, EdgeError
from edge_sdk.keeper.code import board_code
from edge_sdk.wheels.environment import RuntimeEnvironment, runtime_environment

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
#: From here on a variant is called slow, as a multiple of float32's time in the same runtime. Below it, the
#: difference may be the machine's mood.
SLOW = 1.5
#: Less than this, in milliseconds, is no news either.
_SLOWER_MS = 0.1
_LIMIT_SECONDS = 300.0
_SHOWN = 400


@dataclass(frozen=True, kw_only=True)
class Proof(Document):
    """What came of running one variant in one version of a runtime.

    Attributes:
        runtime: "litert" or "tflite-runtime".
        version: The very version; None where it never started.
        status: "passed", "failed" or "skipped".
        reason: Why not; None where it passed and there is nothing to add.
        cases: Golden cases that were run; 0 where there are none, and then only "it runs" was shown.
        max_abs_error: Largest difference to the golden outputs; None where nothing was compared.
        latency_ms: Median of one call with one thread; None where it did not run.
        p99_ms: 99th percentile of the same calls.
        runs: Calls that were timed.
        architecture: Of the machine it ran on, as wheels name it.
        python: Of the isolated environment.
        numpy: Of the isolated environment.
    """

    runtime: str
    version: str | None
    status: str
    reason: str | None = None
    cases: int = 0
    max_abs_error: float | None = None
    latency_ms: float | None = None
    p99_ms: float | None = None
    runs: int = 0
    architecture: str | None = None
    python: str | None = None
    numpy: str | None = None

    @property
    def where(self) -> str:
        """The runtime, its version and the architecture, for people."""
        return f"{self.runtime} {self.version or '?'} on {self.architecture or 'this machine'}"


def prove(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run one variant in an isolated environment; never raises for what is wrong with it.

    Args:
        arguments: "model" (path of a .tflite), "runtime"; optional: "label" (what messages call it; the
            file name by default), "version" (None takes the newest that boards are given), "golden" (path of
            an .npz), "atol", "rtol", "contract" (a dict; the file's own where None), "threads" (1),
            "timeout_seconds", "cache" (folder of environments).

    Returns:
        `Proof.to_dict()`. "skipped" means that nothing was learned about the variant: there is no interpreter
        or network for the environment, or it needs a library for a custom operator.
    """
    runtime, version = str(arguments["runtime"]), arguments.get("version")
    cache = arguments.get("cache")
    try:
        environment = runtime_environment(runtime, version, cache=Path(cache) if cache else None)
    except EdgeError as failure:
        return Proof(
            runtime=runtime, version=version, status=SKIPPED, reason=_plain(failure, hint=_hint(failure))
        ).to_dict()
    return _run(environment, arguments).to_dict()


def slow_on(proofs: Mapping[str, Proof], *, reference: str = "float32") -> dict[str, str]:
    """Return a sentence for each variant that takes much longer than the reference in the same runtime.

    Args:
        proofs: By variant, all of one runtime.
        reference: Id of the variant to compare with.
    """
    base = proofs.get(reference)
    if base is None or not base.latency_ms:
        return {}
    return {
        name: f"takes {proof.latency_ms / base.latency_ms:.1f}x as long as {reference} in {proof.where} "
        "(one thread): that runtime has only slow kernels for it there"
        for name, proof in proofs.items()
        if name != reference
        and proof.latency_ms
        and (proof.version, proof.architecture) == (base.version, base.architecture)
        and proof.latency_ms >= max(SLOW * base.latency_ms, base.latency_ms + _SLOWER_MS)
    }


def _run(environment: RuntimeEnvironment, arguments: Mapping[str, Any]) -> Proof:
    limit = float(arguments.get("timeout_seconds") or _LIMIT_SECONDS)
    request = {
        "model": str(Path(arguments["model"]).absolute()),
        "label": str(arguments.get("label") or Path(arguments["model"]).name),
        "golden": str(Path(arguments["golden"]).absolute()) if arguments.get("golden") else None,
        "atol": float(arguments.get("atol") or 0.0),
        "rtol": float(arguments.get("rtol") or 0.0),
        "contract": arguments.get("contract"),
        "runtime": environment.runtime,
        "threads": int(arguments.get("threads") or 1),
    }
    program = Path(__file__).with_name("trial.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="edge-proof-") as scratch:
        # A zip of exactly what a board gets: the host's rooms cannot leak in.
        code = Path(scratch) / "board.zip"
        code.write_bytes(board_code())
        try:
            done = subprocess.run(
                environment.command("-c", program),
                input=json.dumps(request),
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                cwd=scratch,
                env=environment.variables(code),
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _proof(environment, FAILED, f"did not answer within {limit:g} s")
    return _judge(environment, done)


def _judge(environment: RuntimeEnvironment, done: subprocess.CompletedProcess[str]) -> Proof:
    if done.returncode != 0:
        return _proof(environment, FAILED, _died(done))
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return _proof(environment, FAILED, f"gave no answer: {done.stdout.strip()[-_SHOWN:]!r}")
    if "error" in answer:
        return _refused(environment, answer)
    failures = answer.get("failures") or []
    reason = f"other answers than on this machine: {failures[0]}" if failures else None
    if not failures and not answer["cases"]:
        reason = "no golden vectors: it runs, and its answers were not compared"
    return _proof(
        environment,
        FAILED if failures else PASSED,
        reason,
        cases=answer["cases"],
        max_abs_error=answer.get("max_abs_error"),
        latency_ms=answer["latency_ms"],
        p99_ms=answer["p99_ms"],
        runs=answer["runs"],
        numpy=answer["numpy"],
    )


def _refused(environment: RuntimeEnvironment, answer: Mapping[str, Any]) -> Proof:
    what = str(answer.get("what") or answer["error"])
    why = answer.get("why")
    operators = (answer.get("details") or {}).get("ops") or []
    if answer["error"] == "UnsupportedOpError" and not any(name.startswith("Flex") for name in operators):
        return _proof(
            environment, SKIPPED, f"needs a library for {', '.join(operators)}, which is not here to be tried"
        )
    return _proof(environment, FAILED, f"{what} ({why})" if why else what)


def _died(done: subprocess.CompletedProcess[str]) -> str:
    last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    if done.returncode < 0:
        try:
            name = signal.Signals(-done.returncode).name
        except ValueError:
            name = f"signal {-done.returncode}"
        return f"the runtime's process died ({name}): {last[0][-_SHOWN:]}"
    return f"the trial failed: {last[0][-_SHOWN:]}"


def _proof(environment: RuntimeEnvironment, status: str, reason: str | None, **found: Any) -> Proof:
    return Proof(
        runtime=environment.runtime,
        version=environment.version,
        status=status,
        reason=reason,
        architecture=environment.architecture,
        python=environment.python_version,
        **found,
    )


def _plain(failure: EdgeError, hint: str | None) -> str:
    text = failure.what if not failure.why else f"{failure.what}: {failure.why}"
    return " ".join(f"{text}; {hint}".split() if hint else text.split())


def _hint(failure: EdgeError) -> str | None:
    # The words for an interpreter speak of the options of `edge lab`.
    if isinstance(failure, ConfigError) and failure.what.startswith("no Python at"):
        return "uv python install 3.10"
    if isinstance(failure, ConfigError) and "no Python" in failure.what:
        return (failure.hint or "").partition(",")[0] or None
    return failure.hint

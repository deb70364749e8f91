"""Runs one file in the runtime of an isolated environment; started by `proof`, never imported by it.

It sees the board side of edge_sdk, NumPy and the runtime. Arguments are JSON on stdin, the answer on stdout:
{"runtime", "version", "numpy", "cases", "max_abs_error", "failures", "latency_ms",
"p99_ms", "runs"} or {"error": ...}.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.contract.golden import GoldenVectors, check_golden
from edge_sdk.contract.spec import Contract
from edge_sdk.errors import EdgeError
from edge_sdk.runtime import session as sessions
from edge_sdk.runtime.interpreter import ModelSource, RuntimeInfo, choose_runtime, create_interpreter

#: A median of fewer is not worth printing; more are run as long as the time allows.
_LEAST_RUNS = 5
_MOST_RUNS = 50
_SECONDS = 0.3


def run(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Allocate, run and compare.

    Args:
        arguments: As `proof.prove` passes them on.

    Raises:
        EdgeError: The runtime refuses the file, or fails on it.
    """
    runtime = choose_runtime(RuntimeRequirement(name=arguments["runtime"]))
    source = ModelSource(path=Path(arguments["model"]), label=arguments["label"])
    interpreter = create_interpreter(runtime, source, threads=arguments["threads"]).interpreter
    known = {"runtime": runtime.name, "version": runtime.version, "numpy": np.__version__}
    if arguments["golden"] is None:
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        return {**known, "cases": 0, **_time(interpreter.invoke)}
    predict = _function(interpreter, arguments, runtime)
    vectors = GoldenVectors.from_bytes(Path(arguments["golden"]).read_bytes())
    result = check_golden(vectors, predict, atol=arguments["atol"], rtol=arguments["rtol"]).to_dict()
    inputs = next(vectors.cases())
    return {
        **known,
        "cases": result["cases"],
        "max_abs_error": result["max_abs_error"],
        "failures": result["failures"],
        **_time(lambda: predict(inputs)),
    }


def _function(interpreter: Any, arguments: Mapping[str, Any], runtime: RuntimeInfo) -> sessions.Function:
    file = sessions.file_signatures(interpreter)
    given = arguments["contract"]
    contract = sessions.contract_of(file) if given is None else Contract.from_dict(given)
    name = contract.default_signature
    called = sessions.signature_for(file, contract, name)
    inputs, outputs = sessions.ports_of(contract.signature_named(name), called)
    pool = sessions.Pool(sessions.Session(interpreter, called, inputs, outputs), _no_second, 1)
    return sessions.Function(inputs, outputs, pool)


def _no_second() -> sessions.Session:
    raise EdgeError("one session is enough for a trial")


def _time(call: Callable[[], Any]) -> dict[str, Any]:
    call()
    taken: list[float] = []
    while len(taken) < _LEAST_RUNS or (len(taken) < _MOST_RUNS and sum(taken) < _SECONDS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    worst = statistics.quantiles(taken, n=100, method="inclusive")[98]
    return {
        "latency_ms": round(statistics.median(taken) * 1e3, 4),
        "p99_ms": round(worst * 1e3, 4),
        "runs": len(taken),
    }


def main() -> None:
    """Answer one request."""
    try:
        answer = run(json.load(sys.stdin))
    except EdgeError as failure:
        answer = failure.to_dict()
    # The runtime writes to stderr, some of its delegates to stdout: the answer is the last line.
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()

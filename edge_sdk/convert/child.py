"""The inside of a worker process: run one function, report stages, answer once.

`edge_sdk.convert.worker` starts this module in a process of its own. The two speak over a pipe that
is neither stdout nor stderr, because native libraries write to those as they please:

    {"stage": "convert", "message": "...", "fraction": null}     any number of times
    {"value": {...}} or {"error": {...}} or {"exception": "..."} once, at the end

The request comes on stdin, one line. stdin then stays open as a lifeline: when it ends, the parent is gone
and this process ends itself, with everything it started.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from edge_sdk.errors import EdgeError, MissingExtraError
from edge_sdk.progress import Step

#: Which extra brings a package that a worker may miss.
_EXTRAS = {
    "tensorflow": ("tensorflow-cpu", "tensorflow"),
    "keras": ("keras", "tensorflow"),
    "litert_quantizer": ("litert-quantizer", "host"),
    "ai_edge_litert": ("ai-edge-litert", "host"),
    "PIL": ("pillow", "host"),
    "h5py": ("h5py", "host"),
    "coremltools": ("coremltools", "coreml"),
}

_report_descriptor: int | None = None
_report_lock = threading.Lock()


def stage(name: str, message: str = "", fraction: float | None = None) -> None:
    """Say what the worker does now; outside of a worker this does nothing.

    Args:
        name: One word: "load", "convert", "calibrate". A failure names the last one.
        message: For people; the name where it is empty.
        fraction: Share done, 0.0 to 1.0, or None.
    """
    _send({"stage": name, "message": message or name, "fraction": fraction})


def report(step: Step) -> None:
    """Pass a step on to the parent: a `Progress` callback for library code that runs in a worker."""
    stage(step.stage, step.message, step.fraction)


def main() -> None:
    """Run the request on stdin and leave without the interpreter's teardown."""
    global _report_descriptor
    _report_descriptor = int(sys.argv[1])
    os.set_inheritable(_report_descriptor, False)
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request)
    threading.Thread(target=_hold_lifeline, daemon=True).start()
    code = 0
    try:
        _send({"value": _call(request["function"], request["arguments"])})
    except EdgeError as error:
        traceback.print_exc()
        _send({"error": error.to_dict()})
        code = error.exit_code
    except BaseException as failure:
        traceback.print_exc()
        _send(_describe(failure))
        code = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # TensorFlow's teardown takes a second and has crashed after the work was done; the answer is out.
    os._exit(code)


def _call(function: str, arguments: Mapping[str, Any]) -> Any:
    module_name, _, name = function.partition(":")
    return getattr(importlib.import_module(module_name), name)(arguments)


def _describe(failure: BaseException) -> dict[str, Any]:
    if isinstance(failure, ModuleNotFoundError) and failure.name:
        top = failure.name.partition(".")[0]
        if top in _EXTRAS:
            package, extra = _EXTRAS[top]
            return {"error": MissingExtraError(package, extra=extra, purpose="do this step").to_dict()}
    text = "".join(traceback.format_exception_only(type(failure), failure)).strip()
    return {"exception": text, "memory": isinstance(failure, MemoryError)}


def _send(message: Mapping[str, Any]) -> None:
    if _report_descriptor is None:
        return
    data = json.dumps(message).encode() + b"\n"
    with _report_lock:
        while data:
            data = data[os.write(_report_descriptor, data) :]


def _limit(request: Mapping[str, Any]) -> None:
    # This watchdog is a native thread: it writes where we hang, and ends us, even while native code holds
    # the interpreter's lock. The parent normally kills first.
    seconds = float(request["timeout_seconds"])
    faulthandler.dump_traceback_later(seconds + 5, exit=True)
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if request.get("memory_bytes") is not None:
        # Data, not address space: TensorFlow maps gigabytes that it never touches.
        resource.setrlimit(resource.RLIMIT_DATA, (request["memory_bytes"], request["memory_bytes"]))


def _hold_lifeline() -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(4096):
            pass
    os.killpg(os.getpgid(0), signal.SIGKILL)

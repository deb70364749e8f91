"""What the workers of the tests do: end in every way a converter has been seen to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.worker import stage
from edge_sdk.errors import SignatureMismatchError


def answer(arguments: Mapping[str, Any]) -> dict[str, Any]:
    stage("load", "reading")
    print("talk on stdout")
    os.write(2, b"native talk on stderr\n")
    stage("work", "half way", 0.5)
    return {"doubled": arguments["number"] * 2, "environment": os.environ["TF_CPP_MIN_LOG_LEVEL"]}


def edge_error(arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise SignatureMismatchError([("image", "float32[1]", "float64[2]")], subject="calibration data")


def exception(arguments: Mapping[str, Any]) -> dict[str, Any]:
    stage("convert")
    raise ValueError("the converter did not like it")


def abort(arguments: Mapping[str, Any]) -> dict[str, Any]:
    stage("convert")
    os.abort()


def segfault(arguments: Mapping[str, Any]) -> dict[str, Any]:
    import ctypes

    stage("convert")
    ctypes.string_at(0)
    return {}


def killed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    stage("quantize")
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def hang(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Hang, with a grandchild that must not survive either; writes both pids first."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(arguments["pids"]).write_text(f"{os.getpid()} {child.pid}")
    stage("convert", "for ever")
    time.sleep(600)
    return {}


def eat_memory(arguments: Mapping[str, Any]) -> dict[str, Any]:
    stage("calibrate")
    return {"length": len(bytearray(2**31))}


def leave(arguments: Mapping[str, Any]) -> dict[str, Any]:
    print("giving up")
    sys.stdout.flush()
    os._exit(3)


def missing(arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")


def big(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": "x" * 3_000_000}


def fork(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Leave a forked child behind that holds the pipe open; answer, or die, at once."""
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
    Path(arguments["pids"]).write_text(f"{os.getpid()} {pid}")
    if arguments["die"]:
        os.kill(os.getpid(), signal.SIGTERM)
    return {"done": True}

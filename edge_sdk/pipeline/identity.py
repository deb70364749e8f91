"""What a step's outcome depends on besides its inputs: tools, our own code, and the machine for timings."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from edge_sdk import __version__

# Tools and our own rooms that decide the outcome of each kind of step.
CONVERTERS = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy")
QUANTIZERS = ("litert-quantizer", "ai-edge-litert", "numpy")
RUNTIMES = ("ai-edge-litert", "tflite-runtime", "numpy", "pillow")
COREML_TOOLS = (*CONVERTERS, "coremltools", "protobuf")
CONVERTING = ("convert", "model", "quantize")
SAMPLING = (
    "contract",
    "pipeline/samples.py",
    "quantize/calibration.py",
    "quantize/labels.py",
    "quantize/pictures.py",
)
QUANTIZING = ("model", "pipeline/quantizing.py", "quantize")
VALIDATING = ("bundle", "contract", "model", "quantize/samples.py", "runtime", "validate")


def versions(*distributions: str) -> dict[str, str | None]:
    """Return installed versions without importing anything; None where one is missing."""
    return {name: _version(name) for name in distributions}


@functools.cache
def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def code_digest(*rooms: str) -> str:
    """Return a digest of our own code and data in these rooms, so that changing it makes steps again.

    Args:
        rooms: Folders or files of the package that decide the outcome of a step.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(__version__.encode())
    for room in rooms:
        found = package / room
        for path in sorted(found.rglob("*")) if found.is_dir() else [found]:
            if path.suffix in (".py", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


@functools.cache
def machine() -> Sequence[str | int | None]:
    """Return what tells this machine's speed apart from another's."""
    model = None
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.lower().startswith(("model name", "cpu part", "hardware")):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [platform.system(), platform.machine(), model, cores]

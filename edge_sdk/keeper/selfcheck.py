"""Runs inside a new environment: imports what the runner will import, and reports versions as one JSON line.

The imports also leave byte code beside the packages, so that the first real start does not compile them.
"""

from __future__ import annotations

import contextlib
import json
import platform
import sys
from typing import Any

#: (name in the report, distribution, modules to import). NumPy and one runtime must be there.
PACKAGES = (
    ("numpy", "numpy", ("numpy",)),
    ("litert", "ai-edge-litert", ("ai_edge_litert.interpreter",)),
    ("tflite-runtime", "tflite-runtime", ("tflite_runtime.interpreter",)),
    ("pillow", "pillow", ("PIL.Image", "PIL.ImageOps", "PIL.PngImagePlugin", "PIL.JpegImagePlugin")),
)
RUNTIMES = ("litert", "tflite-runtime")
_OWN = (
    "edge_sdk.runtime.__main__",
    "edge_sdk.runtime.runner",
    "edge_sdk.runtime.bench",
    "edge_sdk.contract.preprocess",
    "edge_sdk.contract.postprocess",
    "edge_sdk.contract.boxes",
    "edge_sdk.contract.golden",
)


def report() -> dict[str, Any]:
    """Return {"python", "packages": {name: version}, "failures": {name: text}}."""
    import importlib.metadata

    packages: dict[str, str] = {}
    failures: dict[str, str] = {}
    for name, distribution, modules in PACKAGES:
        try:
            version = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
        try:
            for module in modules:
                importlib.import_module(module)
        except Exception as failure:  # a native module may raise anything
            failures[name] = f"{type(failure).__name__}: {failure}"
        else:
            packages[name] = version
    for module in _OWN:
        with contextlib.suppress(Exception):  # only to compile it; the trial is the judge
            importlib.import_module(module)
    return {"python": platform.python_version(), "packages": packages, "failures": failures}


def main() -> int:
    """Print the report."""
    sys.stdout.write(json.dumps(report()) + "\n")
    return 0

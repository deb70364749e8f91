"""edge_sdk: from a trained TensorFlow model to the device that needs it.

Importing this package loads nothing heavy: public names are resolved on first
use (PEP 562), so a board pays for the runner only and the host pays for
TensorFlow only when a conversion starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from edge_sdk.bundle.archive import Bundle as Bundle
    from edge_sdk.pipeline.build import build as build
    from edge_sdk.runtime.runner import Runner as Runner

# public name -> module that defines it; an explicit table, so nothing registers itself on import.
# No module of this package may be called like a public name: importing it would put the module in the
# name's place (hence `pipeline`, not `build`).
_PUBLIC = {
    "build": "edge_sdk.pipeline.build",
    "Bundle": "edge_sdk.bundle.archive",
    "EdgeError": "edge_sdk.errors",
    "Runner": "edge_sdk.runtime.runner",
}

__all__ = ["Bundle", "EdgeError", "Runner", "__version__", "build"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

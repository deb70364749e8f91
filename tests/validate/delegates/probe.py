"""The script that asks a runtime's XNNPACK, as a module: scripts/ is no package."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.board_environments import CHECKOUT


def probe() -> ModuleType:
    """Return scripts/probe_delegates.py."""
    name = "probe_delegates"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, CHECKOUT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]

"""Imports what a user names as `module:function`: a model, calibration or evaluation data.

It is the user's own code and runs with their rights, so this happens in a worker process only.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_sdk.errors import ConfigError, EdgeError

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def is_function(text: str) -> bool:
    """Tell whether `text` has the form "module:function"."""
    return bool(_FUNCTION.fullmatch(text))


def function_file(text: str) -> Path | None:
    """Return the source file behind "module:function" when it lies under the current folder, unimported."""
    path = Path(*text.partition(":")[0].split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def import_function(text: str, *, error: type[EdgeError] = ConfigError) -> Callable[..., Any]:
    """Import "module:function"; the current folder comes first on the path.

    Raises:
        EdgeError: Of class `error`: not of that form, no such module, or no such function in it.
    """
    if not is_function(text):
        raise error(f"{text!r} does not name a function", why="expected module:function")
    module_name, _, name = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as failure:
        if failure.name is None or not f"{module_name}.".startswith(f"{failure.name}."):
            raise
        raise error(
            f"no module called {module_name!r}",
            why=f"looked in {Path.cwd()} and among the installed packages",
            hint="run edge from the folder that holds the file, or install the package",
        ) from failure
    function = getattr(module, name, None)
    if not callable(function):
        public = [item for item in vars(module) if not item.startswith("_") and callable(vars(module)[item])]
        raise error(
            f"{module_name} has no function called {name!r}",
            why="it has " + (", ".join(sorted(public)[:12]) or "none"),
        )
    return function  # type: ignore[no-any-return]

"""How the runner starts on a board: which code, packages and Python. And the two launchers in bin/."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import edge_sdk
from edge_sdk.errors import EdgeError, RemoteError
from edge_sdk.keeper.disk import Disk, read_file, write_file
from edge_sdk.keeper.layout import Layout

#: What the keeper writes into an environment's folder beside the packages.
ENVIRONMENT_RECORD = "edge-environment.json"
_MAX_RECORD_BYTES = 256 * 1024
#: Tells the programs below bin/ which root they belong to.
ROOT_VARIABLE = "EDGE_ROOT"


def code_path(layout: Layout) -> Path:
    """Return the board-side code in use: the activated one, or the keeper's own before that."""
    name = layout.current_code_identity()
    if name is not None:
        return layout.code / name
    return Path(edge_sdk.__file__).parents[1]


def environment_record(folder: Path) -> dict[str, Any] | None:
    """Return what the keeper found out about an environment when it was made, or None."""
    try:
        data = json.loads(read_file(folder / ENVIRONMENT_RECORD, limit=_MAX_RECORD_BYTES))
    except (OSError, EdgeError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def environment_folder(layout: Layout) -> Path:
    """Return the folder of the packages in use.

    Raises:
        RemoteError: There are none yet.
    """
    name = layout.current_environment()
    if name is None:
        raise RemoteError(
            "the board has no Python packages for the runner yet",
            why=f"{layout.environment} leads to no environment",
            hint="edge board setup BOARD brings them",
        )
    return layout.environments / name


def package_paths(folder: Path) -> list[Path]:
    """Return what an environment puts on Python's path: its folder, then the system's where it asks so."""
    record = environment_record(folder) or {}
    system = record.get("system_paths")
    return [folder, *(Path(str(path)) for path in (system if isinstance(system, list) else []))]


def runner_command(
    layout: Layout, arguments: Sequence[str], *, environment: Path, deadline_seconds: float
) -> list[str]:
    """Return the argument list of `edge-runner ARGUMENTS...` as a child with a deadline."""
    from edge_sdk.keeper.child import python_command, python_program

    program = python_program(
        [code_path(layout), *package_paths(environment)],
        module="edge_sdk.runtime.__main__",
        name="edge-runner",
        settings={ROOT_VARIABLE: str(layout.root)},
        deadline_seconds=deadline_seconds,
    )
    return python_command(program, arguments)


def write_launchers(layout: Layout, disk: Disk) -> None:
    """Write bin/edge-keeper and bin/edge-runner for the code and packages that the links name.

    Raises:
        OSError: They could not be written; the old ones stay.
    """
    from edge_sdk.keeper.child import python_program

    environment = layout.current_environment()
    packages = package_paths(layout.environments / environment) if environment else []
    # Links, not what they lead to: the next code or environment needs no new launcher.
    code, packages = layout.current_code, [layout.environment, *packages[1:]]
    for name, module, paths in (
        ("edge-keeper", "edge_sdk.keeper.__main__", [code]),
        ("edge-runner", "edge_sdk.runtime.__main__", [code, *packages]),
    ):
        program = python_program(paths, module=module, name=name, settings={ROOT_VARIABLE: str(layout.root)})
        words = [sys.executable, "-I", "-S", "-B", "-c", program]
        text = (
            "#!/bin/sh\n# Written by the keeper; 'edge board setup' writes it again.\n"
            f'exec {" ".join(shlex.quote(word) for word in words)} "$@"\n'
        )
        write_file(disk, layout.launchers / name, text.encode(), mode=0o755)

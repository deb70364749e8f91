"""`edge logs`: what the keeper on a board wrote down."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("logs", epilog="Example: edge logs porch --lines 20")(logs)


@verb
def logs(
    board: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the last lines.")] = 100,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the last lines of the keeper's log on a board."""
    from edge_sdk.deploy.inventory import FILE_NAME, find_board
    from edge_sdk.deploy.push import logs as read

    text = read(find_board(board, Path(FILE_NAME)), lines=lines)
    if json:
        print_json({"board": board, "lines": text.splitlines()})
        return
    sys.stdout.write(text)

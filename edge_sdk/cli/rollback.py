"""`edge rollback`: back to an earlier release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("rollback", epilog="Example: edge rollback porch")(rollback)


@verb
def rollback(
    board: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    to: Annotated[
        str | None, typer.Option(help="The release, as `edge status` names it; the one before by default.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Return a board to an earlier release; nothing is sent, the board has it still."""
    from edge_sdk.deploy.inventory import FILE_NAME, find_board
    from edge_sdk.deploy.push import rollback as go_back

    with progress(quiet=json) as report:
        result = go_back(find_board(board, Path(FILE_NAME)), to, progress=report)
    if json:
        print_json(result)
        return
    if result.get("changed"):
        stdout().print(f"{board}: release {result['release']} runs again; left: {result['previous']}")
    else:
        stdout().print(f"{board}: release {result['release']} runs already")

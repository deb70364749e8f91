"""`edge lab`: boards for people without hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Boards without hardware: SSH servers on this machine, each with its own disk, keys and Python.",
    )
    group.command("up", epilog="Example: [bold]edge lab up porch --runtime tflite-runtime[/bold]")(up)
    group.command("down", epilog="Example: [bold]edge lab down porch --remove[/bold]")(down)
    group.command("list", epilog="Example: [bold]edge lab list --json[/bold]")(list_boards)
    app.add_typer(group, name="lab")


@verb
def up(
    name: Annotated[str, typer.Argument(help="Name of the board, in boards.toml too.")] = "lab",
    *,
    runtime: Annotated[str, typer.Option(help="litert or tflite-runtime.")] = "litert",
    server: Annotated[str, typer.Option(help="auto, sshd or embedded (paramiko; needs no sshd).")] = "auto",
    python: Annotated[
        str | None, typer.Option(help="The board's Python: a path or a version; must suit the runtime.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Leave out `edge board setup`.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring a lab board up, enter it into boards.toml and set it up."""
    from edge_sdk.deploy.lab import lab_up

    with progress(quiet=json) as report:
        board = lab_up(name, runtime=runtime, server=server, python=python, progress=report)
        result = None
        if not bare:
            from edge_sdk.deploy.provision import setup

            result = setup(board, progress=report)
    if json:
        print_json({"board": board.to_dict(), "setup": None if result is None else result.to_dict()})
        return
    state = "is up, without keeper and runtime" if bare else "is up and ready"
    then = f"edge board setup {name}" if bare else f"edge push {name}"
    stdout().print(f"{name} {state}: {board.user}@{board.address}\nnext: [bold]{then}[/bold]")


@verb
def down(
    name: Annotated[str | None, typer.Argument(help="One board; all of them by default.")] = None,
    *,
    remove: Annotated[
        bool, typer.Option("--remove", help="Delete its folder and its entry in boards.toml too.")
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Stop lab boards and all that runs on them; `edge lab up` brings them back as they were."""
    from edge_sdk.deploy.lab import lab_down

    names = lab_down(name, remove=remove)
    if json:
        print_json({"down": names, "removed": remove})
        return
    act = "down and removed" if remove else "down"
    stdout().print("\n".join(f"{each} is {act}" for each in names) or "no lab boards here")


@verb
def list_boards(*, json: JsonOption = False, debug: DebugOption = False) -> None:
    """List lab boards and whether they run."""
    from edge_sdk.deploy.lab import lab_boards

    found = lab_boards()
    if json:
        print_json([board.to_dict() for board in found])
        return
    if not found:
        stdout().print("no lab boards here; make one: [bold]edge lab up[/bold]")
        return
    from rich.table import Table

    table = Table("board", "state", "address", "server", "runtime", "Python", box=None, pad_edge=False)
    for board in found:
        state = f"up (pid {board.pid})" if board.running else "down"
        table.add_row(board.name, state, board.address, board.server, board.runtime, _short(board.python))
    stdout().print(table)


def _short(path: str) -> str:
    home = str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path

"""`edge board`: the boards of this project."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stderr, stdout, verb

if TYPE_CHECKING:
    from edge_sdk.deploy.inventory import Board

#: Tried in this order where no key is named; the one found is written down, never searched again.
_USUAL_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_HOST_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ecdsa-sha2-nistp384")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="The boards of this project: add, set up, list, remove.")
    group.command("add", epilog="Example: edge board add porch pi@192.168.1.20 --target raspberry-pi-4")(add)
    group.command("setup", epilog="Example: edge board setup porch")(setup)
    group.command("list", epilog="Example: edge board list --json")(list_boards)
    group.command("remove", epilog="Example: edge board remove porch")(remove)
    app.add_typer(group, name="board")


@verb
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    address: Annotated[str, typer.Argument(help="USER@HOST or USER@HOST:PORT; local:FOLDER without SSH.")],
    *,
    target: Annotated[str, typer.Option(help="What it is: a name in `edge targets`, or a TOML file.")],
    key: Annotated[str | None, typer.Option(help="Private key for the login.")] = None,
    agent: Annotated[bool, typer.Option("--agent", help="Log in with the SSH agent's keys.")] = False,
    host_key: Annotated[
        str | None, typer.Option(help="The board's public key, or its SHA256:... fingerprint.")
    ] = None,
    accept_host_key: Annotated[
        bool, typer.Option("--accept-host-key", help="Pin whatever key the board shows now.")
    ] = False,
    root: Annotated[str, typer.Option(help="Folder on the board for edge.")] = "edge",
    python: Annotated[str, typer.Option(help="Python on the board.")] = "python3",
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a board into boards.toml and pin its host key.

    Without a host key the command shows the one that the board presents, and pins nothing: compare it
    with the board's own first.
    """
    import dataclasses

    from edge_sdk.deploy.inventory import FILE_NAME, Board, add_board, fingerprint, load_inventory
    from edge_sdk.deploy.inventory import parse_address as parse
    from edge_sdk.errors import ConfigError
    from edge_sdk.targets import load_target

    load_target(target)
    inventory = Path(FILE_NAME)
    if name in load_inventory(inventory):
        raise ConfigError(
            f"board {name!r} exists already in {inventory}", hint=f"edge board remove {name}, then add it"
        )
    if address.startswith("local:"):
        folder = address.removeprefix("local:")
        board = Board(name=name, host=folder, target=target, transport="local", root=root, python=python)
    else:
        user, host, port = parse(address)
        board = Board(
            name=name,
            host=host,
            port=port,
            user=user,
            target=target,
            key_file=key or (None if agent else _usual_key()),
            agent=agent,
            root=root,
            python=python,
        )
        command = f"edge board add {shlex.quote(name)} {shlex.quote(address)} --target {shlex.quote(target)}"
        if key:
            command += f" --key {shlex.quote(key)}"
        pinned = _host_key(board, host_key, accept=accept_host_key, command=command)
        board = dataclasses.replace(board, host_key=pinned)
    add_board(inventory, board)
    if json:
        print_json(board.to_dict())
        return
    console = stdout()
    console.print(
        f"{name} is in {inventory}: {board.user + '@' if board.user else ''}{board.address}, {target}"
    )
    if board.host_key:
        console.print(f"host key {fingerprint(board.host_key)}")
    console.print(f"next: [bold]edge board setup {name}[/bold]")


@verb
def setup(
    name: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Change the packages even if the current release then fails.")
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring the keeper and the TFLite runtime onto a board; it needs Python >= 3.10 and no internet."""
    from edge_sdk.deploy.inventory import FILE_NAME, find_board
    from edge_sdk.deploy.provision import setup as set_up

    board = find_board(name, Path(FILE_NAME))
    with progress(quiet=json) as report:
        result = set_up(board, force=force, progress=report)
    if json:
        print_json(result.to_dict())
        return
    facts = result.facts
    packages = ", ".join(
        f"{package} {version}" for package, version in sorted(_shown(result.packages).items())
    )
    console = stdout()
    console.print(
        f"{name} is ready" if result.changed else f"{name} was ready already",
        f"({result.seconds:.1f} s, {result.bytes_sent / 1e6:.1f} MB sent)",
    )
    console.print(
        f"board     {facts.model or '?'}, {facts.architecture}, {facts.system or '?'}", markup=False
    )
    console.print(f"Python    {facts.python}, glibc {facts.glibc}", markup=False)
    console.print(f"packages  {packages}", markup=False)
    console.print(f"next: [bold]edge push {name}[/bold]")


@verb
def list_boards(*, json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the boards in boards.toml; nothing is connected."""
    from edge_sdk.deploy.inventory import FILE_NAME, fingerprint, load_inventory

    boards = list(load_inventory(Path(FILE_NAME)).values())
    if json:
        print_json([board.to_dict() for board in boards])
        return
    if not boards:
        stdout().print(
            "no boards here; add one: [bold]edge board add NAME USER@HOST --target TARGET[/bold]\n"
            "without hardware: [bold]edge lab up[/bold]"
        )
        return
    from rich.table import Table

    table = Table("board", "address", "target", "host key", box=None, pad_edge=False)
    for board in boards:
        login = f"{board.user}@{board.address}" if board.user else board.address
        table.add_row(
            board.name, login, board.target, fingerprint(board.host_key) if board.host_key else "not pinned"
        )
    stdout().print(table)


@verb
def remove(
    name: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a board out of boards.toml; what is on the board stays there."""
    from edge_sdk.deploy.inventory import FILE_NAME, remove_board

    board = remove_board(Path(FILE_NAME), name)
    if json:
        print_json(board.to_dict())
        return
    stdout().print(f"{name} is out of {FILE_NAME}; what is on the board stays there")


def _host_key(board: Board, given: str | None, *, accept: bool, command: str) -> str:
    """Return the key to pin, "TYPE BASE64"."""
    from edge_sdk.deploy.inventory import fingerprint
    from edge_sdk.deploy.transport.ssh import SecureShell
    from edge_sdk.errors import ConfigError, HostKeyError

    if given is not None and accept:
        raise ConfigError("--host-key and --accept-host-key exclude each other")
    if given is not None and not given.strip().startswith("SHA256:"):
        fingerprint(given)
        return " ".join(given.split()[:2])
    shell = SecureShell(board, Path())
    shown = shell.shown_host_key()
    if given is None:
        if accept or _asked(board, fingerprint(shown)):
            return shown
        refusal = HostKeyError(board.name, address=board.address, expected=None, actual=fingerprint(shown))
        refusal.hint = (
            "compare it on the board (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then:\n"
            f"       {command} --host-key {fingerprint(shown)}"
        )
        raise refusal
    wanted = fingerprint(given)
    if fingerprint(shown) == wanted:
        return shown
    # The fingerprint may belong to another of the board's keys.
    for kind in _HOST_KEY_TYPES:
        other = shell.shown_host_key(kind)
        if fingerprint(other) == wanted:
            return other
    raise HostKeyError(board.name, address=board.address, expected=wanted, actual=fingerprint(shown))


def _asked(board: Board, shown: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    stderr().print(f"{board.name} ({board.address}) shows the host key {shown}", markup=False)
    stderr().print("compare it on the board: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", markup=False)
    return typer.confirm("Is it the same?", default=False, err=True)


def _usual_key() -> str | None:
    return next((path for path in _USUAL_KEYS if Path(path).expanduser().is_file()), None)


def _shown(packages: object) -> dict[str, str]:
    """Leave out what only other packages need."""
    wanted = ("ai-edge-litert", "tflite-runtime", "numpy", "pillow")
    items = dict(packages) if isinstance(packages, dict) else {}
    return {name: version for name, version in items.items() if name in wanted}

"""`edge status`: what is on a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status", epilog="Example: edge status porch --json")(status)


@verb
def status(
    board: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Let the board read every byte of its releases again.")
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show what runs on a board, what it can return to, and what the board is."""
    from edge_sdk.deploy.inventory import FILE_NAME, find_board
    from edge_sdk.deploy.push import status as ask

    found = ask(find_board(board, Path(FILE_NAME)), verify=verify)
    if json:
        print_json(found)
        return
    _show(found)


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    facts = found.get("facts") or {}
    environment = found.get("environment") or {}
    packages = (environment.get("report") or {}).get("packages") or {}
    console = stdout()
    rows = [
        ("board", f"{found['board']}: {facts.get('model') or '?'}, {facts.get('architecture')}"),
        ("system", f"{facts.get('system') or '?'}, Python {facts.get('python')}, glibc {facts.get('glibc')}"),
        ("disk", f"{(facts.get('free_bytes') or 0) / 1e9:.1f} GB free"),
        ("keeper", str(found.get("keeper"))),
        ("packages", ", ".join(f"{name} {packages[name]}" for name in sorted(packages)) or "none yet"),
        ("current", str(found.get("current") or "no release yet")),
        ("previous", str(found.get("previous") or "none to return to")),
    ]
    for name, value in rows:
        console.print(Text.assemble((f"{name:<10}", "bold"), value))
    for problem in found.get("problems") or []:
        console.print(Text.assemble(("problem   ", "bold red"), str(problem)))
    if found.get("busy"):
        console.print(Text.assemble(("busy      ", "bold"), f"somebody is changing it: {found['busy']}"))
    releases = found.get("releases") or []
    if releases:
        table = Table("", "release", "bundle", "version", "variant", "target", box=None, pad_edge=False)
        for release in releases:
            name = str(release.get("release"))
            table.add_row(
                "*" if name == found.get("current") else "",
                name,
                str(release.get("name") or "damaged"),
                str(release.get("version") or ""),
                str(release.get("variant") or ""),
                str(release.get("target") or ""),
            )
        console.print(table)

"""`edge targets`: what can be built for."""

from __future__ import annotations

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("targets", epilog="Example: edge targets --json")(targets)


@verb
def targets(*, json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the targets: boards, phones and this machine."""
    from edge_sdk.targets import load_target, target_names

    found = [load_target(name) for name in target_names()]
    if json:
        print_json([target.to_dict() for target in found])
        return
    from rich.table import Table

    table = Table("target", "what it is", "CPU", "runtime", "delegates in order", box=None, pad_edge=False)
    for target in found:
        runtime = target.runtime.name + (
            f" >= {target.runtime.minimum_version}" if target.runtime.minimum_version else ""
        )
        ladder = " > ".join(delegate.name for delegate in target.delegates) or "cpu"
        table.add_row(target.name, target.title, target.architecture, runtime, ladder)
    stdout().print(table)

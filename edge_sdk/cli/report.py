"""`edge report`: what a build found, as one page that opens offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, print_json, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report", epilog="Example: edge report build/digits --html digits.html")(report)


@verb
def report(
    build: Annotated[
        Path, typer.Argument(help="OUT/NAME that edge build wrote, or OUT/NAME.edge beside it.")
    ],
    *,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the JSON twin here; - prints it on stdout.")
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Write a build's report: one HTML file that needs no network, and its JSON twin."""
    from edge_sdk.errors import ConfigError
    from edge_sdk.validate.report.details import read_details
    from edge_sdk.validate.report.page import render_twin, write_page, write_twin
    from edge_sdk.validate.report.wording import size_text

    if html is None and json is None:
        raise ConfigError(
            "nothing to write is named", hint=f"edge report {build} --html report.html, or --json report.json"
        )
    details = read_details(build)
    # Talk goes to stderr where the document itself goes to stdout.
    written = []
    if html is not None:
        written.append((html, write_page(details, html)))
    if json is not None and str(json) == "-":
        print_json(render_twin(details))
    elif json is not None:
        written.append((json, write_twin(details, json)))
    for path, length in written:
        line = f"wrote {path} ({size_text(length)})"
        if json is not None and str(json) == "-":
            sys.stderr.write(line + "\n")
        else:
            stdout().print(line, markup=False)

"""The `edge` command: one table of verbs, one file a verb.

A verb's module is imported for every call (typer needs its options for `--help`), so it must stay
light: the library is imported inside the function that uses it.
"""

from __future__ import annotations

import importlib
import json
import sys

#: Verb modules in the order of `edge --help`: the order of the work.
VERBS: tuple[str, ...] = (
    "init",
    "inspect",
    "build",
    "optimize",
    "check",
    "verify",
    "report",
    "scaffold",
    "push",
    "run",
    "status",
    "rollback",
    "logs",
    "board",
    "lab",
    "targets",
    "recipes",
    "doctor",
)


def main() -> None:
    """Entry point of `edge`."""
    try:
        import typer
    except ImportError:
        from edge_sdk.errors import MissingExtraError

        error = MissingExtraError("typer", extra="host", purpose="run the edge command")
        if "--json" in sys.argv:
            json.dump(error.to_dict(), sys.stdout)
            sys.stdout.write("\n")
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)

    from edge_sdk.cli.console import root

    app = typer.Typer(
        name="edge",
        no_args_is_help=True,
        # Plain help: typer's rich help would load a Markdown parser and a highlighter, 0.2 s a call.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog="First time here: edge init MODEL, edge build, edge push BOARD.",
    )
    app.callback()(root)
    for verb in VERBS:
        importlib.import_module(f"edge_sdk.cli.{verb}").register(app)
    app()


if __name__ == "__main__":
    main()

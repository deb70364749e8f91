"""`edge scaffold` inside the test's own process: as a user calls it, without half a second for each start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scaffold.tiny import read_tree


@dataclass(frozen=True)
class Done:
    """What a command left behind.

    Attributes:
        code: Its exit code.
        out: What it printed on stdout.
        talk: What it printed on stderr.
        raw: The bytes on stdout; `out` has lost carriage returns.
    """

    code: int
    out: str
    talk: str
    raw: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return dict(json.loads(self.out))


def scaffold(*args: str | Path) -> Done:
    """Run `edge scaffold ARGS...`."""
    import typer
    from typer.testing import CliRunner

    from edge_sdk.cli import scaffold as verb

    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # so that "scaffold" stays a word of its own
    verb.register(app)
    found = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["scaffold", *map(str, args)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Done(found.exit_code, found.stdout, found.stderr, found.stdout_bytes)


def own_files(project: Path) -> dict[str, bytes]:
    """Return every file of a project but those of `.edge/`."""
    return {path: data for path, data in read_tree(project).items() if not path.startswith(".edge/")}

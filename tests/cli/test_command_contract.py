"""The promises that hold for every verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "paramiko", "ai_edge_litert", "litert_quantizer", "PIL", "numpy")


def edge(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `edge` as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *args],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environment},
        timeout=120,
    )


def command_lines() -> list[tuple[str, ...]]:
    """Return every command that there is, groups resolved, read from the program itself."""
    script = (
        "import importlib, json, typer\n"
        "from edge_sdk.cli.main import VERBS\n"
        "app = typer.Typer()\n"
        "for verb in VERBS: importlib.import_module(f'edge_sdk.cli.{verb}').register(app)\n"
        "command = typer.main.get_command(app)\n"
        "print(json.dumps([[name] if not getattr(sub, 'commands', None) else [name, inner]\n"
        "  for name, sub in command.commands.items()\n"
        "  for inner in (getattr(sub, 'commands', None) or [''])]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return [tuple(row) for row in json.loads(done.stdout)]


COMMANDS = command_lines()


def test_the_table_of_verbs_names_every_file_and_no_other() -> None:
    import edge_sdk.cli
    from edge_sdk.cli.main import VERBS

    files = {path.stem for path in Path(edge_sdk.cli.__file__).parent.glob("*.py")}
    assert files - {"__init__", "main", "console"} >= set(VERBS)
    assert {command[0] for command in COMMANDS} == set(VERBS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_shows_an_example_and_takes_json_and_debug(command: tuple[str, ...]) -> None:
    done = edge(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Example" in done.stdout
    assert "--json" in done.stdout
    assert "--debug" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_base_install_says_what_to_install() -> None:
    script = "import sys; sys.modules['typer'] = None; from edge_sdk.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--help", "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 8
    assert done.stderr.splitlines()[0] == "error: typer is not installed"
    assert "pip install 'edge-sdk[host]'" in done.stderr
    assert json.loads(done.stdout)["error"] == "MissingExtraError"


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['edge', '--help']\n"
        "from edge_sdk.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_version() -> None:
    from edge_sdk import __version__

    assert edge("--version").stdout == f"edge {__version__}\n"


def test_an_unknown_verb_is_a_usage_error_that_ends_with_2() -> None:
    done = edge("biuld")
    assert done.returncode == 2
    assert "No such command" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_errors_are_one_document_on_stdout() -> None:
    done = edge("inspect", "no-such-model", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["error"] == "ModelError"
    assert document["exit_code"] == 3
    assert "no-such-model" in document["what"]


def test_a_traceback_needs_debug() -> None:
    assert "Traceback" not in edge("inspect", "no-such-model").stderr
    assert "Traceback" in edge("inspect", "no-such-model", "--debug").stderr
    assert "Traceback" in edge("inspect", "no-such-model", EDGE_DEBUG="1").stderr

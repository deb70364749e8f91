"""`edge run`: one prediction on a board."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stdout, verb

_SHOWN_VALUES = 12


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run", epilog="Example: edge run porch --input cat.png")(run)


@verb
def run(
    board: Annotated[str, typer.Argument(help="A board in boards.toml.")],
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="FILE or NAME=FILE: a picture, a .npy, a .npz; once per input."),
    ] = None,
    values: Annotated[list[str] | None, typer.Option("--value", help="NAME=JSON; once per input.")] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Send inputs to a board, run its current release once, and print what it predicts."""
    from edge_sdk.deploy.inventory import FILE_NAME, find_board
    from edge_sdk.deploy.push import predict

    wishes = read_wishes(inputs or [], values or [])
    found = find_board(board, Path(FILE_NAME))
    with progress(quiet=json) as report:
        result = predict(found, wishes, progress=report)
    if json:
        print_json(result)
        return
    _show(result)


def read_wishes(inputs: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    """Return inputs by name: paths for files, plain data for values; "" is a model's only input.

    Raises:
        ConfigError: Nothing given, a file that is missing, a name twice, or a value that is not JSON.
    """
    from edge_sdk.errors import ConfigError

    wishes: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        if name in wishes:
            raise ConfigError(f"input {name!r} is given twice" if name else "two inputs without a name")
        wishes[name] = value

    for text in inputs:
        name, separator, rest = text.partition("=")
        path = Path(text)
        if separator and not path.is_file():
            path = Path(rest)
        else:
            name = ""
        if not path.is_file():
            raise ConfigError(f"{path} " + ("is not a file" if path.exists() else "does not exist"))
        put(name, path)
    for text in values:
        name, separator, rest = text.partition("=")
        try:
            put(name if separator else "", json_text.loads(rest if separator else text))
        except ValueError as failure:
            raise ConfigError(f"--value {text!r:.80} is not NAME=JSON", why=str(failure)) from failure
    if not wishes:
        raise ConfigError("nothing to run", hint="edge run BOARD --input FILE, or --value NAME=JSON")
    return wishes


def _show(result: dict[str, Any]) -> None:
    from rich.text import Text

    console = stdout()
    for name, output in (result.get("outputs") or {}).items():
        classes = _classes(output)
        if classes is None:
            console.print(Text.assemble((f"{name}: ", "bold"), _short(output)))
            continue
        for index, sample in enumerate(classes):
            heading = name if len(classes) == 1 else f"{name}[{index}]"
            console.print(Text(heading, "bold"))
            for item in sample:
                label = item.get("label") if item.get("label") is not None else item.get("index")
                # Top, left, bottom and right of a detection, as shares of the model's input.
                place = "".join(f"  {side:.3f}" for side in item.get("box", ()))
                console.print(Text(f"  {item.get('score'):8.4f}  {label}{place}"))
            if not sample:
                console.print(Text("  no class is above the threshold"))
    runtime = result.get("runtime") or {}
    latency = result.get("latency_ms")
    console.print(
        Text(
            f"{'?' if latency is None else f'{latency:.2f}'} ms on {result.get('board')}, "
            f"{runtime.get('name')} {runtime.get('version')}, delegate {result.get('delegate')}, "
            f"variant {result.get('variant')}, release {result.get('release')}"
        )
    )


def _classes(output: Any) -> list[list[dict[str, Any]]] | None:
    """Return the output if it is top-k classes per sample, else None."""
    if not isinstance(output, list) or not output:
        return None
    for sample in output:
        if not isinstance(sample, list) or any(
            not isinstance(item, dict) or "score" not in item for item in sample
        ):
            return None
    return output


def _short(output: Any) -> str:
    text = json_text.dumps(output)
    flat = text.count(",") + 1
    return text if flat <= _SHOWN_VALUES else f"{text[:160]}... ({flat:,} values; --json shows all)"

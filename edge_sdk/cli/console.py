"""What every verb shares: results on stdout, talk on stderr, errors as the contract says.

- `@verb` maps EdgeError to its exit code, Ctrl-C to 130, anything else to 1 (a traceback only with --debug).
- `Out` prints one result: a JSON document with --json, else what the verb draws.
- `progress()` shows steps: a live line where stderr is a terminal, one line a change where it is not.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from edge_sdk import __version__
from edge_sdk.errors import EdgeError
from edge_sdk.progress import Progress, Step

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", envvar="EDGE_DEBUG")
]


#: Width of tables where stdout is no terminal and COLUMNS says nothing.
PIPE_COLUMNS = 200


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"edge {__version__}\n")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """From a trained TensorFlow model to a checked bundle running on your devices."""


def stdout() -> Console:
    """Return a console for results."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    # A pipe has no width of its own, and names in a table must not be cut there: others read them.
    width = None if terminal or "COLUMNS" in os.environ else PIPE_COLUMNS
    return Console(file=sys.stdout, highlight=False, soft_wrap=not terminal, width=width)


def stderr() -> Console:
    """Return a console for talk, progress and errors."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def verb(function: F) -> F:
    """Wrap a verb so that every way out follows the command-line contract.

    The verb takes keyword parameters `json` (JsonOption) and `debug` (DebugOption).
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except EdgeError as error:
            if options.get("debug"):
                traceback.print_exc()
            if options.get("json"):
                print_json(error.to_dict())
            _print_error(error.what, error.why, error.hint)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted; nothing half-written was kept\n")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # `edge ... | head` closed the pipe: not an error of ours. Keep the interpreter's exit quiet too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as failure:
            if _is_usage_error(failure):
                raise
            if options.get("debug"):
                traceback.print_exc()
            what = f"unexpected failure: {type(failure).__name__}: {failure}"
            if options.get("json"):
                print_json(EdgeError(what).to_dict())
            _print_error(what, None, "run the same command with --debug and report what it prints")
            raise typer.Exit(1) from None

    return wrapped  # type: ignore[return-value]


def _is_usage_error(failure: Exception) -> bool:
    return hasattr(failure, "exit_code") and hasattr(failure, "format_message")


def _print_error(what: str, why: str | None, hint: str | None) -> None:
    from rich.text import Text

    console = stderr()
    # Not wrapped: what is to be typed next must be one line that can be copied.
    console.print(Text.assemble(("error: ", "bold red"), what), soft_wrap=True)
    if why:
        console.print(Text.assemble(("why:   ", "bold"), why), soft_wrap=True)
    if hint:
        console.print(Text.assemble(("try:   ", "bold green"), hint), soft_wrap=True)


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Show steps on stderr while the block runs.

    A terminal gets one live line per subject under way; anything else (a log file, CI) gets one plain
    line whenever the stage or message changes, and at most every five seconds for mere percentages.
    """
    if quiet:
        yield lambda step: None
    elif sys.stderr.isatty():
        with _live_progress() as report:
            yield report
    else:
        yield _plain_progress()


@contextlib.contextmanager
def _live_progress() -> Iterator[Progress]:
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    with Bars(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("[bold]{task.fields[stage]:<9}[/bold] {task.fields[subject]:<14} {task.description}"),
        BarColumn(bar_width=18),
        TimeElapsedColumn(),
        console=stderr(),
        transient=False,
    ) as bars:
        tasks: dict[tuple[str, str], Any] = {}

        def report(step: Step) -> None:
            key = (step.stage, step.subject)
            if key not in tasks:
                tasks[key] = bars.add_task("", total=None, stage=step.stage, subject=step.subject)
            if step.fraction is None:
                bars.update(tasks[key], description=step.message)
            else:
                bars.update(tasks[key], description=step.message, total=1.0, completed=step.fraction)

        try:
            yield report
        finally:
            for task in tasks.values():
                bars.stop_task(task)


def _plain_progress() -> Progress:
    last: dict[tuple[str, str], tuple[str, float]] = {}

    def report(step: Step) -> None:
        key, now = (step.stage, step.subject), time.monotonic()
        message, when = last.get(key, ("", 0.0))
        if step.message == message and now - when < 5 and step.fraction != 1.0:
            return
        last[key] = (step.message, now)
        share = "" if step.fraction is None else f" {step.fraction:4.0%}"
        subject = f" {step.subject}" if step.subject else ""
        sys.stderr.write(f"{step.stage}{subject}: {step.message}{share}\n")
        sys.stderr.flush()

    return report

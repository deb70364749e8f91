"""`edge push`: a bundle onto boards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stderr, stdout, verb

if TYPE_CHECKING:
    from edge_sdk.configuration import Configuration
    from edge_sdk.deploy.inventory import Board
    from edge_sdk.deploy.plan import Plan
    from edge_sdk.deploy.push import PushResult
    from edge_sdk.progress import Progress


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("push", epilog="Example: edge push porch --bundle build/digits.edge")(push)


@verb
def push(
    boards: Annotated[
        list[str] | None, typer.Argument(help="Boards in boards.toml; those of edge.toml by default.")
    ] = None,
    *,
    bundle: Annotated[
        Path | None, typer.Option(help="A .edge file; by default what edge.toml builds, or build/*.edge.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="Run this variant instead of the one picked for the target.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and stop.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring a bundle onto boards; each tries it first and keeps the old release if it fails.

    Only what a board lacks is sent. What edge.toml builds is built first where it is stale.
    """
    from edge_sdk.configuration import find_configuration

    configuration = find_configuration()
    chosen = _boards(boards or [], configuration)
    with progress(quiet=json) as report:
        path = bundle or _bundle(configuration, chosen, report)
        outcome: list[Any] = []
        failures: list[dict[str, Any]] = []
        for board in chosen:
            try:
                outcome.append(_one(path, board, variant, report, dry_run=dry_run, quiet=json))
            except Exception as failure:
                failures.append(_failed(board, failure, alone=len(chosen) == 1))
    if failures:
        _refuse(outcome, failures, total=len(chosen))
    if json:
        key = "plans" if dry_run else "results"
        print_json({"bundle": str(path), key: [item.to_dict() for item in outcome]})
        return
    for item in outcome:
        if not dry_run:
            _show(item)


def _one(
    path: Path, board: Board, variant: str | None, report: Progress, *, dry_run: bool, quiet: bool
) -> Any:
    from edge_sdk.deploy.push import preview
    from edge_sdk.deploy.push import push as push_to

    if dry_run:
        plan = preview(path, board, variant=variant, progress=report)
        if not quiet:
            _show_plan(plan, stdout())
        return plan
    return push_to(
        path,
        board,
        variant=variant,
        show=(lambda plan: None) if quiet else (lambda plan: _show_plan(plan, stderr())),
        progress=report,
    )


def _failed(board: Board, failure: Exception, *, alone: bool) -> dict[str, Any]:
    from edge_sdk.errors import EdgeError

    # One board alone speaks for itself; of several, each gets its turn whatever became of the others.
    if alone or not isinstance(failure, EdgeError):
        raise failure
    text = f"{board.name}: {failure}".replace("\n", "\n  ")
    stderr().print(text, markup=False)
    return {"board": board.name, **failure.to_dict()}


def _refuse(done: list[Any], failures: list[dict[str, Any]], *, total: int) -> None:
    from edge_sdk.errors import RolloutError

    names = ", ".join(str(failure["board"]) for failure in failures)
    raise RolloutError(
        f"{len(failures)} of {total} boards failed: {names}",
        why="; ".join(f"{failure['board']}: {failure['what']}" for failure in failures),
        hint=f"when the causes are gone: edge push {names.replace(',', '')}",
        results=[item.to_dict() for item in done],
        failures=failures,
    )


def _boards(names: list[str], configuration: Configuration) -> list[Board]:
    from edge_sdk.deploy.inventory import FILE_NAME, find_board, load_inventory
    from edge_sdk.errors import ConfigError

    inventory = Path(FILE_NAME)
    wanted = list(dict.fromkeys(names or configuration.push.boards))
    if wanted:
        return [find_board(name, inventory) for name in wanted]
    known = load_inventory(inventory)
    if len(known) == 1:
        return list(known.values())
    if known:
        raise ConfigError(
            "which board?", why=f"{inventory} has: {', '.join(known)}", hint=f"edge push {next(iter(known))}"
        )
    raise ConfigError(
        f"{inventory} has no boards",
        hint="edge board add NAME USER@HOST --target TARGET, or without hardware: edge lab up",
    )


def _bundle(configuration: Configuration, boards: list[Board], report: Progress) -> Path:
    """Return the bundle to push: what edge.toml builds, else the only one in the build folder."""
    from edge_sdk.errors import ConfigError

    if configuration.model.path is not None:
        return _built(configuration, boards, report)
    folder = Path(configuration.build.out or "build")
    found = sorted(folder.glob("*.edge"))
    if len(found) == 1:
        return found[0]
    raise ConfigError(
        "which bundle?" if found else f"there is no bundle in {folder}",
        why=f"{folder} has: {', '.join(path.name for path in found)}" if found else None,
        hint=f"edge push --bundle {found[0]}" if found else "edge build MODEL, or name one: --bundle FILE",
    )


def _built(configuration: Configuration, boards: list[Board], report: Progress) -> Path:
    from edge_sdk.errors import GateError
    from edge_sdk.pipeline.build import build_configured

    # Where edge.toml names no target, the boards say what to build for.
    targets = configuration.build.targets or tuple(dict.fromkeys(board.target for board in boards))
    result = build_configured(configuration, progress=report, targets=targets)
    if result.bundle is None:
        raise GateError(
            f"no variant of {result.name} passed its checks, so there is nothing to push",
            why="; ".join(reason for variant in result.variants for reason in variant.reasons)
            or "; ".join(f"{failure.recipe}: {failure.cause}" for failure in result.failures)
            or None,
            hint="edge build shows the table",
        )
    if not result.ok:
        stderr().print(
            "not every variant passed its checks (edge build shows which); a passing one is pushed"
        )
    return result.bundle


def _show_plan(plan: Plan, console: Any) -> None:
    from rich.text import Text

    state = (
        "runs already" if plan.up_to_date else f"replaces {plan.current}" if plan.current else "is the first"
    )
    console.print(
        Text.assemble(
            (plan.board, "bold"),
            f": {plan.bundle} {plan.version}, variant ",
            (plan.variant, "bold"),
            f" for {plan.target or 'no target'}; {state}",
        )
    )
    if plan.code:
        console.print(Text("  the keeper's code is brought up to date"))
    for file in plan.files:
        act = f"send {_size(file.size):>9}" if file.send else "on the board  "
        console.print(Text(f"  {act}  {file.name}"))


def _show(result: PushResult) -> None:
    from rich.text import Text

    console = stdout()
    act = "now runs" if result.changed else "runs already"
    console.print(
        Text.assemble(
            (result.board, "bold"),
            f": release {result.release} {act}",
            f" ({_size(result.bytes_sent)} sent, {result.seconds:.1f} s)",
        )
    )
    trial = result.trial
    if trial:
        runtime = trial.get("runtime") or {}
        error, latency = trial.get("max_abs_error"), trial.get("latency_ms")
        console.print(
            Text(
                f"  trial on the board: {trial.get('cases')} golden cases passed, "
                f"max error {'?' if error is None else f'{error:.2g}'}, "
                f"{'?' if latency is None else f'{latency:.2f}'} ms, "
                f"{runtime.get('name')} {runtime.get('version')}, delegate {trial.get('delegate')}"
            )
        )
    if result.changed and result.previous:
        console.print(Text(f"  before: {result.previous}; back with: edge rollback {result.board}"))


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.1f} kB"

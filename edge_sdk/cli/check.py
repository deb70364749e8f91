"""`edge check`: will it work, before it is shipped? One verb, three questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, verb

#: Exit code where something was found that must not ship.
NOT_MET = 4


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "check",
        epilog="Examples: edge check model.keras --calibration photos/ ; "
        "edge check build/digits.edge --target raspberry-pi-5 ; "
        "edge check build/digits.edge --against last/digits.edge",
    )(check)


@verb
def check(
    subject: Annotated[
        str | None,
        typer.Argument(help="A model with --calibration, else a .edge bundle. Default: edge.toml's model."),
    ] = None,
    *,
    calibration: Annotated[
        str | None, typer.Option(help="Examine these calibration samples for the model.")
    ] = None,
    evaluation: Annotated[
        str | None, typer.Option(help="With --calibration: what the model is meant for, to compare with.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", help="Will the bundle run there? Repeat for several. Default: its own."
        ),
    ] = None,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove/--no-prove",
            help="Run the bundle in the target's own runtime version (fetched from PyPI).",
        ),
    ] = True,
    against: Annotated[
        Path | None, typer.Option(help="Compare the bundle with this one: is anything worse?")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file. Default: edge.toml, if any.")] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check calibration data, a bundle's fit for its targets, or a bundle against the last release."""
    from edge_sdk.configuration import find_configuration
    from edge_sdk.errors import ConfigError

    if calibration is not None and (target or against):
        raise ConfigError(
            "--calibration examines data for a model; --target and --against look at a bundle",
            hint="run edge check twice",
        )
    if calibration is not None:
        from edge_sdk.cli.checks.calibration import check as check_calibration

        model = subject if subject is not None else find_configuration(config).model.path
        if model is None:
            raise ConfigError("no model is named", hint="edge check MODEL --calibration DATA")
        good = check_calibration(model, calibration, evaluation, config, json)
    elif subject is None:
        raise ConfigError(
            "nothing to check is named",
            hint="edge check BUNDLE.edge --target T, or edge check MODEL --calibration DATA",
        )
    elif against is not None:
        if target:
            raise ConfigError("--target and --against are two checks", hint="run edge check twice")
        from edge_sdk.cli.checks.against import check as check_against

        good = check_against(Path(subject), against, json=json)
    else:
        if _is_model(subject):
            raise ConfigError(
                f"{subject} is a model, and there is nothing to check it with",
                hint=f"edge check {subject} --calibration DATA, or edge check a .edge bundle",
            )
        from edge_sdk.cli.checks.compatibility import check as check_compatibility

        good = check_compatibility(Path(subject), target or (), prove, json)
    if not good:
        raise typer.Exit(NOT_MET)


def _is_model(subject: str) -> bool:
    from edge_sdk.errors import EdgeError
    from edge_sdk.model.load import open_model

    try:
        return open_model(subject, check=False).kind != "bundle"
    except EdgeError:
        return False

"""`edge check MODEL --calibration DATA`: can these samples calibrate this model?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.cli.console import print_json, progress, stdout

if TYPE_CHECKING:
    from rich.console import Console

    from edge_sdk.validate.calibration.report import CalibrationReport

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
#: Layers shown: those that lose most.
_LAYERS = 5
#: A loss below this is no news.
_LOST_DB = 3.0


def check(model: str, calibration: str, evaluation: str | None, config: Path | None, json: bool) -> bool:
    """Examine calibration data, print what is found, and return whether no error is among it.

    Args:
        model: The source model.
        calibration: .npz, folder of pictures, or module:function.
        evaluation: What the model is meant for; the configured data where None.
        config: Settings file; `edge.toml` where there is one.
        json: Print one document instead of a table.

    Raises:
        EdgeError: As `edge_sdk.pipeline.check_calibration.check_calibration`.
    """
    from edge_sdk.configuration import find_configuration
    from edge_sdk.pipeline.check_calibration import check_calibration

    with progress(quiet=json) as report:
        found = check_calibration(
            model,
            calibration,
            evaluation=evaluation,
            configuration=find_configuration(config),
            progress=report,
        )
    good = not found.errors
    if json:
        print_json({"good": good, "model": model, "calibration": calibration, **found.to_dict()})
    else:
        _show(found, calibration)
    return good


def _show(found: CalibrationReport, calibration: str) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    against = "" if found.evaluation_samples is None else f", {found.evaluation_samples:,} to compare with"
    console.print(Text(f"{calibration}: {found.samples:,} samples{against}"))
    if found.findings:
        console.print()
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
        table.add_column("level", no_wrap=True)
        table.add_column("code", no_wrap=True)
        table.add_column("what was found, and what to do", overflow="fold")
        for finding in found.findings:
            text = Text(finding.what)
            if finding.hint:
                text.append(f"\ntry: {finding.hint}", style="dim")
            table.add_row(Text(finding.level, _STYLES.get(finding.level, "")), finding.code, text)
        console.print(table)
    _show_layers(console, found)
    for sentence in found.not_checked:
        console.print(Text(f"not checked: {sentence}", style="dim"))
    console.print()
    if found.errors:
        count = len(found.errors)
        console.print(
            Text.assemble(
                ("not fit for calibration", "bold red"),
                f": {count} {'error' if count == 1 else 'errors'}; every variant calibrated on this data "
                "would be rejected",
            )
        )
    else:
        console.print(Text.assemble(("fit for calibration", "bold green"), ": no error was found"))


def _show_layers(console: Console, found: CalibrationReport) -> None:
    from rich.table import Table
    from rich.text import Text

    rows = [row for row in found.layers if (row.lost_db or 0.0) >= _LOST_DB][:_LAYERS]
    if not rows:
        return
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
    table.add_column("activation", overflow="ellipsis", no_wrap=True, max_width=44)
    for title in ("calibrated", "evaluation", "cut off", "lost"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(row.name.partition(";")[0]),
            f"{row.low:.4g}..{row.high:.4g}",
            f"{row.evaluation_low or 0.0:.4g}..{row.evaluation_high or 0.0:.4g}",
            f"{row.clipped or 0.0:.1%}",
            f"{row.lost_db or 0.0:.0f} dB",
        )
    console.print(table)

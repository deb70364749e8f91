"""`edge check NEW.edge --against OLD.edge`: is this release worse than the last one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_sdk.cli.console import print_json, progress, stdout

_RUNS = 60
_LIMIT_SECONDS = 600.0
_STYLES = {"worse": "bold red", "changed": "yellow", "same": "dim", "better": "green"}


def check(new: Path, old: Path, *, json: bool) -> bool:
    """Compare two bundles, print what is different, and return whether nothing is worse.

    Args:
        new: The bundle that is to be shipped.
        old: The last release.
        json: Print one document instead of a table.

    Raises:
        BundleError: One of them cannot be read.
    """
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.validate.regression import WORSE, compare_manifests, runnable_picks

    with Bundle.open(new) as opened:
        opened.verify()
        after = opened.manifest
    with Bundle.open(old) as opened:
        opened.verify()
        before = opened.manifest
    differences = compare_manifests(before, after)
    pair = runnable_picks(before, after)
    same_inputs = before.contract.signature.inputs == after.contract.signature.inputs
    answers: dict[str, Any] | None = None
    if pair is not None and same_inputs and before.variant(pair[0]).golden is not None:
        answers = _answers(old, new, pair, quiet=json)
    good = all(item.verdict != WORSE for item in differences)
    if json:
        print_json(
            {
                "passed": good,
                "old": str(old),
                "new": str(new),
                "differences": [item.to_dict() for item in differences],
                "answers": answers,
            }
        )
        return good
    _show(differences, answers, before.version, after.version)
    return good


def _answers(old: Path, new: Path, pair: tuple[str, str], *, quiet: bool) -> dict[str, Any]:
    import tempfile

    from edge_sdk.convert.worker import attempt_in_worker

    with tempfile.TemporaryDirectory(prefix="edge-check-") as scratch, progress(quiet=quiet) as report:
        result = attempt_in_worker(
            "edge_sdk.validate.regression:compare_answers",
            {
                "old": str(old.absolute()),
                "new": str(new.absolute()),
                "old_variant": pair[0],
                "new_variant": pair[1],
                "runs": _RUNS,
            },
            timeout_seconds=_LIMIT_SECONDS,
            log=Path(scratch) / "compare.log",
            progress=report,
        )
    if result.failure is not None:
        return {"failed": result.failure.cause}
    return result.value or {}


def _show(differences: Any, answers: dict[str, Any] | None, old: str, new: str) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in ("what", f"old ({old})", f"new ({new})", "verdict"):
        table.add_column(title, overflow="fold")
    for item in differences:
        table.add_row(
            Text(item.what), Text(item.old), Text(item.new), Text(item.verdict, _STYLES[item.verdict])
        )
    console.print(table)
    if answers is not None and "failed" in answers:
        console.print(Text(f"the two were not run side by side: {answers['failed']}"), style="yellow")
    elif answers is not None:
        worst = ", ".join(
            f"{name} {'another shape' if value is None else f'{value:.3g}'}"
            for name, value in answers["max_abs_difference"].items()
        )
        console.print(
            Text(
                f"on {answers['cases']} golden inputs of the old one, largest difference: {worst}; "
                f"median {answers['old_ms']:.3g} ms then, {answers['new_ms']:.3g} ms now, "
                "in turns on this machine"
            )
        )
    for item in differences:
        if item.why:
            console.print(Text.assemble(("worse ", "bold red"), f"{item.what}: {item.why}"))
    if all(item.verdict != "worse" for item in differences):
        console.print(Text("nothing is worse than in the old bundle", "bold green"))

"""`edge build`: convert, quantize, validate, pick, pack."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stderr, stdout, verb

if TYPE_CHECKING:
    from rich.table import Table

    from edge_sdk.pipeline.result import BuildResult, VariantReport

#: Exit code where a guard fired, a recipe failed, or a target got no variant.
NOT_MET = 4
#: Whose size the others are compared with.
FLOAT_RECIPES = ("float32", "as_is", "coreml_float32")
#: The comparison fits into so many columns.
TABLE_COLUMNS = 100


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "build",
        epilog="Example: edge build digits_model --calibration calibration.npz --evaluation evaluation.npz",
    )(build)


@verb
def build(
    model: Annotated[
        str | None,
        typer.Argument(help="SavedModel folder, .keras, .h5, .tflite, or module:function; else edge.toml's."),
    ] = None,
    *,
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Target; repeat for several. Default: host.")
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option("--recipe", "-r", help="Recipe; repeat for several. Default: the targets' own."),
    ] = None,
    calibration: Annotated[
        str | None, typer.Option(help="Samples for int8: .npz, image folder, or module:function.")
    ] = None,
    evaluation: Annotated[
        str | None, typer.Option(help="Samples to compare on, with labels (y) for accuracy.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="How answers are judged: top1, top5, mse, iou... or module:function.")
    ] = None,
    max_metric_drop: Annotated[
        float | None, typer.Option(help="Budget: most of the metric that may be lost, e.g. 0.01.")
    ] = None,
    min_agreement: Annotated[
        float | None, typer.Option(help="Budget: lowest agreement with the source model, 0 to 1.")
    ] = None,
    max_size: Annotated[int | None, typer.Option(help="Budget: largest file, in bytes.")] = None,
    max_p99_ms: Annotated[
        float | None, typer.Option(help="Budget: highest 99th percentile of the latency measured here.")
    ] = None,
    max_peak_memory: Annotated[
        int | None, typer.Option(help="Budget: highest peak memory measured here, in bytes.")
    ] = None,
    min_delegate_coverage: Annotated[
        float | None, typer.Option(help="Budget: lowest predicted share of the target's delegate, 0 to 1.")
    ] = None,
    pick: Annotated[
        bool, typer.Option("--pick", help="Pick by measured latency too, not by size alone.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Keep the worst layers in float until the budget holds.")
    ] = False,
    prove: Annotated[
        bool | None,
        typer.Option(
            "--prove/--no-prove",
            help="Run variants in the target's own runtime version. Default: where it is not the host's.",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write the verdicts as JUnit XML.")] = None,
    deployment_target: Annotated[
        str | None, typer.Option(help="Oldest system for Core ML: iOS15 to iOS26. Default: the target's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results. Default: build.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the bundle. Default: the model's.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the bundle. Default: 0.1.0.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file. Default: edge.toml, if any.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads for measuring latency.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds that one step may take.")] = None,
    select_tf_ops: Annotated[
        bool, typer.Option("--select-tf-ops", help="Allow operators that need the Flex delegate.")
    ] = False,
    custom_op: Annotated[
        list[str] | None, typer.Option(help="Library with custom operators; repeat for several.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every step again.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Convert and quantize a model, compare every variant with it, and pack a bundle."""
    from edge_sdk.configuration import find_configuration
    from edge_sdk.pipeline.build import build_configured
    from edge_sdk.pipeline.junit import write_junit

    configuration = find_configuration(config)
    limits: dict[str, Any] = {
        "max_metric_drop": max_metric_drop,
        "min_agreement": min_agreement,
        "max_size_bytes": max_size,
        "max_p99_ms": max_p99_ms,
        "max_peak_memory_bytes": max_peak_memory,
        "min_delegate_coverage": min_delegate_coverage,
    }
    given = {limit: value for limit, value in limits.items() if value is not None}
    with progress() as report:
        result = build_configured(
            configuration,
            model,
            targets=target or None,
            recipes=recipe or None,
            calibration=calibration,
            evaluation=evaluation,
            out=out,
            name=name,
            version=version,
            metric=metric,
            budget=dataclasses.replace(configuration.budget, **given) if given else None,
            coreml=dataclasses.replace(configuration.coreml, deployment_target=deployment_target)
            if deployment_target
            else None,
            pick="measured" if pick else None,
            repair=repair or None,
            prove=prove,
            threads=threads,
            timeout_seconds=timeout,
            select_tf_ops=select_tf_ops or None,
            custom_ops=custom_op or None,
            fresh=fresh or None,
            progress=report,
        )
    if junit is not None:
        write_junit(result, junit)
    if json:
        print_json(result.to_dict())
    else:
        show(result)
    if not result.ok:
        raise typer.Exit(NOT_MET)


def show(result: BuildResult) -> None:
    """Draw the table, what went wrong, and what to type next."""
    from rich.text import Text

    from edge_sdk.pipeline.result import DATA_TITLES

    console = stdout()
    if not console.is_terminal:
        # A log file has no width of its own; the table must not be cut there.
        console.width = max(console.width, TABLE_COLUMNS)
    if result.variants:
        console.print(comparison(result))
    console.print(
        Text(f"compared with the source model on {result.samples:,} samples: {DATA_TITLES[result.data]}"),
        style="dim",
    )
    for note in result.notes:
        console.print(Text(note), style="dim")
    for skipped, reason in result.skipped.items():
        console.print(Text(f"left out {skipped}: {reason}"), style="dim")
    for finding in (result.calibration or {}).get("findings", ()):
        if finding["level"] != "note":
            style = "bold red" if finding["level"] == "error" else "yellow"
            console.print(Text.assemble((f"{finding['level']} {finding['code']}: ", style), finding["what"]))
            console.print(Text(f"         try: {finding['hint']}"))
    for report in result.variants:
        for reason in report.reasons:
            if reason.startswith("calibration: CALIBRATION-"):
                reason = reason[: reason.index(": ", len("calibration: "))]  # what it means stands above
            console.print(Text.assemble((f"{report.verdict} ", "bold red"), f"{report.id}: {reason}"))
    for failure in result.failures:
        console.print(
            Text.assemble(("failed   ", "bold red"), f"{failure.recipe} in {failure.stage}: {failure.cause}")
        )
        if failure.hint:
            console.print(Text(f"         try: {failure.hint}"))
    if result.bundle is None:
        stderr().print(Text("no bundle was written: no variant passed that a target could get", "bold red"))
        return
    console.print()
    for target, identifier in result.picks.items():
        if identifier is not None:
            console.print(Text.assemble("picked ", (identifier, "bold green"), f" for {target}"))
    console.print(Text.assemble("bundle ", (str(result.bundle), "bold")))
    console.print(Text(f"sha256 {result.bundle_sha256}"))
    following = [f"edge report {result.bundle.with_suffix('')} --html report.html", *_ways_out(result.bundle)]
    for first, command in zip(("next:  ", *[" then: "] * len(following)), following, strict=False):
        console.print(Text.assemble(first, (command, "bold")), soft_wrap=True)
    if not result.ok:
        stderr().print(
            Text("not everything that was asked for passed; the bundle holds only what did", "bold yellow")
        )


def _ways_out(bundle: Path) -> list[str]:
    """Return the commands that bring a bundle to what it was built for."""
    from edge_sdk.bundle.archive import Bundle

    with Bundle.open(bundle) as opened:
        plans = [plan for plan in opened.manifest.targets.values() if plan.variants]
    boards = ["edge push BOARD"] if any(plan.platform == "linux" for plan in plans) else []
    # An app for iOS runs Core ML packages; a .tflite for iOS goes into an app of the user's own.
    phones = {
        plan.platform
        for plan in plans
        if plan.platform == "android" or (plan.platform == "ios" and plan.runtime.name == "coreml")
    }
    return boards + [
        f"edge scaffold {phone} {shlex.quote(str(bundle))} --out {shlex.quote(f'{bundle.stem}-{phone}')}"
        for phone in sorted(phones)
    ]


def comparison(result: BuildResult) -> Table:
    """Return the comparison table, at most 100 columns wide."""
    from rich.table import Table
    from rich.text import Text

    metric = next((item.metric_name for item in result.variants if item.metric_name), None)
    of_metric = any(item.metric_interval for item in result.variants)
    quality = [metric or "metric", "±95 %", "agree"] if of_metric else [metric or "metric", "agree", "±95 %"]
    titles = ("size", *quality, "SNR dB", "p50/p90/p99 ms", "memory")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold underline")
    table.add_column("recipe", no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    base = next((item.size_bytes for item in result.variants if item.recipe in FLOAT_RECIPES), None)
    for item in result.variants:
        picked = item.id == result.picked
        table.add_row(
            Text(item.id, "bold green" if picked else ""),
            _size(item.size_bytes, base),
            *_quality(item, of_metric=of_metric),
            _number(item.snr_db, ".1f"),
            _latency(item),
            "-" if item.peak_memory_bytes is None else f"{item.peak_memory_bytes / 1e6:.0f} MB",
            Text("picked" if picked else item.verdict, "green" if item.passed else "bold red"),
        )
    return table


def _size(size: int, base: int | None) -> str:
    amount = f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
    return amount if not base else f"{amount} x{size / base:.2f}"


def _metric(item: VariantReport) -> str:
    if item.metric is None:
        return "-"
    drop = "" if item.metric_drop is None else f" ({-item.metric_drop or 0.0:+.3f})"
    return f"{item.metric:.3f}{drop}"


def _quality(item: VariantReport, *, of_metric: bool) -> list[str]:
    """Return metric and agreement, and behind the one that it is of how far the 95 % interval reaches."""
    agreement = _number(item.agreement, ".1%")
    if of_metric:
        return [_metric(item), _reach(item.metric, item.metric_interval), agreement]
    return [_metric(item), agreement, _reach(item.agreement, item.agreement_interval)]


def _reach(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{max(value - interval[0], interval[1] - value):.3f}"


def _latency(item: VariantReport) -> str:
    if item.latency_ms is None:
        return "-"
    return "/".join(_milliseconds(item.latency_ms[name]) for name in ("p50", "p90", "p99"))


def _milliseconds(value: float) -> str:
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

"""`edge optimize`: prune, cluster or train for quantization, with advice before the effort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stderr, stdout, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from edge_sdk.pipeline.advice import Advice, Numbers, OptimizeResult


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "optimize",
        epilog="Example: edge optimize digits.keras --method prune --method qat --train train.npz "
        "--evaluation test.npz",
    )(optimize)


@verb
def optimize(
    model: Annotated[
        str | None, typer.Argument(help=".keras, .h5, or module:function; else edge.toml's.")
    ] = None,
    *,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="prune, cluster or qat; repeat to combine. Default: prune."),
    ] = None,
    train: Annotated[
        str | None, typer.Option(help="Training data: .npz with y, image folder, or module:function.")
    ] = None,
    evaluation: Annotated[
        str | None, typer.Option(help="Data to measure on. Default: a tenth of the training data.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result. Default: optimized.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the result. Default: the model's, and how.")
    ] = None,
    advice: Annotated[
        bool, typer.Option("--advice", help="Only say what it would give; no training.")
    ] = False,
    initial_sparsity: Annotated[
        float | None, typer.Option(help="Share of zeros that pruning starts with. Default: 0.5.")
    ] = None,
    final_sparsity: Annotated[
        float | None, typer.Option("--final-sparsity", "--sparsity", help="Share of zeros. Default: 0.8.")
    ] = None,
    begin_step: Annotated[int | None, typer.Option(help="First batch that prunes. Default: 0.")] = None,
    end_step: Annotated[
        int | None, typer.Option(help="Last batch that prunes. Default: two thirds of all.")
    ] = None,
    frequency: Annotated[int | None, typer.Option(help="Batches between two prunings.")] = None,
    clusters: Annotated[int | None, typer.Option(help="Values a kernel may have. Default: 16.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of each method. Default: 4.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples of one step. Default: 64.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Default: 0.001 for prune, 0.0001 for cluster and qat.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="auto, crossentropy, mse, or teacher (needs no labels).")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="Layer to leave as it is; repeat for several.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file. Default: edge.toml, if any.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train from the start; do not go on with a stopped training.")
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Prune, cluster or train a Keras model for int8, and show what that gave.

    Stopped with Ctrl-C, the same command goes on after the last whole epoch.
    """
    from edge_sdk.configuration import find_configuration
    from edge_sdk.errors import ConfigError
    from edge_sdk.optimize.plan import Clustering, Pruning, TrainingPlan
    from edge_sdk.pipeline import optimizing

    configuration = find_configuration(config)
    source = model if model is not None else configuration.model.path
    if source is None:
        raise ConfigError("no model is named", hint="edge optimize MODEL --train DATA")
    if train is None:
        raise ConfigError(
            "no training data is named",
            why="the weights change, so they must be trained on real samples",
            hint="--train DATA: a .npz with arrays named after the inputs plus y, a folder of pictures, or "
            "module:function",
        )
    plan = TrainingPlan(
        methods=tuple(method or ("prune",)),
        prune=Pruning(
            **_given(
                initial_sparsity=_initial(initial_sparsity, final_sparsity),
                final_sparsity=final_sparsity,
                begin_step=begin_step,
                end_step=end_step,
                frequency=frequency,
            )
        ),
        cluster=Clustering(**_given(clusters=clusters)),
        skip=tuple(skip or ()),
        **_given(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, loss=loss),
    )
    try:
        with progress() as report:
            result = optimizing.optimize(
                source,
                plan,
                train=train,
                evaluation=evaluation if evaluation is not None else configuration.build.evaluation,
                out=out or optimizing.DEFAULT_OUT,
                name=name,
                advice_only=advice,
                inputs=configuration.input,
                outputs=configuration.output,
                labels=configuration.labels,
                fresh=fresh,
                told=None if json or advice else _tell,
                progress=report,
            )
    except KeyboardInterrupt:
        stderr().print("\nstopped; the same command goes on after the last whole epoch", highlight=False)
        raise
    if json:
        print_json(result.to_dict())
        return
    if result.output is None:
        show_advice(result.advice)
    else:
        show(result)


def _given(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _initial(initial: float | None, final: float | None) -> float | None:
    """A low final sparsity alone is no contradiction to the default start."""
    if initial is None and final is not None and final < 0.5:
        return 0.0
    return initial


def _tell(advice: Advice) -> None:
    """Print the advice: before a training on stderr, because it is no result yet."""
    from rich.text import Text

    console = stderr()
    for sentence in advice.sentences:
        console.print(Text.assemble(("advice: ", "bold"), sentence))


def show_advice(advice: Advice) -> None:
    """Print what a training would give, as the result of `--advice`."""
    from rich.text import Text

    console = stdout()
    table = _table(advice.now)
    for label, numbers in advice.now.items():
        table.add_row(f"{label} now", *_row(numbers))
        if label in advice.predicted:
            table.add_row(f"{label} predicted", *_row(advice.predicted[label], numbers))
    console.print(table)
    for sentence in advice.sentences:
        console.print(Text(sentence))
    console.print(Text(f"measured on {advice.measured_on} data; latencies in turns, one thread"), style="dim")


def show(result: OptimizeResult) -> None:
    """Print what changed."""
    from rich.text import Text

    console = stdout()
    table = _table(result.before)
    for label in result.before:
        table.add_row(f"{label} before", *_row(result.before[label]))
        table.add_row(f"{label} after", *_row(result.after[label], result.before[label]))
    console.print(table)
    training = result.training
    for stage in training.get("stages", ()):
        parts = [f"{len(stage['layers'])} layers"]
        if stage["sparsity"] is not None:
            parts.append(f"{stage['sparsity']:.1%} zeros")
        if stage["clusters"] is not None:
            parts.append(f"at most {stage['clusters']} values a kernel")
        if stage["metric"] is not None:
            parts.append(f"{training['metric_name']} {stage['metric']:.4f} in TensorFlow")
        console.print(Text(f"{stage['method']}: " + ", ".join(parts)), style="dim")
        if stage["left_as_they_are"] and stage["method"] == "qat":
            left = ", ".join(stage["left_as_they_are"][:8])
            console.print(Text(f"  not trained for int8 (no 8-bit scheme, or skipped): {left}"), style="dim")
    if training.get("resumed_from"):
        console.print(Text(f"went on after {training['resumed_from']}"), style="dim")
    console.print(Text(f"measured on {result.measured_on} data; latencies in turns, one thread"), style="dim")
    console.print()
    console.print(Text.assemble("model   ", (str(result.output), "bold")))
    console.print(Text(f"summary {result.summary}"))
    console.print(Text.assemble("next:  ", (f"edge build {result.output}", "bold"), " with the same data"))


def _table(rows: Mapping[str, Numbers]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
    table.add_column("variant", no_wrap=True)
    metric = next((item.metric_name for item in rows.values() if item.metric_name), None)
    for title in ("size", "gzip", "zeros", metric or "metric", "p50 ms"):
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _row(numbers: Numbers, base: Numbers | None = None) -> tuple[str, ...]:
    from edge_sdk.pipeline.advice import size

    share = "" if base is None else f" x{numbers.gzip_bytes / base.gzip_bytes:.2f}"
    return (
        size(numbers.bytes),
        size(numbers.gzip_bytes) + share,
        "-" if numbers.zeros is None else f"{numbers.zeros:.1%}",
        "-" if numbers.metric is None else f"{numbers.metric:.4f}",
        "-" if numbers.latency_ms is None else f"{numbers.latency_ms:.3f}",
    )

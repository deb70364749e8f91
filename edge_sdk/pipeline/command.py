"""The command that repeats a build: what a report names beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.configuration import Budget, MetricSection

_LIMITS = {
    "max_metric_drop": "--max-metric-drop",
    "min_agreement": "--min-agreement",
    "max_size_bytes": "--max-size",
    "max_p99_ms": "--max-p99-ms",
    "max_peak_memory_bytes": "--max-peak-memory",
    "min_delegate_coverage": "--min-delegate-coverage",
}


def repeat_command(
    model: str | Path,
    *,
    targets: Sequence[str],
    recipes: Sequence[str],
    options: Mapping[str, Any],
    metric: MetricSection,
    budget: Budget,
    flags: Mapping[str, bool],
) -> list[str]:
    """Return the words of an `edge build` that does the same.

    Preprocessing, labels, and a metric's outputs and options have no options of their own: they are in the
    folder's edge.toml.

    Args:
        model: As it was given.
        targets: Names or paths.
        recipes: Names or paths; empty for the targets' own.
        options: Value by option name ("calibration"); None is left out.
        metric: How answers are judged.
        budget: Limits.
        flags: Options without a value, by name.
    """
    words = ["edge", "build", str(model)]
    for target in targets:
        words += ["--target", target]
    for recipe in recipes:
        words += ["--recipe", recipe]
    for name, value in {**options, "metric": metric.name}.items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for limit, value in budget.as_numbers().items():
        words += [_LIMITS[limit], f"{value:.15g}"]
    return words + [f"--{name}" for name, chosen in flags.items() if chosen]

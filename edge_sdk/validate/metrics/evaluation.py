"""Scores both models and finds what a report shows: intervals, confusion, the worst samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Contract
from edge_sdk.errors import ConfigError
from edge_sdk.validate.facts import ConfusedPair, Confusion, WorstSample
from edge_sdk.validate.metrics.classes import TopClasses
from edge_sdk.validate.metrics.intervals import interval, paired_intervals
from edge_sdk.validate.metrics.metric import Array, Metric, Score, is_real
from edge_sdk.validate.metrics.outputs import best_class, is_class_like, rounded, rounded_number
from edge_sdk.validate.metrics.table import make_metric, read_labels

MOST_CLASSES = 100
MOST_PAIRS = 50
MOST_WORST = 12


def check(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Score the source model alone, so that a metric that cannot work is found before any variant is made.

    Args:
        arguments: metric, contract (`Contract.to_dict()`), labels (.npy or None) and reference (.npz), as
            for `edge_sdk.validate.compare:evaluate`.

    Returns:
        {"name": None} where nothing can be measured, else {"name", "value", "interval", "higher_is_better",
        "outputs"} of the source model.

    Raises:
        ConfigError: The metric or its labels do not fit, or the user's metric fails.
    """
    contract = Contract.from_dict(arguments["contract"])
    with np.load(arguments["reference"], allow_pickle=False) as archive:
        stored = {name: archive[name] for name in archive.files}
    reference = {spec.name: stored[spec.name] for spec in contract.signature.outputs if spec.name in stored}
    metric = make_metric(
        arguments.get("metric"),
        labels=read_labels(arguments["labels"]) if arguments.get("labels") else None,
        reference=reference,
        class_names=contract.labels,
    )
    if metric is None or not _usable(metric, reference, reference):
        return {"name": None}
    score = _score_reference(metric, reference)
    count = len(next(iter(reference.values())))
    return {
        "name": metric.name,
        "value": rounded(score.value),
        "interval": _pair(interval(score, count, metric.bounds)),
        "higher_is_better": metric.higher_is_better,
        "outputs": list(metric.uses),
    }


def metric_facts(
    metric: Metric | None, reference: Mapping[str, Array], answers: Mapping[str, Array]
) -> dict[str, Any]:
    """Return the fields of `VariantFacts` that are about labels.

    Args:
        metric: Bound to labels; None where there are none, then only `worst` is found, against the source.
        reference: The source model's answers by output name.
        answers: The variant's.

    Raises:
        ConfigError: The metric gives no finite number for the source model's answers.
    """
    if metric is None or not _usable(metric, reference, answers):
        return {"worst": _furthest(reference, answers)}
    count = len(next(iter(reference.values())))
    before, after = _score_reference(metric, reference), metric.score(answers)
    if not math.isfinite(after.value):
        return {"worst": _furthest(reference, answers)}
    first, second = (before, after) if metric.higher_is_better else (after, before)
    first_interval, second_interval, drop = paired_intervals(first, second, count, metric.bounds)
    own, source = (second_interval, first_interval) if first is before else (first_interval, second_interval)
    facts: dict[str, Any] = {
        "metric_name": metric.name,
        "metric": rounded(after.value),
        "reference_metric": rounded(before.value),
        "metric_interval": _pair(own),
        "reference_metric_interval": _pair(source),
        "metric_drop_interval": _pair(drop),
        "metric_higher_is_better": metric.higher_is_better,
        "worst": _worst(metric, reference, answers, before, after),
    }
    if isinstance(metric, TopClasses):
        facts["confusion"] = confusion(metric, answers)
    return facts


def confusion(metric: TopClasses, answers: Mapping[str, Array]) -> Confusion:
    """Count predicted classes by label."""
    classes, predicted = metric.classes(answers), metric.best(answers)
    codes, counts = np.unique(metric.labels * classes + predicted, return_counts=True)
    rows, columns = codes // classes, codes % classes
    wrong = np.flatnonzero(rows != columns)
    ordered = sorted(wrong, key=lambda index: (-counts[index], codes[index]))[:MOST_PAIRS]
    table = np.zeros((classes, classes) if classes <= MOST_CLASSES else (0, 0), np.int64)
    if classes <= MOST_CLASSES:
        table[rows, columns] = counts
    return Confusion(
        classes=classes,
        output=metric.output,
        counts=tuple(tuple(int(cell) for cell in row) for row in table),
        pairs=tuple(
            ConfusedPair(label=int(rows[index]), predicted=int(columns[index]), count=int(counts[index]))
            for index in ordered
        ),
    )


def _score_reference(metric: Metric, reference: Mapping[str, Array]) -> Score:
    score = metric.score(reference)
    if not math.isfinite(score.value):
        raise ConfigError(
            f"the metric {metric.name!r} gives {score.value} for the source model's answers",
            why="a number that is not finite cannot be compared",
            metric=metric.name,
        )
    return score


def _usable(metric: Metric, reference: Mapping[str, Array], answers: Mapping[str, Array]) -> bool:
    """Tell whether there is anything to score; the guards say what is wrong where there is not."""
    return all(
        name in answers
        and answers[name].shape == reference[name].shape
        and all(
            values.dtype.kind != "f" or bool(np.isfinite(values).all())
            for values in (reference[name], answers[name])
        )
        for name in metric.uses
    )


def _worst(
    metric: Metric,
    reference: Mapping[str, Array],
    answers: Mapping[str, Array],
    before: Score,
    after: Score,
) -> tuple[WorstSample, ...]:
    errors = metric.errors(answers, after, before)
    if errors is None or before.per_sample is None or after.per_sample is None:
        return _furthest(reference, answers)
    lost = before.per_sample - after.per_sample
    lost = lost if metric.higher_is_better else -lost
    # First what the variant broke, then what both get wrong.
    order = np.lexsort((np.arange(len(errors)), -errors, lost <= 0))
    chosen = [int(index) for index in order if errors[index] > 0][:MOST_WORST]
    return tuple(
        WorstSample(
            index=index,
            label=metric.label(index),
            reference=metric.describe(reference, before, index),
            given=metric.describe(answers, after, index),
            error=rounded_number(float(errors[index])),
        )
        for index in chosen
    )


def _furthest(reference: Mapping[str, Array], answers: Mapping[str, Array]) -> tuple[WorstSample, ...]:
    """Return the samples whose answers are furthest from the source model's; another class counts first."""
    found: list[tuple[bool, float, WorstSample]] = []
    for name, want in reference.items():
        got = answers.get(name)
        if got is None or got.shape != want.shape or not (is_real(want) and is_real(got)) or not want.size:
            continue
        distance = np.abs(want.astype(np.float64) - got.astype(np.float64)).reshape(len(want), -1).max(axis=1)
        if not np.isfinite(distance).all():
            continue
        classes = (best_class(want), best_class(got)) if is_class_like(want) else None
        for index in np.lexsort((np.arange(len(distance)), -distance)):
            other = classes is not None and classes[0][index] != classes[1][index]
            sample = WorstSample(
                index=int(index),
                reference=int(classes[0][index]) if classes else None,
                given=int(classes[1][index]) if classes else None,
                error=rounded_number(float(distance[index])),
            )
            if sample.error > 0:
                found.append((other, sample.error, sample))
    found.sort(key=lambda entry: (not entry[0], -entry[1], entry[2].index))
    seen: dict[int, WorstSample] = {}
    for _, _, sample in found:
        seen.setdefault(sample.index, sample)
    return tuple(seen.values())[:MOST_WORST]


def _pair(found: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if found is None else (rounded_number(found[0]), rounded_number(found[1]))

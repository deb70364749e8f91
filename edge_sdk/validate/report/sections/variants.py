"""Variants side by side: the Pareto plot and the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.charts import Axis
from edge_sdk.validate.report.details import fields, interval, number, text
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, chooser, section, table
from edge_sdk.validate.report.scatter import BAD, Point, scatter


@dataclass(frozen=True)
class Measure:
    """One number of a variant that can be an axis.

    Attributes:
        name: Short, for the choice.
        title: Of the axis, with its unit.
        read: From a variant.
        write: A value as text.
        higher: More is better.
        interval: Field of the variant with the interval, or "".
        within: Values beyond these do not exist.
    """

    name: str
    title: str
    read: Callable[[Mapping[str, Any]], float | None]
    write: Callable[[float], str]
    higher: bool = False
    interval: str = ""
    within: tuple[float, float] | None = None


def measures(reading: Reading) -> tuple[list[Measure], list[Measure]]:
    """Return what can be the horizontal axis (costs) and the vertical one (quality)."""
    costs = [
        Measure("size", "file size", lambda item: number(item.get("size_bytes")), wording.size_text),
        Measure(
            "latency",
            "median latency on this machine, ms",
            lambda item: number(fields(item.get("latency_ms")).get("p50")),
            lambda value: f"{value:.4g}",
        ),
        Measure(
            "memory",
            "peak memory of the process",
            lambda item: number(item.get("peak_memory_bytes")),
            wording.size_text,
        ),
    ]
    name, higher = reading.metric_name, reading.higher_is_better
    quality = [
        Measure(
            "agreement",
            "agreement with the source model",
            lambda item: number(item.get("agreement")),
            lambda value: f"{value * 100:.4g} %",
            True,
            "agreement_interval",
            (0.0, 1.0),
        )
    ]
    if name is not None:
        share = wording.is_share(name)
        quality.insert(
            0,
            Measure(
                name,
                f"{name} ({'higher' if higher else 'lower'} is better)",
                lambda item: number(item.get("metric")),
                (lambda value: f"{value * 100:.4g} %") if share else (lambda value: f"{value:.4g}"),
                higher,
                "metric_interval",
                (0.0, 1.0) if share else None,
            ),
        )
    return costs, quality


def pareto_front(reading: Reading, cost: Measure, quality: Measure) -> list[str]:
    """Return ids of passed variants that no other one beats: none costs less and is at least as good."""
    known = []
    for item in reading.variants:
        x, y = cost.read(item), quality.read(item)
        if item.get("verdict") == "passed" and x is not None and y is not None:
            known.append((str(item["id"]), x, y if quality.higher else -y))
    return [
        name
        for name, x, y in known
        if not any((a <= x and b >= y) and (a < x or b > y) for other, a, b in known if other != name)
    ]


def tradeoffs(reading: Reading) -> Markup:
    """Return the section with the Pareto plots."""
    costs, qualities = measures(reading)
    pairs = [(cost, qualities[0]) for cost in costs]
    pairs.append((costs[1], costs[0]))
    if len(qualities) > 1:
        pairs.append((costs[0], qualities[1]))
    panels = [
        (f"{cost.name} and {quality.name}", plot)
        for cost, quality in pairs
        if (plot := _plot(reading, cost, quality)) is not None
    ]
    if not panels:
        return section(
            "tradeoffs", "Trade-offs", wording.missing("There are no two numbers of a variant to plot.")
        )
    return section(
        "tradeoffs",
        "Trade-offs",
        chooser("axes", "Axes", panels),
        tag(
            "p",
            "The stepped line joins the variants that no other passed one beats on both axes. Vertical lines "
            "are 95 % intervals; where they overlap, the difference may be chance. A ring marks a pick, a "
            "cross a rejected variant.",
            class_="quiet",
        ),
        reading.trace("variants", "build"),
    )


def _plot(reading: Reading, cost: Measure, quality: Measure) -> Markup | None:
    front = set(pareto_front(reading, cost, quality))
    points = []
    for item in reading.variants:
        x, y = cost.read(item), quality.read(item)
        if x is not None and y is not None:
            found = interval(item.get(quality.interval)) if quality.interval else None
            points.append(Point(str(item["id"]), x, y, found, reading.kind(item), item["id"] in front))
    if not points:
        return None
    points = _kept_on_scale(points, quality)
    reach = [point.y for point in points] + [end for point in points for end in point.interval or ()]
    across = Axis.around(cost.title, [point.x for point in points], cost.write, zero=True)
    up = Axis.around(quality.title, reach, quality.write, zero=not quality.interval, within=quality.within)
    best = ", ".join(sorted(front)) or "none"
    described = "; ".join(
        f"{item['id']} {cost.write(x)}, {quality.write(y)}"
        for item in reading.variants
        if (x := cost.read(item)) is not None and (y := quality.read(item)) is not None
    )
    return scatter(
        points,
        across,
        up,
        name=f"{quality.name} against {cost.name}",
        description=f"{len(points)} variants. Not beaten by any other: {best}. {described}.",
    )


def _kept_on_scale(points: list[Point], quality: Measure) -> list[Point]:
    """Return the points with rejected ones moved to the edge where they would squeeze the others together."""
    good = [
        value for point in points if point.kind not in BAD for value in (point.y, *(point.interval or ()))
    ]
    if len(good) < 2:
        return points
    low, high = min(good), max(good)
    # The span of the good ones once more on either side is where a rejected one still fits in.
    room = high - low or abs(high) * 0.05 or 1.0
    moved = []
    for point in points:
        y = min(max(point.y, low - room), high + room)
        if point.kind in BAD and y != point.y:
            way = "below" if point.y < y else "above"
            told = f"{point.name}, off the scale {way}: {quality.write(point.y)}"
            point = dataclasses.replace(point, name=told, y=low if way == "below" else high, interval=None)
        moved.append(point)
    return moved


def variants(reading: Reading) -> Markup:
    """Return the section with the table."""
    if not reading.variants:
        return section("variants", "Variants", wording.missing("The build tells of no variant."))
    metric = reading.metric_name
    head = ["variant", "verdict", "size", metric or "metric", "change", "agreement", "SNR, dB", "max error"]
    head += ["p50 / p90 / p99, ms", "peak memory"]
    rows = [_row(reading, item) for item in reading.variants]
    reference = next(
        (v for item in reading.variants if (v := number(item.get("reference_metric"))) is not None), None
    )
    return section(
        "variants",
        "Variants",
        None
        if reference is None
        else tag("p", f"The source model's {metric} is {wording.metric_text(reference, metric)}."),
        table(head, rows, name="Variants and what was measured", right=range(2, len(head))),
        tag(
            "p",
            "Under a number is its 95 % confidence interval over the samples; the change's is paired: both "
            "models on the same samples. SNR and max error are of the worst output.",
            class_="quiet",
        ),
        reading.trace("variants", "build", "bench"),
    )


def _row(reading: Reading, item: Mapping[str, Any]) -> list[Content]:
    name, metric, kind = str(item["id"]), text(item.get("metric_name")), reading.kind(item)
    size, base = number(item.get("size_bytes")), reading.base_size()
    drop, latency = number(item.get("metric_drop")), fields(item.get("latency_ms"))
    lost = interval(item.get("metric_drop_interval"))
    times = [number(latency.get(key)) for key in ("p50", "p90", "p99")]
    recipe = text(item.get("recipe"))
    return [
        (name, tag("span", f" {recipe}", class_="quiet") if recipe and recipe != name else None),
        tag(
            "span",
            kind,
            class_=f"badge {'bad' if kind in BAD else 'good' if kind == 'picked' else 'plain'}",
        ),
        (
            wording.size(size),
            tag("span", f" x{size / base:.2f}", class_="quiet") if size is not None and base else None,
        ),
        (
            wording.metric(number(item.get("metric")), metric),
            _below(interval(item.get("metric_interval")), metric),
        ),
        (
            wording.NONE if drop is None else wording.change_text(drop, metric),
            None if lost is None else tag("span", _change(lost, metric), class_="below"),
        ),
        (
            wording.percent(number(item.get("agreement"))),
            _below(interval(item.get("agreement_interval")), "agreement"),
        ),
        wording.plain(number(item.get("snr_db"))),
        wording.plain(number(item.get("max_abs_error"))),
        wording.NONE
        if None in times
        else " / ".join(wording.milliseconds_text(value or 0.0) for value in times),
        wording.size(number(item.get("peak_memory_bytes"))),
    ]


def _below(found: tuple[float, float] | None, metric: str | None) -> Markup | None:
    return None if found is None else tag("span", wording.between(found, metric), class_="below")


def _change(lost: tuple[float, float], metric: str | None) -> str:
    low, high = -lost[1] + 0.0, -lost[0] + 0.0
    if wording.is_share(metric):
        return f"{low * 100:+.1f} to {high * 100:+.1f}"
    return f"{low:+.3g} to {high:+.3g}"

"""The scatter plot: variants by two numbers, with intervals, names and the front."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.validate.report.charts import Axis, down
from edge_sdk.validate.report.markup import Markup, tag

PLOT_HEIGHT = 280
#: Kinds of variants that no target gets.
BAD = ("rejected", "unverified")
_LABEL_HEIGHT = 15
#: Of a letter, and of a plot between a phone's and a desk's, in pixels: for telling what would overlap.
_LETTER_WIDTH, _USUAL_WIDTH = 6.8, 460
#: Longer names would not fit beside their points.
_LONGEST_NAME = 34


@dataclass(frozen=True)
class Point:
    """One point of a scatter plot.

    Attributes:
        name: Written beside it.
        x: Value on the horizontal axis.
        y: Value on the vertical axis.
        interval: Of y, or None.
        kind: "picked", "passed", or one of `BAD`.
        front: No other point is better on one axis and as good on the other.
    """

    name: str
    x: float
    y: float
    interval: tuple[float, float] | None
    kind: str
    front: bool


def scatter(points: Sequence[Point], across: Axis, up: Axis, *, name: str, description: str) -> Markup:
    """Return a scatter plot with intervals, names beside the points, and the front as a stepped line."""
    rows = [
        tag("line", x1="0", x2="100%", y1=f"{down(up, tick)}%", y2=f"{down(up, tick)}%", class_="grid")
        for tick in up.ticks
    ]
    columns = [
        tag(
            "line", x1=f"{across.place(tick)}%", x2=f"{across.place(tick)}%", y1="0", y2="100%", class_="grid"
        )
        for tick in across.ticks
    ]
    left = [
        tag("text", up.write(tick), x="100%", dx=-8, y=f"{down(up, tick)}%", dy=4, text_anchor="end")
        for tick in up.ticks
    ]
    below = [
        tag(
            "text",
            across.write(tick),
            x=f"{across.place(tick)}%",
            y=16,
            text_anchor="end" if across.place(tick) > 92 else "middle",
            # A phone has no room for every one.
            class_="second" if index % 2 else None,
        )
        for index, tick in enumerate(across.ticks)
    ]
    return tag(
        "div",
        tag("p", up.title, class_="axis-title"),
        tag("svg", left, class_="axis-y", height=PLOT_HEIGHT, aria_hidden="true"),
        tag(
            "svg",
            tag("title", name),
            tag("desc", description),
            rows,
            columns,
            _front(points, across, up),
            _names(points, across, up),
            [_point(point, across, up) for point in points],
            class_="area",
            height=PLOT_HEIGHT,
            role="img",
            aria_label=f"{name}. {description}",
        ),
        tag("svg", below, class_="axis-x", height=22, aria_hidden="true"),
        tag("p", across.title, class_="axis-title across"),
        class_="plot",
    )


def _front(points: Sequence[Point], across: Axis, up: Axis) -> list[Markup]:
    front = sorted((point for point in points if point.front), key=lambda point: point.x)
    lines = []
    for one, other in itertools.pairwise(front):
        corner = {"x": f"{across.place(other.x)}%", "y": f"{down(up, one.y)}%"}
        lines.append(
            tag(
                "line",
                x1=f"{across.place(one.x)}%",
                y1=corner["y"],
                x2=corner["x"],
                y2=corner["y"],
                class_="front",
            )
        )
        lines.append(
            tag(
                "line",
                x1=corner["x"],
                y1=corner["y"],
                x2=corner["x"],
                y2=f"{down(up, other.y)}%",
                class_="front",
            )
        )
    return lines


def _point(point: Point, across: Axis, up: Axis) -> Markup:
    x, y = f"{across.place(point.x)}%", f"{down(up, point.y)}%"
    parts = [tag("title", f"{point.name}: {across.write(point.x)}, {up.write(point.y)}")]
    if point.interval is not None:
        low, high = (f"{down(up, value)}%" for value in point.interval)
        parts.append(tag("line", x1=x, x2=x, y1=low, y2=high, class_="whisker"))
    if point.kind in BAD:
        # A cross drawn by a nested drawing: lines take no mixture of percent and pixels.
        cross = tag("path", d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5", class_="cross")
        parts.append(tag("svg", cross, x=x, y=y, width=1, height=1, overflow="visible"))
    else:
        if point.kind == "picked":
            parts.append(tag("circle", cx=x, cy=y, r=9, class_="ring"))
        parts.append(
            tag("circle", cx=x, cy=y, r=5, class_=f"dot {point.kind}{' best' if point.front else ''}")
        )
    return tag("g", parts)


def _names(points: Sequence[Point], across: Axis, up: Axis) -> list[Markup]:
    """Write the names where they cover neither another name nor another point, as far as there is room."""
    placed: list[tuple[float, float, float]] = []
    marks = [(across.place(point.x), down(up, point.y) / 100 * PLOT_HEIGHT) for point in points]
    drawn = []
    for point in sorted(points, key=lambda point: (down(up, point.y), point.x)):
        x, wanted = across.place(point.x), down(up, point.y) / 100 * PLOT_HEIGHT
        name = point.name if len(point.name) <= _LONGEST_NAME else point.name[: _LONGEST_NAME - 1] + "\u2026"
        width = (len(name) * _LETTER_WIDTH + 16) / _USUAL_WIDTH * 100
        right = x <= 55
        start, end = (x + 1, x + width) if right else (x - width, x - 1)

        def blocked(y: float, start: float = start, end: float = end) -> bool:
            return any(
                start < other_end and other_start < end and abs(y - taken) < _LABEL_HEIGHT
                for other_start, other_end, taken in placed
            ) or any(start < mark < end and abs(y - level) < _LABEL_HEIGHT - 5 for mark, level in marks)

        offsets = sorted((step for step in range(-PLOT_HEIGHT, PLOT_HEIGHT)), key=abs)
        free = (wanted + offset for offset in offsets if 6 <= wanted + offset <= PLOT_HEIGHT - 6)
        y = next((level for level in free if not blocked(level)), wanted)
        placed.append((start, end, y))
        if abs(y - wanted) > 6:
            drawn.append(
                tag("line", x1=f"{x}%", x2=f"{x}%", y1=round(wanted, 1), y2=round(y, 1), class_="leader")
            )
        drawn.append(
            tag(
                "text",
                name,
                x=f"{x}%",
                y=round(y, 1),
                dx=12 if right else -12,
                dy=4,
                text_anchor="start" if right else "end",
                class_=f"name {point.kind}",
            )
        )
    return drawn

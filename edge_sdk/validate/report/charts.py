"""Charts as inline SVG.

Positions are percentages of the plot, so a chart fits any width and its text stays the size of the page's.
Every chart has a name and a description that say the same as the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.validate.report.markup import Content, Markup, tag


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows and where values lie.

    Attributes:
        title: With the unit.
        low: Value at the start.
        high: Value at the end.
        write: How a tick is written.
    """

    title: str
    low: float
    high: float
    write: Callable[[float], str]

    @classmethod
    def around(
        cls,
        title: str,
        values: Sequence[float],
        write: Callable[[float], str],
        *,
        zero: bool = False,
        within: tuple[float, float] | None = None,
    ) -> Axis:
        """Return an axis with round ends around values.

        Args:
            title: With the unit.
            values: At least one.
            write: How a tick is written.
            zero: Start at 0.
            within: Values beyond these do not exist (0 to 1 for a share).
        """
        low, high = min(values), max(values)
        if zero:
            low = min(low, 0.0)
        if high - low < 1e-12 + 1e-6 * abs(high):
            pad = abs(high) * 0.1 or 1.0
            low, high = (low if zero else low - pad), high + pad
        step = _step(high - low)
        low, high = math.floor(low / step) * step, math.ceil(high / step + 0.15) * step
        if within is not None and within[0] <= min(values) and max(values) <= within[1]:
            low, high = max(low, within[0]), min(high, within[1])
        return cls(title, low, high, write)

    def place(self, value: float) -> float:
        """Return where a value lies, in percent of the axis."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 3)

    @property
    def ticks(self) -> list[float]:
        """Round values along the axis."""
        step = _step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def _step(span: float) -> float:
    raw = span / 4
    scale = 10.0 ** math.floor(math.log10(raw))
    return scale * next(step for step in (1, 2, 2.5, 5, 10) if step * scale >= raw * 0.999)


def down(axis: Axis, value: float) -> float:
    """Return where a value lies on an upright axis, in percent from its top."""
    return round(100.0 - axis.place(value), 3)


def bar(share: float, told: Content, kind: str = "") -> Markup:
    """Return a bar for a table's cell, with its number beside it.

    Args:
        share: Of the cell's width, 0 to 1.
        told: The number, in words.
        kind: "good", "bad", "quiet" or "".
    """
    width = round(100 * min(1.0, max(0.0, share)), 2)
    drawn = tag(
        "svg",
        tag("rect", x=0, y=0, width="100%", height=10, class_="rail"),
        tag("rect", x=0, y=0, width=f"{width}%", height=10, class_=f"fill {kind}".strip()),
        class_="bar",
        height=10,
        aria_hidden="true",
    )
    return tag("div", drawn, tag("span", told), class_="barred")


def stack(parts: Sequence[tuple[str, float]], longest: float, *, name: str) -> Markup:
    """Return a stacked bar.

    Args:
        parts: (class of the colour, amount), in order.
        longest: Amount that fills the width.
        name: What a screen reader says.
    """
    start, drawn = 0.0, []
    for kind, amount in parts:
        width = max(0.0, 100 * amount / longest) if longest > 0 else 0.0
        drawn.append(
            tag("rect", x=f"{start:.3f}%", y=0, width=f"{width:.3f}%", height=16, class_=f"part {kind}")
        )
        start += width
    return tag("svg", drawn, class_="bar", height=16, role="img", aria_label=name)


def histogram(edges: Sequence[float], main: Sequence[float], other: Sequence[float], *, name: str) -> Markup:
    """Return two distributions over the same bins: `main` filled, `other` as an outline.

    Args:
        edges: One more than there are bins, rising.
        main: Share of the values in each bin.
        other: The same for another set, or nothing.
        name: What a screen reader says.
    """
    height, span = 120, (edges[-1] - edges[0]) or 1.0
    highest = max([*main, *other, 1e-12])
    places = [100 * (edge - edges[0]) / span for edge in edges]
    bins = [
        tag(
            "rect",
            tag("title", f"{low:.4g} to {high:.4g}: {share:.1%}"),
            x=f"{places[index]:.3f}%",
            width=f"{max(0.1, places[index + 1] - places[index]):.3f}%",
            y=round(height * (1 - share / highest), 2),
            height=round(height * share / highest, 2),
            class_="bin",
        )
        for index, (share, low, high) in enumerate(zip(main, edges, edges[1:], strict=False))
    ]
    outline, before = [], float(height)
    for index, share in enumerate(other):
        y = round(height * (1 - share / highest), 2)
        left, right = f"{places[index]:.3f}%", f"{places[index + 1]:.3f}%"
        outline.append(tag("line", x1=left, x2=left, y1=before, y2=y, class_="outline"))
        outline.append(tag("line", x1=left, x2=right, y1=y, y2=y, class_="outline"))
        before = y
    if other:
        outline.append(tag("line", x1="100%", x2="100%", y1=before, y2=height, class_="outline"))
    axis = Axis("", edges[0], edges[-1], lambda value: f"{value:.4g}") if edges[-1] > edges[0] else None
    ticks = [] if axis is None else axis.ticks
    assert axis is not None or not ticks
    return tag(
        "div",
        tag("p", f"share of the values; the highest bin holds {highest:.1%}", class_="axis-title"),
        tag(
            "svg",
            bins,
            outline,
            tag("line", x1="0", x2="100%", y1=height, y2=height, class_="base"),
            [
                tag(
                    "text",
                    axis.write(tick),
                    x=f"{axis.place(tick)}%",
                    y=height + 16,
                    text_anchor="start"
                    if axis.place(tick) < 4
                    else "end"
                    if axis.place(tick) > 96
                    else "middle",
                )
                for tick in ticks
                if axis is not None
            ],
            class_="wide",
            height=height + 22,
            role="img",
            aria_label=name,
        ),
        class_="histogram",
    )


def profile(values: Sequence[float | None], *, name: str, unit: str) -> Markup:
    """Return a line over the order of layers; a gap where there is no value.

    Args:
        values: One a layer.
        name: What a screen reader says.
        unit: Of the values.
    """
    known = [value for value in values if value is not None]
    axis = Axis.around(unit, known, lambda value: f"{value:.4g}", zero=True)
    last = max(1, len(values) - 1)
    path, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{1000 * index / last:.1f} {1.4 * (100 - axis.place(value)):.1f}")
        pen = "L"
    line = tag("path", d="".join(path), class_="curve")
    height = 140
    return tag(
        "div",
        tag("p", unit, class_="axis-title"),
        tag(
            "svg",
            [
                tag("text", axis.write(t), x="100%", dx=-8, dy=4, y=f"{down(axis, t)}%", text_anchor="end")
                for t in axis.ticks
            ],
            class_="axis-y",
            height=height,
            aria_hidden="true",
        ),
        tag(
            "svg",
            [
                tag("line", x1="0", x2="100%", y1=f"{down(axis, t)}%", y2=f"{down(axis, t)}%", class_="grid")
                for t in axis.ticks
            ],
            tag("svg", line, viewBox="0 0 1000 140", preserveAspectRatio="none", width="100%", height="100%"),
            class_="area",
            height=height,
            role="img",
            aria_label=name,
        ),
        tag("p", f"layers in the order of execution, 1 to {len(values)}", class_="axis-title across"),
        class_="plot",
    )

"""How numbers are written: few digits, always a unit, and a word where nothing was measured."""

from __future__ import annotations

from edge_sdk.validate.report.markup import Markup, join, tag

#: What stands in a cell without a number; screen readers hear the words.
NONE = Markup(
    '<span class="none"><span aria-hidden="true">\u2013</span><span class="heard">not measured</span></span>'
)

#: Metrics that are shares of samples or overlaps, shown in percent.
_SHARES = ("top", "mean_average_precision", "iou", "agreement")


def size(value: float | None) -> Markup:
    """Return bytes as "1.25 MB" (powers of 1000)."""
    return NONE if value is None else join(size_text(value))


def size_text(value: float) -> str:
    """Return bytes as plain text."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= limit:
            return f"{value / limit:.{_digits(value / limit)}f} {unit}"
    return f"{value:.0f} B"


def _digits(value: float) -> int:
    return 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0


def milliseconds(value: float | None) -> Markup:
    """Return a latency as "0.123", without its unit: the column has it."""
    return NONE if value is None else join(milliseconds_text(value))


def milliseconds_text(value: float) -> str:
    """Return a latency as plain text, without its unit."""
    return f"{value:.{3 if abs(value) < 1 else _digits(value)}f}"


def percent(value: float | None) -> Markup:
    """Return a share of 1 as "98.5 %"."""
    return NONE if value is None else join(percent_text(value))


def percent_text(value: float) -> str:
    """Return a share of 1 as plain text."""
    return f"{value * 100:.3g} %" if 0 < abs(value) < 0.01 else f"{value * 100:.1f} %"


def plain(value: float | None) -> Markup:
    """Return a number with four digits."""
    return NONE if value is None else join(f"{value:.4g}")


def is_share(metric: str | None) -> bool:
    """Return whether a metric is read best in percent."""
    return metric is not None and metric.startswith(_SHARES)


def metric_text(value: float, name: str | None) -> str:
    """Return a metric's value as plain text."""
    return percent_text(value) if is_share(name) else f"{value:.4g}"


def metric(value: float | None, name: str | None) -> Markup:
    """Return a metric's value."""
    return NONE if value is None else join(metric_text(value, name))


def change_text(value: float, name: str | None) -> str:
    """Return a drop with its sign turned: what the variant has more than the source model."""
    amount = -value + 0.0
    if is_share(name):
        return f"{amount * 100:+.1f} points"
    return f"{amount:+.3g}"


def between(found: tuple[float, float] | None, name: str | None) -> Markup:
    """Return an interval as "96.1 to 98.9 %"."""
    if found is None:
        return NONE
    low, high = found
    if is_share(name):
        return join(f"{low * 100:.1f} to {high * 100:.1f} %")
    return join(f"{low:.3g} to {high:.3g}")


def count(amount: int, noun: str) -> str:
    """Return "1 layer", "2 layers"."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def missing(sentence: str) -> Markup:
    """Return the line that stands where a section has nothing to show."""
    return tag("p", sentence, class_="missing")

"""Plain tables and lines that fit the terminal and obey nothing that a file says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

#: Tables are drawn to fit this many columns, or the terminal where it is narrower.
WIDTH = 100


def printable(text: str) -> str:
    """Return text out of a file without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def line(console: Console, bold: str, *rest: str) -> None:
    """Print one line, its first part bold; nothing of it is obeyed as markup or by the terminal."""
    from rich.text import Text

    parts: list[Any] = [(printable(bold), "bold")] if bold else []
    console.print(Text.assemble(*parts, *(printable(text) for text in rest)), soft_wrap=True)


def draw(
    console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]], *, dim_last: bool = False
) -> None:
    """Draw a plain table that fits.

    Args:
        console: Where to.
        headings: Of the columns; ">" before one aligns right. A column without any text is left out.
        rows: Cells; one that is too long loses its middle.
        dim_last: The last row sums up what is not shown.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    used = [place for place in range(len(headings)) if any(row[place] for row in rows)]
    texts = [[printable(row[place]) for place in used] for row in rows]
    names = [headings[place].removeprefix(">") for place in used]
    widths = [max(len(text) for text in column) for column in zip(names, *texts, strict=True)]
    room = (min(console.width, WIDTH) if console.is_terminal else WIDTH) - 3 * (len(used) - 1)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for place, name, width in zip(used, names, widths, strict=True):
        right = headings[place].startswith(">")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, width=width)
    for number, row in enumerate(texts):
        cells = [Text(shorten(text, width)) for text, width in zip(row, widths, strict=True)]
        table.add_row(*cells, style="dim" if dim_last and number == len(texts) - 1 else None)
    console.print(table, width=max(room + 3 * (len(used) - 1), sum(widths) + 3 * (len(used) - 1)))


def shorten(text: str, width: int) -> str:
    """Cut out the middle: both ends of a layer's name tell more."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - tail :]}"


def amount(size: int) -> str:
    """Return bytes with their unit, three digits."""
    if size < 1000:
        return f"{size} B"
    for unit in ("kB", "MB", "GB"):
        size_in_unit = size / {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
        if size_in_unit < 999.5 or unit == "GB":
            break
    return f"{size_in_unit:.3g} {unit}" if size_in_unit < 100 else f"{size_in_unit:.0f} {unit}"


def count(number: int) -> str:
    """Return a count with its unit: 12.3 k, 4.56 G."""
    for limit, factor, unit in ((10**4, 1, ""), (10**6, 1e3, " k"), (10**9, 1e6, " M")):
        if number < limit:
            return f"{number:,}" if factor == 1 else f"{number / factor:.1f}{unit}"
    return f"{number / 1e9:.2f} G"


def real(value: Any) -> str:
    """Return a real number with four digits, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

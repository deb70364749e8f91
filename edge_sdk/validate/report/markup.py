"""Writes HTML and SVG. Text is escaped here and nowhere else, so that no other module can forget it.

    tag("p", "a < b", class_="note")  ->  <p class="note">a &lt; b</p>

Attributes are written by keyword: a trailing underscore is dropped, others become hyphens. None and False
leave an attribute out, True writes its name alone. Inline styles and handlers are refused: the page's
content security policy would not let them work.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Union

#: Elements without content.
_VOID = frozenset({"br", "img", "input", "link", "meta", "hr"})
#: Control characters have no place in HTML, and the direction overrides can make text lie.
_UNSHOWN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), "\ufffd") | {
    code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content = Union[str, int, float, None, "Iterable[Content]"]
Attribute = str | int | float | bool | None


def tag(name: str, /, *content: Content, **attributes: Attribute) -> Markup:
    """Return an element.

    Args:
        name: Of the element.
        content: Text (escaped), markup, or nested sequences of both; None is left out.
        attributes: Attributes.

    Raises:
        ValueError: An attribute that the content security policy forbids.
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(content)}</{name}>")


def join(content: Content) -> Markup:
    """Return content as markup; plain text is escaped."""
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, (str, int, float)):
        return Markup(escape(str(content)))
    return Markup("".join(join(item) for item in content))


def escape(text: str) -> str:
    """Return text that cannot be anything but text, in content and in attributes."""
    shown = text.translate(_UNSHOWN).encode("utf-8", "replace").decode("utf-8")
    return html.escape(shown, quote=True)


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if name == "style" or name.startswith("on"):
        raise ValueError(f"the page allows no {name} attribute")
    if value is None or value is False:
        return ""
    # SVG's names are case-sensitive and none of ours has a hyphen of its own in camel case.
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'

"""Texts and numbers as literals of the languages that a project is written in.

Each function returns the whole literal, its quotes included, so that a template cannot forget them.
Everything outside of printable ASCII is escaped where the language can: a name that turns the writing
direction or hides a character must not make source code look like something else.
"""

from __future__ import annotations

import re
from xml.sax import saxutils

import numpy as np

from edge_sdk.errors import ConfigError


def kotlin_string(text: str) -> str:
    """Return a Kotlin string literal; `$` and everything outside of ASCII is escaped."""
    return '"' + "".join(_kotlin(char) for char in text) + '"'


def _kotlin(char: str) -> str:
    if char in '"\\$':
        return "\\" + char
    if " " <= char <= "~":
        return char
    # Kotlin escapes UTF-16 units; a lone surrogate stays what it is.
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04X}" for i in range(0, len(units), 2))


def swift_string(text: str) -> str:
    r"""Return a Swift string literal; `\(` and everything outside of ASCII is escaped."""
    return '"' + "".join(_swift(char) for char in text) + '"'


def _swift(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if " " <= char <= "~":
        return char
    if 0xD800 <= ord(char) <= 0xDFFF:
        return "\\u{FFFD}"  # no scalar value: a Swift string cannot hold it
    return f"\\u{{{ord(char):X}}}"


def kotlin_float(value: float) -> str:
    """Return a Kotlin Float literal that is exactly float32(value)."""
    return _float(value, nan="Float.NaN", infinity="Float.POSITIVE_INFINITY", suffix="f")


def swift_float(value: float) -> str:
    """Return a Swift literal that is exactly float32(value) where a Float is expected."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if 0 < abs(single) < np.finfo(np.float32).tiny:
        return float(single).hex()  # in decimal, Swift warns that it underflows
    return _float(value, nan="Float.nan", infinity="Float.infinity", suffix="")


def kotlin_double(value: float) -> str:
    """Return a Kotlin Double literal that is exactly `value`."""
    return _double(value, nan="Double.NaN", infinity="Double.POSITIVE_INFINITY")


def swift_double(value: float) -> str:
    """Return a Swift literal that is exactly `value` where a Double is expected."""
    if 0 < abs(value) < np.finfo(np.float64).tiny:
        return float(value).hex()
    return _double(value, nan="Double.nan", infinity="Double.infinity")


def _float(value: float, *, nan: str, infinity: str, suffix: str) -> str:
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if np.isnan(single):
        return nan
    if np.isinf(single):
        return infinity if single > 0 else f"-{infinity}"
    # The shortest digits that read back as this very float32, in plain or scientific notation.
    return _with_point(np.format_float_scientific(single, unique=True, trim="0")) + suffix


def _double(value: float, *, nan: str, infinity: str) -> str:
    if np.isnan(value):
        return nan
    if np.isinf(value):
        return infinity if value > 0 else f"-{infinity}"
    return _with_point(repr(float(value)))


def _with_point(text: str) -> str:
    text = re.sub(r"e\+?(-?)0*(\d)", r"e\1\2", text)
    text = text.removesuffix("e0")
    head, mark, power = text.partition("e")
    return (head if "." in head else f"{head}.0") + mark + power


def xml_text(text: str) -> str:
    """Return text for an XML element or a quoted attribute; characters that XML forbids become U+FFFD."""
    clean = re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    return saxutils.escape(clean, {'"': "&quot;", "'": "&apos;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def android_string(text: str) -> str:
    """Return text for a `<string>` resource of Android: XML, and Android's own escapes inside of it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    if escaped[:1] in ("@", "?"):
        escaped = "\\" + escaped
    escaped = escaped.replace("\n", "\\n").replace("\t", "\\t")
    clean = re.sub(r"[^ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", escaped)
    return saxutils.escape(clean)


def toml_string(text: str) -> str:
    """Return a TOML basic string."""
    return '"' + "".join(_toml(char) for char in text) + '"'


def _toml(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if " " <= char <= "~":
        return char
    code = 0xFFFD if 0xD800 <= ord(char) <= 0xDFFF else ord(char)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def pbx_string(text: str) -> str:
    """Return a quoted string of an Xcode project file (an OpenStep property list)."""
    return '"' + "".join(_pbx(char) for char in text) + '"'


def _pbx(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char == "\n":
        return "\\n"
    if char == "\t":
        return "\\t"
    if ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF:
        return "\ufffd"
    return char


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    line = " ".join(_visible(text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#+\-!|~$&])", r"\\\1", line)


def comment_text(text: str) -> str:
    """Return text for a comment of any language here: one line, no end of a comment, no hidden character."""
    line = " ".join(_visible(text).split())
    return line.replace("*/", "* /").replace("/*", "/ *").replace("--", "- -")


def _visible(text: str) -> str:
    """Replace what is not printable: controls, marks that turn the writing direction, lone surrogates."""
    return "".join(char if char.isprintable() or char.isspace() else "\ufffd" for char in text)


def plain_number(value: float) -> str:
    """Return a number for people and for TOML or JSON.

    Raises:
        ConfigError: It is not finite.
    """
    if not np.isfinite(value):
        raise ConfigError(f"{value} is no number that a file can hold")
    return _with_point(repr(float(value))) if not float(value).is_integer() else str(int(value))

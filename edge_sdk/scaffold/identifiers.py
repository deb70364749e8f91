"""Names of tensors and models as identifiers of Kotlin and Swift.

A model's names may hold anything: quotes, dots, emoji, keywords, digits first, or nothing that a language
accepts. What comes out is ASCII, begins with a letter, is no keyword of either language, and is the same in
both; names that would collide get a number, in their order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_MAX_LENGTH = 48

#: Hard and soft keywords of Kotlin 2 and Swift 6, and members that every object of theirs has.
_KEYWORDS = frozenset(
    """
    as break class continue do else false for fun if in interface is null object package return super this
    throw true try typealias typeof val var when while
    by catch constructor delegate dynamic field file finally get import init param property receiver set
    setparam value where
    abstract actual annotation companion const crossinline data enum expect external final infix inline inner
    internal it lateinit noinline open operator out override private protected public reified sealed suspend
    tailrec vararg
    associatedtype deinit extension fileprivate func inout let operator precedencegroup protocol rethrows
    static struct subscript defer fallthrough guard repeat switch case default Any await nil self Self throws
    Type Protocol nonisolated isolated consuming borrowing sending some any async actor macro each
    equals hashCode toString wait notify notifyAll getClass clone finalize hash description debugDescription
    copy entries name ordinal inputs outputs all allCases rawValue hashValue int long float double boolean
    byte char short void native synchronized transient volatile strictfp goto assert new instanceof implements
    extends
    """.split()  # noqa: SIM905 - a list of 150 lines reads worse
)


def camel_case(name: str) -> str:
    """Return `name` as words in camelCase, ASCII letters and digits alone; "" where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words: list[str] = re.findall(r"[A-Za-z0-9]+", plain)
    if not words:
        return ""
    first, rest = words[0], words[1:]
    # "ImageIn" and "imageIn" stay readable: only the first letter, or a word all in capitals, is lowered.
    first = first.lower() if first.isupper() else first[:1].lower() + first[1:]
    return (first + "".join(word[:1].upper() + word[1:] for word in rest))[:_MAX_LENGTH]


def identifiers(names: Sequence[str], *, fallback: str) -> tuple[str, ...]:
    """Return an identifier for each name: valid in Kotlin and Swift, all different.

    Args:
        names: Any texts.
        fallback: Stem for names in which nothing can be used, and before a leading digit ("input").
    """
    found: list[str] = []
    # Upper and lower case count as one: "Image" and "image" would be hard to tell apart.
    taken: set[str] = set()
    for name in names:
        stem = camel_case(name)
        if not stem:
            stem = fallback
        elif stem[0].isdigit():
            stem = f"{fallback}{stem}"
        elif stem in _KEYWORDS:
            stem = f"{stem}Tensor"
        candidate, count = stem, 2
        while candidate.lower() in taken or candidate in _KEYWORDS:
            candidate = f"{stem}_{count}"
            count += 1
        taken.add(candidate.lower())
        found.append(candidate)
    return tuple(found)


def kotlin_name(name: str, fallback: str = "tensor") -> str:
    """Return one name as an identifier; for several that must differ see `identifiers`."""
    return identifiers((name,), fallback=fallback)[0]


#: The same identifier serves both languages, so that apps read alike.
swift_name = kotlin_name


def asset_name(name: str) -> str:
    """Return a name for an Android asset: a-z, 0-9 and _, a letter first."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "_".join(re.findall(r"[a-z0-9]+", plain))[:_MAX_LENGTH].strip("_")
    if not words:
        return "model"
    return words if words[0].isalpha() else f"model_{words}"


def type_name(name: str) -> str:
    """Return a name for a type or a Core ML package: UpperCamelCase, a letter first."""
    plain = camel_case(name)
    if not plain or not plain[0].isalpha():
        return f"Model{plain}"
    upper = plain[:1].upper() + plain[1:]
    return f"{upper}Model" if upper in _KEYWORDS else upper

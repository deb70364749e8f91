"""Names that Core ML can have, as near to the source's as possible.

A name in an ML Program is `[A-Za-z_][A-Za-z0-9_]*`, is no word of the language, and stands for one value. The
names of most models are such already and are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from edge_sdk.contract.spec import Signature

#: Words of the ML Program's language.
_RESERVED = frozenset(
    (
        *(
            "any",
            "bool",
            "program",
            "func",
            "tensor",
            "list",
            "dict",
            "tuple",
            "true",
            "false",
            "string",
            "state",
        ),
        *("bf16", "fp16", "fp32", "fp64", "int4", "int8", "int16", "int32", "int64"),
        *("uint4", "uint8", "uint16", "uint32", "uint64"),
    )
)
_LONGEST = 120


@dataclass(frozen=True)
class Names:
    """Which name everything gets in the package.

    Attributes:
        inputs: By the source's name; also the names that are kept.
        outputs: As `inputs`.
        functions: By signature name.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    functions: dict[str, str]

    def changed(self) -> dict[str, str]:
        """Return the names of inputs and outputs that are others in the package."""
        return {given: name for given, name in {**self.inputs, **self.outputs}.items() if given != name}


def choose_names(signatures: Iterable[Signature]) -> Names:
    """Choose a name for every input, output and function: one name, one choice in all signatures.

    An output that is called like an input gets another name, because in an ML Program one name is one value.
    """
    chosen = tuple(signatures)
    inputs = dict.fromkeys(spec.name for item in chosen for spec in item.inputs)
    outputs = dict.fromkeys(spec.name for item in chosen for spec in item.outputs)
    taken: set[str] = set()
    # Names that can stay are given first, so that none of them is taken by one that has to change.
    kept = {name for name in (*inputs, *outputs) if valid(name)}
    of_inputs = {
        name: _unique(name, taken, kept) for name in sorted(inputs, key=lambda name: name not in kept)
    }
    of_outputs = {
        name: _unique(f"{name}_output" if name in inputs else name, taken, kept)
        for name in sorted(outputs, key=lambda name: name not in kept)
    }
    functions: set[str] = set()
    return Names(of_inputs, of_outputs, {item.name: _unique(item.name, functions, set()) for item in chosen})


def valid(name: str) -> bool:
    """Tell whether a value of an ML Program can have this name."""
    return (
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None
        and name not in _RESERVED
        and len(name) <= _LONGEST
    )


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken: the wanted one, or it with a number."""
    used = set(taken)
    name, number = wanted, 2
    while name in used:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _unique(name: str, taken: set[str], kept: set[str]) -> str:
    plain = name if valid(name) else _sanitize(name)
    if plain != name:
        plain = free_name(plain, taken | kept)
    plain = free_name(plain, taken)
    taken.add(plain)
    return plain


def _sanitize(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not re.match(r"[A-Za-z_]", plain):
        plain = f"tensor_{plain}"
    if plain in _RESERVED:
        plain = f"{plain}_value"
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 17]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return plain

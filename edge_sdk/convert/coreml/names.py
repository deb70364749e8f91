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

    @staticmethod
    def changed(names: dict[str, str]) -> dict[str, str]:
        """Return the names that are others in the package."""
        return {given: name for given, name in names.items() if given != name}


def choose_names(signatures: Iterable[Signature]) -> Names:
    """Choose a name for every input, output and function: one name, one choice in all signatures.

    An output that is called like an input of its signature gets another name, because in an ML Program one
    name is one value.
    """
    chosen = tuple(signatures)
    inputs = [[spec.name for spec in item.inputs] for item in chosen]
    outputs = [[spec.name for spec in item.outputs] for item in chosen]
    everything = dict.fromkeys(name for group in (*inputs, *outputs) for name in group)
    clashing = {name for given, made in zip(inputs, outputs, strict=True) for name in made if name in given}
    # Names that can stay are given first, so that none of them is taken by one that has to change.
    taken = {name for name in everything if valid(name)}
    names = {name: name if name in taken else _take(_sanitize(name), taken) for name in everything}
    after = {name: _take(f"{names[name]}_output", taken) for name in everything if name in clashing}
    functions: set[str] = set()
    return Names(
        inputs={name: names[name] for group in inputs for name in group},
        outputs={name: after.get(name, names[name]) for group in outputs for name in group},
        functions={
            item.name: _take(item.name if valid(item.name) else _sanitize(item.name), functions)
            for item in chosen
        },
    )


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


def _take(wanted: str, taken: set[str]) -> str:
    name = free_name(wanted, taken)
    taken.add(name)
    return name


def _sanitize(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not re.match(r"[A-Za-z_]", plain):
        plain = f"tensor_{plain}"
    if plain in _RESERVED:
        plain = f"{plain}_value"
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 17]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return plain

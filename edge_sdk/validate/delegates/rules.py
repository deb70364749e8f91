"""Rules about delegates: TOML files in `rules/`, one a delegate, or a delegate and a runtime.

A rule names operators and what must hold for a node to be taken. Several rules for one operator are
alternatives. Arithmetic is written as a *kind*:

    "float32"            float in, float out
    "int8"               the same for quantized int8
    "float32*int8"       float in and out, weights stored as int8 (dynamic-range quantization)
    "float32>int8"       float in, int8 out (QUANTIZE); "int8>float32" the reverse
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.targets import read_toml

FOLDER = Path(__file__).parent / "rules"


@dataclass(frozen=True, kw_only=True)
class Rule(Document):
    """When nodes are taken. All conditions must hold.

    Attributes:
        operators: Builtin operators by name, custom operators by their own.
        kinds: Kinds of arithmetic, as the module's docstring spells them.
        constant: Inputs that must be constants, where they are there.
        required: Inputs that must be there.
        at_most: By fact of `details`, the largest value.
        at_least: The smallest value.
        one_of: The allowed values.
        source: Where this is written down; the file's where empty.
    """

    operators: tuple[str, ...]
    kinds: tuple[str, ...]
    constant: tuple[int, ...] = ()
    required: tuple[int, ...] = ()
    at_most: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    one_of: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Rewrite(Document):
    """What may help where an operator blocks.

    Attributes:
        operators: Blocking operators, or obstacles ("computed size"); empty for any operator.
        kinds: Kinds of arithmetic that it is for; empty for any.
        text: What to change.
    """

    operators: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    text: str


@dataclass(frozen=True, kw_only=True)
class DelegateRules(Document):
    """All that is known about one delegate.

    Attributes:
        delegate: Its name.
        title: For people.
        source: Where the rules are written down.
        checked_with: Versions of the runtime whose own delegation was compared with these rules.
        note: A sentence for the verdict, always true of this delegate.
        compiler: Tool that must compile the model first; until then nothing is taken.
        compiled_operator: Custom operator that a compiled model holds.
        static_only: One tensor of unknown size, and nothing is taken.
        most_partitions: How many stretches are handed over, the largest first; None for all.
        first_stretch_only: Nothing is taken after the first node that is not.
        passed_at_start: Operators that may stay on the CPU before that stretch begins.
        least_nodes: Stretches with fewer nodes stay on the CPU.
        rules: The rules.
        rewrites: Tried before the common ones.
    """

    delegate: str
    title: str
    source: str
    checked_with: tuple[str, ...] = ()
    note: str = ""
    compiler: str | None = None
    compiled_operator: str | None = None
    static_only: bool = False
    most_partitions: int | None = None
    first_stretch_only: bool = False
    passed_at_start: tuple[str, ...] = ()
    least_nodes: int = 1
    rules: tuple[Rule, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()

    @functools.cached_property
    def by_operator(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each operator."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for name in rule.operators:
                found.setdefault(name, []).append(rule)
        return {name: tuple(rules) for name, rules in found.items()}


@functools.cache
def load_rules(delegate: str, runtime: str | None = None) -> DelegateRules | None:
    """Return the rules of a delegate in a runtime; None where there are none.

    Args:
        delegate: "xnnpack", "gpu"...
        runtime: "litert" or "tflite-runtime"; its own file wins over the delegate's common one.

    Raises:
        ConfigError: A file of rules has an unknown or wrong key.
    """
    for name in (f"{delegate}-{runtime}", delegate) if runtime else (delegate,):
        path = FOLDER / f"{name}.toml"
        if path.exists():
            rules = DelegateRules.from_dict(read_toml(path), where=path.name)
            _refuse_unknown(rules, path)
            return rules
    return None


@functools.cache
def common_rewrites() -> tuple[Rewrite, ...]:
    """Return what may help with any delegate."""
    path = FOLDER / "rewrites.toml"
    return tuple(
        Rewrite.from_dict(item, where=f"{path.name}: rewrites[{index}]")
        for index, item in enumerate(read_toml(path)["rewrites"])
    )


def rule_files() -> tuple[Path, ...]:
    """Return all files of rules."""
    return tuple(sorted(path for path in FOLDER.glob("*.toml") if path.stem != "rewrites"))


def _refuse_unknown(rules: DelegateRules, path: Path) -> None:
    for document in (rules, *rules.rules, *rules.rewrites):
        if document.extra:
            raise ConfigError(f"{path.name}: unknown key {sorted(document.extra)[0]!r}")

"""Whether a runtime has the kernels that a variant needs.

The tables in `operators/` were asked from the wheels themselves (scripts/probe_operators.py). A target
promises a minimum version of its runtime, so that version's table counts; a version without a table of its
own is judged by the highest one below it, or by the lowest of all.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.targets import read_toml
from edge_sdk.validate.facts import VariantFacts

_FOLDER = Path(__file__).parent.parent / "operators"


def incompatibilities(facts: VariantFacts, runtime: RuntimeRequirement) -> list[str]:
    """Return why the runtime cannot load a variant, one sentence each; empty where it can.

    Custom operators are not judged: whether the device has their library is not known here.
    """
    reasons = []
    if facts.flex_ops:
        reasons.append(f"needs Flex for {', '.join(facts.flex_ops)}, and {runtime.name} has no Flex")
    found = operator_table(runtime)
    if found is None:
        return reasons
    version, table = found
    for name, needed in sorted(facts.op_versions.items()):
        have = table.get(name, 0)
        if needed > have:
            has = f"has version {have}" if have else "has none"
            reasons.append(f"needs {name} version {needed}, {runtime.name} {version} {has}")
    return reasons


def operator_table(runtime: RuntimeRequirement) -> tuple[str, Mapping[str, int]] | None:
    """Return (version, highest version by operator) of a runtime's table; None for an unknown runtime."""
    tables = _tables().get(runtime.name)
    if not tables:
        return None
    versions = sorted(tables, key=_order)
    wanted = _order(runtime.minimum_version) if runtime.minimum_version else _order(versions[0])
    fitting = [version for version in versions if _order(version) <= wanted] or versions[:1]
    return fitting[-1], tables[fitting[-1]]


@functools.cache
def _tables() -> dict[str, dict[str, Mapping[str, int]]]:
    found: dict[str, dict[str, Mapping[str, int]]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        name, _, version = path.stem.rpartition("-")
        found.setdefault(name, {})[version] = read_toml(path)
    return found


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))

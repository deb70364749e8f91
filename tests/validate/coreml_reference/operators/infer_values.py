"""Lets coremltools itself work out operators on constants, and lists the inputs of all that it knows.

    python infer_values.py cases.json answers.npz operators.json

Run in a process of its own: importing coremltools takes seconds and brings TensorFlow with it. A case is
{"kind", "opset": "iOS15".., "inputs": {name: value}}; a value is {"dtype", "data"} for an array, a list of
such for an input of several values, or a plain number, text or boolean.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def value_of(item: Any) -> Any:
    """Return a value of a case as NumPy knows it."""
    if isinstance(item, dict):
        return np.asarray(item["data"], item["dtype"])
    if isinstance(item, list):
        return tuple(value_of(part) for part in item)
    return item


def infer(case: dict[str, Any]) -> list[np.ndarray]:
    """Return the values that coremltools gives the outputs of one operator."""
    import coremltools as ct
    from coremltools.converters.mil import Builder

    found: list[Any] = []

    @Builder.program(
        input_specs=[Builder.TensorSpec(shape=(1,))], opset_version=getattr(ct.target, case["opset"])
    )
    def program(unused: Any) -> Any:
        inputs = {name: value_of(item) for name, item in case["inputs"].items()}
        result = getattr(Builder, case["kind"])(**inputs)
        found.extend(result if isinstance(result, (tuple, list)) else [result])
        return unused

    return [np.asarray(item.val) for item in found]


def operators() -> dict[str, dict[str, Any]]:
    """Return the inputs and the defaults of every operator, all operator sets taken together."""
    from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

    found: dict[str, dict[str, Any]] = {}
    for kind, versions in SSAOpRegistry.core_ops.items():
        entry = found.setdefault(kind, {"inputs": [], "defaults": {}})
        for operator in versions.values():
            entry["inputs"] += operator.input_spec.input_types
            try:
                # Some look at their own inputs for the defaults, and there are none here.
                defaults = dict(operator.default_inputs(object.__new__(operator)).items())
            except AttributeError:
                continue
            plain = {
                name: item for name, item in defaults.items() if isinstance(item, (bool, int, float, str))
            }
            entry["defaults"] |= plain
    return found


def main() -> None:
    """Answer every case of the file, or name those that coremltools refuses."""
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers, refused = {}, []
    for number, case in enumerate(cases):
        try:
            values = infer(case)
        except Exception as failure:
            refused.append(f"{number} {case['kind']}: {failure}")
            continue
        refused += [f"{number} {case['kind']}: no value" for value in values if value.dtype == object]
        answers.update({f"{number}.{at}": value for at, value in enumerate(values)})
    if refused:
        raise SystemExit("\n".join(refused))
    np.savez(sys.argv[2], **answers)
    Path(sys.argv[3]).write_text(json.dumps(operators()), encoding="utf-8")


if __name__ == "__main__":
    main()

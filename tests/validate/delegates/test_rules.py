"""The files of rules: complete, spelled right, each with a source; every target's delegates have some."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.model.tflite_schema import BUILTIN_OPERATORS, TENSOR_TYPES
from edge_sdk.targets import COMPUTE_UNITS, load_target, read_toml, target_names
from edge_sdk.validate.delegates.details import ACTIVATIONS, OPTIONS, PADDINGS
from edge_sdk.validate.delegates.rules import DelegateRules, common_rewrites, load_rules, rule_files

DTYPES = {name for name, _ in TENSOR_TYPES}
FACTS = {name for options in OPTIONS.values() for name in options} | {
    "rank", "out_rank", "batch", "inputs", "outputs", "in_channels", "out_channels", "elements",
    "outer_elements", "kernel_h", "kernel_w", "kernel_area", "axes", "permutation", "steps", "padded_axes",
}  # fmt: skip


def rules_in(path: Path) -> DelegateRules:
    delegate = str(read_toml(path)["delegate"])
    found = load_rules(delegate, path.stem[len(delegate) + 1 :] or None)
    assert found is not None
    return found


@pytest.mark.parametrize("path", rule_files(), ids=lambda path: path.stem)
def test_a_file_of_rules_is_spelled_right_and_names_its_source(path: Path) -> None:
    rules = rules_in(path)
    assert "https://" in rules.source
    assert rules.title
    for rule in rules.rules:
        assert set(rule.operators) <= set(BUILTIN_OPERATORS), rule.operators
        for kind in rule.kinds:
            assert set(kind.replace("*", ">").split(">")) <= DTYPES, kind
        for conditions in (rule.at_most, rule.at_least, rule.one_of):
            assert set(conditions) <= FACTS, conditions
        assert set(rule.one_of.get("activation", ())) <= set(ACTIVATIONS)
        assert set(rule.one_of.get("padding", ())) <= set(PADDINGS)


def test_every_delegate_of_every_target_has_rules() -> None:
    for name in target_names():
        target = load_target(name)
        if target.format == "mlpackage":
            assert {spec.name for spec in target.delegates} <= set(COMPUTE_UNITS)  # placed by other rules
            continue
        for spec in target.delegates:
            assert load_rules(spec.name, target.runtime.name) is not None, (name, spec.name)


def test_delegates_without_rules_are_not_guessed() -> None:
    assert load_rules("nobody-has-heard-of-it") is None


def test_rewrites_are_sentences_for_operators_or_obstacles() -> None:
    known = {*BUILTIN_OPERATORS, "computed size", "after another", "SELU", "ERF"}
    for rewrite in (*common_rewrites(), *(item for path in rule_files() for item in rules_in(path).rewrites)):
        assert set(rewrite.operators) <= known, rewrite.operators
        assert len(rewrite.text) > 10

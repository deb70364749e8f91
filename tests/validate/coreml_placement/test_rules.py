"""The files of rules: spelled right, each rule with a source, none that can never decide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.model.coreml.program import ELEMENT_TYPES
from edge_sdk.validate.coreml_placement import rules as rules_module
from edge_sdk.validate.coreml_placement.details import Facts
from edge_sdk.validate.coreml_placement.rules import Rule, load_rules

UNITS = ("neural_engine", "gpu")


def test_there_is_a_file_for_every_unit() -> None:
    assert {path.stem for path in rules_module.FOLDER.glob("*.toml")} == set(UNITS)
    assert [load_rules(unit).unit for unit in UNITS] == list(UNITS)


def test_ids_are_unique() -> None:
    names = [rule.id for unit in UNITS for rule in load_rules(unit).rules]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "rule", [rule for unit in UNITS for rule in load_rules(unit).rules], ids=lambda r: r.id
)
def test_a_rule_is_spelled_right_and_names_its_source(rule: Rule) -> None:
    assert re.fullmatch(r"https://\S+", rule.source)
    assert len(rule.reason) > 10
    assert not rule.reason.endswith(".")
    assert {*rule.dtypes, *rule.touches, *rule.except_touches} <= set(ELEMENT_TYPES)
    assert len(set(rule.operators)) == len(rule.operators)
    assert set(rule.flexible or ()) <= {"", "range", "enumerated"}
    # What is expected to be taken is named, never everything that is left.
    assert rule.verdict != "taken" or rule.operators


def test_no_operator_is_named_by_two_rules_without_conditions() -> None:
    for unit in UNITS:
        plain = [
            rule
            for rule in load_rules(unit).rules
            if rule.operators and Rule(
                id=rule.id, verdict=rule.verdict, confidence=rule.confidence, reason=rule.reason,
                source=rule.source, rewrite=rule.rewrite, operators=rule.operators,
            ) == rule
        ]  # fmt: skip
        named = [name for rule in plain for name in rule.operators]
        assert len(named) == len(set(named)), unit


def test_the_first_rule_that_fits_decides() -> None:
    rules = load_rules("neural_engine")
    plain = Facts(dtype="fp16", touched=frozenset({"fp16"}), rank=4, dimension=64)
    assert rules.first("conv", plain).id == "ane-float16"  # type: ignore[union-attr]
    assert rules.first("not_an_operator", plain) is None


RULE = 'unit = "gpu"\n[[rules]]\nid = "a"\nconfidence = "stated"\nreason = "r"\nsource = "s"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('unit = "gpu"\ncolour = 1\nrules = []\n', "unknown key 'colour'"),
        (RULE + 'verdict = "perhaps"\n', "unknown verdict"),
        (RULE + 'verdict = "taken"\nrank = 1\n', "unknown key 'rank'"),
    ],
)
def test_a_misspelled_file_is_refused(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "misspelled.toml").write_text(text)
    monkeypatch.setattr(rules_module, "FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=message):
        load_rules("misspelled")

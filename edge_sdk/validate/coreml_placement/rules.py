"""Rules about compute units: TOML files in `rules/`, one a unit; the first rule that fits decides."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.targets import read_toml
from edge_sdk.validate.coreml_placement.details import Facts

FOLDER = Path(__file__).parent / "rules"
VERDICTS = ("taken", "refused", "unknown")
CONFIDENCES = ("stated", "measured", "observed", "inferred")


@dataclass(frozen=True, kw_only=True)
class Rule(Document):
    """What is known about some operations. All conditions that are given must hold.

    Attributes:
        id: Unique among all rules.
        verdict: One of `VERDICTS`.
        confidence: One of `CONFIDENCES`.
        reason: Why, a clause that goes on after "it is not expected there because".
        source: Address of where this is written down.
        rewrite: What to change in the model or the build; "" where nothing is known to help.
        operators: Kinds that it is for; empty for any.
        except_operators: Kinds that it is not for.
        dtypes: The type that the operation computes in is one of these.
        touches: Any of its computed inputs and outputs has one of these types.
        except_touches: None of them has one of these types.
        rank_above: A computed tensor has more dimensions.
        dimension_above: A computed tensor has a larger dimension.
        kernel_above: One side of the kernel or window is larger.
        dilation_above: One dilation is larger.
        spatial_above: The kernel or window has more dimensions.
        dynamic: Whether a size is known only at run time.
        flexible: Of what kind the function's inputs are: "enumerated", "range", or "" for fixed.
        nested: Whether it is inside of control flow.
    """

    id: str
    verdict: str
    confidence: str
    reason: str
    source: str
    rewrite: str = ""
    operators: tuple[str, ...] = ()
    except_operators: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    except_touches: tuple[str, ...] = ()
    rank_above: int | None = None
    dimension_above: int | None = None
    kernel_above: int | None = None
    dilation_above: int | None = None
    spatial_above: int | None = None
    dynamic: bool | None = None
    flexible: tuple[str, ...] | None = None
    nested: bool | None = None

    def fits(self, kind: str, facts: Facts) -> bool:
        """Return whether the rule is about an operation."""
        limits = (
            (self.rank_above, facts.rank),
            (self.dimension_above, facts.dimension),
            (self.kernel_above, facts.kernel),
            (self.dilation_above, facts.dilation),
            (self.spatial_above, facts.spatial),
        )
        return (
            (not self.operators or kind in self.operators)
            and kind not in self.except_operators
            and (not self.dtypes or facts.dtype in self.dtypes)
            and (not self.touches or not facts.touched.isdisjoint(self.touches))
            and facts.touched.isdisjoint(self.except_touches)
            and all(limit is None or value > limit for limit, value in limits)
            and (self.dynamic is None or self.dynamic == facts.dynamic)
            and (self.flexible is None or facts.flexible in self.flexible)
            and (self.nested is None or self.nested == facts.nested)
        )


@dataclass(frozen=True, kw_only=True)
class UnitRules(Document):
    """All that is known about one compute unit.

    Attributes:
        unit: "neural_engine" or "gpu".
        rules: In the order that they are tried.
    """

    unit: str
    rules: tuple[Rule, ...]

    def first(self, kind: str, facts: Facts) -> Rule | None:
        """Return the rule that decides about an operation, None where nothing is known."""
        return next((rule for rule in self.rules if rule.fits(kind, facts)), None)


@functools.cache
def load_rules(unit: str) -> UnitRules:
    """Return the rules of a unit.

    Args:
        unit: "neural_engine" or "gpu".

    Raises:
        ConfigError: The file has an unknown or wrong key or value.
    """
    path = FOLDER / f"{unit}.toml"
    rules = UnitRules.from_dict(read_toml(path), where=path.name)
    for document in (rules, *rules.rules):
        if document.extra:
            raise ConfigError(f"{path.name}: unknown key {sorted(document.extra)[0]!r}")
    for rule in rules.rules:
        if rule.verdict not in VERDICTS or rule.confidence not in CONFIDENCES:
            raise ConfigError(f"{path.name}: rule {rule.id!r} has an unknown verdict or confidence")
    return rules

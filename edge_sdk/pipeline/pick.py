"""Which variant a target gets: a function of numbers that do not depend on the machine's speed.

The rule, in order (docs/reference/build.md):
1. only variants that passed every guard, and that the target's runtime can load;
2. only those within the budgets of `[budget]`; where none is, there is no pick and the build says so;
3. among those with an agreement of at least `GOOD_AGREEMENT` (or the budget's own `min_agreement`) the
   smallest file; where none has that, the one with the best agreement;
4. ties go to the better agreement, then to the smaller file, then to the first name.

Latency is not part of it: it would make the same build pick differently on a busy day.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.configuration import Budget
from edge_sdk.pipeline.result import VariantReport

GOOD_AGREEMENT = 0.98


def over_budget(variant: VariantReport, budget: Budget) -> list[str]:
    """Return how a variant breaks the budgets, one sentence each; a number not measured breaks its budget."""
    reasons = []
    if budget.max_size_bytes is not None and variant.size_bytes > budget.max_size_bytes:
        reasons.append(f"{variant.size_bytes:,} bytes, the budget is {budget.max_size_bytes:,}")
    if budget.min_agreement is not None:
        if variant.agreement is None:
            reasons.append(f"agreement was not measured, the budget is {budget.min_agreement:g}")
        elif variant.agreement < budget.min_agreement:
            reasons.append(f"agreement {variant.agreement:g}, the budget is {budget.min_agreement:g}")
    if budget.max_metric_drop is not None:
        if variant.metric_drop is None:
            reasons.append(f"the metric was not measured, its drop may be {budget.max_metric_drop:g}")
        elif variant.metric_drop > budget.max_metric_drop:
            reasons.append(f"the metric drops by {variant.metric_drop:g}, at most {budget.max_metric_drop:g}")
    return reasons


def preference(variants: Sequence[VariantReport], budget: Budget | None = None) -> list[VariantReport]:
    """Return the variants that one target may get, the pick first.

    Args:
        variants: Those that the target's runtime can load.
        budget: Limits that the user set.
    """
    budget = budget or Budget()
    fitting = [item for item in variants if item.passed and not over_budget(item, budget)]
    enough = GOOD_AGREEMENT if budget.min_agreement is None else budget.min_agreement
    good = [item for item in fitting if item.agreement is not None and item.agreement >= enough]
    rest = [item for item in fitting if item not in good]
    return [
        *sorted(good, key=lambda item: (item.size_bytes, -(item.agreement or 0.0), item.id)),
        *sorted(rest, key=lambda item: (-(item.agreement or 0.0), item.size_bytes, item.id)),
    ]

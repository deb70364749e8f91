"""Delegate plans: which operators an accelerator would take, predicted from the file by rules kept as data.

    for plan in plan_delegates(Path("model.tflite"), load_target("coral-dev-board")):
        print(plan.delegate, plan.coverage, plan.verdict)

The rules are TOML files in `rules/`, each with its source; docs/reference/delegates.md tells their form.
Those of XNNPACK are compared with what the runtimes really delegate, by tests and scripts/probe_delegates.py.
"""

from __future__ import annotations

from edge_sdk.validate.delegates.documents import BlockingOperator, DelegatePlan
from edge_sdk.validate.delegates.plan import plan_all, plan_delegates

__all__ = ["BlockingOperator", "DelegatePlan", "plan_all", "plan_delegates"]

"""Where Core ML is expected to run each operator of a package, predicted by rules kept as data.

    with open_package(path) as package:
        placement = predict_placement(package, "all")
    print(placement.counts, placement.switches, placement.verdict)

The rules are TOML files in `rules/`, each rule with its source; docs/reference/coreml-placement.md tells
their form. Apple publishes no table, so where no source says anything the answer is "unknown".
"""

from __future__ import annotations

from edge_sdk.validate.coreml_placement.documents import OperatorPlacement, Placement
from edge_sdk.validate.coreml_placement.predict import COMPUTE_UNITS, plan_placements, predict_placement

__all__ = ["COMPUTE_UNITS", "OperatorPlacement", "Placement", "plan_placements", "predict_placement"]

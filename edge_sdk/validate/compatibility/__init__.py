"""Will a variant run on a target? By rules and tables, then by running it in that very runtime version.

operators.py  operator versions against tables that were asked from the runtimes
examine.py    every question that facts and tables answer
proof.py      the run in an isolated environment; trial.py is what runs there
"""

from edge_sdk.validate.compatibility.examine import examine_compatibility
from edge_sdk.validate.compatibility.operators import incompatibilities, operator_table

__all__ = ["examine_compatibility", "incompatibilities", "operator_table"]

"""Will a variant run on a target? By rules and tables, then by running it in that very runtime version."""

from edge_sdk.validate.compatibility.operators import incompatibilities, operator_table

__all__ = ["incompatibilities", "operator_table"]

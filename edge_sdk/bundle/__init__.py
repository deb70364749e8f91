"""The bundle: one deterministic file that carries a contract and its variants."""

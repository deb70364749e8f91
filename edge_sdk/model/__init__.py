"""Reads and inspects source models without changing or executing them."""

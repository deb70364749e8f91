"""Compares variants with the float model on real data."""

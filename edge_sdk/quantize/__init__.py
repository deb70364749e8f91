"""Recipes and calibration data."""

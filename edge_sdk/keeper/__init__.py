"""Keeps releases on a board. Standard library only, so it starts on a bare Python."""

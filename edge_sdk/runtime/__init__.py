"""Runs a bundle: interpreters, delegates, the Runner. Board side."""

"""Makes Core ML packages smaller: integer weights, palettes and sparse weights."""

"""Ways to reach a board. One file each; `base` is the seam."""

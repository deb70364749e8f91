"""Made-up pictures that look like pictures: patches of colour that vary slowly, where noise varies at once.

The calibration check refuses noise, and rightly so; tests that are not about it need data that is none.
"""

from __future__ import annotations

import numpy as np


def smooth_pictures(
    random: np.random.Generator, count: int, *, size: int = 16, highest: float = 1.0
) -> np.ndarray:
    """Return float32 [count, size, size, 3] in 0..highest."""
    coarse = random.uniform(0, 1, (count, 4, 4, 3))
    position = np.linspace(0, 3, size)
    left = np.clip(position.astype(int), 0, 2)
    share = position - left
    weights = np.zeros((size, 4))
    weights[np.arange(size), left] = 1 - share
    weights[np.arange(size), left + 1] += share
    pictures = np.einsum("yi,xj,nijc->nyxc", weights, weights, coarse)
    low, high = pictures.min((1, 2, 3), keepdims=True), pictures.max((1, 2, 3), keepdims=True)
    return ((pictures - low) / (high - low) * highest).astype(np.float32)

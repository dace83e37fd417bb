"""How mu grows with the output dimension (Figures 1 and 3): a power law, fitted in logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PowerLaw:
    """value = factor * size ** exponent."""

    exponent: float
    factor: float

    def __call__(self, size: float) -> float:
        """The law's value at a size > 0."""
        return float(self.factor * size**self.exponent)


def power_law(sizes: Sequence[float], values: Sequence[float]) -> PowerLaw | None:
    """The straight line of least squares through (log size, log value).

    Sizes and values are positive; None for fewer than two different sizes, or where a value is
    not positive and finite. The exponent is the line's slope.
    """
    if len(sizes) != len(values):
        raise ValueError(f"{len(sizes)} sizes, but {len(values)} values")
    if len(set(sizes)) < 2 or not all(math.isfinite(value) and value > 0 for value in values):
        return None
    across, up = [math.log(size) for size in sizes], [math.log(value) for value in values]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    moved = [value - middle for value in across]
    slope = sum(x * (y - height) for x, y in zip(moved, up, strict=True)) / sum(
        x * x for x in moved
    )
    return PowerLaw(slope, math.exp(height - slope * middle))

"""Numbers of a path reduced to one, and put in words."""

from __future__ import annotations

import torch
from torch import Tensor


def largest(values: Tensor) -> Tensor:
    """Maximum of [K, I] over K without NaN, [I]; NaN where there is nothing else."""
    known = ~values.isnan()
    return torch.where(known.any(0), values.where(known, -torch.inf).amax(0), torch.nan)


def smallest(values: Tensor) -> Tensor:
    """Minimum of [K, I] over K without NaN, [I]; NaN where there is nothing else."""
    return -largest(-values)


def factor_in_words(factor: Tensor) -> str:
    """A factor per step; where it is close to 1, the rest is what matters: "1 - 2.3e-05"."""
    number = float(factor)
    return f"1 - {1 - number:.2g}" if 0.999 < number < 1 else f"{number:.4g}"

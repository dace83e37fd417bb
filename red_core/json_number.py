"""Numbers for JSON, which knows no NaN."""

from __future__ import annotations

import math

from torch import Tensor


def number(value: Tensor, digits: int = 12) -> float | None:
    """A finite number to so many digits, or None. Twelve, since a factor may be very near 1."""
    plain = float(value)
    return float(f"{plain:.{digits}g}") if math.isfinite(plain) else None

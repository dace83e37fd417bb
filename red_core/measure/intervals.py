"""Shares and their intervals."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054  # the normal distribution's 97.5% point


def wilson(successes: int, count: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's interval (1927) of a share: `successes` of `count`, both ends in [0, 1].

    Unlike the normal approximation it does not collapse at a share of 0 or 1. Raises ValueError
    unless 0 <= successes <= count and count > 0.
    """
    if count < 1 or not 0 <= successes <= count:
        raise ValueError(f"{successes} of {count} is no share")
    share, spread = successes / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    return low, 1.0 if successes == count else min(1.0, centre + half)


def share(successes: int, count: int) -> dict[str, float]:
    """{value, low, high}: a share with Wilson's 95% interval, as every report states one."""
    low, high = wilson(successes, count)
    return {"value": successes / count, "low": low, "high": high}

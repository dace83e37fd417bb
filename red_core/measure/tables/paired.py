"""The difference of two shares that were measured on the same images, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from red_core.measure.intervals import Z_95

_HALVINGS = 60  # of an interval of length 1: below 1e-18


def tango(
    only_first: int, only_second: int, count: int, z: float = Z_95
) -> tuple[float, float, float]:
    """The difference p1 - p2 and the ends of Tango's score interval, all in [-1, 1].

    T. Tango, Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design, Statistics in Medicine 17, 1998. only_first, only_second: pairs that
    are right in the first alone, in the second alone; count: all pairs. The interval holds the
    differences that the score test, McNemar's at 0, does not reject; without any discordant pair
    it is +- z^2 / (n + z^2), where a Wald interval would collapse. Raises ValueError for counts
    that no pairs can have.
    """
    if count < 1 or min(only_first, only_second) < 0 or only_first + only_second > count:
        raise ValueError(f"{only_first} and {only_second} of {count} pairs cannot be")
    value = (only_first - only_second) / count

    def score(difference: float) -> float:
        return _score(difference, only_first, only_second, count)

    def crossing(low: float, high: float, level: float) -> float:
        """Where the score, which falls as the difference grows, passes `level`."""
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if score(middle) > level else (low, middle)
        return (low + high) / 2

    low = -1.0 if value == -1 else crossing(-1.0, value, z)
    high = 1.0 if value == 1 else crossing(value, 1.0, -z)
    return value, low, high


def _score(difference: float, only_first: int, only_second: int, count: int) -> float:
    """Tango's statistic; the nuisance share is its maximum-likelihood value at `difference`."""
    b, c, n, d = only_first, only_second, count, difference
    half = -b - c + (2 * n - b + c) * d
    share = (math.sqrt(max(0.0, half * half + 8 * n * c * d * (1 - d))) - half) / (4 * n)
    variance = n * (2 * share + d * (1 - d))
    distance = b - c - n * d
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def difference(first: Sequence[bool], second: Sequence[bool]) -> dict[str, float]:
    """{value, low, high, n} of the share of `first` less that of `second`, item by item."""
    pairs = list(zip(first, second, strict=True))
    value, low, high = tango(
        sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs), len(pairs)
    )
    return {"value": value, "low": low, "high": high, "n": len(pairs)}

"""The mean over the attacks, with an interval for attacks that share their images."""

from __future__ import annotations

from collections.abc import Sequence

from red_core.measure.intervals import Z_95


def mean_share(right: Sequence[Sequence[bool]], z: float = Z_95) -> dict[str, float]:
    """{value, low, high} of the mean share of several attacks on the same images.

    right: one row an attack, [attacks, n]. The answers on one image under different attacks hang
    together, so that attacks x n answers are worth fewer. Wilson's interval is taken with the
    effective number n_eff = p (1 - p) / Var(mean), the variance being that between the images'
    own means (E. Korn and B. Graubard, Survey Methodology 24, 1998; C. Franco et al., Journal of
    Survey Statistics and Methodology 7, 2019), held between n and attacks x n. Raises ValueError
    without images or with rows of different lengths.
    """
    attacks, n = len(right), len(right[0]) if right else 0
    if n < 1 or any(len(row) != n for row in right):
        raise ValueError("a mean needs the same images, at least one, under every attack")
    scores = [sum(row[i] for row in right) / attacks for i in range(n)]
    value = sum(scores) / n
    effective = float(n)
    if 0 < value < 1 and n > 1:
        variance = sum((score - value) ** 2 for score in scores) / (n - 1) / n
        effective = value * (1 - value) / variance if variance > 0 else float(attacks * n)
    low, high = _wilson(value, min(max(effective, n), attacks * n), z)
    return {"value": value, "low": low, "high": high}


def _wilson(value: float, count: float, z: float) -> tuple[float, float]:
    """Wilson's interval for a count that need not be whole."""
    spread = z * z / count
    centre = (value + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (value * (1 - value) / count + spread / (4 * count)) ** 0.5
    low = 0.0 if value == 0 else max(0.0, centre - half)
    return low, 1.0 if value == 1 else min(1.0, centre + half)

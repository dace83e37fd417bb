"""The weights W of Section 5.1, B.3 and B.5: random, and far from random."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

# draw, m, d, layers, variance of the noise on the rows -> W_1 ... W_L at scale 1
Draw = Callable[[torch.Generator, int, int, int, float], tuple[Tensor, ...]]

HADAMARD = ((1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))  # eq. 88
_HALF = math.sqrt(2) / 2
TWO_ROWS = ((-_HALF, _HALF), (_HALF, _HALF))  # of Section 5.1


@dataclass(frozen=True)
class Family:
    """A family of weights.

    title: for people; note: one sentence on what it is; draw: makes W_1 ... W_L [n_i, n_{i-1}];
    latent, layers: d and L where the family fixes them; scale: the scale of W it has in the
    paper, or, where the paper does not say, ours; least_m: smallest m it makes sense for.
    """

    title: str
    note: str
    draw: Draw
    latent: int | None = None
    layers: int | None = 1
    scale: str = "1"
    least_m: int = 2


def _normal(draw: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def _gaussian(
    draw: torch.Generator, m: int, d: int, layers: int, noise: float
) -> tuple[Tensor, ...]:
    """Widths grow geometrically from d to m."""
    widths = [round(d * (m / d) ** (i / layers)) for i in range(layers + 1)]
    return _chain(draw, widths)


def _three_layer(
    draw: torch.Generator, m: int, d: int, layers: int, noise: float
) -> tuple[Tensor, ...]:
    """B.3: m/10 and m/5 neurons in the first two layers."""
    return _chain(draw, [d, m // 10, m // 5, m])


def _chain(draw: torch.Generator, widths: list[int]) -> tuple[Tensor, ...]:
    return tuple(_normal(draw, wide, narrow) for narrow, wide in pairwise(widths))


def _rows_of(rows: tuple[tuple[float, ...], ...], noisy: bool) -> Draw:
    """m rows, each one of `rows`, all of them equally often, plus noise where `noisy`."""

    def weights(
        draw: torch.Generator, m: int, d: int, layers: int, noise: float
    ) -> tuple[Tensor, ...]:
        table = torch.tensor(rows, dtype=torch.float64)
        chosen = table[torch.randperm(m, generator=draw) % len(table)]
        if noisy:
            chosen = chosen + math.sqrt(noise) * _normal(draw, *chosen.shape)
        return (chosen,)

    return weights


def _vandermonde(
    draw: torch.Generator, m: int, d: int, layers: int, noise: float
) -> tuple[Tensor, ...]:
    """Rows [1, i, ..., i^{d-1}] for i = 1 ... m, each of length 1. Nothing in it is random."""
    nodes = torch.arange(1, m + 1, dtype=torch.float64)
    return (torch.nn.functional.normalize(torch.vander(nodes, d, increasing=True), dim=1),)


def _own(draw: torch.Generator, m: int, d: int, layers: int, noise: float) -> tuple[Tensor, ...]:
    raise ValueError("the family own needs a matrix W")


FAMILIES: dict[str, Family] = {
    "gaussian": Family(
        "Gaussian",
        "Independent Gaussian weights, the random GAN of Figure 1.",
        _gaussian,
        layers=None,
        scale="1/m",
    ),
    "two_rows": Family(
        "Two orthonormal rows (5.1)",
        "Every row is one of two orthonormal vectors: far from random.",
        _rows_of(TWO_ROWS, noisy=False),
        latent=2,
    ),
    "example15": Family(
        "Two rows with noise (Example 15)",
        "The two orthonormal rows of Section 5.1, each with Gaussian noise of its own.",
        _rows_of(TWO_ROWS, noisy=True),
        latent=2,
    ),
    "hadamard": Family(
        "Hadamard (Example 16)",
        "Every row is one of the four rows of the Hadamard matrix of order 4.",
        _rows_of(HADAMARD, noisy=False),
        latent=4,
        least_m=4,
    ),
    "hadamard_noisy": Family(
        "Hadamard with noise (Example 16)",
        "The Hadamard rows, each with Gaussian noise of its own.",
        _rows_of(HADAMARD, noisy=True),
        latent=4,
        least_m=4,
    ),
    "vandermonde": Family(
        "Vandermonde (Example 17)",
        "Rows [1, i] for i = 1 ... m, each of length 1: nearly parallel, so badly conditioned.",
        _vandermonde,
        latent=2,
    ),
    "three_layer": Family(
        "Three expansive layers (B.3)",
        "Gaussian weights, with m/10 and m/5 neurons in the first two layers.",
        _three_layer,
        layers=3,
        scale="1/m",
        least_m=20,
    ),
    "own": Family("Your own matrix", "A matrix W you have uploaded.", _own),
}


def scaled(weights: tuple[Tensor, ...], scale: str) -> tuple[Tensor, ...]:
    """W times the root of "1/m" (one over its outputs), "1/d" (one over its inputs) or "1"."""

    def variance(outputs: int, inputs: int) -> float:
        return {"1/m": 1 / outputs, "1/d": 1 / inputs, "1": 1.0}[scale]

    return tuple(math.sqrt(variance(*weight.shape)) * weight for weight in weights)

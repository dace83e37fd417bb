"""The signal step: how z moves, and where it starts.

A `SignalStep` is an object, so that every method runs through the one loop of `solver.py`: it
gets G linearised at z and the residual G(z) + D_a c_a - x', and answers the next z.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from red_core.algorithm.problem import Linearised


class SignalStep(Protocol):
    """One update of z for rows R = items x starts; it may keep state from step to step.

    moves: False where z never changes, so that G need not be evaluated again.
    """

    moves: bool

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """z^{k+1} [R, *latent] from G at z^k and residual G(z^k) + D_a c_a^k - x', [R, n]."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Forget every row's state but that of `rows` (indices), in that order."""
        ...


class FrozenStep:
    """z stays where the Defense-GAN start put it, as in the paper's published code."""

    moves = False

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """The same z."""
        return point.z.detach()

    def keep(self, rows: Tensor) -> None:
        """Nothing to forget."""


class GradientStep:
    """z - eta J^T (G(z) + D_a c_a - x'), Algorithm 1's update, with optional heavy-ball momentum.

    rate: eta of the objective 1/2 ||.||^2; momentum: 0 in Algorithm 1, 0.7 in Defense-GAN's code.
    """

    moves = True

    def __init__(self, rate: float, momentum: float = 0.0) -> None:
        self.rate = rate
        self.momentum = momentum
        self._velocity: Tensor | None = None

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """One gradient step."""
        gradient = point.gradient(residual)
        if self.momentum and self._velocity is not None:
            gradient = gradient + self.momentum * self._velocity
        self._velocity = gradient
        return point.z.detach() - self.rate * gradient

    def keep(self, rows: Tensor) -> None:
        """Keep the velocity of some rows."""
        if self._velocity is not None:
            self._velocity = self._velocity[rows]


class AdamStep:
    """Adam (Kingma & Ba 2015) on z, row by row; the rate falls to `final` of itself by a cosine."""

    moves = True

    def __init__(
        self, rate: float, steps: int, final: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        self.rate, self.steps, self.final, self.betas = rate, steps, final, betas
        self._count = 0
        self._mean: Tensor | None = None
        self._square: Tensor | None = None

    def _rate_now(self) -> float:
        share = min(1.0, self._count / max(1, self.steps))
        falling = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * share)).item())
        return self.rate * (self.final + (1 - self.final) * falling)

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """One Adam step."""
        gradient = point.gradient(residual)
        if self._mean is None or self._square is None:
            self._mean, self._square = torch.zeros_like(gradient), torch.zeros_like(gradient)
        first, second = self.betas
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient.square()
        rate = self._rate_now()
        self._count += 1
        mean = self._mean / (1 - first**self._count)
        square = self._square / (1 - second**self._count)
        return point.z.detach() - rate * mean / (square.sqrt() + 1e-8)

    def keep(self, rows: Tensor) -> None:
        """Keep the moments of some rows."""
        if self._mean is not None and self._square is not None:
            self._mean, self._square = self._mean[rows], self._square[rows]


def random_starts(seeds: Sequence[int], starts: int, latent: int) -> Tensor:
    """Standard normal z [B, starts, latent], each item's from its own seed, on the CPU."""
    return torch.stack(
        [
            torch.randn(starts, latent, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
    )

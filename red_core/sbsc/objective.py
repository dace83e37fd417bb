"""The block elastic net, with the duality gap that certifies a solution.

    1/2 ||x' - D c||^2 + sum_g gamma_g (lambda ||c_g|| + (1 - lambda)/2 ||c_g||^2)

D = [D_s D_a]; gamma_g > 0 may differ between blocks and items, 0 < lambda <= 1. Below 1 it is
strongly convex, so c is unique; at 1 it is eq. 5's problem in c_a, whose D c alone is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class ElasticNet:
    """The penalty: gamma [B, blocks]; lam: lambda, the share of the norm against its square.

    Raises ValueError where lambda is not inside (0, 1] or a gamma is not positive and finite.
    """

    gamma: Tensor
    lam: float

    def __post_init__(self) -> None:
        if not 0 < self.lam <= 1:
            raise ValueError(f"lambda must lie above 0 and at most at 1, but is {self.lam:g}")
        if not bool(((self.gamma > 0) & torch.isfinite(self.gamma)).all()):
            raise ValueError("every gamma must be positive and finite")

    @property
    def threshold(self) -> Tensor:
        """gamma lambda [B, blocks]: a block is zero exactly where ||D_g^T r|| is not above it."""
        return self.gamma * self.lam

    @property
    def ridge(self) -> Tensor:
        """gamma (1 - lambda) [B, blocks]."""
        return self.gamma * (1 - self.lam)

    def take(self, items: Tensor) -> ElasticNet:
        """The penalty of some items."""
        return replace(self, gamma=self.gamma[items])

    def primal(self, residual: Tensor, norms: Tensor) -> Tensor:
        """The objective [B] from x' - D c [B, n] and ||c_g|| [B, blocks]."""
        penalty = self.threshold * norms + 0.5 * self.ridge * norms.square()
        return 0.5 * residual.square().sum(1) + penalty.sum(1)

    def relative_gap(
        self, target: Tensor, residual: Tensor, norms: Tensor, correlations: Tensor
    ) -> Tensor:
        """How far the objective can lie above its minimum, relative to it: [B], never negative.

        correlations: ||D_g^T r|| [B, blocks], zero for blocks outside the problem. The dual
        value at theta = r is theta . x' - 1/2 ||theta||^2 - sum_g (||D_g^T theta|| - gamma
        lambda)_+^2 / (2 gamma (1 - lambda)); every theta is feasible. Without a ridge (lambda = 1)
        those with ||D_g^T theta|| <= gamma are: theta is r, scaled down to them.
        """
        product, square = (residual * target).sum(1), residual.square().sum(1)
        if self.lam == 1:
            tiny = torch.finfo(residual.dtype).tiny
            scale = (self.threshold / correlations.clamp_min(tiny)).amin(1).clamp_max(1)
            dual = scale * product - 0.5 * scale.square() * square
        else:
            excess = (correlations - self.threshold).clamp_min(0).square() / (2 * self.ridge)
            dual = product - 0.5 * square - excess.sum(1)
        primal = self.primal(residual, norms)
        return (primal - dual).clamp_min(0) / primal.clamp_min(torch.finfo(primal.dtype).tiny)

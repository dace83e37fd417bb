"""How the rate of Theorems 3 and 6 depends on mu, rho and epsilon, each changed alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.theory.step_size import best_step, contraction


@dataclass(frozen=True)
class RateDependence:
    """Factors that the theorem promises of one step at its best step size, NaN where there is none.

    scales [S]: multiples of mu and of rho; over_mu, over_rho [S]: the factor with that one
    multiplied, the others as they are; shares [E]: of `limit`, the epsilon from which on no step
    size is admissible (9 mu^2 / (32 rho)); over_epsilon [E]; here: the factor as it is; share:
    epsilon over `limit`.
    """

    scales: Tensor
    over_mu: Tensor
    over_rho: Tensor
    shares: Tensor
    over_epsilon: Tensor
    limit: float
    here: float
    share: float


def rate_dependence(
    mu: float, rho: float, epsilon: float, count: int = 61, reach: float = 4.0
) -> RateDependence:
    """The dependence around one point, on `count` values from 1 / reach to reach times.

    mu, rho > 0, epsilon >= 0, reach > 1. With epsilon = 0 the factor is 1 - (mu / rho)^2: twice
    mu makes the progress of a step four times as large, twice rho a quarter of it.
    """
    if not (mu > 0 and rho > 0 and epsilon >= 0 and reach > 1):
        raise ValueError("mu and rho must be positive, epsilon not negative, and reach above 1")
    scales = torch.logspace(-1, 1, count, base=reach, dtype=torch.float64)
    one = torch.ones_like(scales)
    limit = 9 * mu**2 / (32 * rho)
    shares = torch.linspace(0, 1.2, count, dtype=torch.float64)
    return RateDependence(
        scales,
        _factor(mu * scales, rho * one, epsilon * one),
        _factor(mu * one, rho * scales, epsilon * one),
        shares,
        _factor(mu * one, rho * one, shares * limit),
        limit,
        float(_factor(*torch.tensor([[mu], [rho], [epsilon]], dtype=torch.float64))),
        epsilon / limit,
    )


def _factor(mu: Tensor, rho: Tensor, epsilon: Tensor) -> Tensor:
    """NaN for mu > rho, too: the gradient is never longer than rho times the distance."""
    factor = contraction(best_step(mu, rho, epsilon), mu, rho, epsilon)
    return torch.where(mu <= rho, factor, torch.nan)

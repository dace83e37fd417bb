"""Conditions of convergence over a landscape: the PL quotient, and the starts Corollary 4 excludes.

The PL (Polyak-Lojasiewicz) condition asks for ||grad f(z)||^2 >= 2 mu f(z) at every z, with one
mu > 0 (the least f is 0). It fails globally wherever descent can stop at an f above 0; the paper's
conditions are local for that reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.kappa import kappa


def pl_quotient(inversion: Inversion, z: Tensor) -> Tensor:
    """||grad f||^2 / (2 f) at points z [..., d], the largest mu that PL may have there: [...].

    NaN where f is 0, which asks nothing.
    """
    value = inversion.value(z)
    quotient = inversion.gradient(z).square().sum(-1) / (2 * value)
    return torch.where(value > 0, quotient, torch.nan)


@dataclass(frozen=True)
class ExcludedBalls:
    """The balls in which Corollary 4 lets no descent begin (eq. 8), beside the origin.

    near: the radius around z*; far: around `centre`, which is -kappa z* [d]; largest: the largest
    WDC constant that the corollary admits, L^-32; whole: the largest for which z* itself lies
    outside of the ball around -kappa z*. The paper's absolute constants K_1 and K_2 are unknown
    and count as 1 here: larger ones make every condition stricter.
    """

    near: float
    far: float
    centre: Tensor
    largest: float
    whole: float


def excluded_balls(inversion: Inversion, epsilon: float) -> ExcludedBalls:
    """The balls for a network of L layers whose weights satisfy the WDC with `epsilon` > 0.

    K_2 L^3 epsilon^(1/4) ||z*|| around z*, K_2 L^13 epsilon^(1/4) ||z*|| around -kappa z*.
    ValueError for an epsilon that is not positive.
    """
    if not epsilon > 0:
        raise ValueError(f"the WDC's constant must be positive, not {epsilon:g}")
    layers = len(inversion.network.weights)
    size, root = float(inversion.z_star.norm()), epsilon**0.25
    share = kappa(layers)
    return ExcludedBalls(
        near=layers**3 * root * size,
        far=layers**13 * root * size,
        centre=-share * inversion.z_star,
        largest=float(layers) ** -32,
        whole=((1 + share) / layers**13) ** 4,
    )

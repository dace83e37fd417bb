"""The c_a problem `min_c 1/2 ||y - D_a c||^2 + lambda sum_g ||c_g||_2`: prox, lambda_max, gap."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary


def block_soft_threshold(c_a: Tensor, threshold: Tensor, dictionary: AttackDictionary) -> Tensor:
    """prox of `threshold * sum_g ||c_g||`: every block shrunk by its norm, or zero.

    c_a: [..., k]; threshold: [...], not negative (eta * lambda in a proximal gradient step;
    Algorithm 1 prints lambda alone, with which c_a would stay zero for ever).
    """
    blocks = dictionary.split(c_a)
    norms = torch.linalg.vector_norm(blocks, dim=-1, keepdim=True)
    threshold = threshold[..., None, None, None]
    scale = (1 - threshold / norms.clamp_min(torch.finfo(c_a.dtype).tiny)).clamp_min(0)
    return (blocks * scale).flatten(-3)


def lambda_max(target: Tensor, dictionary: AttackDictionary) -> Tensor:
    """The smallest lambda whose solution is c_a = 0: max_g ||D_g^T y||, y [..., n] -> [...]."""
    return dictionary.energies(dictionary.correlate(target)).amax(dim=(-2, -1))


def penalty(c_a: Tensor, dictionary: AttackDictionary) -> Tensor:
    """h(c_a) = ||c_a||_{1,2} = sum_g ||c_g||_2: [..., k] -> [...]."""
    return dictionary.energies(c_a).sum(dim=(-2, -1))


def duality_gap(
    target: Tensor, c_a: Tensor, lam: Tensor, dictionary: AttackDictionary
) -> tuple[Tensor, Tensor]:
    """Duality gap of the c_a problem at c_a, and the primal value it certifies.

    target: y = x' - G(z), rows [..., n]; c_a: [..., k]; lam: [...].
    With r = y - D_a c_a the dual point is theta = r * min(1, lambda / max_g ||D_g^T r||) and the
    gap P - (theta . y - 1/2 ||theta||^2): never negative (up to rounding), zero at the solution.
    """
    residual = target - dictionary.combine(c_a)
    return gap_of_residual(target, residual, dictionary.correlate(residual), c_a, lam, dictionary)


def gap_of_residual(
    target: Tensor,
    residual: Tensor,
    correlation: Tensor,
    c_a: Tensor,
    lam: Tensor,
    dictionary: AttackDictionary,
) -> tuple[Tensor, Tensor]:
    """`duality_gap` where r = y - D_a c_a and D_a^T r are at hand: D_a need not be read again."""
    largest = dictionary.energies(correlation).amax(dim=(-2, -1))
    primal = 0.5 * residual.square().sum(-1) + lam * penalty(c_a, dictionary)
    scale = torch.minimum(torch.ones_like(lam), lam / largest.clamp_min(1e-30))
    theta = residual * scale[..., None]
    dual = (theta * target).sum(-1) - 0.5 * theta.square().sum(-1)
    return (primal - dual).clamp_min(0), primal

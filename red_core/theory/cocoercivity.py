"""Lemma 9 along a path: both sides of inequality (14), which every step of the proof rests on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.moving import Moving


@dataclass(frozen=True)
class Cocoercivity:
    """Both sides of (14) at every iterate, divided by ||w^k - w*||^2: [K, I], NaN at w* itself.

    left: <grad f(w^k), w^k - w*>, how much the gradient points away from the solution; right:
    2 eta (1 - eta rho / 2) ||grad f||^2 - epsilon ||w^k - w* - eta grad f||^2. The lemma says
    that left is not below right. For a convex f (epsilon = 0) it is co-coercivity.
    """

    left: Tensor
    right: Tensor


def cocoercivity(
    instances: Instances,
    z: Tensor,
    c_a: Tensor,
    eta: Tensor,
    rho: Tensor,
    epsilon: Tensor,
    inversion: bool = False,
) -> Cocoercivity:
    """Inequality (14) at the iterates z [K, I, d], c_a [K, I, k]; eta, rho, epsilon [I].

    rho, epsilon: bounds on the curvature along the proof's segments (`segment_curvature`) of the
    steps from these iterates: then the inequality holds. c_a counts within the row space of D_a,
    out of which descent never moves it (`Moving`); inversion: z alone moves. f is zero at w*, so
    its gradient is zero there, and the terms with grad f(w*) vanish.
    """
    moving = Moving.of(instances, inversion)
    v = moving.coordinates(z, c_a)
    away, gradient = v - moving.star, moving.gradient(v)
    step = eta[:, None]
    square = away.square().sum(-1)
    left = (gradient * away).sum(-1)
    right = 2 * eta * (1 - eta * rho / 2) * gradient.square().sum(-1)
    right = right - epsilon * (away - step * gradient).square().sum(-1)
    there = square > 0
    return Cocoercivity(
        torch.where(there, left / square, torch.nan), torch.where(there, right / square, torch.nan)
    )

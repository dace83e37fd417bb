"""The exact minimum over one block, the others held: a secular equation in its norm."""

from __future__ import annotations

import torch
from torch import Tensor

_MOST_STEPS = 50
_PRECISION = 1e-11  # relative, of the norm: below what the sweeps leave


def minimise_block(
    pull: Tensor, spectrum: Tensor, threshold: Tensor, ridge: Tensor, guess: Tensor
) -> tuple[Tensor, Tensor]:
    """argmin_c 1/2 c^T S c - s . c + threshold ||c|| + ridge/2 ||c||^2, and its norm.

    pull: s = Q_g^T (r + Q_g c_g) [b, r]; spectrum: the diagonal of S [r]; threshold, ridge [b],
    positive; guess: of the norm [b]. Returns c [b, r], ||c|| [b].

    c = 0 where ||s|| <= threshold. Else c = t s / ((S + ridge) t + threshold) with t = ||c||, so
    t solves ||s / ((S + ridge) t + threshold)|| = 1. Newton's method on the reciprocal of the
    left-hand side, which is nearly a straight line in t, takes a handful of steps.
    """
    length = torch.linalg.vector_norm(pull, dim=1)
    on = length > threshold
    curvature = spectrum + ridge[:, None]
    # No axis is stiffer than the stiffest: t is at least what that one alone would allow.
    low = (length - threshold) / curvature.amax(1)
    squares = pull.square()
    norm = torch.where(on, torch.maximum(guess, low), 1.0)
    for _ in range(_MOST_STEPS):
        scale = curvature * norm[:, None] + threshold[:, None]
        shares = squares / scale.square()
        total = shares.sum(1)
        slope = (shares * curvature / scale).sum(1)
        step = torch.where(on, (total.sqrt() - 1) * total / slope, 0.0)
        norm = torch.where(on, torch.maximum(norm + step, low), norm)
        if bool((step.abs() <= _PRECISION * norm).all()):
            break
    scale = curvature * norm[:, None] + threshold[:, None]
    norm = torch.where(on, norm, 0.0)
    return pull * (norm[:, None] / scale), norm

"""The block elastic net as one would first write it down: FISTA on all columns of one x'.

No blocks in principal axes, no active set, no batch: what the tests hold `minimise` against.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def minimise_plainly(
    columns: Tensor,
    parts: Sequence[slice],
    target: Tensor,
    gamma: Tensor,
    lam: float,
    steps: int = 20_000,
) -> tuple[Tensor, float]:
    """c [k] and the objective (see `objective`) for D = columns [n, k] and one x' [n].

    parts: the blocks' columns; gamma: one a block. FISTA (Beck & Teboulle 2009), its momentum
    dropped whenever it points uphill; it ends early once a step moves c by less than 1e-14.
    """
    rate = 1 / float(torch.linalg.matrix_norm(columns, 2).square())
    c = torch.zeros_like(columns[0])
    ahead, momentum = c, 1.0
    for _ in range(steps):
        moved = ahead + rate * columns.T @ (target - columns @ ahead)
        new = torch.cat(
            [_prox(moved[s], rate * g, lam) for s, g in zip(parts, gamma.tolist(), strict=True)]
        )
        if float((ahead - new) @ (new - c)) > 0:
            momentum = 1.0
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / following * (new - c)
        done = float((new - c).norm()) <= 1e-14 * max(1.0, float(new.norm()))
        c, momentum = new, following
        if done:
            break
    norms = torch.stack([c[s].norm() for s in parts])
    penalty = gamma * (lam * norms + (1 - lam) / 2 * norms.square())
    return c, float(0.5 * (target - columns @ c).square().sum() + penalty.sum())


def _prox(block: Tensor, weight: float, lam: float) -> Tensor:
    """prox of weight (lam ||c|| + (1 - lam)/2 ||c||^2)."""
    shrunk = max(0.0, 1 - weight * lam / max(float(block.norm()), 1e-300))
    return block * (shrunk / (1 + weight * (1 - lam)))

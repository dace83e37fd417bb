"""Accelerated block coordinate descent on given active blocks, batched over images.

A sweep minimises exactly over one active block after the other. Blocks of neighbouring classes
compete for the same ink, and plain sweeps trade it between them slowly; so after every few sweeps
the iterates are extrapolated (Anderson, as Bertrand & Massias 2021 do for the Lasso), which is
kept only where it lowers the objective. An image leaves the batch once its duality gap is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from red_core.sbsc.block_step import minimise_block
from red_core.sbsc.blocks import BlockDictionary, Groups
from red_core.sbsc.objective import ElasticNet

TOLERANCE = 1e-9  # of the relative duality gap
_MEMORY = 5  # sweeps between two extrapolations
_MOST_SWEEPS = 5000


@dataclass(frozen=True)
class Solution:
    """c [B, k] in the principal axes of its blocks, x' - D c [B, n], the relative gap [B]."""

    coefficients: Tensor
    residual: Tensor
    gap: Tensor


def descend(
    blocks: BlockDictionary,
    target: Tensor,
    net: ElasticNet,
    active: Tensor,
    start: Tensor,
    tolerance: float = TOLERANCE,
    most_sweeps: int = _MOST_SWEEPS,
) -> Solution:
    """The minimum over the active blocks [B, blocks] alone, the others zero, from `start` [B, k].

    target: x' [B, n] in float64. The gap is that of the problem without the other blocks; it is
    above `tolerance` only where `most_sweeps` (5,000) did not close it.
    """
    c = torch.where(_columns(blocks, active), start, 0.0)
    gap = torch.full_like(target[:, 0], torch.inf)
    left = torch.arange(len(target), device=target.device)
    for _ in range(0, most_sweeps, _MEMORY):
        part = _Part(blocks, target[left], net.take(left), active[left], c[left])
        part.advance()
        c[left], gap[left] = part.c, part.gap()
        left = left[gap[left] > tolerance]
        if not len(left):
            break
    return Solution(c, blocks.residual(target, c, blocks.groups(active)), gap)


class _Part:
    """The images still at work, for one round of sweeps and its extrapolation."""

    def __init__(
        self, blocks: BlockDictionary, target: Tensor, net: ElasticNet, active: Tensor, c: Tensor
    ) -> None:
        self.blocks, self.target, self.net, self.active, self.c = blocks, target, net, active, c
        self.groups: Groups = blocks.groups(active)
        self.residual = blocks.residual(target, c, self.groups)
        self.norms = blocks.norms(c)

    def advance(self) -> None:
        """Sweeps, then the extrapolation of all of them where it is lower than the last."""
        path, residuals = [self.c.clone()], [self.residual.clone()]
        for _ in range(_MEMORY):
            self._sweep()
            path.append(self.c.clone())
            residuals.append(self.residual.clone())
        steps = torch.stack([b - a for a, b in pairwise(path)], dim=1)
        weights = _anderson_weights(steps)
        # The weights sum to one, so residuals extrapolate as the iterates do.
        c = torch.einsum("bm,bmk->bk", weights, torch.stack(path[1:], dim=1))
        residual = torch.einsum("bm,bmn->bn", weights, torch.stack(residuals[1:], dim=1))
        norms = self.blocks.norms(c)
        before = self.net.primal(self.residual, self.norms)
        lower = (self.net.primal(residual, norms) < before)[:, None]
        self.c = torch.where(lower, c, self.c)
        self.residual = torch.where(lower, residual, self.residual)
        self.norms = torch.where(lower, norms, self.norms)

    def gap(self) -> Tensor:
        """The relative duality gap [B] over the active blocks."""
        correlations = self.blocks.correlations(self.residual, self.active)
        return self.net.relative_gap(self.target, self.residual, self.norms, correlations)

    def _sweep(self) -> None:
        threshold, ridge = self.net.threshold, self.net.ridge
        for g, items in self.groups:
            basis, spectrum = self.blocks.bases[g], self.blocks.spectra[g]
            old = self.c[items, self.blocks.slices[g]]
            pull = self.residual[items] @ basis + spectrum * old
            new, norm = minimise_block(
                pull, spectrum, threshold[items, g], ridge[items, g], self.norms[items, g]
            )
            self.c[items, self.blocks.slices[g]] = new
            self.norms[items, g] = norm
            self.residual[items] -= (new - old) @ basis.T


def _columns(blocks: BlockDictionary, active: Tensor) -> Tensor:
    """Active blocks [B, blocks] as active coefficients [B, k]."""
    widths = torch.tensor([basis.shape[1] for basis in blocks.bases], device=active.device)
    return active.repeat_interleave(widths, dim=1)


def _anderson_weights(steps: Tensor) -> Tensor:
    """Weights [B, m], of sum 1, that make the weighted sum of steps [B, m, k] the shortest."""
    gram = steps @ steps.mT
    size = gram.diagonal(dim1=1, dim2=2).sum(1)
    ridge = (1e-12 * size + 1e-300)[:, None, None]
    eye = torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    ones = torch.ones_like(gram[..., :1])
    weights, _ = torch.linalg.solve_ex(gram + ridge * eye, ones)
    weights = weights[..., 0] / weights.sum(1)
    equal = torch.full_like(weights, 1 / weights.shape[1])
    return torch.where(torch.isfinite(weights).all(1, keepdim=True), weights, equal)

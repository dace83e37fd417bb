"""The block elastic net over all blocks at fixed gamma, by an active set.

Only blocks with ||D_g^T r|| > gamma lambda can be wrongly zero. So: solve on a few blocks, add the
one that violates this most, and end when none does; the gap over all blocks is then closed too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.sbsc.block_descent import TOLERANCE, Solution, descend
from red_core.sbsc.blocks import BlockDictionary
from red_core.sbsc.objective import ElasticNet


def minimise(
    blocks: BlockDictionary, target: Tensor, net: ElasticNet, tolerance: float = TOLERANCE
) -> Solution:
    """The minimum over all blocks for x' [B, n] (float64); the gap is that over all blocks."""
    count = len(target)
    active = torch.zeros(count, len(blocks), dtype=torch.bool, device=target.device)
    c, residual = blocks.zeros(count), target.clone()
    gap = torch.full_like(target[:, 0], torch.inf)
    left = torch.arange(count, device=target.device)
    for _ in range(len(blocks) + 1):
        correlations = blocks.correlations(residual[left])
        part = net.take(left)
        gap[left] = part.relative_gap(
            target[left], residual[left], blocks.norms(c[left]), correlations
        )
        left = left[gap[left] > tolerance]
        if not len(left):
            break
        excess = blocks.correlations(residual[left]) / net.take(left).threshold
        worst = excess.masked_fill(active[left], 0).argmax(1)
        active[left, worst] = True
        # Half of the tolerance: the other half is for the blocks left outside.
        solved = descend(blocks, target[left], net.take(left), active[left], c[left], tolerance / 2)
        c[left], residual[left] = solved.coefficients, solved.residual
    return Solution(c, residual, gap)

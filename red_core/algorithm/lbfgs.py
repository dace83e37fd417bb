"""Limited-memory BFGS on z, row by row (Nocedal & Wright 2006, Algorithm 7.4), without line search.

A style generator's W+ is badly scaled: curvature learned on the way brings G(w) nearer in 100
steps than Adam does in 200, at the same cost a step.
"""

from __future__ import annotations

import torch
from torch import Tensor

MEMORY = 10
LEAST_CURVATURE = 1e-8  # s . y of a pair that is remembered

Memory = tuple[Tensor, ...]


def lbfgs_memory(z: Tensor) -> Memory:
    """An empty memory for z [B, S, *latent]; see `lbfgs_step`."""
    flat = z.flatten(2)
    pairs = flat.new_zeros(*flat.shape[:2], MEMORY, flat.shape[2])
    return (pairs, pairs, flat, torch.zeros_like(flat), flat.new_zeros(flat.shape[:2]))


def lbfgs_step(
    z: Tensor, gradient: Tensor, memory: Memory, longest: float
) -> tuple[Tensor, Memory]:
    """z - H gradient, H the inverse curvature seen in the last MEMORY steps; each row has its own.

    memory: s and y, the steps and the gradients' changes, newest last, [B, S, MEMORY, d] each (a
    pair of zeros is none); the last z and gradient [B, S, d]; how many gradients there were
    [B, S]. longest: no step is longer than this, in the l2 norm of a row of z. The first step,
    which knows no curvature, has length 1 at most. A pair that shows no positive curvature is
    passed over; an objective that changes between the steps (c_a moves too) only blurs the pairs.
    """
    moved, turned, last_z, last_gradient, count = memory
    here, slope = z.flatten(2), gradient.flatten(2)
    later = count[..., None] > 0
    s, y = (here - last_z) * later, (slope - last_gradient) * later
    curved = ((s * y).sum(-1, keepdim=True) > LEAST_CURVATURE).to(s)
    moved = torch.cat((moved[:, :, 1:], (s * curved)[:, :, None]), 2)
    turned = torch.cat((turned[:, :, 1:], (y * curved)[:, :, None]), 2)
    # The pairs that any row has: of a young memory the first are zeros for all.
    known = min(MEMORY, int(count.max()))
    direction = _direction(slope, moved[:, :, MEMORY - known :], turned[:, :, MEMORY - known :])
    length = torch.linalg.vector_norm(direction, dim=-1, keepdim=True).clamp_min(1e-12)
    limit = torch.where(later, longest, min(1.0, longest)).to(length)
    step = direction * (limit / length).clamp_max(1)
    return z - step.view_as(z), (moved, turned, here, slope, count + 1)


def _direction(gradient: Tensor, moved: Tensor, turned: Tensor) -> Tensor:
    """H gradient [B, S, d] by the two-loop recursion; a pair of zeros leaves it as it is."""
    q, scale = gradient, torch.ones_like(gradient[..., :1])
    pairs = list(zip(moved.unbind(2), turned.unbind(2), strict=True))
    known: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for s, y in reversed(pairs):
        curvature = (s * y).sum(-1, keepdim=True)
        inverse = torch.where(curvature > 0, 1 / curvature.clamp_min(1e-30), 0.0)
        share = inverse * (s * q).sum(-1, keepdim=True)
        q = q - share * y
        known.append((s, y, inverse, share))
    for s, y, _, _ in known:  # the newest pair that shows curvature sets the scale
        bent = y.square().sum(-1, keepdim=True)
        own = (s * y).sum(-1, keepdim=True) / bent.clamp_min(1e-30)
        scale = torch.where((scale == 1) & (bent > 0), own, scale)
    q = scale * q
    for s, y, inverse, share in reversed(known):
        q = q + (share - inverse * (y * q).sum(-1, keepdim=True)) * s
    return q

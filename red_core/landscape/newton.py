"""Stationary points of a smooth f: Newton's method on grad f = 0, from many starts at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion

STEPS = 100
SETTLED = 1e-9  # a Newton step this short, relative to the size of the latent space looked at
FLAT = 1e-8  # of the largest |eigenvalue| at any start: a Hessian below it is zero
FAR = 5.0  # a start that goes further than this many sizes is given up


def newton_points(inversion: Inversion, starts: Tensor) -> Tensor:
    """Points [N, d] with grad f = 0, reached from starts [R, d]; each is given once.

    Levenberg-Marquardt on ||grad f||^2: it goes to minima, saddles and maxima alike. A start that
    ends in a place where ||grad f|| is merely small (a plateau of sigmoid or tanh, a positive
    minimum of ||grad f||) is told by its Newton step, which is not short there, and dropped.
    """
    size = float(starts.norm(dim=1).amax())
    # Where everything is saturated, gradient and Hessian vanish together: no stationary point.
    flat = FLAT * float(torch.linalg.eigvalsh(inversion.hessian(starts)).abs().amax())
    z, damping = starts, starts.new_full((len(starts),), 1e-3)
    gradient = inversion.gradient(z)
    arrived: list[Tensor] = []
    for _ in range(STEPS):
        values, vectors = torch.linalg.eigh(inversion.hessian(z))
        slopes = (gradient[:, None] @ vectors)[:, 0]
        newton = _damped(slopes, values, torch.zeros_like(damping), vectors).norm(dim=1)
        settled = newton <= SETTLED * size
        arrived.append(z[settled & (values.abs().amax(1) > flat)])
        going = ~settled & (z.norm(dim=1) <= FAR * size)
        if not bool(going.any()):
            break
        z, gradient, damping = z[going], gradient[going], damping[going]
        tried = z + _damped(slopes[going], values[going], damping, vectors[going])
        new = inversion.gradient(tried)
        better = new.norm(dim=1) < gradient.norm(dim=1)
        z = torch.where(better[:, None], tried, z)
        gradient = torch.where(better[:, None], new, gradient)
        damping = torch.where(better, damping / 5, damping * 4).clamp(1e-16, 1e8)
    return _distinct(torch.cat(arrived), 1e-6 * size)


def winding_number(inversion: Inversion, reach: float) -> int | None:
    """How often grad f turns as one walks round the square [-reach, reach]^2, d = 2.

    By Poincare and Hopf it equals the sum of the indices of the stationary points inside (minima
    and maxima 1, saddles -1), so it tells whether some were missed. None where the gradient
    vanishes on the way, or turns too quickly to follow.
    """
    for samples in (1024, 16_384):
        side = torch.linspace(-reach, reach, samples, dtype=torch.float64)[:-1]
        edge = torch.full_like(side, reach)
        walk = torch.cat(
            [
                torch.stack(pair, dim=1)
                for pair in ((side, -edge), (edge, side), (-side, edge), (-edge, -side))
            ]
        )
        gradient = torch.cat([inversion.gradient(some) for some in walk.split(1024)])
        lengths = gradient.norm(dim=1)
        if float(lengths.min()) <= 1e-9 * float(lengths.max()):
            return None
        angles = torch.atan2(gradient[:, 1], gradient[:, 0])
        turns = (angles.roll(-1) - angles + math.pi) % (2 * math.pi) - math.pi
        if float(turns.abs().max()) < math.pi / 2:
            return round(float(turns.sum()) / (2 * math.pi))
    return None


def _damped(slopes: Tensor, values: Tensor, damping: Tensor, vectors: Tensor) -> Tensor:
    """-(H^2 + damping mean(lambda^2))^-1 H g, in the eigenbasis of H: [R, d]."""
    square = values.square()
    divisor = square + damping[:, None] * square.mean(1, keepdim=True)
    step = -values * slopes / divisor.clamp_min(torch.finfo(values.dtype).tiny)
    return (vectors @ step[:, :, None])[:, :, 0]


def _distinct(points: Tensor, apart: float) -> Tensor:
    """The points, each once: those closer than `apart` to an earlier one are dropped."""
    kept: list[Tensor] = []
    for point in points:
        if all(float((point - other).norm()) > apart for other in kept):
            kept.append(point)
    return torch.stack(kept) if kept else points[:0]

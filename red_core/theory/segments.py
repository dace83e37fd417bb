"""The curvature of f along the segments that the proofs of Theorems 6 and 8 use."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.curvature import extremes, negative_part
from red_core.theory.moving import Moving

# The sides of the parallelogram of A.1. The first point is where the proof expands f.
SIDES = (
    "w^k to w^{k+1}",
    "w* to w^{k+1}",
    "w* to w* + eta grad f(w^k)",
    "w^k to w* + eta grad f(w^k)",
)
_CORNERS = ((0, 1), (2, 1), (2, 3), (0, 3))


@dataclass(frozen=True)
class SegmentCurvature:
    """The extreme curvatures found on the four sides of SIDES.

    largest, smallest [4, K, I]: on one side of step k, over the eigenvalues of the Hessian at the
    samples and the mean curvature of the side (`mean_curvature`). Bounds from within: the true
    extremes may lie further out, and more samples can only widen what is found.
    """

    largest: Tensor
    smallest: Tensor

    @property
    def rho(self) -> Tensor:
        """Over all four sides, [K, I]."""
        return self.largest.amax(0).clamp_min(0)

    @property
    def epsilon(self) -> Tensor:
        """Over all four sides, [K, I]: 0 where no negative curvature was found."""
        return negative_part(self.smallest.amin(0), self.largest.amax(0))


def segment_curvature(
    instances: Instances,
    z: Tensor,
    c_a: Tensor,
    eta: Tensor,
    samples: int = 5,
    inversion: bool = False,
) -> SegmentCurvature:
    """The curvature that the proof of Theorem 6 uses for the steps from z [K, I, d], c_a [K, I, k].

    Lemma 9 expands psi = f and psi* = f - <grad f(w^k), .> (grad f(w*) = 0) around two points
    each. With w^{k+1} = w^k - eta grad f(w^k) and its mirror image w^- = w* + eta grad f(w^k):

        descent (19): an upper bound on the curvature along [w^k, w^{k+1}] and [w*, w^-];
        convexity of g (25): a lower bound along [w*, w^{k+1}] and [w^k, w^-].

    Since w^k - w^{k+1} = w^- - w*, these are the four sides of one parallelogram, and w^k, w* are
    opposite corners: the segment of Lemma 14, [w^k, w*] (eq. 71), is its diagonal, which the
    proof never walks. Both ends of the spectrum are taken over all four sides, as the theorem
    states one rho and one epsilon.

    The Hessian is sampled, and a bend between two samples may be missed (a softplus with a large
    beta has narrow ones). But what the proof takes from each side is one inequality, with the
    mean curvature of that side, which values of f give exactly. As it is counted too, (19) and
    (26) do hold with the rho and epsilon found, up to rounding, and so does the theorem, even
    where the true extremes lie further out. eta [I]; samples >= 2: points a side, with corners.
    """
    moving = Moving.of(instances, inversion)
    return sides_of_steps(moving, moving.coordinates(z, c_a), eta, samples)


def sides_of_steps(moving: Moving, v: Tensor, eta: Tensor, samples: int) -> SegmentCurvature:
    """`segment_curvature` in the coordinates of `Moving`: v [K, I, d + r]."""
    if samples < 2:
        raise ValueError(f"a side needs at least its two corners as samples, not {samples}")
    gradient = moving.gradient(v)
    stride = eta[:, None] * gradient
    star = moving.star[None]  # the same corner for every step
    corners = (v, v - stride, star, star + stride)
    slopes = {0: gradient, 2: torch.zeros_like(star)}
    ends = [extremes(moving, corner) for corner in corners]
    sides = []
    for start, end in _CORNERS:
        found = [ends[start], ends[end]]
        for part in range(1, samples - 1):
            between = torch.lerp(corners[start], corners[end], part / (samples - 1))
            found.append(extremes(moving, between))
        found.append(mean_curvature(moving, corners[start], corners[end], slopes[start]))
        sides.append(_widest(found, v.shape[:-1]))
    return SegmentCurvature(*(torch.stack(ends) for ends in zip(*sides, strict=True)))


def largest_between(
    moving: Moving, start: Tensor, end: Tensor, slope: Tensor, samples: int
) -> Tensor:
    """The largest curvature found from start to end [K, I, d + r]; slope: grad f at start."""
    shares = torch.linspace(0, 1, samples, dtype=start.dtype)
    found = [extremes(moving, torch.lerp(start, end, share)) for share in shares]
    found.append(mean_curvature(moving, start, end, slope))
    return _widest(found, start.shape[:-1])[0]


def mean_curvature(
    moving: Moving, start: Tensor, end: Tensor, slope: Tensor
) -> tuple[Tensor, Tensor]:
    """2 (f(end) - f(start) - <slope, end - start>) / ||end - start||^2, slope = grad f(start).

    The mean, weighted by 2 (1 - t), of the curvature along the segment at its points
    start + t (end - start): never outside of the eigenvalues' range there. Twice, less and plus
    its rounding, as a (lower) bound on the largest and an (upper) bound on the smallest of them;
    infinite, so that it bounds nothing, for a segment of length 0.
    """
    move = end - start
    before, after = moving.residual(start), moving.residual(end)
    rise = after.square().sum(-1) - before.square().sum(-1) - (slope * move).sum(-1)
    norm = torch.linalg.vector_norm
    sizes = norm(before, dim=-1) + norm(after, dim=-1)
    # Residuals are sums of terms as large as x'; what is left of f's rounding is this.
    off = 16 * torch.finfo(rise.dtype).eps * (norm(moving.target, dim=-1) + sizes)
    noise = 8 * off * (sizes + off)
    square = move.square().sum(-1)
    return (
        torch.where(square > 0, 2 * (rise - noise) / square, -torch.inf),
        torch.where(square > 0, 2 * (rise + noise) / square, torch.inf),
    )


def _widest(found: list[tuple[Tensor, Tensor]], shape: torch.Size) -> tuple[Tensor, Tensor]:
    """The largest of the first and the smallest of the second of the pairs, as `shape`."""
    largest = torch.stack([high.expand(shape) for high, _ in found]).amax(0)
    return largest, torch.stack([low.expand(shape) for _, low in found]).amin(0)

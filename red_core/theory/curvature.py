"""rho and -epsilon: the largest and smallest eigenvalue of the Hessian of f (Theorems 3, 6, 8)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.moving import Moving
from red_core.theory.spectrum import hessian_product, lanczos

CHUNK = 2**18  # numbers of the Jacobians or Hessians held at once: 2 MB, so they stay in a cache

# The sides of the parallelogram of A.1, as corners (from, to).
SIDES = (
    "w^k to w^{k+1}",
    "w^{k+1} to w*",
    "w* to w* + eta grad f(w^k)",
    "w* + eta grad f(w^k) to w^k",
)


def curvature(
    instances: Instances, z: Tensor, c_a: Tensor, inversion: bool = False
) -> tuple[Tensor, Tensor]:
    """(rho, epsilon) at points z [..., I, d], c_a [..., I, k]: both [..., I], never negative.

    rho = max(0, lambda_max) and epsilon = max(0, -lambda_min) of the exact Hessian of f (eqs. 72
    to 77 with the factor 2 they drop; 73 also has its residual's sign turned), by a dense
    eigensolver.
    Where D_a has a kernel (always for k > n) the matrix is the one of `Moving`, of size
    d + rank(D_a): the other k - rank(D_a) eigenvalues are 0 and change neither number. inversion:
    the Hessian in z alone (Section 4.1).
    """
    moving = Moving.of(instances, inversion)
    largest, smallest = _extremes(moving, moving.coordinates(z, c_a))
    return largest.clamp_min(0), _negative(smallest, largest)


def curvature_lanczos(
    instances: Instances, z: Tensor, c_a: Tensor, tolerance: float = 1e-10
) -> tuple[Tensor, Tensor]:
    """`curvature` through autograd and Lanczos: no Hessian is formed and no SVD taken.

    For d + k too large for a matrix. One point of one instance at a time. It finds the kernel's
    zeros too, so that epsilon is never below 0 by itself where k > rank(D_a).
    """
    size = instances.d + instances.k
    points = torch.cat((z, c_a), dim=-1)
    flat = points.reshape(-1, len(instances), size)
    found = []
    for item in range(len(instances)):
        one = instances.take(torch.tensor([item]))

        def value(w: Tensor, one: Instances = one) -> Tensor:
            return one.value(w[None, : one.d], w[None, one.d :]).sum()

        ends = [lanczos(hessian_product(value, point), size, tolerance) for point in flat[:, item]]
        found.append([(max(e.largest, 0.0), max(-e.smallest, 0.0)) for e in ends])
    both = torch.tensor(found, dtype=torch.float64).movedim(0, 1)
    shape = points.shape[:-1]
    return both[..., 0].reshape(shape), both[..., 1].reshape(shape)


@dataclass(frozen=True)
class SegmentCurvature:
    """The Hessian's extreme eigenvalues over the four sides of SIDES, sampled.

    largest, smallest [4, K, I]: over the samples of one side of step k. A maximum over samples
    is a lower bound on the maximum: more samples can only widen what is found.
    """

    largest: Tensor
    smallest: Tensor

    @property
    def rho(self) -> Tensor:
        """Over all four sides, [K, I]."""
        return self.largest.amax(0).clamp_min(0)

    @property
    def epsilon(self) -> Tensor:
        """Over all four sides, [K, I]: 0 where no sample has a negative eigenvalue."""
        return _negative(self.smallest.amin(0), self.largest.amax(0))


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
    states one rho and one epsilon. eta [I]; samples >= 2: points a side, both corners included.
    """
    moving = Moving.of(instances, inversion)
    return sides_of_steps(moving, moving.coordinates(z, c_a), eta, samples)


def sides_of_steps(moving: Moving, v: Tensor, eta: Tensor, samples: int) -> SegmentCurvature:
    """`segment_curvature` in the coordinates of `Moving`: v [K, I, d + r]."""
    if samples < 2:
        raise ValueError(f"a side needs at least its two corners as samples, not {samples}")
    stride = eta[:, None] * moving.gradient(v)
    star = moving.star[None]  # the same corner for every step
    corners = (v, v - stride, star, star + stride)
    ends = [_extremes(moving, corner) for corner in corners]
    largest, smallest = ([end[i].expand(v.shape[:-1]) for end in ends] for i in range(2))
    sides = []
    for i in range(4):
        j = (i + 1) % 4
        top, low = [largest[i], largest[j]], [smallest[i], smallest[j]]
        for part in range(1, samples - 1):
            point = torch.lerp(corners[i], corners[j], part / (samples - 1))
            more, less = _extremes(moving, point)
            top.append(more)
            low.append(less)
        sides.append((torch.stack(top).amax(0), torch.stack(low).amin(0)))
    return SegmentCurvature(*(torch.stack(ends) for ends in zip(*sides, strict=True)))


def largest_between(moving: Moving, start: Tensor, end: Tensor, samples: int) -> Tensor:
    """The largest eigenvalue at `samples` points of the segments start to end [K, I, d + r]."""
    shares = torch.linspace(0, 1, samples, dtype=start.dtype)
    found = [_extremes(moving, torch.lerp(start, end, share))[0] for share in shares]
    return torch.stack(found).amax(0)


def _negative(smallest: Tensor, largest: Tensor) -> Tensor:
    """max(0, -smallest), and 0 where that is only the eigensolver's rounding."""
    rounding = 64 * torch.finfo(largest.dtype).eps * torch.maximum(largest.abs(), smallest.abs())
    return torch.where(-smallest > rounding, -smallest, 0.0)


def _extremes(moving: Moving, v: Tensor) -> tuple[Tensor, Tensor]:
    """Largest and smallest eigenvalue of Hess f~ at v [..., I, size]: [..., I] each."""
    rows = v.reshape(-1, *v.shape[-2:])
    cost = v.shape[-2] * max(moving.network.outputs * moving.latent, moving.size**2)
    values = [
        torch.linalg.eigvalsh(moving.hessian(part))[..., [-1, 0]]
        for part in rows.split(max(1, CHUNK // cost))
    ]
    both = torch.cat(values).reshape(*v.shape[:-1], 2)
    return both[..., 0], both[..., 1]

"""rho and -epsilon: the largest and smallest eigenvalue of the Hessian of f (Theorems 3, 6, 8)."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.moving import Moving
from red_core.theory.spectrum import hessian_product, lanczos

CHUNK = 2**18  # numbers of the Jacobians or Hessians held at once: 2 MB, so they stay in a cache


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
    largest, smallest = extremes(moving, moving.coordinates(z, c_a))
    return largest.clamp_min(0), negative_part(smallest, largest)


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


def negative_part(smallest: Tensor, largest: Tensor) -> Tensor:
    """max(0, -smallest), and 0 where that is only the eigensolver's rounding."""
    rounding = 64 * torch.finfo(largest.dtype).eps * torch.maximum(largest.abs(), smallest.abs())
    return torch.where(-smallest > rounding, -smallest, 0.0)


def extremes(moving: Moving, v: Tensor) -> tuple[Tensor, Tensor]:
    """Largest and smallest eigenvalue of Hess f~ at v [..., I, size]: [..., I] each."""
    rows = v.reshape(-1, *v.shape[-2:])
    cost = v.shape[-2] * max(moving.network.outputs * moving.latent, moving.size**2)
    values = [
        torch.linalg.eigvalsh(moving.hessian(part))[..., [-1, 0]]
        for part in rows.split(max(1, CHUNK // cost))
    ]
    both = torch.cat(values).reshape(*v.shape[:-1], 2)
    return both[..., 0], both[..., 1]

"""What Theorems 3 and 6 need to know of a descent, measured at every one of its steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.descent import Path
from red_core.theory.moving import Moving
from red_core.theory.segments import sides_of_steps

FAR = 1e6  # an iterate this many times as far away as the start has diverged


@dataclass(frozen=True)
class Measured:
    """K steps of I descents in the coordinates of `Moving`; tensors are [K, I] or [I].

    k [K]: numbers of the steps; active: whether the instance was under way; gradient:
    ||grad f(w^k)||; before, after: ||Delta^k||, ||Delta^{k+1}||; rho, epsilon: over the four sides
    of the step; stuck [I]: ||c_a^0 - c_a*|| within the kernel of D_a, which no step changes;
    kernel [I]: whether D_a has one; diverged [I].
    """

    k: Tensor
    active: Tensor
    gradient: Tensor
    before: Tensor
    after: Tensor
    rho: Tensor
    epsilon: Tensor
    stuck: Tensor
    kernel: Tensor
    diverged: Tensor


def measure(instances: Instances, path: Path, samples: int, most: int | None) -> Measured:
    """samples: points on each side of a step; most: steps to examine at most, evenly spread.

    A step leads from a recorded w^k to w^k - eta grad f(w^k), whether or not that is recorded.
    """
    moving = Moving.of(instances, path.method == "inversion")
    under_way = path.under_way.any(1)
    at = spread(max(1, int(under_way.sum())), most)
    v = moving.coordinates(path.z[at], path.c_a[at])
    fine = within_reach(path)
    active = path.under_way[at] & fine[at]
    v = torch.where(active[..., None], v, moving.star)  # nothing moves at the solution
    gradient = moving.gradient(v)
    curved = sides_of_steps(moving, v, path.eta, samples)
    norm = torch.linalg.vector_norm
    return Measured(
        k=path.k[at],
        active=active,
        gradient=norm(gradient, dim=-1),
        before=norm(v - moving.star, dim=-1),
        after=norm(v - path.eta[:, None] * gradient - moving.star, dim=-1),
        rho=curved.rho,
        epsilon=curved.epsilon,
        stuck=_stuck(moving, path.c_a[0] - instances.c_star),
        kernel=moving.kernel,
        diverged=~fine.all(0),
    )


def within_reach(path: Path) -> Tensor:
    """Whether an iterate is finite and not absurdly far away, [K, I]."""
    return path.distance <= FAR * path.distance[0].clamp_min(1)  # False for NaN, too


def spread(count: int, most: int | None) -> Tensor:
    """0 ... count - 1, or `most` of these, evenly spread from first to last."""
    if most is None or count <= most:
        return torch.arange(count)
    return torch.linspace(0, count - 1, max(2, most)).round().long().unique()


def _stuck(moving: Moving, away: Tensor) -> Tensor:
    """The norm of `away` [I, k] within the kernel of D_a, 0 where that is rounding."""
    inside = (moving.basis @ (moving.basis.mT @ away[..., None]))[..., 0]
    rest = torch.linalg.vector_norm(away - inside, dim=-1)
    rounding = 1e-12 * (1 + torch.linalg.vector_norm(away, dim=-1))
    return torch.where(moving.kernel & (rest > rounding), rest, 0.0)

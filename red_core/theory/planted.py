"""Theorems 3 and 6 near a planted solution of a trained generator: mu, rho, epsilon, measured.

x' = G(z*) + D_b c*_b with a trained G and one block b of the attack dictionary. All of D_a is of no
use here: with rank(D_a) + d > n, z and c_a make up for one another, minimisers form a manifold and
mu falls to 0 (`rank_sentence`). With c_a = c_a* (Theorem 3), or with the columns of the true block
alone (Theorem 6, c_a within the row space of D_b), z* and c* can be isolated: then mu, rho and
epsilon of a descent from a small distance say whether the theorem applies to it.

A trained G has rectifiers, whose kinks break Assumption 1. The points at which each of them is on
the same side as at z* (`TrainedNetwork.sides`) form a convex polytope, since G up to its last
activation is affine there. A path whose corners all lie in it meets no kink: the theorem applies to
it if its conditions on mu, rho and epsilon are met.

mu is taken at every step of a descent of so many steps, and falls further if it goes on; rho and
epsilon at EXAMINED of them, from within (`segment_curvature`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import grad, jacfwd, vjp, vmap

from red_core.theory.moving import Moving
from red_core.theory.segments import sides_of_steps
from red_core.theory.step_size import best_step, contraction, step_interval

POINTS = 64  # whose Jacobians are taken at once
SAMPLES = 5  # points on each side of the proof's parallelogram
EXAMINED = 3  # steps of a descent whose sides are sampled
ROUNDS = 2  # of steps tried, each from the constants along the path of the one before


class TrainedNetwork:
    """A trained G with the derivatives that `Moving` asks for, in float64 and by autograd.

    generator: z [B, d] -> images; a copy in float64 is used by the caller. Points are [..., I, d].
    """

    def __init__(self, generator: nn.Module, latent: int) -> None:
        self.generator, self.latent = generator, latent
        self.outputs = int(self._one(torch.zeros(latent, dtype=torch.float64)).numel())

    def _one(self, z: Tensor) -> Tensor:
        image: Tensor = self.generator(z[None])
        return image.flatten()

    def __call__(self, z: Tensor) -> Tensor:
        """G(z), [..., I, n]."""
        flat = z.reshape(-1, self.latent)
        return self.generator(flat).flatten(1).reshape(*z.shape[:-1], -1)

    def pullback(self, z: Tensor, rows: Tensor) -> Tensor:
        """J(z)^T v, [..., I, d]."""

        def images(flat: Tensor) -> Tensor:
            made: Tensor = self.generator(flat)
            return made.flatten(1)

        pull = vjp(images, z.reshape(-1, self.latent))[1]
        found: Tensor = pull(rows.reshape(-1, self.outputs))[0]
        return found.reshape(z.shape)

    def jacobian(self, z: Tensor) -> Tensor:
        """J(z), [..., I, n, d]."""
        each = vmap(jacfwd(self._one), chunk_size=POINTS)(z.reshape(-1, self.latent))
        return each.reshape(*z.shape[:-1], self.outputs, self.latent)

    def bend(self, z: Tensor, rows: Tensor) -> Tensor:
        """sum_i v_i Hess G_i(z), [..., I, d, d]; between kinks, of the last activation alone."""

        def hessian(point: Tensor, row: Tensor) -> Tensor:
            def value(at: Tensor) -> Tensor:
                return (self._one(at) * row).sum()

            found: Tensor = jacfwd(grad(value))(point)
            return found

        each = vmap(hessian, chunk_size=POINTS)(
            z.reshape(-1, self.latent), rows.reshape(-1, self.outputs)
        )
        return each.reshape(*z.shape, self.latent)

    def sides(self, z: Tensor) -> Tensor:
        """On which side every rectifier is at points z [P, d]: bool [P, rectifiers]."""
        found: list[Tensor] = []
        hooks = [
            module.register_forward_pre_hook(lambda _, given: found.append(given[0].flatten(1) > 0))
            for module in self.generator.modules()
            if isinstance(module, nn.ReLU)
        ]
        try:
            self.generator(z)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat(found, dim=1)


@dataclass(frozen=True)
class Planted:
    """What a descent from near (z*, c*) measures; see `near_planted`.

    radius: ||w^0 - w*||; mu: smallest at any of its steps; mu_limit: 2 sigma_min(M)^2 of
    M = [J, D_b V] at w*, to which mu falls as it arrives; rho, epsilon: largest found; eta: the
    step; low, high: those admitted, NaN where there is none; needed: 32/9 rho epsilon, above which
    mu^2 has to be; promised, observed: factors of the squared distance, the worst of any step;
    changed: rectifiers that are on another side than at z* somewhere on the path.
    """

    radius: float
    mu: float
    mu_limit: float
    rho: float
    epsilon: float
    eta: float
    low: float
    high: float
    needed: float
    promised: float
    observed: float
    changed: int

    @property
    def inside(self) -> bool:
        """Whether eta is admitted, by the constants of its own path."""
        return self.low < self.eta <= self.high and self.promised < 1

    @property
    def applies(self) -> bool:
        """Whether the theorem applies: admitted, and no kink is met."""
        return self.inside and self.changed == 0


def planted_moving(
    network: TrainedNetwork, z_star: Tensor, block: Tensor | None, c_star: Tensor | None
) -> Moving:
    """f around (z*, c*): z_star [d]; block: columns of D_b [n, m] and c_star [m], or None each."""
    image = network(z_star[None])
    if block is None or c_star is None:
        empty = z_star.new_zeros(1, network.outputs, 0)
        return Moving(
            network,
            empty,
            z_star.new_zeros(1, 0, 0),
            image,
            z_star[None],
            torch.zeros(1, dtype=torch.bool),
        )
    left, values, right = torch.linalg.svd(block, full_matrices=False)
    seen = values > values[0] * max(block.shape) * torch.finfo(torch.float32).eps
    basis = right[seen].mT
    return Moving(
        network,
        (left[:, seen] * values[seen])[None],
        basis[None],
        image + (block @ c_star)[None],
        torch.cat((z_star, basis.mT @ c_star))[None],
        torch.tensor([int(seen.sum()) < block.shape[1]]),
    )


@torch.no_grad()
def near_planted(moving: Moving, radius: float, steps: int, seed: int = 0) -> Planted:
    """Descend from a random point at a distance, and measure the constants of that path.

    The step is the best that the constants of the path before admit, from 1 / rho at w* on.
    """
    star = moving.star
    draw = torch.Generator().manual_seed(seed)
    away = torch.randn(star.shape, generator=draw, dtype=star.dtype)
    start = star + radius * away / away.norm()
    ends = torch.linalg.eigvalsh(moving.hessian(star))[0]
    eta = 1 / float(ends[-1])
    best: Planted | None = None
    for _ in range(ROUNDS):
        here = _measured(moving, start, eta, steps, float(ends[0].clamp_min(0)))
        if best is None or (here.inside and not (best.inside and best.promised <= here.promised)):
            best = here
        constants = star.new_tensor([here.mu, here.rho, here.epsilon])
        wanted = float(best_step(*constants))
        if wanted != wanted or abs(wanted / eta - 1) < 1e-2:
            break
        eta = wanted
    assert best is not None
    return best


def _measured(moving: Moving, start: Tensor, eta: float, steps: int, limit: float) -> Planted:
    star, path, gradients = moving.star, [start], []
    for _ in range(steps):
        gradients.append(moving.gradient(path[-1]))
        path.append(path[-1] - eta * gradients[-1])
    points = torch.stack(path)  # [K + 1, 1, size]
    distance = (points - star).norm(dim=-1)[:, 0]
    mu = (torch.stack(gradients).norm(dim=-1)[:, 0] / distance[:-1]).amin()
    factors = (distance[1:] / distance[:-1]).square()
    chosen = torch.linspace(0, steps - 1, min(EXAMINED, steps)).round().long().unique()
    some = points[chosen]
    curved = sides_of_steps(moving, some, star.new_tensor([eta]), SAMPLES)
    rho, epsilon = curved.rho.amax(), curved.epsilon.amax()
    low, high = step_interval(mu, rho, epsilon)
    step = star.new_tensor(eta)
    stride = eta * torch.stack([gradients[int(k)] for k in chosen])
    corners = torch.cat((points[:, 0], (some - stride)[:, 0], (star + stride)[:, 0]))
    network = moving.network
    assert isinstance(network, TrainedNetwork)
    sides = network.sides(torch.cat((star, corners))[:, : network.latent])
    return Planted(
        radius=float(distance[0]),
        mu=float(mu),
        mu_limit=limit,
        rho=float(rho),
        epsilon=float(epsilon),
        eta=eta,
        low=float(low),
        high=float(high),
        needed=float(32 / 9 * rho * epsilon),
        promised=float(contraction(step, mu, rho, epsilon)),
        observed=float(factors.amax()),
        changed=int((sides[1:] != sides[:1]).any(0).sum()),
    )

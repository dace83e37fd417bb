"""Plain descent on realizable instances, as Theorems 3, 6 and 8 assume it: one step size, no more.

Sections 4.1 (GAN inversion), 4.2 (alternating, lambda = 0) and 4.3 (regularised). `solver` is the
algorithm for real images; with its acceleration off and equal steps it gives the same iterates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from red_core.algorithm.prox import block_soft_threshold, lambda_max, penalty
from red_core.synthetic import Instances

METHODS = ("inversion", "alternating", "proximal")


@dataclass(frozen=True)
class DescentOptions:
    """Numbers of one descent.

    method: "inversion" (4.1: c_a stays c_a*), "alternating" (4.2) or "proximal" (4.3); steps; eta:
    the step size of the theorems, on f = ||.||^2 (None: the "safe" one of `step_sizes`);
    lambda_fraction: lambda of 4.3 over the smallest with c_a = 0 at the start; tolerance: an
    instance has arrived once the distance to (z*, c_a*) is below it (its c_a part measured in the
    row space of D_a, outside of which c_a does not change x'). Raises ValueError.
    """

    method: str = "inversion"
    steps: int = 2000
    eta: float | None = None
    lambda_fraction: float = 0.1
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"the method is one of {', '.join(METHODS)}, not {self.method!r}")
        if not 1 <= self.steps <= 100_000:
            raise ValueError(f"steps must lie between 1 and 100,000, not {self.steps}")
        if self.eta is not None and not 0 < self.eta <= 1e6:
            raise ValueError(f"eta must lie in (0, 1e6], not {self.eta}")
        if not 0 < self.lambda_fraction <= 2:
            raise ValueError(f"lambda_fraction must lie in (0, 2], not {self.lambda_fraction}")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance must lie in (0, 1), not {self.tolerance}")


@dataclass(frozen=True)
class Point:
    """One iterate of every instance.

    k; z [I, d]; c_a [I, k_a]; distance_z = ||z - z*||; distance_c = ||c_a - c_a*||; distance_row:
    the latter within the row space of D_a; loss: f, or f + lambda h under "proximal";
    gradient_norm: of f in what the method moves (z, or z and c_a); mu: B.1's quotient, NaN at the
    solution; mu_row: the same against distance_row. All [I].
    """

    k: int
    z: Tensor
    c_a: Tensor
    distance_z: Tensor
    distance_c: Tensor
    distance_row: Tensor
    loss: Tensor
    gradient_norm: Tensor
    mu: Tensor
    mu_row: Tensor

    @property
    def distance(self) -> Tensor:
        """||(z - z*, c_a - c_a*)||, c_a in the row space of D_a: [I]."""
        return torch.hypot(self.distance_z, self.distance_row)


@dataclass(frozen=True)
class Path:
    """The recorded iterates of a descent: `Point`'s fields with a first dimension K + 1.

    k [K + 1]: their numbers; eta [I]; lam [I]: lambda, 0 but under "proximal"; tolerance: what
    arriving means; method.
    """

    k: Tensor
    z: Tensor
    c_a: Tensor
    distance_z: Tensor
    distance_c: Tensor
    distance_row: Tensor
    loss: Tensor
    gradient_norm: Tensor
    mu: Tensor
    mu_row: Tensor
    eta: Tensor
    lam: Tensor
    tolerance: float
    method: str

    @classmethod
    def of(cls, points: Sequence[Point], descent: Descent) -> Path:
        """The points of one descent, in order."""
        stacked = {
            field.name: torch.stack([torch.as_tensor(getattr(p, field.name)) for p in points])
            for field in fields(Point)
        }
        options = descent.options
        return cls(
            **stacked,
            eta=descent.eta,
            lam=descent.lam,
            tolerance=options.tolerance,
            method=options.method,
        )

    @property
    def distance(self) -> Tensor:
        """As `Point.distance`, [K + 1, I]."""
        return torch.hypot(self.distance_z, self.distance_row)

    @property
    def under_way(self) -> Tensor:
        """Whether an instance had not arrived yet, [K + 1, I]: after that mu is rounding."""
        return (self.distance < self.tolerance).cumsum(0) == 0

    @property
    def success(self) -> Tensor:
        """Whether an instance arrived, [I]."""
        return (self.distance < self.tolerance).any(0)

    @property
    def arrived_at(self) -> Tensor:
        """The recorded k at which an instance arrived, -1 for one that did not: [I]."""
        first = self.under_way.sum(0).clamp_max(len(self.k) - 1)
        return torch.where(self.success, self.k[first], -1)

    @property
    def mu_mean(self) -> Tensor:
        """mu_row averaged over an instance's path until it arrived, [I] (Figures 1 and 3)."""
        shown = torch.where(self.under_way, self.mu_row, torch.nan)
        return shown.nanmean(0)


class Descent:
    """The state of one descent of all instances; both updates are taken from iterate k.

    eta [I]: overrides options.eta, one step size an instance.
    """

    def __init__(
        self, instances: Instances, options: DescentOptions, eta: Tensor | None = None
    ) -> None:
        self.instances, self.options = instances, options
        self.k = 0
        self.z = instances.z_start
        inversion = options.method == "inversion"
        self.c_a = instances.c_star if inversion else instances.c_start
        if eta is None:
            given = options.eta
            safe = step_sizes(instances, inversion)["safe"]
            eta = safe if given is None else torch.full_like(safe, given)
        self.eta = eta
        self._moves_c = bool(instances.k) and not inversion
        self.lam = instances.observed.new_zeros(len(instances))
        if options.method == "proximal" and instances.k:
            start = instances.residual(self.z, self.c_a * 0)
            # Of f + lambda h, whose f has no half: twice the lambda_max of the half.
            self.lam = options.lambda_fraction * 2 * lambda_max(start, instances.dictionary)

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.k >= self.options.steps

    def step(self) -> None:
        """(z, c_a) of iterate k + 1 (Algorithm 1 with the step sizes of the theorems)."""
        grad_z, grad_c = self._gradient()
        self.z = self.z - self.eta[:, None] * grad_z
        if self._moves_c:
            moved = self.c_a - self.eta[:, None] * grad_c
            if self.options.method == "proximal":
                moved = block_soft_threshold(moved, self.eta * self.lam, self.instances.dictionary)
            self.c_a = moved
        self.k += 1

    def _gradient(self) -> tuple[Tensor, Tensor]:
        return self.instances.gradient(self.z, self.c_a)

    def snapshot(self) -> Point:
        """The present iterate."""
        instances = self.instances
        grad_z, grad_c = self._gradient()
        square = grad_z.square().sum(-1)
        if self._moves_c:
            square = square + grad_c.square().sum(-1)
        gradient_norm = square.sqrt()
        distance_z, distance_c, distance_row = instances.distance(self.z, self.c_a)
        loss = instances.value(self.z, self.c_a)
        if self.options.method == "proximal" and instances.k:
            loss = loss + self.lam * penalty(self.c_a, instances.dictionary)
        return Point(
            k=self.k,
            z=self.z,
            c_a=self.c_a,
            distance_z=distance_z,
            distance_c=distance_c,
            distance_row=distance_row,
            loss=loss,
            gradient_norm=gradient_norm,
            mu=_quotient(gradient_norm, torch.hypot(distance_z, distance_c)),
            mu_row=_quotient(gradient_norm, torch.hypot(distance_z, distance_row)),
        )


def _quotient(gradient_norm: Tensor, distance: Tensor) -> Tensor:
    return torch.where(distance > 0, gradient_norm / distance, torch.nan)


def descend(
    instances: Instances, options: DescentOptions, eta: Tensor | None = None, every: int = 1
) -> Path:
    """A whole descent, every `every`-th iterate and the last recorded.

    It ends early once every instance has arrived.
    """
    descent = Descent(instances, options, eta)
    points = [descent.snapshot()]
    while not descent.done:
        descent.step()
        if descent.k % every == 0 or descent.done:
            points.append(descent.snapshot())
            if bool((points[-1].distance < options.tolerance).all()):
                break
    return Path.of(points, descent)


def step_sizes(instances: Instances, inversion: bool = False) -> dict[str, Tensor]:
    """Two step sizes, each [I]; inversion: whether z alone moves.

    "safe": 1 / (2 ||M||^2) with ||M||^2 = B_sigma'^{2L} ||W_1||^2 ... ||W_L||^2 + ||D_a||^2, a
    bound on ||[J(z) D_a]||^2 everywhere; for one leaky layer gradient descent then converges
    from every start. "local": 1 / (2 max ||[J(z) D_a]||^2) over points between z^0 and z*, which
    only a realizable instance knows: far larger for deep networks, and without a guarantee.
    """
    weights = instances.network.each(len(instances))
    bound = instances.observed.new_ones(len(instances))
    for weight in weights:
        norms = torch.linalg.matrix_norm(weight, ord=2)
        bound = bound * (instances.network.activation.steepest * norms).square()
    atoms = instances.dictionary.atoms
    moves_c = bool(instances.k) and not inversion
    if moves_c:
        bound = bound + torch.linalg.matrix_norm(atoms, ord=2).square()
    share = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None, None]
    reach = instances.network.jacobian(
        instances.z_start + share * (instances.z_star - instances.z_start)
    )
    if moves_c:
        reach = torch.cat((reach, atoms.expand(*reach.shape[:-1], -1)), dim=-1)
    local = torch.linalg.eigvalsh(reach.mT @ reach)[..., -1].amax(0)
    return {"safe": 0.5 / bound, "local": 0.5 / torch.minimum(local, bound)}

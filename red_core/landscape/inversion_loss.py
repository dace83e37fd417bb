"""f of one synthetic instance as a function of z alone: what a landscape of Section 5.1 shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances, Network

PIECEWISE_LINEAR = ("leaky_relu", "relu", "linear")


@dataclass(frozen=True, eq=False)
class Inversion:
    """f(z) = ||y - G(z)||^2 with y = x' - D_a c_a, c_a held: the problem of Section 4.1.

    network: G of one instance; target: y [n]; z_star [d]: the planted solution, a minimiser with
    f = 0 where c_a = c_a* is held; caption: one sentence on what is fixed. Points z [..., d].
    """

    network: Network
    target: Tensor
    z_star: Tensor
    caption: str

    @classmethod
    def of(cls, instances: Instances, item: int = 0, c_a: Tensor | None = None) -> Inversion:
        """Instance `item`, with c_a [k] held (None: at c_a*, the truth, as in Figure 2)."""
        one = instances.take(torch.tensor([item]))
        code = one.c_star if c_a is None else c_a.to(one.c_star)[None]
        if not instances.k:
            text = "f(z) = ||x' - G(z)||²; there is no attack in x'."
        elif c_a is None:
            text = "f(z, c_a*) = ||x' - G(z) - D_a c_a*||²; c_a is held at the truth c_a*."
        else:
            text = "f(z, c_a) = ||x' - G(z) - D_a c_a||²; c_a is held at the iterate looked at."
        target = (one.observed - one.dictionary.combine(code))[0]
        return cls(one.network, target, one.z_star[0], text)

    @property
    def d(self) -> int:
        """The latent dimension."""
        return len(self.z_star)

    @property
    def piecewise_linear(self) -> bool:
        """Whether G is linear in each of finitely many cones around the origin."""
        return self.network.activation.name in PIECEWISE_LINEAR

    def residual(self, z: Tensor) -> Tensor:
        """G(z) - y, [..., n]."""
        return self.network(z.unsqueeze(-2)).squeeze(-2) - self.target

    def value(self, z: Tensor) -> Tensor:
        """f(z), [...]."""
        return self.residual(z).square().sum(-1)

    def gradient(self, z: Tensor) -> Tensor:
        """grad f = 2 J^T (G(z) - y), [..., d]; at a kink, that of one of the sides."""
        rows = 2 * self.residual(z).unsqueeze(-2)
        return self.network.pullback(z.unsqueeze(-2), rows).squeeze(-2)

    def hessian(self, z: Tensor) -> Tensor:
        """2 (J^T J + sum_i r_i Hess G_i), [..., d, d]; at a kink, that of one of the sides."""
        point = z.unsqueeze(-2)
        reach = self.network.jacobian(point)
        bent = self.network.bend(point, self.residual(z).unsqueeze(-2))
        return 2 * (reach.mT @ reach + bent).squeeze(-3)

"""G(z) = sigma(W_L ... sigma(W_1 z)) of eq. 4 with exact derivatives, many instances at once."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from red_core.algorithm.problem import apply_each
from red_core.synthetic.activations import Activation


@dataclass(frozen=True)
class Network:
    """Networks of one shape, for I instances.

    weights: L tensors [S, n_i, n_{i-1}], n_0 = d; each of the S networks is shared by I / S
    consecutive instances (S = 1: by all, S = I: by none). Points carry their instance in the last
    dimension but one, z [..., I, d]: any number of points of every instance.
    """

    weights: tuple[Tensor, ...]
    activation: Activation

    @property
    def latent(self) -> int:
        """d."""
        return self.weights[0].shape[-1]

    @property
    def outputs(self) -> int:
        """m, the paper's n_L."""
        return self.weights[-1].shape[-2]

    def __call__(self, z: Tensor) -> Tensor:
        """G(z): [..., I, d] -> [..., I, m]."""
        for weight in self.weights:
            z = self.activation.value(apply_each(weight, z))
        return z

    def jacobian(self, z: Tensor) -> Tensor:
        """J(z) = R_L W_L ... R_1 W_1: [..., I, d] -> [..., I, m, d]."""
        reach, before = self._reach(z)[-1]
        return self.activation.first(before)[..., None] * reach

    def pullback(self, z: Tensor, rows: Tensor) -> Tensor:
        """J(z)^T v: z [..., I, d], v [..., I, m] -> [..., I, d]."""
        slopes = []
        for weight in self.weights:
            before = apply_each(weight, z)
            slopes.append(self.activation.first(before))
            z = self.activation.value(before)
        for weight, slope in zip(reversed(self.weights), reversed(slopes), strict=True):
            rows = apply_each(weight.mT, rows * slope)
        return rows

    def bend(self, z: Tensor, rows: Tensor) -> Tensor:
        """sum_i v_i Hess G_i(z) (eq. 77 for one layer): [..., I, d], [..., I, m] -> [..., I, d, d].

        The sum over layers of P^T diag(g sigma''(p)) P with P the Jacobian of the pre-activations
        p of that layer and g the gradient of v . G in its outputs.
        """
        layers = self._reach(z)
        total = z.new_zeros(*z.shape, self.latent)
        for weight, (reach, before) in zip(reversed(self.weights), reversed(layers), strict=True):
            curved = (rows * self.activation.second(before))[..., None] * reach
            total = total + reach.mT @ curved
            rows = apply_each(weight.mT, rows * self.activation.first(before))
        return total

    def each(self, instances: int) -> tuple[Tensor, ...]:
        """The weights with every instance's own in its place, [I, n_i, n_{i-1}]."""
        return tuple(w.repeat_interleave(instances // len(w), 0) for w in self.weights)

    def _reach(self, z: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For every layer: the Jacobian of its pre-activations [..., I, n_i, d], and those."""
        found: list[tuple[Tensor, Tensor]] = []
        for weight in self.weights:
            before = apply_each(weight, z)
            if found:
                reach, last = found[-1]
                inner = self.activation.first(last)[..., None] * reach
                reach = apply_each(weight, inner.movedim(-1, 0)).movedim(0, -1)
            else:
                own = weight.repeat_interleave(before.shape[-2] // len(weight), 0)
                reach = own.expand(*before.shape, self.latent)
            found.append((reach, before))
            z = self.activation.value(before)
        return found

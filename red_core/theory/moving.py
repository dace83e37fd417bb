"""f in the coordinates that a descent moves: z, and c_a within the row space of D_a.

grad_c f = 2 D_a^T r lies in the row space of D_a, so gradient descent never moves the rest of
c_a. With V [k, r] an orthonormal basis of that row space (r = rank(D_a)) and a = V^T c_a,

    f(z, c_a) = f~(z, a) = ||x' - G(z) - (D_a V) a||^2    since D_a c_a = D_a V V^T c_a,
    grad_a f~ = V^T grad_c f,

so the iterates (z^k, V^T c_a^k) are exactly those of gradient descent on f~ with the same eta,
and the Hessian of f has the spectrum of that of f~ and k - r zeros. A theorem about descent on f~
therefore is one about (z^k, c_a^k) with ||Delta c_a|| measured in the row space.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from red_core.algorithm.problem import apply_each
from red_core.synthetic import Instances


class Differentiable(Protocol):
    """A G with its derivatives: see `Network`, whose shapes these are."""

    @property
    def latent(self) -> int:
        """d."""

    @property
    def outputs(self) -> int:
        """n."""

    def __call__(self, z: Tensor) -> Tensor:
        """G(z)."""

    def jacobian(self, z: Tensor) -> Tensor:
        """J(z)."""

    def pullback(self, z: Tensor, rows: Tensor) -> Tensor:
        """J(z)^T v."""

    def bend(self, z: Tensor, rows: Tensor) -> Tensor:
        """sum_i v_i Hess G_i(z)."""


@dataclass(frozen=True)
class Moving:
    """f~ of I instances.

    network: G; atoms: D_a V [I, n, r] and basis: V [I, k, r], with r the largest rank and columns
    of zeros where an instance's own is smaller; target [I, n]: x'; star [I, d + r]: (z*, V^T c*);
    kernel [I]: whether D_a has one, k > rank. Points v = (z, a) are [..., I, d + r].
    """

    network: Differentiable
    atoms: Tensor
    basis: Tensor
    target: Tensor
    star: Tensor
    kernel: Tensor

    @classmethod
    def of(cls, instances: Instances, inversion: bool = False) -> Moving:
        """inversion: only z moves (Section 4.1), with c_a = c_a*; r is then 0."""
        atoms, c_star, target = instances.dictionary.atoms, instances.c_star, instances.observed
        if inversion or not instances.k:
            target = target - instances.dictionary.combine(c_star)
            return cls(
                instances.network,
                atoms[..., :0],
                atoms.new_zeros(len(instances), instances.k, 0),
                target,
                instances.z_star,
                torch.zeros(len(instances), dtype=torch.bool),
            )
        # One SVD where all instances share one D_a.
        one = atoms[:1] if atoms.stride(0) == 0 else atoms
        left, values, right = torch.linalg.svd(one, full_matrices=False)
        small = values[:, :1] * max(atoms.shape[1:]) * torch.finfo(values.dtype).eps
        seen = values > small
        width = int(seen.sum(1).max())
        scale = torch.where(seen, values, 0)[:, None, :width]
        basis = (right.mT[..., :width] * seen[:, None, :width]).expand(len(instances), -1, -1)
        a_star = apply_each(basis.mT, c_star)
        return cls(
            instances.network,
            (left[..., :width] * scale).expand(len(instances), -1, -1),
            basis,
            target,
            torch.cat((instances.z_star, a_star), dim=1),
            (seen.sum(1) < instances.k).expand(len(instances)),
        )

    @property
    def latent(self) -> int:
        """d."""
        return self.network.latent

    @property
    def size(self) -> int:
        """d + r."""
        return self.star.shape[1]

    @cached_property
    def _gram(self) -> Tensor:
        return self.atoms.mT @ self.atoms

    def coordinates(self, z: Tensor, c_a: Tensor) -> Tensor:
        """(z, V^T c_a): [..., I, d], [..., I, k] -> [..., I, d + r]."""
        if not self.atoms.shape[-1]:
            return z
        return torch.cat((z, apply_each(self.basis.mT, c_a)), dim=-1)

    def residual(self, v: Tensor) -> Tensor:
        """G(z) + D_a c_a - x', [..., I, n]."""
        z, a = v[..., : self.latent], v[..., self.latent :]
        image = self.network(z) - self.target
        return image + apply_each(self.atoms, a) if a.shape[-1] else image

    def gradient(self, v: Tensor) -> Tensor:
        """grad f~, [..., I, d + r]."""
        twice = 2 * self.residual(v)
        along_z = self.network.pullback(v[..., : self.latent], twice)
        if not self.atoms.shape[-1]:
            return along_z
        return torch.cat((along_z, apply_each(self.atoms.mT, twice)), dim=-1)

    def hessian(self, v: Tensor) -> Tensor:
        """Hess f~ = 2 M^T M + 2 sum_i r_i Hess G_i with M = [J, D_a V]: [..., I, d + r, d + r]."""
        z, d = v[..., : self.latent], self.latent
        reach = self.network.jacobian(z)
        matrix = v.new_empty(*v.shape, self.size)
        matrix[..., :d, :d] = reach.mT @ reach + self.network.bend(z, self.residual(v))
        matrix[..., :d, d:] = reach.mT @ self.atoms
        matrix[..., d:, :d] = matrix[..., :d, d:].mT
        matrix[..., d:, d:] = self._gram
        return 2 * matrix

"""The RED problem of eq. 2 and eq. 5: x' ~ G(z) + D_a c_a with block-sparse c_a.

The objective used everywhere is `1/2 ||x' - G(z) - D_a c_a||^2 + lambda * sum_g ||c_g||_2`.
Algorithm 1 drops the factor 2 of the paper's `f = ||.||^2`, which is this objective's gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

_TINY = 1e-10  # of a place's squared length
Generator = Callable[[Tensor], Tensor]
Features = Callable[[Tensor], Tensor]
Maps = Callable[[Tensor], Sequence[Tensor]]
"""Images [R, *signal_shape] -> feature maps of several depths, each [R, channels, h, w]."""
Purify = Callable[[Tensor, Sequence[int]], Tensor]
"""D: images [R, C, H, W] in [0, 1], one seed for each -> purified images of the same shape."""


def unit_channels(maps: Sequence[Tensor]) -> list[Tensor]:
    """Feature maps [R, channels, h, w], each place's channels scaled to length 1 (or left at 0)."""
    return [each * (each.square().sum(1, keepdim=True) + _TINY).rsqrt() for each in maps]


def apply_each(matrices: Tensor, rows: Tensor) -> Tensor:
    """Items' own matrices applied to their rows: [S, n, m], [..., I, m] -> [..., I, n].

    Each matrix is shared by I / S consecutive items.
    """
    if len(matrices) == 1 or matrices.stride(0) == 0:  # one matrix, expanded or not
        return rows @ matrices[0].mT
    grouped = rows.unflatten(-2, (len(matrices), -1)).movedim(-3, 0)  # [S, ..., I / S, m]
    applied = grouped.flatten(1, -2) @ matrices.mT  # one matrix product for all points
    return applied.unflatten(1, grouped.shape[1:-1]).movedim(0, -3).flatten(-3, -2)


@dataclass(frozen=True)
class AttackDictionary:
    """D_a and its blocks (Section 5.2): block (i, j) holds attacks of type j on class i.

    atoms: [n, k], columns of unit l2 norm, k = classes * len(attacks) * block_size, block (i, j)
    contiguous. attacks: names of the attack types, in column order. norms: [k], the columns'
    l2 norms before they were normalised. Shared by all items of a batch; or one D_a an item,
    atoms [B, n, k] and norms [B, k] (synthetic instances), whose c_a are [..., B, k].
    Raises ValueError where the columns do not divide into the blocks.

    >>> D_a = AttackDictionary.from_attacks(torch.eye(8).view(2, 2, 2, 8), ("linf", "l1"))
    >>> D_a.atoms.shape, D_a.block(label=1, attack=0), D_a.operator_norm_squared
    (torch.Size([8, 8]), slice(4, 6, None), 1.0)
    >>> D_a.energies(torch.tensor([3.0, 4, 0, 0, 0, 0, 0, 1])).tolist()
    [[5.0, 0.0], [0.0, 1.0]]
    """

    atoms: Tensor
    classes: int
    attacks: tuple[str, ...]
    norms: Tensor

    def __post_init__(self) -> None:
        if self.atoms.ndim not in (2, 3) or self.size % (self.classes * len(self.attacks)):
            raise ValueError(
                f"atoms {tuple(self.atoms.shape)} do not divide into "
                f"{self.classes} x {len(self.attacks)} equal blocks"
            )

    @classmethod
    def from_attacks(cls, deltas: Tensor, attacks: tuple[str, ...]) -> AttackDictionary:
        """Build D_a of perturbations [classes, len(attacks), m, n] of any norm."""
        classes, kinds, size, n = deltas.shape
        columns = deltas.reshape(classes * kinds * size, n).T
        norms = columns.norm(dim=0)
        return cls((columns / norms.clamp_min(1e-12)).contiguous(), classes, attacks, norms)

    @property
    def size(self) -> int:
        """k, the number of columns."""
        return self.atoms.shape[-1]

    @property
    def block_size(self) -> int:
        """m, the number of columns of one block."""
        return self.size // (self.classes * len(self.attacks))

    def block(self, label: int, attack: int) -> slice:
        """The columns of block (label, attack)."""
        first = (label * len(self.attacks) + attack) * self.block_size
        return slice(first, first + self.block_size)

    def split(self, c_a: Tensor) -> Tensor:
        """View [..., k] as [..., classes, attacks, m]."""
        return c_a.unflatten(-1, (self.classes, len(self.attacks), self.block_size))

    def energies(self, c_a: Tensor) -> Tensor:
        """||c_a[i][j]||_2 of every block: [..., k] -> [..., classes, attacks]."""
        return torch.linalg.vector_norm(self.split(c_a), dim=-1)

    def combine(self, c_a: Tensor) -> Tensor:
        """D_a c_a: [..., k] -> [..., n]."""
        if self.atoms.ndim == 3:
            return apply_each(self.atoms, c_a)
        return c_a @ self.atoms.T

    def correlate(self, residual: Tensor) -> Tensor:
        """D_a^T r: [..., n] -> [..., k]."""
        if self.atoms.ndim == 3:
            return apply_each(self.atoms.mT, residual)
        return residual @ self.atoms

    def contributions(self, c_a: Tensor) -> Tensor:
        """D_a[i][j] c_a[i][j] of every block: [B, k] -> [B, classes, attacks, n]."""
        blocks = self.split(c_a).flatten(1, 2)
        atoms = self.atoms.unflatten(1, (blocks.shape[1], self.block_size))
        summed = torch.einsum("ngm,bgm->bgn", atoms, blocks)
        return summed.unflatten(1, (self.classes, len(self.attacks)))

    @cached_property
    def operator_norm_squared(self) -> float:
        """||D_a||_2^2, the Lipschitz constant of the gradient in c_a; the largest of the items'."""
        atoms = self.atoms.cpu().double()
        if atoms.shape[-2] > atoms.shape[-1]:
            atoms = atoms.mT
        # The largest eigenvalue of the small Gram matrix: ten times faster than an SVD.
        return float(torch.linalg.eigvalsh(atoms @ atoms.mT)[..., -1].max())

    def take(self, items: Tensor) -> AttackDictionary:
        """The D_a of some items, where every item has its own; itself where it is shared."""
        if self.atoms.ndim == 2:
            return self
        return replace(self, atoms=self.atoms[items], norms=self.norms[items])

    def to(
        self, device: str | torch.device | None = None, dtype: torch.dtype | None = None
    ) -> AttackDictionary:
        """The same dictionary on another device or in another precision."""
        moved = replace(
            self, atoms=self.atoms.to(device, dtype), norms=self.norms.to(device, dtype)
        )
        if "operator_norm_squared" in self.__dict__:
            moved = moved.with_operator_norm_squared(self.operator_norm_squared)
        return moved

    def with_operator_norm_squared(self, known: float) -> AttackDictionary:
        """The same dictionary, with ||D_a||_2^2 as it was measured before."""
        same = replace(self)
        same.__dict__["operator_norm_squared"] = known
        return same


@dataclass(frozen=True)
class RedProblem:
    """A batch of RED problems that share G and D_a.

    observed: x', [B, *signal_shape]; generator: G, [R, *latent_shape] -> [R, *signal_shape],
    frozen and in eval mode; dictionary: D_a with n = prod(signal_shape); features: what an
    optional term of the objective compares x' and G(z) by, images -> [R, ...], or None; purify:
    the diffusion model of B.8 in the place of G, or None; seeds: one an item, of its noise (empty:
    no step draws any); maps: what a perceptual start compares them by, or None.
    Raises ValueError where x' is not finite or does not fit D_a.

    >>> D_a = AttackDictionary.from_attacks(torch.eye(4).view(2, 1, 2, 4), ("linf",))
    >>> problem = RedProblem(torch.zeros(3, 1, 2, 2), lambda z: z.view(-1, 1, 2, 2), D_a)
    >>> len(problem), problem.flat.shape
    (3, torch.Size([3, 4]))
    """

    observed: Tensor
    generator: Generator
    dictionary: AttackDictionary
    features: Features | None = None
    purify: Purify | None = None
    seeds: tuple[int, ...] = ()
    maps: Maps | None = None

    def __post_init__(self) -> None:
        if self.flat.shape[1] != self.dictionary.atoms.shape[-2]:
            raise ValueError(
                f"x' has {self.flat.shape[1]} pixels an item, "
                f"the dictionary {self.dictionary.atoms.shape[-2]} rows"
            )
        if not bool(torch.isfinite(self.observed).all()):
            raise ValueError("x' holds NaN or infinite pixels")

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def flat(self) -> Tensor:
        """x' as rows [B, n]."""
        return self.observed.flatten(1)

    def as_images(self, rows: Tensor) -> Tensor:
        """Rows [R, n] in the shape of the signal, [R, *signal_shape]."""
        return rows.reshape(-1, *self.observed.shape[1:])

    @cached_property
    def observed_features(self) -> Tensor:
        """phi(x') as rows [B, F]."""
        with torch.no_grad():
            return self.features_of(self.observed)

    def features_of(self, images: Tensor) -> Tensor:
        """phi of images [R, *signal_shape] as rows [R, F]."""
        assert self.features is not None  # `begin` checks it
        return self.features(images).flatten(1)

    @cached_property
    def observed_maps(self) -> list[Tensor]:
        """`unit_channels` of the maps of x', each [B, channels, h, w]."""
        assert self.maps is not None  # `begin` checks it
        with torch.no_grad():
            return unit_channels(self.maps(self.observed))

    def take(self, items: Tensor) -> RedProblem:
        """The problem of some items only."""
        seeds = tuple(self.seeds[item] for item in items.tolist()) if self.seeds else ()
        return replace(self, observed=self.observed[items], seeds=seeds)


def pullback(generator: Generator, z: Tensor, rows: Tensor) -> Tensor:
    """J(z)^T v of rows v [R, n] at z [R, *latent]: (W_1 R_1)^T ... (W_L R_L)^T v of Algorithm 1."""
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        made = generator(leaf)
    (gradient,) = torch.autograd.grad(made, leaf, rows.view_as(made))
    return gradient

"""D = [D_s D_a] as blocks: one a class for the signal, one a class and attack type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary

Groups = list[tuple[int, Tensor]]
"""The active blocks, each with the items [b] that have it active."""


@dataclass(frozen=True)
class BlockDictionary:
    """The blocks D_g of D_s and D_a with unit columns, each turned into its principal axes.

    bases: Q_g = D_g V_g [n, r_g] in float64, V_g the eigenvectors of D_g^T D_g and r_g at most
    min(n, m_g); so Q_g^T Q_g is diagonal, and coefficients V_g^T c_g have the norm of c_g.
    Blocks in order: the classes of D_s, then (class, attack) of D_a, class by class. Coefficients
    of an item are one row [k] of all blocks in that order.
    """

    bases: tuple[Tensor, ...]
    classes: int
    attacks: tuple[str, ...]

    @classmethod
    def of(cls, images: Tensor, dictionary: AttackDictionary) -> Self:
        """D_s from clean images [classes, m, n], beside D_a.

        Raises ValueError where the two differ in classes or pixels.
        """
        if (len(images), images.shape[2]) != (dictionary.classes, dictionary.atoms.shape[0]):
            raise ValueError(
                f"D_s has {len(images)} classes of {images.shape[2]} pixels, "
                f"D_a {dictionary.classes} of {dictionary.atoms.shape[0]}"
            )
        signal = tuple(_principal(_unit(block.T)) for block in images.double())
        attacks = cls.of_attacks(dictionary)
        return cls((*signal, *attacks.bases), dictionary.classes, dictionary.attacks)

    @classmethod
    def of_attacks(cls, dictionary: AttackDictionary) -> Self:
        """The blocks of D_a alone, without a D_s."""
        bases = tuple(
            _principal(_unit(dictionary.atoms[:, dictionary.block(label, attack)].double()))
            for label in range(dictionary.classes)
            for attack in range(len(dictionary.attacks))
        )
        return cls(bases, dictionary.classes, dictionary.attacks)

    def __len__(self) -> int:
        return len(self.bases)

    @cached_property
    def spectra(self) -> tuple[Tensor, ...]:
        """The eigenvalues of D_g^T D_g [r_g] of every block."""
        return tuple(basis.square().sum(0) for basis in self.bases)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The columns of every block's coefficients in a row."""
        ends = torch.tensor([basis.shape[1] for basis in self.bases]).cumsum(0).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @property
    def size(self) -> int:
        """k, the number of coefficients of an item."""
        return self.slices[-1].stop

    def zeros(self, items: int) -> Tensor:
        """c = 0: [items, k]."""
        return self.bases[0].new_zeros(items, self.size)

    def spread(self, signal: Tensor, attack: Tensor) -> Tensor:
        """What belongs to classes [B, classes] and to (class, attack) pairs, as [B, blocks]."""
        return torch.cat((signal, attack.flatten(1)), dim=1)

    def active(self, classes: Tensor, attacks: Tensor) -> Tensor:
        """Active blocks [B, blocks] of active classes [B, classes] and attacks [B, attacks]."""
        return self.spread(classes, classes[:, :, None] & attacks[:, None])

    def norms(self, c: Tensor) -> Tensor:
        """||c_g|| of every block: [B, k] -> [B, blocks]."""
        return torch.stack([torch.linalg.vector_norm(c[:, s], dim=1) for s in self.slices], dim=1)

    def correlations(self, residual: Tensor, active: Tensor | None = None) -> Tensor:
        """||D_g^T r|| of every block (zero for those not active): [B, n] -> [B, blocks]."""
        found = residual.new_zeros(len(residual), len(self))
        wanted = torch.ones_like(found, dtype=torch.bool) if active is None else active
        for g, items in self.groups(wanted):
            found[items, g] = torch.linalg.vector_norm(residual[items] @ self.bases[g], dim=1)
        return found

    def contributions(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """D_s[i] c_s[i] [B, classes, n] and D_a[i][j] c_a[i][j] [B, classes, attacks, n]."""
        parts = [c[:, s] @ basis.T for s, basis in zip(self.slices, self.bases, strict=True)]
        signal, attack = parts[: self.classes], parts[self.classes :]
        shape = (self.classes, len(self.attacks))
        return torch.stack(signal, dim=1), torch.stack(attack, dim=1).unflatten(1, shape)

    def residual(self, target: Tensor, c: Tensor, groups: Groups) -> Tensor:
        """x' - D c from the active blocks alone: [B, n]."""
        left = target.clone()
        for g, items in groups:
            left[items] -= c[items, self.slices[g]] @ self.bases[g].T
        return left

    def groups(self, active: Tensor) -> Groups:
        """The blocks that any item has active [B, blocks], with those items."""
        found = [(g, column.nonzero()[:, 0]) for g, column in enumerate(active.unbind(1))]
        return [(g, items) for g, items in found if len(items)]


def _unit(columns: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(columns, dim=0)
    return columns / norms.clamp_min(1e-12)


def _principal(columns: Tensor) -> Tensor:
    """D_g V_g without the axes that D_g^T D_g must send to zero."""
    _, axes = torch.linalg.eigh(columns.T @ columns)  # ascending
    return (columns @ axes[:, -min(columns.shape) :]).contiguous()

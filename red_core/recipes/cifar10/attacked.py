"""Attacked training images that cost nothing: those whose perturbations D_a holds, at any strength.

A run on such an image must not find its own perturbation among the atoms, so these are set to zero
for it. The last images of every class stay apart: the type classifier never sees them, so that the
evidence model can learn from what it makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import read_tensors
from red_core.data.attack_file import unpacked
from red_core.data.datasets import load_official

APART = 0.3  # share of D_a's images of each class


@dataclass(frozen=True)
class StoredAttacks:
    """D_a's images and what was added to them; "column" is an image's place within its class.

    images: [classes, m, 3, 32, 32] in [0, 1]; deltas: [classes, attacks, m, n] in half precision;
    indices: [classes, m], of the images in the training set; labels: [classes].
    """

    images: Tensor
    deltas: Tensor
    indices: Tensor
    labels: Tensor

    @property
    def columns(self) -> int:
        """m."""
        return self.images.shape[1]

    @property
    def learning(self) -> int:
        """How many columns, the first, are not kept apart."""
        return max(1, round((1 - APART) * self.columns))

    def attacked(self, columns: slice, attack: int, strength: Tensor | float = 1.0) -> Tensor:
        """x' [classes * columns, 3, 32, 32] in [0, 1] of some columns of all classes.

        attack: index into ATTACKS, or their number for the clean images; strength: factor on the
        perturbations, one for all or [classes * columns].
        """
        images = self.images[:, columns].flatten(0, 1)
        if attack == len(ATTACKS):
            return images.clone()
        deltas = self.deltas[:, attack, columns].flatten(0, 1).float().view_as(images)
        factor = torch.as_tensor(strength).view(-1, 1, 1, 1)
        return (images + factor * deltas).clamp(0, 1)

    def labels_of(self, columns: slice) -> Tensor:
        """Labels [classes * columns]."""
        return self.labels.repeat_interleave(self.images[:, columns].shape[1])


def stored_attacks() -> StoredAttacks:
    """Those of `dictionary.safetensors`, with their images from the official data."""
    stored = read_tensors("cifar10", "dictionary.safetensors")
    train, indices = load_official("cifar10", "train"), stored["indices"].long()
    deltas = unpacked(stored, ATTACKS)
    return StoredAttacks(train.images[indices], deltas, indices, train.labels[indices[:, 0]])


def without(dictionary: AttackDictionary, columns: slice) -> AttackDictionary:
    """D_a with the atoms of some columns of every block set to zero.

    Its operator norm is that of the whole, which is no smaller.
    """
    atoms = dictionary.atoms.clone()
    blocks = atoms.view(len(atoms), -1, dictionary.block_size)
    blocks[:, :, columns] = 0
    rest = replace(dictionary, atoms=atoms)
    return rest.with_operator_norm_squared(dictionary.operator_norm_squared)

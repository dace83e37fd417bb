"""Small dictionaries whose blocks span subspaces, in float64."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary
from red_core.sbsc import BlockDictionary

ATTACKS = ("linf", "l2")
CLASSES = 4


@dataclass(frozen=True)
class Union:
    """D_s and D_a of random subspaces, x' [B, n] on them, and what they were made of.

    columns: the unit columns [n, k] of [D_s D_a] as they are, parts: their blocks.
    """

    blocks: BlockDictionary
    columns: Tensor
    parts: list[slice]
    target: Tensor
    classes: Tensor
    attacks: Tensor


def union(
    seed: int = 0, items: int = 8, pixels: int = 80, rank: int = 3, likeness: float = 0.0
) -> Union:
    """x' = D_s[i] c_s + D_a[i][j] c_a: blocks of 6 (D_s) and 5 (D_a) columns on `rank` axes.

    likeness: how much of every block is the same subspace for all (0: none).
    """
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    def block(width: int, common: Tensor) -> Tensor:
        axes, _ = torch.linalg.qr(normal(pixels, rank) + likeness * common)
        return (axes @ normal(rank, width)).T

    alike = normal(pixels, rank)
    images = torch.stack([block(6, alike) for _ in range(CLASSES)])
    deltas = torch.stack([block(5, alike) for _ in range(CLASSES * len(ATTACKS))])
    dictionary = AttackDictionary.from_attacks(
        deltas.unflatten(0, (CLASSES, len(ATTACKS))), ATTACKS
    )
    classes = torch.arange(items) % CLASSES
    attacks = torch.arange(items) // 2 % len(ATTACKS)
    signal = torch.stack([normal(6) @ images[i] for i in classes])
    attack = torch.stack(
        [normal(5) @ deltas[i * len(ATTACKS) + j] for i, j in zip(classes, attacks, strict=True)]
    )
    unit = images / images.norm(dim=2, keepdim=True)
    columns = torch.cat((unit.flatten(0, 1).T, dictionary.atoms), dim=1)
    widths = [6] * CLASSES + [5] * CLASSES * len(ATTACKS)
    ends = torch.tensor(widths).cumsum(0).tolist()
    parts = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
    target = signal / signal.norm(dim=1, keepdim=True)
    target = target + 0.7 * attack / attack.norm(dim=1, keepdim=True)
    blocks = BlockDictionary.of(images, dictionary)
    return Union(blocks, columns, parts, target, classes, attacks)


@pytest.fixture
def make_union() -> Callable[..., Union]:
    return union
